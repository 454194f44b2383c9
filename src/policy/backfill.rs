//! Runs for instants of the past that somebody asks for (`punctual backfill`).
//!
//! A backfill has a name, and starts each of its instants once: the Jobs that carry its name say which it has started. So
//! whoever begins it again, after a crash or by mistake, starts nothing twice. Of an instant that has had no Job the new
//! one has the name of the run, so that the schedule and a backfill never start it both.
//!
//! Nothing is pressed in between: a run of a backfill starts only where a run of the schedule could as well, and
//! whatever the schedule itself has to start goes first. It never ends another run, not even where
//! `concurrencyPolicy` is `Replace`.

use std::fmt;

use crate::cronjob::{Origin, Outcome, Run, rerun_name, run_name};
use crate::policy::concurrency;
use crate::policy::decide::{decide, decide_in_group};
use crate::policy::group::{Group, Member, slots_taken};
use crate::policy::line::MISSED_AFTER;
use crate::policy::situation::{Decision, Situation};
use crate::policy::{Note, Ruling};
use crate::schedule::Timestamp;

/// Which instants are run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reprocess {
    /// Those that have no Job.
    #[default]
    Missed,
    /// Those, and those whose newest run failed.
    Failed,
    /// All of them, unless a run is active.
    All,
}

/// A Job of an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The Job.
    pub run: Run,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// The backfill that it belongs to.
    pub backfill: Option<String>,
}

/// What a backfill does about an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// It starts a Job of this name.
    Start(String),
    /// It has started one before.
    Started,
    /// Nothing: what has become of it so far is not to be run again.
    Leave,
}

/// What the backfill called `name` does about an instant that has had these Jobs.
pub fn plan(
    cronjob: &str,
    scheduled: Timestamp,
    attempts: &[&Attempt],
    name: &str,
    reprocess: Reprocess,
) -> Plan {
    if attempts
        .iter()
        .any(|attempt| attempt.backfill.as_deref() == Some(name))
    {
        return Plan::Started;
    }
    let Some(newest) = newest(attempts) else {
        return Plan::Start(run_name(cronjob, scheduled));
    };
    let is_wanted = match newest.run.outcome() {
        None => false,
        Some(Outcome::Failed) => reprocess != Reprocess::Missed,
        Some(Outcome::Succeeded) => reprocess == Reprocess::All,
    };
    if !is_wanted {
        return Plan::Leave;
    }
    let is_free = |name: &String| attempts.iter().all(|attempt| attempt.run.name != *name);
    let names = (1..=attempts.len() + 1).map(|number| rerun_name(cronjob, scheduled, number));
    names.into_iter().find(is_free).map_or(Plan::Leave, Plan::Start)
}

/// The newest Job of an instant, by which what has become of it is told.
pub fn newest<'a>(attempts: &[&'a Attempt]) -> Option<&'a Attempt> {
    let newest = attempts
        .iter()
        .max_by_key(|attempt| (attempt.created, &attempt.run.name));
    newest.copied()
}

/// Why a backfill does not start its next run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// As many of its runs are active as may be.
    Enough(usize),
    /// The CronJob lets no more runs be active beside these.
    Active(Vec<String>),
    /// The schedule itself has a run to start, which goes first.
    Schedule(Timestamp),
    /// The CronJob's group has no slot left, or members that wait for it, which go first.
    Group,
}

/// Whether the backfill may start a run now, with at most `most` of its runs active at once.
///
/// `asked` is what this said the last time, and since when. Who has nobody to run the schedule, or knows less than whoever
/// does, is not kept for ever by what the schedule does not start after all.
///
/// # Errors
///
/// What it waits for.
pub fn may_start(
    situation: Situation<'_>,
    group: &Group,
    most: usize,
    asked: Option<(&Hold, Timestamp)>,
    now: Timestamp,
) -> Result<(), Hold> {
    let Situation { cronjob, runs, .. } = situation;
    let own = runs
        .iter()
        .filter(|run| run.is_in_the_way() && run.origin == Origin::Backfill);
    if own.count() >= most {
        return Err(Hold::Enough(most));
    }
    let decision = decide_in_group(situation, group, now);
    if let Some(places) = concurrency::places(&cronjob.spec) {
        let first = wanted(&decision).map(Hold::Schedule);
        let is_kept =
            |hold: &Hold| asked.is_none_or(|(before, since)| before != hold || now < since + MISSED_AFTER);
        if let Some(hold) = first.filter(is_kept) {
            return Err(hold);
        }
        let active = &decision.status.active;
        if active.len() >= places {
            return Err(Hold::Active(active.iter().map(|job| job.name.clone()).collect()));
        }
    }
    match &cronjob.spec.policies.group {
        Some(membership) => {
            let own = decision.status.active.len();
            let has_room = group.has_room_to_spare(&cronjob.key.name, membership, own);
            if has_room { Ok(()) } else { Err(Hold::Group) }
        }
        None => Ok(()),
    }
}

/// A CronJob as a member of its group, as it is now; `None` if it is in none.
pub fn member(situation: Situation<'_>, now: Timestamp) -> Option<Member> {
    let Situation { cronjob, runs, .. } = situation;
    let membership = cronjob.spec.policies.group.clone()?;
    Some(Member {
        name: cronjob.key.name.clone(),
        membership,
        taken: slots_taken(runs),
        waits_for: wanted(&decide(situation, now)),
    })
}

/// The instant that the schedule starts now, or would if it could.
fn wanted(decision: &Decision) -> Option<Timestamp> {
    let waiting = decision.notes.iter().find_map(|note| match note {
        Note::Blocked { scheduled, .. } | Note::Ruled(Ruling::Waiting { scheduled, .. }) => Some(*scheduled),
        _ => None,
    });
    decision.start.as_ref().map(|start| start.scheduled).or(waiting)
}

/// What it waits for, in words.
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hold::Enough(1) => f.write_str("one run at a time (--max-active)"),
            Hold::Enough(most) => write!(f, "{most} runs at a time (--max-active)"),
            Hold::Active(jobs) => write!(
                f,
                "{} active, beside which the CronJob lets nothing run",
                is_or_are(jobs)
            ),
            Hold::Schedule(due) => write!(
                f,
                "the run that is due {} goes first",
                due.format("%Y-%m-%dT%H:%M:%SZ")
            ),
            Hold::Group => f.write_str("its group (punctual.dev/group) has no slot to spare"),
        }
    }
}

fn is_or_are(jobs: &[String]) -> String {
    let verb = if jobs.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", jobs.join(", "))
}
