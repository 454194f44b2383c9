//! One row a situation: what a backfill makes of an instant, and when it may start a run.

use punctual::cronjob::extension::Membership;
use punctual::cronjob::{CronJob, Origin, Outcome, Run, RunState};
use punctual::manifest;
use punctual::policy::{Attempt, Group, Hold, Member, Memory, Plan, Reprocess, Situation, may_start, plan};
use punctual::schedule::{TimeZones, Timestamp};
use serde_json::{Value, json};

const INSTANT: &str = "2026-11-23T10:00:00Z";

/// The Jobs of the instant as `name:state backfill`, oldest first: `S`ucceeded, `F`ailed, `a`ctive. Then what each of
/// `missed`, `failed` and `all` does: a name to start, `=` for started before, `-` for nothing.
#[test]
fn an_instant_is_run_if_what_became_of_it_is_to_be_run_again() {
    for (jobs, missed, failed, all) in [
        ("", "t-29923800", "t-29923800", "t-29923800"),
        ("t-29923800:S", "-", "-", "t-29923800-r1"),
        ("t-29923800:F", "-", "t-29923800-r1", "t-29923800-r1"),
        ("t-29923800:a", "-", "-", "-"),
        // The newest counts, whatever came before.
        ("t-29923800:F t-29923800-r1:S:other", "-", "-", "t-29923800-r2"),
        (
            "t-29923800:S t-29923800-r1:F:other",
            "-",
            "t-29923800-r2",
            "t-29923800-r2",
        ),
        ("t-29923800:F t-29923800-r1:a:other", "-", "-", "-"),
        // The first Job is gone, and so is its name free; nobody takes it, for it stands for the run itself.
        ("t-29923800-r1:F:other", "-", "t-29923800-r2", "t-29923800-r2"),
        (
            "t-29923800:F t-29923800-r2:F:other",
            "-",
            "t-29923800-r1",
            "t-29923800-r1",
        ),
        // What it has started itself it never starts again, however that ended.
        ("t-29923800:S:mine", "=", "=", "="),
        ("t-29923800:F t-29923800-r1:F:mine", "=", "=", "="),
        ("t-29923800:a:mine", "=", "=", "="),
        ("t-29923800:F:mine t-29923800-r1:S:other", "=", "=", "="),
    ] {
        let attempts: Vec<Attempt> = jobs.split_whitespace().enumerate().map(attempt).collect();
        let attempts: Vec<&Attempt> = attempts.iter().collect();
        for (reprocess, expected) in [
            (Reprocess::Missed, missed),
            (Reprocess::Failed, failed),
            (Reprocess::All, all),
        ] {
            let found = match plan("t", at(INSTANT), &attempts, "mine", reprocess) {
                Plan::Start(name) => name,
                Plan::Started => "=".into(),
                Plan::Leave => "-".into(),
            };
            assert_eq!(found, expected, "{jobs:?} {reprocess:?}");
        }
    }
}

fn attempt((number, text): (usize, &str)) -> Attempt {
    let words: Vec<&str> = text.split(':').collect();
    Attempt {
        run: run(words[0], words[1], Origin::Schedule),
        created: Some(at(INSTANT) + chrono::TimeDelta::seconds(i64::try_from(number).expect("small"))),
        backfill: words.get(2).map(|name| (*name).to_owned()),
    }
}

/// An hourly CronJob at half past ten, of which the run of ten o'clock is recorded: what its spec and its annotations
/// say, its active runs (`s` of the schedule, `b` of a backfill, `m` by hand), and what is waited for.
#[test]
fn a_run_starts_where_one_of_the_schedule_could() {
    let active = |job: &str| Err(Hold::Active(vec![job.to_owned()]));
    let queue = json!({ "punctual.dev/overlap": "Queue", "punctual.dev/max-active": "2" });
    for (policy, annotations, runs, most, expected) in [
        ("Allow", json!({}), "", 1, Ok(())),
        ("Allow", json!({}), "s", 1, Ok(())),
        ("Allow", json!({}), "b", 1, Err(Hold::Enough(1))),
        ("Allow", json!({}), "b", 2, Ok(())),
        ("Allow", json!({}), "m", 1, Ok(())),
        (
            "Allow",
            json!({ "punctual.dev/max-active": "1" }),
            "s",
            1,
            active("s"),
        ),
        ("Allow", json!({ "punctual.dev/max-active": "2" }), "s", 1, Ok(())),
        ("Forbid", json!({}), "", 5, Ok(())),
        ("Forbid", json!({}), "s", 5, active("s")),
        ("Forbid", json!({}), "b", 5, active("b")),
        ("Forbid", json!({}), "m", 5, Ok(())),
        // It ends nobody else's run.
        ("Replace", json!({}), "s", 5, active("s")),
        ("Replace", json!({}), "", 5, Ok(())),
        (
            "Allow",
            json!({ "punctual.dev/overlap": "Skip" }),
            "s",
            5,
            active("s"),
        ),
        (
            "Allow",
            json!({ "punctual.dev/overlap": "ReplaceWhenStopped" }),
            "s",
            5,
            active("s"),
        ),
        ("Forbid", queue.clone(), "s", 5, Ok(())),
        (
            "Forbid",
            queue,
            "s b",
            5,
            Err(Hold::Active(vec!["b".into(), "s".into()])),
        ),
    ] {
        let cronjob = cronjob(policy, &annotations);
        let runs: Vec<Run> = runs.split_whitespace().map(active_run).collect();
        let found = asked(
            &cronjob,
            &runs,
            &Group::default(),
            most,
            None,
            "2026-11-23T10:30:00Z",
        );
        let found = found.map_err(|hold| match hold {
            Hold::Active(mut jobs) => {
                jobs.sort();
                Hold::Active(jobs)
            }
            other => other,
        });
        assert_eq!(found, expected, "{policy} {annotations} {runs:?}");
    }
}

