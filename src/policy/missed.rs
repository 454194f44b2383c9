//! Which instant is due, and which were passed over.
//!
//! At most one run is started for any number of instants that passed while nobody could start them: the newest.
//! Kubernetes estimates which one that is (`mostRecentScheduleTime`) and loses it for irregular schedules.
//! DIFFERENCE (D2): here it is found exactly, by searching backwards from now.

use chrono::TimeDelta;

use crate::cronjob::{CronJob, Spec, run_name};
use crate::policy::edit::in_force;
use crate::policy::situation::{Decision, Start};
use crate::policy::{Note, Ruling, SkipReason};
use crate::schedule::{Schedule, TakenAway, Timestamp};

/// More missed instants than this raise `TooManyMissedTimes`, as in Kubernetes. It is only a warning: the newest runs.
pub const TOO_MANY_MISSED: u64 = 100;

/// Missed instants are counted up to here. A CronJob of every second that slept for a year has 31 million; nobody
/// needs to know to the last one, and the time of a decision has to be bounded.
pub const MISSED_COUNT_CAP: u64 = 10_000;

/// The instants that one decision looks at: those after `opens`, up to `now`, by one schedule.
#[derive(Debug)]
pub(super) struct Window<'a> {
    schedule: Schedule,
    /// The schedule as if it had never been edited.
    unedited: Schedule,
    /// Due instants that somebody asked to leave out.
    left_out: Vec<Timestamp>,
    spec: &'a Spec,
    /// Everything up to here has had its run.
    done_until: Timestamp,
    /// Everything up to here is too old to start, by the deadline.
    opens: Timestamp,
    /// What passed its starting deadline up to here did so during a pause, and was not missed: somebody wanted it so.
    pardoned: Option<Timestamp>,
    /// By how much later than its due instant everything starts.
    jitter: TimeDelta,
    /// Now, for what is due: earlier by the jitter.
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
        let jitter = spec.policies.jitter_of(&cronjob.uid);
        let now = now - jitter;
        let anchor = decision.status.last_schedule_time.unwrap_or(cronjob.created);
        let done_until = decision.status.record.done_until(anchor);
        let cutoff = deadline_cutoff(spec, now);
        let opens = done_until.max(cutoff.unwrap_or(done_until));
        let by_itself = || deadline_cutoff(spec, spec.pause_ended(now)?);
        // DIFFERENCE (D10): `@every` counts from the last run, not from the edge of the deadline's window, which
        // would move on with the time and never be reached.
        let unedited = schedule.anchored(anchor);
        Window {
            schedule: in_force(unedited.clone(), decision.memory.edit.as_ref(), done_until),
            left_out: unedited.left_out().collect(),
            unedited,
            spec,
            done_until,
            opens,
            pardoned: if decision.memory.rests {
                cutoff
            } else {
                by_itself()
            },
            jitter,
            now,
        }
    }

    /// The newest instant of the window. An instant exactly at `now` is due.
    pub(super) fn newest_due(&self) -> Option<Timestamp> {
        self.schedule.previous(self.now).filter(|due| *due > self.opens)
    }

    /// The first instant after now that can become due, or is left out, or has its run taken away by a clock change.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let due = self.schedule.next(self.now.max(self.done_until));
        let left_out = self.left_out.iter().copied().filter(|at| *at > self.now);
        let taken_away = due.and_then(|due| self.schedule.taken_away(self.now, due).next());
        let change = taken_away.map(|runs| runs.change);
        Some(left_out.chain(due).chain(change).min()? + self.jitter)
    }

    /// The instants of the window that are late by `grace` or came due up to `seen_since`, and the others.
    pub(super) fn late_and_prompt(
        &self,
        grace: TimeDelta,
        seen_since: Option<Timestamp>,
    ) -> (Stretch<'_>, Stretch<'_>) {
        let border = (self.now - grace)
            .max(seen_since.map_or(self.opens, |since| since - self.jitter))
            .clamp(self.opens, self.now.max(self.opens));
        (self.stretch(self.opens, border), self.stretch(border, self.now))
    }

    /// What was to be left out and has come, after an instant.
    fn left_out_since(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        let left_out = self.left_out.iter().copied();
        left_out.filter(move |at| *at > after && *at <= self.now)
    }

    /// The newest instant that passed without a run, as somebody asked or by a clock change, and is not recorded as dealt with.
    pub(super) fn newest_without_run(&self) -> Option<Timestamp> {
        let taken_away = self.schedule.taken_away(self.done_until, self.now);
        let changes = taken_away.map(|runs| runs.change);
        self.left_out_since(self.done_until).chain(changes).max()
    }

    /// Whether somebody asked to leave an instant out.
    pub(super) fn is_left_out(&self, scheduled: Timestamp) -> bool {
        self.left_out.contains(&scheduled)
    }

    /// Whether the schedule of now asks for an instant, be it to leave it out. By an interval nobody can say: it counts from
    /// the last run, and the instant may have come before that.
    pub(super) fn knows(&self, scheduled: Timestamp) -> bool {
        self.unedited.has_interval() || self.is_left_out(scheduled) || self.unedited.is_due(scheduled)
    }

    /// Whether an instant is late by `grace`.
    pub(super) fn is_late(&self, scheduled: Timestamp, grace: TimeDelta) -> bool {
        scheduled <= self.now - grace
    }

    /// All instants of the window.
    pub(super) fn whole(&self) -> Stretch<'_> {
        self.stretch(self.opens, self.now)
    }

    fn stretch(&self, after: Timestamp, until: Timestamp) -> Stretch<'_> {
        Stretch::new(&self.schedule, after, until)
    }

    /// Whether an instant has come. What a clock that was ahead wrote down may not have.
    pub(super) fn has_come(&self, scheduled: Timestamp) -> bool {
        scheduled <= self.now
    }

    /// Whether an instant's starting deadline has passed during a pause.
    pub(super) fn is_pardoned(&self, scheduled: Timestamp) -> bool {
        self.pardoned.is_some_and(|until| scheduled <= until)
    }

    /// Whether an instant's starting deadline has passed.
    pub(super) fn is_too_late(&self, scheduled: Timestamp) -> bool {
        deadline_cutoff(self.spec, self.now).is_some_and(|cutoff| scheduled <= cutoff)
    }

    /// When an instant becomes too old to start; `None` when it never does.
    pub(super) fn deadline_of(&self, scheduled: Timestamp) -> Option<Timestamp> {
        scheduled.checked_add_signed(self.spec.starting_deadline?.checked_add(&self.jitter)?)
    }

    /// The start of an instant's run.
    pub(super) fn start_of(&self, cronjob: &str, scheduled: Timestamp) -> Start {
        Start {
            name: run_name(cronjob, scheduled),
            scheduled,
            planned: scheduled + self.jitter,
            waited: false,
            held_back: TimeDelta::zero(),
            deadline: self.deadline_of(scheduled),
        }
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

/// A part of a window: the instants after one time, up to another.
#[derive(Debug)]
pub(super) struct Stretch<'a> {
    schedule: &'a Schedule,
    after: Timestamp,
    until: Timestamp,
}

