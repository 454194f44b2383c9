//! What `up` shows, as values: the text and the JSON output are two renderings of the same list.

use chrono::TimeDelta;

use crate::cronjob::{Key, Outcome};
use crate::schedule::Timestamp;
use crate::standalone::runtime;
use crate::telemetry::Told;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Happening {
    /// The controller decided something about a CronJob.
    Decision(Told),
    /// A process wrote something, or something happened to it.
    Process(runtime::Event),
    /// A Job ended.
    JobEnded(JobEnded),
}

/// The end of a Job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JobEnded {
    pub(super) at: Timestamp,
    pub(super) job: Key,
    pub(super) outcome: Outcome,
    /// How long it took, from the moment it was created.
    pub(super) took: TimeDelta,
    /// Why it failed, in Kubernetes' words: the condition's reason and message.
    pub(super) why: Option<String>,
}

/// A CronJob or Job that was loaded, or is there from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoadedObject {
    pub(super) kind: &'static str,
    pub(super) key: Key,
    /// Of a CronJob: what it says about when.
    pub(super) timing: Option<Timing>,
}

/// When a CronJob runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) schedule: String,
    pub(super) zone: String,
    pub(super) suspended: bool,
    pub(super) next: Option<Timestamp>,
    /// `next` as a clock in the zone shows it.
    pub(super) next_local: Option<String>,
}
