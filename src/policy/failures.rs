//! Failed runs in a row, and the suspension that too many of them lead to (`suspend-after-failures`).
//!
//! A run is counted when the status stops naming it as active, in the same write, so it counts once whatever happens.
//! What a backfill runs says nothing of how the schedule is doing, and is not counted.

use chrono::SubsecRound;

use crate::cronjob::{CronJob, Origin, Outcome, Record, Run};
use crate::policy::{Note, Ruling};
use crate::schedule::Timestamp;

/// Counts the runs that have just ended, and suspends the schedule if too many have failed.
pub(super) fn count(
    record: &mut Record,
    cronjob: &CronJob,
    runs: &[Run],
    now: Timestamp,
    notes: &mut Vec<Note>,
) {
    // What ends during a suspension began before it: a resume starts the count anew.
    let most = cronjob.spec.policies.suspend_after_failures;
    let Some(most) = most.filter(|_| record.suspended.is_none()) else {
        record.failures = 0;
        return;
    };
    let is_backfill = |job: &str| {
        let run = runs.iter().find(|run| run.name == job);
        run.is_some_and(|run| run.origin == Origin::Backfill)
    };
    for note in notes.iter() {
        match note {
            Note::Completed { job, .. } if is_backfill(job) => {}
            Note::Completed {
                outcome: Outcome::Failed,
                ..
            } => record.failures += 1,
            Note::Completed { .. } => record.failures = 0,
            _ => {}
        }
    }
    if record.failures >= most {
        let failures = std::mem::take(&mut record.failures);
        record.suspended = Some(now.trunc_subsecs(0));
        notes.push(Note::Ruled(Ruling::SuspendedForFailures { failures }));
    }
}
