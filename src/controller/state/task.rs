//! What the state asks for and hears of: tasks to carry out, what came of them, and news to tell.

use std::sync::Arc;

use crate::cronjob::{JobRef, Key};
use crate::manifest;
use crate::policy::{Decision, Note, Pods, Pruning};
use crate::schedule::Timestamp;
use crate::submit::{Carried, JobView, Overtaken, Pruned, Retry, Trouble};

/// Something to do outside. There is never more than one task of the same CronJob under way, and a round of deletions
/// (`Prune`) beside it; each ends with [`State::ended`](super::State::ended).
#[derive(Debug)]
pub(in crate::controller) enum Task {
    /// Carry a decision out.
    Submit {
        /// The CronJob.
        key: Key,
        /// As it was when the decision was taken.
        object: Arc<manifest::CronJob>,
        /// What to do.
        decision: Box<Decision>,
        /// Whether the CronJob has changed since.
        overtaken: Overtaken,
    },
    /// Look up Jobs that the status records as active and no watch has shown.
    LookUp {
        /// The CronJob.
        key: Key,
        /// Its missing Jobs.
        jobs: Vec<JobRef>,
    },
    /// Look at the pods of runs that wait for their first one to start.
    LookAt {
        /// The CronJob.
        key: Key,
        /// Its runs.
        jobs: Vec<JobRef>,
    },
    /// Delete what the history has no room for.
    Prune {
        /// The CronJob.
        key: Key,
        /// Its UID.
        uid: String,
        /// What is to go.
        pruning: Pruning,
        /// Whether the CronJob has changed since.
        overtaken: Overtaken,
    },
}

impl Task {
    /// The CronJob that it is about.
    pub(in crate::controller) fn key(&self) -> &Key {
        match self {
            Task::Submit { key, .. }
            | Task::LookUp { key, .. }
            | Task::LookAt { key, .. }
            | Task::Prune { key, .. } => key,
        }
    }

    /// The due instant of the run that it starts, if it starts one.
    pub(super) fn scheduled(&self) -> Option<Timestamp> {
        match self {
            Task::Submit { decision, .. } => decision.start.as_ref().map(|start| start.scheduled),
            Task::LookUp { .. } | Task::LookAt { .. } | Task::Prune { .. } => None,
        }
    }

    /// What came of it when a fault of ours has ended it.
    pub(in crate::controller) fn broken_off(&self) -> Done {
        match self {
            Task::Submit { .. } | Task::LookUp { .. } | Task::LookAt { .. } => Done::Unknown,
            Task::Prune { uid, .. } => Done::Pruned {
                uid: uid.clone(),
                pruned: Box::new(Pruned {
                    trouble: Some(Trouble::passing("a fault of punctual's")),
                    ..Pruned::default()
                }),
            },
        }
    }
}

/// What came of a [`Task`].
#[derive(Debug)]
pub(in crate::controller) enum Done {
    /// What came of a decision.
    Submitted {
        /// The UID of the CronJob that it was about.
        uid: String,
        /// What was done.
        carried: Box<Carried>,
    },
    /// Jobs were looked up.
    LookedUp {
        /// Those that were asked for.
        asked: Vec<JobRef>,
        /// Those of them that exist.
        found: Vec<JobView>,
    },
    /// Pods were looked at.
    LookedAt {
        /// What was seen of them, for each run.
        pods: Vec<Pods>,
    },
    /// A round of deletions has ended.
    Pruned {
        /// The UID of the CronJob whose history it was.
        uid: String,
        /// What was done.
        pruned: Box<Pruned>,
    },
    /// Nothing was looked at: the API server could not be asked, and is to be asked again then.
    NotAsked(Retry),
    /// A fault of ours: whether something was done is not known.
    Unknown,
}

impl Done {
    /// The Jobs that it shows.
    pub(super) fn jobs(&self) -> &[JobView] {
        match self {
            Done::Submitted { carried, .. } => carried.job.as_slice(),
            Done::LookedUp { found, .. } => found,
            Done::LookedAt { .. } | Done::Pruned { .. } | Done::NotAsked(_) | Done::Unknown => &[],
        }
    }
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::controller) struct News {
    /// The CronJob that it is about.
    pub(in crate::controller) cronjob: Key,
    /// Its UID.
    pub(in crate::controller) uid: String,
    /// What was decided or noticed.
    pub(in crate::controller) note: Note,
}
