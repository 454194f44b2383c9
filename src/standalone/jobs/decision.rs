//! What a decision on a Job consists of.

use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;

use super::objects::Uid;
use crate::schedule::Timestamp;

/// What is to be done for a Job, in the order of the fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobDecision {
    /// The pods to take over. Everything else waits until that is done.
    pub adopt: Vec<Uid>,
    /// The pods to let go of, as above.
    pub disown: Vec<Uid>,
    /// Pods to make.
    pub create: Vec<Pod>,
    /// The status to write, when it differs from the one the Job has.
    pub status: Option<JobStatus>,
    /// The pods to take the tracking finalizer from. Only when the status is written.
    pub release: Vec<Uid>,
    /// The pods to delete. Only when the status is written.
    pub delete: Vec<Uid>,
    /// Whether the Job itself is to be deleted, with its pods.
    pub delete_job: bool,
    /// What to tell about it.
    pub events: Vec<JobEvent>,
    /// When to decide again, though nothing has happened.
    pub wake: Option<Timestamp>,
}

impl JobDecision {
    /// Whether there is nothing to write.
    pub fn is_idle(&self) -> bool {
        let nothing = Self {
            wake: self.wake,
            ..Self::default()
        };
        *self == nothing
    }

    /// The pods that are changed or deleted.
    pub(super) fn touched(&self) -> impl Iterator<Item = &Uid> {
        let claimed = self.adopt.iter().chain(&self.disown);
        claimed.chain(&self.release).chain(&self.delete)
    }

    /// The same decision about `job`, but no pods are made: for a controller that is about to stop.
    ///
    /// When nothing but a new pod was missing, nothing is left to write: a status that says what the Job says already would
    /// be written, and decided on, for ever.
    #[must_use]
    pub fn without_new_pods(mut self, job: &Job) -> Self {
        let fewer = i32::try_from(std::mem::take(&mut self.create).len()).unwrap_or(i32::MAX);
        if let Some(status) = &mut self.status {
            status.active = status
                .active
                .map(|active| active - fewer)
                .filter(|active| *active > 0);
        }
        self.status = self.status.filter(|status| Some(status) != job.status.as_ref());
        self
    }
}

/// An event on a Job, with Kubernetes' reason and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEvent {
    /// Whether it is a `Warning`; otherwise it is `Normal`.
    pub warning: bool,
    /// A word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

impl JobEvent {
    /// A `Normal` event.
    pub(super) fn normal(reason: &str, message: impl Into<String>) -> Self {
        Self {
            warning: false,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }

    /// A `Warning`.
    pub(super) fn warning(reason: &str, message: impl Into<String>) -> Self {
        Self {
            warning: true,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }
}
