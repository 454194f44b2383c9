//! A run: one due instant's execution, as seen through its Job.

use crate::schedule::Timestamp;

/// A Job that the CronJob controls, reduced to what policy decides on.
///
/// Jobs are children by the UID and kind of their controller reference, never by name alone (design decision D3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The Job's name.
    pub name: String,
    /// The Job's UID.
    pub uid: String,
    /// The Job's resource version, as `status.active` records it.
    pub resource_version: String,
    /// Who started it.
    pub origin: Origin,
    /// Whether it has ended, and how.
    pub state: RunState,
    /// The Job's `status.startTime`: when its first pod was allowed to start.
    pub started: Option<Timestamp>,
    /// As far as the Job's status tells, a pod of it has started: one is ready, or one has ended.
    pub began: bool,
    /// The Job is being deleted and only waits for its finalizers.
    pub deleting: bool,
}

/// Who started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The schedule did.
    Schedule,
    /// A person did, with `kubectl create job --from=cronjob/…`. Such a run counts for the history and for
    /// `lastSuccessfulTime`, but it neither blocks nor is replaced (design decision D4).
    Manual,
    /// A person had it made up for (`punctual backfill`). Such a run blocks and is replaced like one of the schedule,
    /// but says nothing of how the schedule is doing: it counts neither for the history nor for `lastScheduleTime`,
    /// `lastSuccessfulTime` and failures in a row.
    Backfill,
}

/// Whether a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Neither `Complete` nor `Failed`: pending, running, suspended, or ending.
    Active,
    /// The Job carries a true `Complete` or `Failed` condition.
    Finished {
        /// Which of the two.
        outcome: Outcome,
        /// The Job's `status.completionTime`, which only a successful run has.
        completed: Option<Timestamp>,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The Job is `Complete`.
    Succeeded,
    /// The Job is `Failed`.
    Failed,
}

impl Outcome {
    /// The Job condition that says so.
    pub fn condition(self) -> &'static str {
        match self {
            Outcome::Succeeded => "Complete",
            Outcome::Failed => "Failed",
        }
    }
}

impl Run {
    /// Whether others that are due may have to wait for it: it is active, and nobody started it by hand.
    pub fn is_in_the_way(&self) -> bool {
        self.is_active() && self.origin != Origin::Manual
    }

    /// The run has not ended yet.
    pub fn is_active(&self) -> bool {
        self.state == RunState::Active
    }

    /// How the run ended, if it has.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.state {
            RunState::Active => None,
            RunState::Finished { outcome, .. } => Some(outcome),
        }
    }
}
