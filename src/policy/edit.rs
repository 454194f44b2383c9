//! What an edit of the schedule makes of the time before it.
//!
//! DIFFERENCE (D9): in Kubernetes the next sync starts the newest past instant of the *new* schedule, at a time
//! that neither schedule asks for. Here an instant of before an edit is due only if the schedule asked for it before and
//! asks for it after: an edit never makes one due, and never loses one that waits. Where instants wait in a line, an edit
//! of schedule or zone empties the line; one of what is left out of it takes out only what is left out now.
//!
//! What was seen is kept in memory. What would come back after a restart, an instant that was to be skipped first of all, is
//! written down as passed.

use std::sync::Arc;

use chrono::{SubsecRound, TimeDelta};

use crate::cronjob::extension::{Hindsight, MissedRuns, Policies};
use crate::cronjob::{BadSchedule, CronJob, Record, Spec};
use crate::policy::missed::{Stretch, TOO_MANY_MISSED};
use crate::policy::situation::Memory;
use crate::policy::{MISSED_COUNT_CAP, Note, Ruling, SkipReason};
use crate::schedule::{Schedule, Terms, Timestamp};

/// A schedule as it was seen, with its zone and all that is left out of it. Shared, for it goes from one memory to the next.
#[derive(Debug, Clone)]
pub struct SeenSchedule(Arc<Seen>);

#[derive(Debug)]
struct Seen {
    text: String,
    zone: Option<String>,
    terms: Terms,
    skips: Vec<Timestamp>,
    schedule: Option<Schedule>,
}

/// An edit, and what it leaves of the time before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// When it was seen, by the time at which things are due: earlier by the jitter. Up to here the schedule says nothing.
    pub since: Timestamp,
    /// The instants up to there that are still to be started, oldest first.
    pub still_due: Arc<[Timestamp]>,
    /// What was edited.
    pub of: Edited,
}

/// What was edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// Schedule or zone.
    Schedule,
    /// Which of its instants are left out or moved: `skip`, `exclude`, `start-at` and the like.
    Exceptions,
}

impl SeenSchedule {
    /// The schedule of a CronJob; `None` if an annotation that it depends on can't be read. Then nobody knows what it is,
    /// and when it can be read again it is compared with what was seen last.
    pub fn of(spec: &Spec) -> Option<SeenSchedule> {
        if matches!(spec.schedule, Err(BadSchedule::Annotation { .. })) {
            return None;
        }
        Some(SeenSchedule(Arc::new(Seen {
            text: spec.schedule_text.clone(),
            zone: spec.time_zone.clone(),
            terms: spec.policies.terms.clone(),
            skips: skips(spec).collect(),
            schedule: spec.schedule.as_ref().ok().cloned(),
        })))
    }

    /// What was edited since, if anything.
    fn change_to(&self, spec: &Spec) -> Option<Edited> {
        let seen = &*self.0;
        if seen.text != spec.schedule_text || seen.zone != spec.time_zone {
            return Some(Edited::Schedule);
        }
        let is_same = seen.terms == spec.policies.terms && skips(spec).eq(seen.skips.iter().copied());
        (!is_same).then_some(Edited::Exceptions)
    }
}

fn skips(spec: &Spec) -> impl Iterator<Item = Timestamp> {
    spec.schedule.iter().flat_map(Schedule::skips)
}

/// By what it was compiled from.
impl PartialEq for SeenSchedule {
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (&*self.0, &*other.0);
        (&one.text, &one.zone, &one.terms, &one.skips) == (&two.text, &two.zone, &two.terms, &two.skips)
    }
}

impl Eq for SeenSchedule {}

/// Notices that the schedule is not that of the previous decision.
///
/// [`decide`](crate::policy::decide) does this by itself; a controller that decides nothing for now, because it stands by or
/// something is under way for the CronJob, calls it, so that an edit counts from when it was seen.
pub fn notice_edit(cronjob: &CronJob, before: &Memory, now: Timestamp) -> Memory {
    let spec = &cronjob.spec;
    let planned = now - spec.policies.jitter_of(&cronjob.uid);
    let mut memory = before.as_of(now, planned);
    let known = memory.schedule.as_ref();
    let change = known.and_then(|known| known.change_to(spec));
    if known.is_some() && change.is_none() {
        return memory;
    }
    let Some(seen) = SeenSchedule::of(spec) else {
        return memory;
    };
    memory.edit = match change {
        None => memory.edit,
        Some(Edited::Schedule) if spec.policies.on_edit == Some(Hindsight::Latest) => memory.edit,
        Some(of) => Some(Edit {
            since: planned,
            still_due: still_due(cronjob, &memory, planned, of),
            of,
        }),
    };
    memory.schedule = Some(seen);
    memory
}