/// At eleven, when the schedule has a run to start as well.
#[test]
fn the_schedule_goes_first_but_is_not_waited_for_for_ever() {
    let due = Hold::Schedule(at("2026-11-23T11:00:00Z"));
    let (forbid, allow) = (cronjob("Forbid", &json!({})), cronjob("Allow", &json!({})));
    let group = Group::default();
    for (cronjob, runs, since, now, expected) in [
        (&forbid, "", None, "2026-11-23T11:00:00Z", Err(due.clone())),
        // It waits for a run of the backfill, and goes before the next one.
        (&forbid, "b", None, "2026-11-23T11:00:30Z", Err(due.clone())),
        (
            &forbid,
            "",
            Some("2026-11-23T11:00:00Z"),
            "2026-11-23T11:00:09Z",
            Err(due.clone()),
        ),
        (
            &forbid,
            "",
            Some("2026-11-23T11:00:00Z"),
            "2026-11-23T11:00:10Z",
            Ok(()),
        ),
        // Of another instant nothing is known yet.
        (
            &forbid,
            "",
            Some("2026-11-23T11:00:00Z"),
            "2026-11-23T12:00:01Z",
            Err(Hold::Schedule(at("2026-11-23T12:00:00Z"))),
        ),
        // Where any number may be active nobody is in anybody's way.
        (&allow, "", None, "2026-11-23T11:00:00Z", Ok(())),
    ] {
        let runs: Vec<Run> = runs.split_whitespace().map(active_run).collect();
        let before = since.map(|since| (&due, at(since)));
        let found = asked(cronjob, &runs, &group, 5, before, now);
        assert_eq!(found, expected, "{runs:?} {since:?} {now}");
    }
}

/// A group of two slots: the others as `taken/waits`, and whether there is room for one beside `own` runs.
#[test]
fn in_a_group_those_that_wait_go_first() {
    let cronjob = cronjob(
        "Allow",
        &json!({ "punctual.dev/group": "g", "punctual.dev/group-slots": "2" }),
    );
    for (others, own, has_room) in [
        ("", "", true),
        ("1/-", "", true),
        ("1/w", "", false),
        ("0/w", "", true),
        ("0/w 0/w", "", false),
        ("2/-", "", false),
        ("1/-", "b", false),
        ("", "s b", false),
    ] {
        let others = others.split_whitespace().enumerate();
        let others = others.map(|(number, other)| Member {
            name: format!("{number}: {other}"),
            membership: Membership {
                name: "g".into(),
                slots: 2,
                priority: 0,
            },
            taken: other[..1].parse().expect("a number"),
            waits_for: other.ends_with('w').then(|| at(INSTANT)),
        });
        let group: Group = others.collect();
        let runs: Vec<Run> = own.split_whitespace().map(active_run).collect();
        let found = asked(&cronjob, &runs, &group, 5, None, "2026-11-23T10:30:00Z");
        let expected = if has_room { Ok(()) } else { Err(Hold::Group) };
        assert_eq!(found, expected, "{group:?} {own}");
    }
}

#[test]
fn a_suspended_cronjob_can_be_backfilled() {
    let mut cronjob = cronjob("Forbid", &json!({}));
    cronjob.spec.suspend = true;
    let found = asked(&cronjob, &[], &Group::default(), 1, None, "2026-11-23T15:00:00Z");
    assert_eq!(found, Ok(()));
}

#[test]
fn what_it_waits_for_is_said() {
    let holds = [
        Hold::Enough(1),
        Hold::Enough(3),
        Hold::Active(vec!["a-1".into()]),
        Hold::Active(vec!["a-1".into(), "a-2".into()]),
        Hold::Schedule(at(INSTANT)),
        Hold::Group,
    ];
    let said: Vec<String> = holds.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"));
}

fn asked(
    cronjob: &CronJob,
    runs: &[Run],
    group: &Group,
    most: usize,
    before: Option<(&Hold, Timestamp)>,
    now: &str,
) -> Result<(), Hold> {
    let situation = Situation {
        cronjob,
        runs,
        memory: &Memory::default(),
    };
    may_start(situation, group, most, before, at(now))
}

fn cronjob(policy: &str, annotations: &Value) -> CronJob {
    let object = json!({
        "metadata": {
            "name": "t", "namespace": "a", "annotations": annotations, "creationTimestamp": "2026-11-01T00:00:00Z",
        },
        "spec": { "schedule": "0 * * * *", "concurrencyPolicy": policy, "jobTemplate": {} },
        "status": { "lastScheduleTime": INSTANT },
    });
    let object: manifest::CronJob = serde_json::from_str(&object.to_string()).expect("a CronJob");
    manifest::lower(&object, &TimeZones::built_in(), None)
}

fn active_run(kind: &str) -> Run {
    let origin = match kind {
        "s" => Origin::Schedule,
        "b" => Origin::Backfill,
        _ => Origin::Manual,
    };
    run(kind, "a", origin)
}

fn run(name: &str, state: &str, origin: Origin) -> Run {
    let finished = |outcome| RunState::Finished {
        outcome,
        completed: None,
    };
    Run {
        name: name.into(),
        uid: name.into(),
        resource_version: "1".into(),
        origin,
        state: match state {
            "S" => finished(Outcome::Succeeded),
            "F" => finished(Outcome::Failed),
            _ => RunState::Active,
        },
        started: None,
        began: true,
        deleting: false,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}
