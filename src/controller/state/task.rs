//! What the state asks for: tasks to carry out, and news to tell.

use std::sync::Arc;

use crate::cronjob::{JobRef, Key};
use crate::manifest;
use crate::policy::{Decision, Note};
use crate::schedule::Timestamp;
use crate::submit::Overtaken;

/// Something to do outside. There is never more than one task of the same CronJob under way.
#[derive(Debug)]
pub enum Task {
    /// Carry a decision out, then call [`State::carried`](super::State::carried).
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
    /// Look up Jobs that the status records as active and no watch has shown, then call [`State::looked_up`](super::State::looked_up).
    LookUp {
        /// The CronJob.
        key: Key,
        /// Its missing Jobs.
        jobs: Vec<JobRef>,
    },
    /// Look at the pods of runs that wait for their first one to start, then call [`State::looked_at`](super::State::looked_at).
    LookAt {
        /// The CronJob.
        key: Key,
        /// Its runs.
        jobs: Vec<JobRef>,
    },
}

impl Task {
    /// The CronJob that it is about.
    pub fn key(&self) -> &Key {
        match self {
            Task::Submit { key, .. } | Task::LookUp { key, .. } | Task::LookAt { key, .. } => key,
        }
    }

    /// The due instant of the run that it starts, if it starts one.
    pub(super) fn scheduled(&self) -> Option<Timestamp> {
        match self {
            Task::Submit { decision, .. } => decision.start.as_ref().map(|start| start.scheduled),
            Task::LookUp { .. } | Task::LookAt { .. } => None,
        }
    }
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The CronJob that it is about.
    pub cronjob: Key,
    /// Its UID.
    pub uid: String,
    /// What was decided or noticed.
    pub note: Note,
}
