//! Which instant is due, and which were passed over.
//!
//! At most one run is started for any number of instants that passed while nobody could start them: the newest.
//! Kubernetes estimates which one that is (`mostRecentScheduleTime`) and loses it for irregular schedules.
//! DIFFERENCE (D2): here it is found exactly, by searching backwards from now.

use chrono::{SubsecRound, TimeDelta};

use crate::cronjob::{CronJob, Spec};
use crate::policy::Note;
use crate::policy::situation::{Decision, Memory};
use crate::schedule::{Schedule, Timestamp};

/// More missed instants than this raise `TooManyMissedTimes`, as in Kubernetes. It is only a warning: the newest runs.
pub const TOO_MANY_MISSED: u64 = 100;

/// Missed instants are counted up to here. A CronJob of every second that slept for a year has 31 million; nobody
/// needs to know to the last one, and the time of a decision has to be bounded.
pub const MISSED_COUNT_CAP: u64 = 10_000;

/// A recorded run that lies further ahead than this means that the clock was wrong when it was recorded.
/// Ordinary time synchronisation steps by less, and nothing is started twice meanwhile: the names see to that.
pub const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(5);

/// The instants that one decision looks at: those after `opens`, up to `now`, by one schedule.
pub(super) struct Window<'a> {
    schedule: Schedule,
    spec: &'a Spec,
    /// Everything up to here has had its run.
    done_until: Timestamp,
    /// Everything up to here is too old to start, by the deadline or by an edit of the schedule.
    opens: Timestamp,
    now: Timestamp,
}

impl<'a> Window<'a> {
    pub(super) fn new(
        cronjob: &'a CronJob,
        schedule: &Schedule,
        decision: &Decision,
        now: Timestamp,
    ) -> Self {
        let spec = &cronjob.spec;
        let anchor = decision.status.last_schedule_time.unwrap_or(cronjob.created);
        let done_until = anchor.max(decision.memory.in_force_since.unwrap_or(anchor));
        let opens = done_until.max(deadline_cutoff(spec, now).unwrap_or(done_until));
        // DIFFERENCE (D10): `@every` counts from the last run, not from the edge of the deadline's window, which
        // would move on with the time and never be reached.
        Window {
            schedule: schedule.anchored(anchor),
            spec,
            done_until,
            opens,
            now,
        }
    }

    /// The newest instant of the window. An instant exactly at `now` is due.
    pub(super) fn newest_due(&self) -> Option<Timestamp> {
        self.schedule.previous(self.now).filter(|due| *due > self.opens)
    }

    /// The first instant after now that can become due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.schedule.next(self.now.max(self.done_until))
    }

    /// When an instant becomes too old to start; `None` when it never does.
    pub(super) fn deadline_of(&self, scheduled: Timestamp) -> Option<Timestamp> {
        scheduled.checked_add_signed(self.spec.starting_deadline?)
    }

    /// The instants of the window before the due one, which will not run: only the newest does.
    pub(super) fn passed_over_before(&self, scheduled: Timestamp) -> Vec<Note> {
        let before = scheduled - TimeDelta::seconds(1);
        let count = self.schedule.count(self.opens, before, MISSED_COUNT_CAP);
        let oldest = self.schedule.due(self.opens, before).next();
        let mut notes = Vec::new();
        if let Some(oldest) = oldest {
            notes.push(Note::PassedOver {
                count,
                oldest,
                newest_runs: scheduled,
            });
        }
        if count + 1 > TOO_MANY_MISSED {
            notes.push(Note::TooManyMissed { count: count + 1 });
        }
        notes
    }
}

/// Instants up to here have passed their starting deadline: a run may start if it is late by less than the deadline.
fn deadline_cutoff(spec: &Spec, now: Timestamp) -> Option<Timestamp> {
    now.checked_sub_signed(spec.starting_deadline?)
}

/// Reports the instants whose starting deadline has passed, each once.
///
/// DIFFERENCE (D6): Kubernetes has an event for this, `MissSchedule`, that can never occur.
pub(super) fn report_deadlines(decision: &mut Decision, window: &Window<'_>) {
    let Some(cutoff) = deadline_cutoff(window.spec, window.now) else {
        return;
    };
    let told = decision
        .memory
        .deadline_told
        .unwrap_or(window.done_until)
        .max(window.done_until);
    let Some(newest) = window.schedule.previous(cutoff).filter(|missed| *missed > told) else {
        return;
    };
    let count = window.schedule.count(told, cutoff, MISSED_COUNT_CAP);
    decision.notes.push(Note::DeadlinePassed { count, newest });
    decision.memory.deadline_told = Some(newest);
}

/// Notices that schedule or zone are not those of the previous decision.
///
/// DIFFERENCE (D9): in Kubernetes the next sync starts the newest past instant of the *new* schedule, at a time
/// that neither schedule asks for.
///
/// [`decide`](crate::policy::decide) does this by itself; a controller that stands by and decides nothing calls it, so
/// that an edit it saw is known when it takes over.
pub fn notice_edit(spec: &Spec, memory: &Memory, now: Timestamp) -> Memory {
    let schedule = (spec.schedule_text.clone(), spec.time_zone.clone());
    let edited = memory.schedule.as_ref().is_some_and(|seen| *seen != schedule);
    let in_force_since = if edited { Some(now) } else { memory.in_force_since };
    // DIFFERENCE (D11): what a clock that was ahead wrote down for the future is true of now already.
    Memory {
        schedule: Some(schedule),
        in_force_since: in_force_since.map(|since| since.min(now)),
        deadline_told: memory.deadline_told.map(|told| told.min(now)),
        unrecorded: memory.unrecorded.clone(),
    }
}

/// Takes back a `lastScheduleTime` that a wrong clock wrote into the future; or, where nothing was started yet, goes on
/// without the `creationTimestamp` that it wrote.
///
/// DIFFERENCE (D11): Kubernetes stays silent until the time has caught up.
pub(super) fn heal_clock(decision: &mut Decision, cronjob: &CronJob, schedule: &Schedule, now: Timestamp) {
    let (anchor, note) = match decision.status.last_schedule_time {
        Some(recorded) => (recorded, Note::ClockWentBack { recorded }),
        None => (
            cronjob.created,
            Note::CreatedInFuture {
                created: cronjob.created,
            },
        ),
    };
    if anchor <= now + CLOCK_SLACK {
        return;
    }
    // The newest instant of the past counts as done: whether it ran is not known, and a run too many is worse.
    let healed = schedule.previous(now).unwrap_or(now.trunc_subsecs(0));
    decision.status.last_schedule_time = Some(healed);
    decision.notes.push(note);
}
