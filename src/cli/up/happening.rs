//! What `up` shows, as values: the text and the JSON output are two renderings of the same list.

use chrono::TimeDelta;

use crate::cli::up::item::Id;
use crate::cronjob::{Key, Outcome};
use crate::manifest::Diagnostic;
use crate::schedule::Timestamp;
use crate::standalone::runtime::{self, Work};
use crate::telemetry::Told;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Happening {
    /// The controller decided something about a CronJob.
    Decision(Told),
    /// A process wrote something, or something happened to it.
    Process(runtime::Event),
    /// A Job, or a pod of none, ended, or was deleted before it did.
    Ended(Ended),
    /// A manifest was changed.
    Followed(Followed),
}

impl Happening {
    /// When it happened; what is said about a file has no time.
    pub(super) fn at(&self) -> Option<Timestamp> {
        match self {
            Happening::Decision(told) => Some(told.at),
            Happening::Process(event) => Some(event.at),
            Happening::Ended(ended) => Some(ended.at),
            Happening::Followed(Followed::Applied { at, .. } | Followed::Pruned { at, .. }) => Some(*at),
            Happening::Followed(Followed::Diagnosed { .. } | Followed::Refused { .. }) => None,
        }
    }
}

/// What came of a change of the manifests.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Followed {
    /// There is something to say about a file; when it is broken, it is not taken, and what it held before goes on, if it
    /// did.
    Diagnosed {
        file: String,
        diagnostics: Vec<Diagnostic>,
        is_broken: bool,
        goes_on: bool,
    },
    /// An object of a file was created or changed.
    Applied {
        at: Timestamp,
        file: String,
        object: LoadedObject,
    },
    /// A file has an object no more, and it was deleted.
    Pruned { at: Timestamp, file: String, id: Id },
    /// Something that a file asks for can't be done.
    Refused { file: String, message: String },
}

/// The end of a Job or of a pod of none, or its deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) at: Timestamp,
    pub(super) work: Work,
    /// Nothing when it was deleted before.
    pub(super) outcome: Option<Outcome>,
    /// How long it took, from the moment it was created until it was seen to be at its end.
    pub(super) took: TimeDelta,
    /// Why it failed, in Kubernetes' words: the message or the reason of the condition, or of the pod.
    pub(super) why: Option<String>,
}

/// A CronJob or Job that was loaded, or is there from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoadedObject {
    pub(super) kind: &'static str,
    pub(super) key: Key,
    /// Of a CronJob: what it says about when.
    pub(super) timing: Option<Timing>,
    /// Of a Job that is not to run now: why not.
    pub(super) rest: Option<Rest>,
    /// Whether it is a Job that is deleted some time after its end (`ttlSecondsAfterFinished`): a start that names it makes it
    /// again then.
    pub(super) comes_again: bool,
}

/// Why a Job does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rest {
    /// It has ended, and does not run again.
    Ended(End),
    /// It waits to be resumed.
    Suspended,
}

impl Rest {
    /// How the Job has ended, if it has.
    pub(super) fn end(&self) -> Option<&End> {
        match self {
            Rest::Ended(end) => Some(end),
            Rest::Suspended => None,
        }
    }
}

/// How a Job has ended, and when, where its status tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) at: Option<Timestamp>,
}

impl End {
    /// The outcome in a word.
    pub(super) fn how(&self) -> &'static str {
        match self.outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
        }
    }
}

/// When a CronJob runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) schedule: String,
    pub(super) zone: String,
    pub(super) suspended: bool,
    /// Nothing is started, as something in it can't be used, e.g. a calendar that is not there.
    pub(super) held: bool,
    pub(super) next: Option<Timestamp>,
    /// `next` as a clock in the zone shows it.
    pub(super) next_local: Option<String>,
}