impl<'a> Stretch<'a> {
    /// The instants of a schedule after one time, up to another.
    pub(super) fn new(schedule: &'a Schedule, after: Timestamp, until: Timestamp) -> Self {
        Stretch {
            schedule,
            after,
            until,
        }
    }

    /// How many there are, at most [`MISSED_COUNT_CAP`].
    pub(super) fn count(&self) -> u64 {
        self.schedule.count(self.after, self.until, MISSED_COUNT_CAP)
    }

    /// The newest of them.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.schedule.previous(self.until).filter(|due| *due > self.after)
    }

    /// The newest of them before an instant.
    pub(super) fn newest_before(&self, instant: Timestamp) -> Option<Timestamp> {
        let until = instant - TimeDelta::seconds(1);
        self.schedule.previous(until).filter(|due| *due > self.after)
    }

    /// So many of the newest, oldest first.
    pub(super) fn newest_of(&self, limit: usize) -> Vec<Timestamp> {
        let newest = std::iter::successors(self.newest(), |later| self.newest_before(*later));
        let mut newest: Vec<Timestamp> = newest.take(limit).collect();
        newest.reverse();
        newest
    }

    /// All of them, oldest first.
    pub(super) fn list(&self) -> impl Iterator<Item = Timestamp> {
        self.schedule.due(self.after, self.until)
    }
}

/// Instants up to here have passed their starting deadline: a run may start if it is late by less than the deadline.
fn deadline_cutoff(spec: &Spec, now: Timestamp) -> Option<Timestamp> {
    now.checked_sub_signed(spec.starting_deadline?)
}

/// Reports the instants that somebody asked to leave out, each once, when it has come: it is recorded then.
pub(super) fn report_skips(decision: &mut Decision, window: &Window<'_>) {
    let told = decision.memory.skip_told.max(Some(window.done_until));
    let told = told.unwrap_or(window.done_until);
    let passed: Vec<Timestamp> = window.left_out_since(told).collect();
    let Some(newest) = passed.iter().max().copied() else {
        return;
    };
    decision.notes.push(Note::Ruled(Ruling::Skipped {
        count: u64::try_from(passed.len()).unwrap_or(MISSED_COUNT_CAP),
        newest,
        why: SkipReason::Asked,
    }));
    decision.memory.skip_told = Some(newest);
}

/// Reports the runs that a clock change takes away, once, when it has come: it is recorded then. What it takes from a pause
/// nobody misses.
pub(super) fn report_clock_changes(decision: &mut Decision, window: &Window<'_>) {
    let memory = &decision.memory;
    let rested_until = memory.rested_until.map(|at| at - window.jitter);
    let pause_ended = match window.spec.pause_ended(window.now) {
        _ if memory.rests => Some(window.now),
        by_itself => by_itself.max(rested_until),
    };
    let told = [pause_ended, memory.clock_change_told].into_iter().flatten();
    let told = told.fold(window.done_until, Timestamp::max);
    for TakenAway { change, first, count } in window.schedule.taken_away(told, window.now) {
        decision.notes.push(Note::Ruled(Ruling::Skipped {
            count,
            newest: change,
            why: SkipReason::ClockChange { first },
        }));
        decision.memory.clock_change_told = Some(change);
    }
}

/// Reports the instants whose starting deadline has passed, each once.
///
/// DIFFERENCE (D6): Kubernetes has an event for this, `MissSchedule`, that can never occur.
pub(super) fn report_deadlines(decision: &mut Decision, window: &Window<'_>) {
    let Some(cutoff) = deadline_cutoff(window.spec, window.now) else {
        return;
    };
    let memory = &mut decision.memory;
    memory.deadline_told = memory.deadline_told.max(window.pardoned);
    let told = memory
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
