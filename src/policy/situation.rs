//! What a decision is made from, and what it consists of.

use chrono::TimeDelta;

use crate::cronjob::{CronJob, JobRef, Run, Status};
use crate::policy::{Edit, Note, Pods, SeenSchedule};
use crate::schedule::Timestamp;

/// Everything that a decision depends on, apart from the time.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The CronJob with its recorded status.
    pub cronjob: &'a CronJob,
    /// Every Job that this CronJob controls. An entry of `status.active` that is missing here is gone for certain:
    /// whoever builds the situation has looked it up.
    pub runs: &'a [Run],
    /// What the previous decision asked to remember.
    pub memory: &'a Memory,
}

/// What is remembered between two decisions on the same CronJob.
///
/// It lives in memory only; a standby learns of edits as the leader does. Losing it (a restart) costs a repeated note, and the
/// knowledge that the schedule was edited since the last run: an instant of the past may then be due by the new one. What
/// may not is written down ([`Record`](crate::cronjob::Record)).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// When the first decision was taken. What came due before passed while nobody was there.
    pub seen_since: Option<Timestamp>,
    /// The schedule that the previous decision saw.
    pub schedule: Option<SeenSchedule>,
    /// The last edit of it that was seen, and what it leaves of the time before it (design decision D9).
    pub edit: Option<Edit>,
    /// The newest instant whose starting deadline is known to have passed.
    pub deadline_told: Option<Timestamp>,
    /// The newest instant that is known to have been left out as somebody asked.
    pub skip_told: Option<Timestamp>,
    /// The newest clock change that is known to have taken a run away.
    pub clock_change_told: Option<Timestamp>,
    /// The newest instant that was seen to wait for other runs, as a policy asks.
    pub waited: Option<Timestamp>,
    /// Nothing is followed now, because it is suspended or can't be read.
    pub rests: bool,
    /// Up to when that was so the last time.
    pub rested_until: Option<Timestamp>,
    /// The due instant after which the next success is expected.
    pub expects: Option<Timestamp>,
    /// The due instant after which no run has succeeded in time, as long as none has.
    pub overdue: Option<Timestamp>,
    /// What was seen of the pods of runs that wait for their first one to start.
    pub pods: Vec<Pods>,
    /// What was started and is not recorded yet: a status write failed, or who started it leads no more. When it is
    /// recorded after all there is nothing to tell; and if its Job goes before, nothing else says that the instant has had
    /// its run.
    pub unrecorded: Vec<Unrecorded>,
}

/// A run that was started and could not be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    /// The UID of its Job.
    pub job: String,
    /// Its due instant.
    pub scheduled: Timestamp,
}

/// How many runs are remembered that could not be recorded: enough for those that run at the same time. While nothing can
/// be recorded for long, the newest say all that matters.
const UNRECORDED_MAX: usize = 16;

impl Memory {
    /// A run was started, and the write that would say so failed.
    pub fn remember_start(&mut self, run: Unrecorded) {
        if self.started(&run.job) {
            return;
        }
        if self.unrecorded.len() == UNRECORDED_MAX {
            self.unrecorded.remove(0);
        }
        self.unrecorded.push(run);
    }

    /// The same at the time `now`, which is `planned` for what is due.
    ///
    /// DIFFERENCE (D11): what a clock that was ahead wrote down for the future is true of now already.
    pub(super) fn as_of(&self, now: Timestamp, planned: Timestamp) -> Memory {
        let mut memory = self.clone();
        memory.seen_since = Some(memory.seen_since.unwrap_or(now).min(now));
        let known = [
            &mut memory.deadline_told,
            &mut memory.skip_told,
            &mut memory.clock_change_told,
            &mut memory.waited,
            &mut memory.rested_until,
        ];
        for at in known.into_iter().flatten() {
            *at = (*at).min(now);
        }
        if let Some(edit) = &mut memory.edit {
            edit.since = edit.since.min(planned);
        }
        memory
    }

    /// Whether the Job with this UID was started by us a moment ago.
    pub(super) fn started(&self, job: &str) -> bool {
        self.unrecorded.iter().any(|run| run.job == job)
    }
}

/// What to do now, and why. It leaves no choice to whoever carries it out:
/// `replace`, and only when all of it succeeded, `start`; `stop` at any time; then [`settle`](crate::policy::settle), and when
/// that is recorded, `prune`, for which nothing waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "a decision does nothing until it is carried out"]
pub struct Decision {
    /// What the history has no room for.
    pub prune: Pruning,
    /// Active runs to end before the new one starts.
    pub replace: Vec<Deletion>,
    /// Active runs to end, with the Job staying until its pods are gone: a later decision starts the one that waits.
    pub stop: Vec<Deletion>,
    /// Runs whose pods are to be looked at when all else is done: what becomes of them depends on it.
    pub look_at: Vec<JobRef>,
    /// The run to start.
    pub start: Option<Start>,
    /// The status to record, before `replace` and `start` have had their effect on it.
    pub status: Status,
    /// When to decide again if nothing else happens; always later than now.
    pub wake: Option<Timestamp>,
    /// By when a run is to have succeeded (`expected-within`); in the past while none has.
    pub expected_success: Option<Timestamp>,
    /// The reason for every yes and every no.
    pub notes: Vec<Note>,
    /// The instants that the start takes the place of: told when it has started, once however often it fails before.
    pub once_started: Vec<Note>,
    /// What to remember for the next decision.
    pub memory: Memory,
}

impl Decision {
    /// Whether there is nothing to carry out on a CronJob whose recorded status is `recorded`.
    pub fn is_nothing(&self, recorded: &Status) -> bool {
        let deletes = [&self.prune.jobs, &self.replace, &self.stop]
            .iter()
            .any(|deletions| !deletions.is_empty());
        !deletes && self.start.is_none() && self.status == *recorded
    }
}

/// What the history has no room for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruning {
    /// Finished Jobs to delete.
    pub jobs: Vec<Deletion>,
    /// What there is to tell about one of them, by its UID, if it can't be deleted; otherwise its deletion says enough.
    pub unless_deleted: Vec<(String, Note)>,
}

/// A Job to delete, with its pods (propagation policy `Background`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The Job's name.
    pub name: String,
    /// The Job's UID, so that no other Job of that name is deleted in its place.
    pub uid: String,
}

impl From<&Run> for Deletion {
    fn from(run: &Run) -> Self {
        Deletion {
            name: run.name.clone(),
            uid: run.uid.clone(),
        }
    }
}

/// A run to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The Job's name, a function of CronJob and instant.
    pub name: String,
    /// The due instant.
    pub scheduled: Timestamp,
    /// When it was to start: at the due instant, or later by the jitter.
    pub planned: Timestamp,
    /// When it is too late to start (`startingDeadlineSeconds`), however long the request had to wait for its turn.
    pub deadline: Option<Timestamp>,
    /// Whether it waited for other runs, as a policy asks: then its lateness is nobody's fault.
    pub waited: bool,
    /// How long it was held back on purpose after it was decided on first; whoever limits the rate of starts says so.
    pub held_back: TimeDelta,
}
