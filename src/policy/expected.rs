//! Whether a success is overdue (`expected-within`).

use crate::cronjob::CronJob;
use crate::policy::situation::Decision;
use crate::policy::{Note, Ruling};
use crate::schedule::{Schedule, Timestamp};

/// Tells once that no run has succeeded in time, and once that one has after all. A pause is no time to expect anything in.
/// What was expected when the schedule could be read last is expected as long as it can't be.
pub(super) fn watch(decision: &mut Decision, cronjob: &CronJob, schedule: Option<&Schedule>, now: Timestamp) {
    if std::mem::take(&mut decision.memory.rests) {
        decision.memory.rested_until = Some(now);
    }
    let Some(within) = cronjob.spec.policies.expected_within else {
        decision.memory.overdue = None;
        return;
    };
    if let Some(schedule) = schedule {
        decision.memory.expects = expected_after(decision, cronjob, schedule);
    }
    let Some(due) = decision.memory.expects else {
        decision.memory.overdue = None;
        return;
    };
    let overdue_at = due + within + cronjob.spec.policies.jitter_of(&cronjob.uid);
    decision.expected_success = Some(overdue_at);
    if overdue_at > now {
        let told = decision.memory.overdue.take();
        // An edit may have put it off as well.
        if told.is_some_and(|told| decision.status.last_successful_time > Some(told)) {
            decision.notes.push(Note::Ruled(Ruling::SucceededAgain));
        }
        decision.wake = decision.wake.into_iter().chain([overdue_at]).min();
        return;
    }
    decision.memory.overdue = Some(due);
    decision.notes.push(Note::Ruled(Ruling::Overdue { due, within }));
}

/// The due instant after which the next success is expected: the first since the last one. Of before an edit, only what was
/// expected then, if the schedule still asks for it.
fn expected_after(decision: &Decision, cronjob: &CronJob, schedule: &Schedule) -> Option<Timestamp> {
    let memory = &decision.memory;
    let starts = [decision.status.last_successful_time, memory.rested_until];
    let since = starts.into_iter().flatten().fold(cronjob.created, Timestamp::max);
    let schedule = schedule.anchored(cronjob.created);
    // A success at the instant itself is one of the run before.
    let is_open = |due: &Timestamp| *due > since && schedule.is_due(*due);
    let edited = memory.edit.as_ref().map(|edit| edit.since);
    match edited.filter(|edited| *edited > since) {
        Some(edited) => memory.expects.filter(is_open).or_else(|| schedule.next(edited)),
        None => schedule.next(since),
    }
}
