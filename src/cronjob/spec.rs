//! What a CronJob asks for and what is recorded of it (`batch/v1` CronJob, without the template).

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::cronjob::extension::{ExtensionError, Policies};
use crate::cronjob::{Record, Run};
use crate::schedule::{ParseError, Schedule, Timestamp, UnknownZone};

/// A CronJob as policy sees it. The job template is not here: no decision depends on it.
#[derive(Debug, Clone)]
pub struct CronJob {
    /// Namespace and name.
    pub key: Key,
    /// `metadata.uid`, by which its Jobs are known.
    pub uid: String,
    /// `metadata.creationTimestamp`: no instant up to here is due.
    pub created: Timestamp,
    /// The object is being deleted and only waits for its finalizers.
    pub deleting: bool,
    /// What its owner wrote.
    pub spec: Spec,
    /// What is recorded of it.
    pub status: Status,
}

impl CronJob {
    /// Whether nothing is started at the time `now`: its owner says so, or its failures have.
    pub fn is_suspended(&self, now: Timestamp) -> bool {
        self.spec.is_suspended(now) || self.status.record.suspended.is_some()
    }

    /// The CronJob as its Jobs know it.
    pub fn as_owner(&self) -> Owner {
        Owner {
            namespace: self.key.namespace.clone(),
            uid: self.uid.clone(),
        }
    }

    /// The first instant after `now` that its schedule asks for and no pause covers.
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let anchor = self.status.last_schedule_time.unwrap_or(self.created);
        let schedule = self.spec.schedule.as_ref().ok()?.anchored(anchor);
        let after = match self.spec.suspend_until {
            _ if self.status.record.suspended.is_some() => return None,
            _ if !self.spec.is_suspended(now) => now,
            // An instant at the end of the pause is due.
            Some(until) => until - TimeDelta::seconds(1),
            None => return None,
        };
        schedule.next(after)
    }
}

/// Namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The namespace.
    pub namespace: String,
    /// The name in it.
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The CronJob that a Job belongs to: that of this uid in the Job's own namespace. What a Job says of its owner has no namespace,
/// and means nobody when the CronJob of that uid is in another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The namespace of both.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
}

/// What a CronJob's owner wrote, defaults applied.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The schedule as written, for messages and to notice edits: `spec.schedule`, or the annotation that wins over it.
    pub schedule_text: String,
    /// `spec.timeZone` as written.
    pub time_zone: Option<String>,
    /// The two compiled, or why they cannot be.
    pub schedule: Result<Schedule, BadSchedule>,
    /// `spec.suspend`, or what stands in its place: starts nothing while true.
    pub suspend: bool,
    /// When that ends by itself.
    pub suspend_until: Option<Timestamp>,
    /// `spec.concurrencyPolicy`.
    pub concurrency: Concurrency,
    /// `spec.startingDeadlineSeconds`: how late a run may start.
    pub starting_deadline: Option<TimeDelta>,
    /// How many finished Jobs are kept.
    pub history: HistoryLimits,
    /// What is asked for beyond `batch/v1`.
    pub policies: Policies,
    /// What is wrong with the annotations that ask for it.
    pub mistakes: Vec<ExtensionError>,
}

impl Spec {
    /// Whether its owner says that nothing is started at the time `now`.
    pub fn is_suspended(&self, now: Timestamp) -> bool {
        self.suspend && self.pause_ended(now).is_none()
    }

    /// When a pause ended by itself, if one has.
    pub fn pause_ended(&self, now: Timestamp) -> Option<Timestamp> {
        self.suspend_until.filter(|until| self.suspend && *until <= now)
    }
}

/// Why a CronJob has no usable schedule.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BadSchedule {
    /// The expression does not parse.
    #[error("unparseable schedule: {text:?}")]
    Unparseable {
        /// `spec.schedule` as written.
        text: String,
        /// What is wrong with it.
        source: Arc<ParseError>,
    },
    /// An annotation that the schedule depends on can't be read.
    #[error("unusable annotation {name}")]
    Annotation {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: Arc<ExtensionError>,
    },
    /// The zone is not in the time-zone database.
    #[error("invalid timeZone: {name:?}")]
    UnknownTimeZone {
        /// The name as written.
        name: String,
        /// Why it cannot be used.
        source: Arc<UnknownZone>,
    },
}

/// What to do when a run is due while another is active (`spec.concurrencyPolicy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Concurrency {
    /// Start it beside the other.
    #[default]
    Allow,
    /// Wait until the other has ended.
    Forbid,
    /// End the other and start it.
    Replace,
}

/// How many finished Jobs are kept; `None` keeps all of that outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLimits {
    /// `spec.successfulJobsHistoryLimit`.
    pub successful: Option<usize>,
    /// `spec.failedJobsHistoryLimit`.
    pub failed: Option<usize>,
}

impl Default for HistoryLimits {
    /// The defaults of `batch/v1`.
    fn default() -> Self {
        HistoryLimits {
            successful: Some(3),
            failed: Some(1),
        }
    }
}

impl From<&Run> for JobRef {
    fn from(run: &Run) -> Self {
        JobRef {
            name: run.name.clone(),
            uid: run.uid.clone(),
            resource_version: run.resource_version.clone(),
        }
    }
}

/// What is recorded of a CronJob (`status`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The runs known to be active.
    pub active: Vec<JobRef>,
    /// The due instant of the newest run, not the moment at which it was started.
    pub last_schedule_time: Option<Timestamp>,
    /// When a run last completed successfully.
    pub last_successful_time: Option<Timestamp>,
    /// What `batch/v1` has no field for.
    pub record: Record,
}

/// An entry of `status.active`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRef {
    /// The Job's name.
    pub name: String,
    /// The Job's UID.
    pub uid: String,
    /// The Job's resource version when it was recorded.
    pub resource_version: String,
}

impl Status {
    /// Whether `uid` is recorded as active.
    pub fn is_active(&self, uid: &str) -> bool {
        self.active.iter().any(|job| job.uid == uid)
    }

    /// The UIDs that are recorded as active, for who asks about many runs: thousands may be active at once.
    pub fn active_uids(&self) -> HashSet<&str> {
        self.active.iter().map(|job| job.uid.as_str()).collect()
    }

    /// Strikes `uid` from the active runs; false when it was not there.
    pub fn forget(&mut self, uid: &str) -> bool {
        let before = self.active.len();
        self.active.retain(|job| job.uid != uid);
        self.active.len() < before
    }
}
