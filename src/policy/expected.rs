//! Whether a success is overdue (`expected-within`).

use crate::cronjob::CronJob;
use crate::policy::situation::Decision;
use crate::policy::{Note, Ruling};
use crate::schedule::{Schedule, Timestamp};

/// Tells once that no run has succeeded in time, and once that one has after all. A pause is no time to expect anything in.
pub(super) fn watch(decision: &mut Decision, cronjob: &CronJob, schedule: &Schedule, now: Timestamp) {
    if std::mem::take(&mut decision.memory.rests) {
        decision.memory.rested_until = Some(now);
    }
    let Some(within) = cronjob.spec.policies.expected_within else {
        decision.memory.overdue = None;
        return;
    };
    let memory = &decision.memory;
    let starts = [
        decision.status.last_successful_time,
        memory.rested_until,
        memory.in_force_since,
    ];
    let since = starts.into_iter().flatten().fold(cronjob.created, Timestamp::max);
    // A success at the instant itself is one of the run before.
    let Some(due) = schedule.anchored(cronjob.created).next(since) else {
        return;
    };
    let overdue_at = due + within + cronjob.spec.policies.jitter_of(&cronjob.uid);
    decision.expected_success = Some(overdue_at);
    if overdue_at > now {
        if decision.memory.overdue.take().is_some() {
            decision.notes.push(Note::Ruled(Ruling::SucceededAgain));
        }
        decision.wake = decision.wake.into_iter().chain([overdue_at]).min();
        return;
    }
    decision.memory.overdue = Some(due);
    decision.notes.push(Note::Ruled(Ruling::Overdue { due, within }));
}
