//! What a clock that was wrong left behind.
//!
//! DIFFERENCE (D11): Kubernetes believes every record, and stays silent until the time has caught up.

use chrono::{SubsecRound, TimeDelta};

use crate::cronjob::CronJob;
use crate::policy::Note;
use crate::policy::situation::Decision;
use crate::schedule::{Schedule, Timestamp};

/// A recorded run that lies further ahead than this means that the clock was wrong when it was recorded.
/// Ordinary time synchronisation steps by less, and nothing is started twice meanwhile: the names see to that.
pub const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(5);

/// How far what happened may lie ahead, by the clocks of other machines and by one that was a little wrong, so that what it ran
/// last need not run again. What lies further ahead was dated by a clock that was wrong, as by one that took the machine's
/// local time for UTC, which is half an hour or more.
const A_LITTLE_AHEAD: TimeDelta = TimeDelta::minutes(10);

/// Whether something can have happened at an instant: it does not lie far ahead.
pub fn is_credible(at: Timestamp, now: Timestamp) -> bool {
    at - now <= A_LITTLE_AHEAD
}

/// Up to when everything is dealt with where that was recorded by a clock that was ahead, and only then. The newest instant of
/// the past counts as done: whether it ran is not known, and a run too many is worse.
pub fn healed(recorded: Timestamp, schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let newest = || schedule.previous(now).unwrap_or(now.trunc_subsecs(0));
    was_ahead(recorded, schedule, now).then(newest)
}

/// Takes back what a wrong clock recorded of the future: a `lastScheduleTime`, or, where nothing was started yet, the
/// `creationTimestamp`; and up to when everything is dealt with.
pub(super) fn heal_clock(decision: &mut Decision, cronjob: &CronJob, schedule: &Schedule, now: Timestamp) {
    let was_ahead = |recorded: &Timestamp| was_ahead(*recorded, schedule, now);
    if let Some(recorded) = decision.status.record.passed.filter(was_ahead) {
        decision.status.record.passed = Some(now.trunc_subsecs(0));
        decision.notes.push(Note::ClockWentBack { recorded });
    }
    let (anchor, note) = match decision.status.last_schedule_time {
        Some(recorded) => (recorded, Note::ClockWentBack { recorded }),
        None => (
            cronjob.created,
            Note::CreatedInFuture {
                created: cronjob.created,
            },
        ),
    };
    let Some(healed) = healed(anchor, schedule, now) else {
        return;
    };
    decision.status.last_schedule_time = Some(healed);
    if !decision.notes.contains(&note) {
        decision.notes.push(note);
    }
}

/// Whether a clock was ahead when `recorded` was written, and it costs runs to wait until it has come. What was recorded a
/// little ahead did happen a moment ago, by a clock that was then put right: where nothing else is due before, it counts.
fn was_ahead(recorded: Timestamp, schedule: &Schedule, now: Timestamp) -> bool {
    let costs_a_run = || schedule.next(now).is_some_and(|due| due < recorded);
    recorded > now + CLOCK_SLACK && (!is_credible(recorded, now) || costs_a_run())
}
