//! What is known of one CronJob beside the objects themselves.

use std::collections::HashSet;

use chrono::TimeDelta;

use crate::controller::fault::soundly;
use crate::controller::state::groups::Claim;
use crate::controller::state::tidying::Tidying;
use crate::controller::streak::Streak;
use crate::cronjob::{CronJob, JobRef, Run, Status};
use crate::policy::{CLOCK_SLACK, Memory, Note, Unrecorded, notice_edit};
use crate::schedule::Timestamp;
use crate::submit::Retry;

/// What decisions and their outcomes leave behind for the next one.
#[derive(Default)]
pub(super) struct Standing {
    pub(super) memory: Memory,
    /// The notes of the last decision: what is said again at once is not told again.
    pub(super) told: Vec<Note>,
    pub(super) failures: u32,
    /// The API server asked for patience until then.
    pub(super) patient_until: Option<Timestamp>,
    /// The start that was decided on last.
    pub(super) attempt: Option<Attempt>,
    /// Since when every start has failed.
    pub(super) refused_since: Option<Timestamp>,
    /// When it was last told that somebody else runs this CronJob too.
    pub(super) rival_told: Option<Timestamp>,
    /// Active Jobs that are gone for certain, whatever an answer still says: they were looked up, or the watch showed it.
    pub(super) gone: HashSet<String>,
    /// Runs that were started, by whoever led, and whose Jobs were gone before the watch showed a record of them.
    pub(super) lost: Vec<Unrecorded>,
    pub(super) streak: Streak,
    /// Pods are to be looked at when what is under way has gone well.
    pub(super) looks_next: bool,
    /// The slot of its group that it takes for a run that is being started.
    pub(super) claim: Claim,
    /// The instant for which it waits for a slot.
    pub(super) waits_for: Option<Timestamp>,
    pub(super) tidying: Tidying,
}

/// A start that is under way, or has failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    pub(super) scheduled: Timestamp,
    /// When it is too late.
    pub(super) deadline: Option<Timestamp>,
    /// It failed, and is not tried again before.
    pub(super) again_at: Option<Timestamp>,
}

/// A start that has failed for so long is not late but refused: by a quota or a webhook, until somebody does something.
const REFUSED_AFTER: TimeDelta = TimeDelta::minutes(10);

impl Standing {
    /// Something was carried out. What failed before need not fail again; but a start that failed was not part of it, as long
    /// as its pause lasts.
    pub(super) fn succeeded(&mut self) {
        let pauses = self.attempt.is_some_and(|attempt| attempt.again_at.is_some());
        if pauses {
            self.patient_until = None;
        } else {
            self.forgive();
        }
    }

    /// What failed before is tried again at once.
    pub(super) fn forgive(&mut self) {
        self.failures = 0;
        self.patient_until = None;
        self.attempt = None;
    }

    /// What failed before is tried again at once, and so are deletions.
    pub(super) fn forgive_all(&mut self) {
        self.forgive();
        self.tidying.forgive();
    }

    /// Of Jobs that are gone, only those matter that a status still records as active.
    pub(super) fn forget_gone(&mut self, status: &Status) {
        self.gone.retain(|uid| status.is_active(uid));
    }

    /// An edit counts from now on. Where that breaks down, so does the next decision, which tells it.
    pub(super) fn notice_edit(&mut self, cronjob: &CronJob, now: Timestamp) {
        if let Ok(memory) = soundly(|| notice_edit(cronjob, &self.memory, now)) {
            self.memory = memory;
        }
    }

    /// What was lost is known from now on. The clock of who started it may be a little ahead of ours; an instant further in the
    /// future, of a clock that was wrong, may have another run.
    pub(super) fn notice_lost(&mut self, now: Timestamp) {
        for run in self
            .lost
            .drain(..)
            .filter(|run| run.scheduled <= now + CLOCK_SLACK)
        {
            self.memory.remember_start(run);
        }
    }

    /// Something failed, for the how manieth time in a row, and is tried again at `again`.
    pub(super) fn failed(&mut self, again: Timestamp, asked_for_patience: bool) {
        self.patient_until = asked_for_patience.then_some(again);
        if let Some(attempt) = &mut self.attempt {
            attempt.again_at.get_or_insert(again);
        }
    }

    /// A start failed, if one was tried. In a namespace that is being deleted nobody expects it to go through.
    pub(super) fn refused(&mut self, retry: Retry, now: Timestamp) {
        if self.attempt.is_some() && retry != Retry::Seldom {
            self.refused_since.get_or_insert(now);
        }
    }

    /// Whether starts have failed for long.
    pub(super) fn is_refused(&self, now: Timestamp) -> bool {
        self.refused_since
            .is_some_and(|since| now - since >= REFUSED_AFTER)
    }

    /// When the start of an instant may be tried again, if it failed a moment ago.
    pub(super) fn pauses_until(&self, scheduled: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let attempt = self.attempt.filter(|attempt| attempt.scheduled == scheduled)?;
        attempt.again_at.filter(|again| now < *again)
    }
}

/// The Jobs that a status records as active and that are neither seen nor known to be gone.
pub(super) fn unaccounted<'a>(
    status: &'a Status,
    runs: &'a [Run],
    standing: Option<&'a Standing>,
) -> impl Iterator<Item = &'a JobRef> {
    let is_seen = |job: &JobRef| runs.iter().any(|run| run.uid == job.uid);
    let is_gone = move |job: &JobRef| standing.is_some_and(|standing| standing.gone.contains(&job.uid));
    let active = status.active.iter();
    active.filter(move |job| !is_gone(job) && !is_seen(job))
}
