//! The words that the tables are written in.
//!
//! Instants are the letters of Kubernetes' own tests (2016-05-19 is a Thursday), with an offset where needed:
//! `T`, `C+11s`, `T+24h31m`.

use std::sync::Arc;

use chrono::TimeDelta;
use punctual::cronjob::extension::Policies;
use punctual::cronjob::{
    BadSchedule, Concurrency, CronJob, HistoryLimits, Key, Origin, Outcome, Run, RunState, Spec, Status,
    run_name,
};
use punctual::policy::{Decision, Memory, Note, Situation, decide};
use punctual::schedule::{Expression, Schedule, TimeZones, Timestamp};

/// `T` or `C+11s`: a letter and an offset.
pub(crate) fn instant(text: &str) -> Timestamp {
    let (letter, offset) = text.split_at(1);
    let base = match letter {
        "A" => "2016-05-19T08:59:00Z",
        "B" => "2016-05-19T09:01:00Z",
        "C" => "2016-05-19T09:59:00Z",
        "T" => "2016-05-19T10:00:00Z",
        "D" => "2016-05-19T10:01:00Z",
        "E" => "2016-05-19T10:59:00Z",
        "W" => "2016-05-26T10:00:00Z",
        _ => panic!("no instant is called {letter:?}"),
    };
    let base: Timestamp = base.parse().expect("an RFC 3339 instant");
    match offset.split_at_checked(1) {
        None => base,
        Some(("+", offset)) => base + duration(offset),
        Some(("-", offset)) => base - duration(offset),
        Some(_) => panic!("{text:?} is not an instant"),
    }
}

/// `59m`, `58m59.9s`, `19d1h30m`.
pub(crate) fn duration(text: &str) -> TimeDelta {
    let parts = text.split_inclusive(|c: char| c.is_ascii_alphabetic());
    parts
        .map(|part| part_of_duration(part).unwrap_or_else(|| panic!("{text:?} is not a duration")))
        .sum()
}

/// A number with at most one decimal, and its unit.
fn part_of_duration(part: &str) -> Option<TimeDelta> {
    let (number, unit) = part.split_at_checked(part.len() - 1)?;
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    let tenths = whole.parse::<i64>().ok()? * 10 + tenths.parse::<i64>().ok()?;
    let unit_millis = match unit {
        "d" => 86_400_000,
        "h" => 3_600_000,
        "m" => 60_000,
        "s" => 1_000,
        _ => return None,
    };
    Some(TimeDelta::milliseconds(tenths * unit_millis / 10))
}

/// A CronJob named `mycronjob` with its schedule compiled as the controller would.
pub(crate) fn cronjob(schedule: &str, time_zone: Option<&str>) -> CronJob {
    CronJob {
        key: Key {
            namespace: "snazzycats".into(),
            name: "mycronjob".into(),
        },
        uid: "1a2b3c".into(),
        created: instant("A"),
        deleting: false,
        spec: Spec {
            schedule_text: schedule.into(),
            time_zone: time_zone.map(Into::into),
            schedule: compile(schedule, time_zone),
            suspend: false,
            suspend_until: None,
            concurrency: Concurrency::Allow,
            starting_deadline: None,
            history: HistoryLimits::default(),
            policies: Policies::default(),
            mistakes: vec![],
        },
        status: Status::default(),
    }
}

fn compile(text: &str, time_zone: Option<&str>) -> Result<Schedule, BadSchedule> {
    let expression = Expression::parse(text).map_err(|source| BadSchedule::Unparseable {
        text: text.into(),
        source: Arc::new(source),
    })?;
    let name = expression.zone_prefix().or(time_zone).unwrap_or("UTC");
    let zone = TimeZones::built_in()
        .zone(name)
        .map_err(|source| BadSchedule::UnknownTimeZone {
            name: name.into(),
            source: Arc::new(source),
        })?;
    Ok(Schedule::new(&expression, Arc::clone(&zone)))
}

/// What a decision tells, and what it tells once its run has started.
pub(crate) fn notes(decision: &Decision) -> Vec<Note> {
    [&decision.notes[..], &decision.once_started[..]].concat()
}

/// The run of `mycronjob` for an instant.
pub(crate) fn run(scheduled: Timestamp, state: RunState) -> Run {
    Run {
        name: run_name("mycronjob", scheduled),
        uid: format!("uid-{}", scheduled.timestamp_millis()),
        resource_version: "1".into(),
        origin: Origin::Schedule,
        state,
        started: Some(scheduled),
        began: true,
        deleting: false,
    }
}

/// Successfully finished.
pub(crate) fn done(completed: Timestamp) -> RunState {
    RunState::Finished {
        outcome: Outcome::Succeeded,
        completed: Some(completed),
    }
}

/// The decision at `now`.
pub(crate) fn decide_at(cronjob: &CronJob, runs: &[Run], memory: &Memory, now: &str) -> Decision {
    let situation = Situation {
        cronjob,
        runs,
        memory,
    };
    decide(situation, instant(now))
}

/// The reasons of everything that a decision tells.
pub(crate) fn told(decision: &Decision) -> String {
    let notes = notes(decision);
    notes.iter().map(Note::reason).collect::<Vec<_>>().join(" ")
}
