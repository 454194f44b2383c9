//! Failed runs in a row, and the suspension that too many of them lead to (`suspend-after-failures`).
//!
//! A run is counted when the status stops naming it as active, in the same write, so it counts once whatever happens.

use chrono::SubsecRound;

use crate::cronjob::{CronJob, Outcome, Record};
use crate::policy::{Note, Ruling};
use crate::schedule::Timestamp;

/// Counts the runs that have just ended, and suspends the schedule if too many have failed.
pub(super) fn count(record: &mut Record, cronjob: &CronJob, now: Timestamp, notes: &mut Vec<Note>) {
    let Some(most) = cronjob.spec.policies.suspend_after_failures else {
        record.failures = 0;
        return;
    };
    for note in notes.iter() {
        match note {
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
