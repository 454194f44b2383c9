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

/// A clock that is put back by less than this was wrong by so little that what it ran last need not run again.
const A_LITTLE_AHEAD: TimeDelta = TimeDelta::minutes(10);

/// How far what happened may lie ahead, by the clocks of other machines. What lies further ahead was dated by a clock that
/// was wrong.
const AHEAD_MOST: TimeDelta = TimeDelta::hours(1);

/// Whether something can have happened at an instant: it does not lie far ahead.
pub fn is_credible(at: Timestamp, now: Timestamp) -> bool {
    at - now <= AHEAD_MOST
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
    if !was_ahead(&anchor) {
        return;
    }
    // The newest instant of the past counts as done: whether it ran is not known, and a run too many is worse.
    let healed = schedule.previous(now).unwrap_or(now.trunc_subsecs(0));
    decision.status.last_schedule_time = Some(healed);
    if !decision.notes.contains(&note) {
        decision.notes.push(note);
    }
}

/// Whether a clock was ahead when `recorded` was written, and it costs runs to wait until it has come. What was recorded a
/// little ahead did happen a moment ago, by a clock that was then put right: where nothing else is due before, it counts.
fn was_ahead(recorded: Timestamp, schedule: &Schedule, now: Timestamp) -> bool {
    let costs_a_run = || schedule.next(now).is_some_and(|due| due < recorded);
    recorded > now + CLOCK_SLACK && (recorded > now + A_LITTLE_AHEAD || costs_a_run())
}