/// The instants up to an edit that are due by the schedule that was seen before and by that of now, so many of them as can
/// matter; and where no line is kept, who is recorded all the same.
fn still_due(cronjob: &CronJob, memory: &Memory, until: Timestamp, of: Edited) -> Arc<[Timestamp]> {
    let policies = &cronjob.spec.policies;
    let seen = memory.schedule.as_ref().and_then(|seen| seen.0.schedule.as_ref());
    let (Some(before), Ok(now)) = (seen, &cronjob.spec.schedule) else {
        return [].into();
    };
    if of == Edited::Schedule && policies.keep_a_line() {
        return [].into();
    }
    let status = &cronjob.status;
    let anchor = status.last_schedule_time.unwrap_or(cronjob.created);
    let done_until = status.record.done_until(anchor);
    let before = in_force(before.anchored(anchor), memory.edit.as_ref(), done_until);
    let now = now.anchored(anchor);
    let mut common = Vec::new();
    let mut at = until;
    // Each is asked in turn for its newest up to where the other has one.
    for _ in 0..MISSED_COUNT_CAP {
        let Some(due) = before.previous(at).filter(|due| *due > done_until) else {
            break;
        };
        at = match now.previous(due) {
            Some(same) if same == due => {
                common.push(due);
                due - TimeDelta::seconds(1)
            }
            Some(earlier) => earlier,
            None => break,
        };
        if common.len() == most_that_wait(policies) {
            break;
        }
    }
    if of == Edited::Schedule {
        let recorded = status.record.missed.iter().chain(&status.record.queue);
        common.extend(recorded.filter(|at| now.is_due(**at)));
    }
    common.sort();
    common.into()
}

/// Those of some instants that are to be started, or, where no line is kept, told of when the newest is.
fn wait_on<'a>(policies: &Policies, still_due: &'a [Timestamp]) -> &'a [Timestamp] {
    match still_due {
        [.., newest] if policies.keep_a_line() && policies.missed_runs == MissedRuns::Latest => {
            std::slice::from_ref(newest)
        }
        all => all,
    }
}

/// How many instants can be due at once that no record names. Where only the newest runs, the others are still told of, and
/// that they are too many.
fn most_that_wait(policies: &Policies) -> usize {
    match policies.missed_runs {
        MissedRuns::All => policies.missed_runs_limit,
        MissedRuns::Latest => usize::try_from(TOO_MANY_MISSED + 1).unwrap_or(usize::MAX),
        MissedRuns::Skip => 1,
    }
}

/// Takes the oldest out of a record where more wait than can. Where only the newest runs there is nothing to tell: the others
/// would not have run.
fn cut_to_size(record: &mut Record, policies: &Policies) -> Option<Note> {
    let too_many = record.missed.len().saturating_sub(most_that_wait(policies));
    let newest = record.missed.drain(..too_many).next_back()?;
    let is_missed = policies.missed_runs == MissedRuns::All;
    is_missed.then_some(Note::Ruled(Ruling::Skipped {
        count: u64::try_from(too_many).unwrap_or(MISSED_COUNT_CAP),
        newest,
        why: SkipReason::BeyondLimit(policies.missed_runs_limit),
    }))
}

/// A schedule as far as an edit leaves it in force. One of before everything that is still of interest takes nothing away.
pub(super) fn in_force(schedule: Schedule, edit: Option<&Edit>, done_until: Timestamp) -> Schedule {
    match edit {
        Some(Edit { since, still_due, .. }) if *since > done_until => schedule.since(*since, still_due),
        _ => schedule,
    }
}

impl Edit {
    /// Has the record forget who waits no more, and say up to when everything has passed, and who waits all the same, where a
    /// restart would bring back what the edit has not: so many of them as can matter, however many edits there are.
    pub(super) fn leave_behind(
        &self,
        record: &mut Record,
        cronjob: &CronJob,
        anchor: Timestamp,
        notes: &mut Vec<Note>,
    ) {
        let spec = &cronjob.spec;
        let known = record.done_until(anchor);
        if self.since <= known && record.missed.is_empty() && record.queue.is_empty() {
            return;
        }
        let schedule = spec.schedule.as_ref().map(|schedule| schedule.anchored(anchor));
        let schedule = schedule.as_ref().ok();
        record.missed.retain(|at| self.leaves(*at, schedule));
        record.queue.retain(|at| self.leaves(*at, schedule));
        if self.since <= known {
            return;
        }
        let still_due = self.still_due.iter().copied().filter(|due| *due > known);
        let still_due: Vec<Timestamp> = still_due.collect();
        let alone = schedule.map(|schedule| Stretch::new(schedule, known, self.since));
        if self.is_to_be_written(&spec.policies, alone.as_ref(), &still_due) {
            record.missed.extend(wait_on(&spec.policies, &still_due));
            record.passed = Some(self.since.trunc_subsecs(0));
            notes.extend(cut_to_size(record, &spec.policies));
        }
    }

    /// Whether a recorded instant waits on. One that is left out by its name is told of where the line is formed.
    fn leaves(&self, at: Timestamp, schedule: Option<&Schedule>) -> bool {
        let asks = |schedule: &Schedule| schedule.is_due(at) || schedule.left_out().any(|out| out == at);
        let is_asked = || self.of == Edited::Exceptions && schedule.is_none_or(asks);
        at > self.since || self.still_due.contains(&at) || is_asked()
    }

    /// Whether the record has to say it: `alone` are the instants up to the edit by the schedule alone, which is all that is
    /// known after a restart.
    fn is_to_be_written(
        &self,
        policies: &Policies,
        alone: Option<&Stretch<'_>>,
        still_due: &[Timestamp],
    ) -> bool {
        match self.of {
            Edited::Schedule => policies.keep_a_line() || policies.on_edit.is_some(),
            // What is skipped for it was missed is told first.
            Edited::Exceptions if policies.missed_runs == MissedRuns::Skip && !still_due.is_empty() => false,
            Edited::Exceptions => {
                alone.is_some_and(|alone| alone.newest_of(most_that_wait(policies)) != still_due)
            }
        }
    }
}
