//! The commands of a script, parsed.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::cronjob::{Key, Outcome};
use crate::foresight::script::Fault;
use crate::schedule::Timestamp;

/// One line of a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Moves the clock to an instant.
    At(Timestamp),
    /// Moves the clock on.
    Tick(TimeDelta),
    /// Sets the wall clock.
    StepClock(TimeDelta),
    /// Creates CronJobs, or changes them.
    Apply(Apply),
    /// Another client changes something of a CronJob that nobody decides by.
    Edit(Key),
    /// Deletes a CronJob.
    DeleteCronJob(Key),
    /// Deletes a Job.
    DeleteJob(Key),
    /// Deletes a namespace.
    DeleteNamespace(String),
    /// Takes a CronJob's finalizers off.
    Release(Key),
    /// Creates a namespace.
    CreateNamespace(String),
    /// Creates a Job.
    StartJob {
        /// The Job.
        name: Key,
        /// The CronJob that it is of, or seems to be of.
        of: Key,
        /// Whose it is.
        kind: JobKind,
    },
    /// Ends a Job.
    Finish {
        /// Which one.
        which: Which,
        /// How it ends.
        outcome: Outcome,
    },
    /// Ends every run of a CronJob some time after it was created.
    AutoFinish {
        /// Whose runs.
        cronjob: Key,
        /// How long after its creation.
        after: TimeDelta,
        /// How they end.
        outcome: Outcome,
    },
    /// Kills the controller.
    Stop,
    /// Kills the controller if it runs, and starts one.
    Restart,
    /// The same, and from now on controllers start so many runs a second at most.
    Pace(u32),
    /// Arms a fault between the controller and the API.
    Fault(Fault),
    /// Holds back what a watch shows.
    DelayWatch {
        /// Which watch.
        of: Watched,
        /// By how much.
        by: TimeDelta,
    },
    /// Ends a watch.
    CutWatch {
        /// Which watch.
        of: Watched,
        /// How it ends.
        how: CutKind,
    },
    /// Serves a CronJob with a field of the wrong type.
    Malform(Key),
    /// Serves it as it is again.
    Heal(Key),
    /// Counts what happens at the same moment, instead of listing it.
    Summarise,
    /// Tells nothing any more of what happens; only what is shown.
    Hush,
    /// Shows the status of a CronJob.
    ShowStatus(Key),
    /// Shows all Jobs.
    ShowJobs,
    /// From here on, what the controller says becomes Events, too.
    WriteEvents,
    /// Shows all Events.
    ShowEvents,
}

/// What `apply` says. A field that is `None` stays as it is, or has its default; left alone, taken away, and set are
/// three things.
#[derive(Debug, Clone, PartialEq)]
pub struct Apply {
    /// The CronJob; with a count, what the names of all of them begin with.
    pub name: Key,
    /// How many CronJobs; their names are numbered.
    pub count: Option<u32>,
    /// `spec.schedule`.
    pub schedule: Option<String>,
    /// `spec.timeZone`; `none` takes it away.
    pub zone: Option<Option<String>>,
    /// `spec.concurrencyPolicy`.
    pub policy: Option<String>,
    /// `startingDeadlineSeconds`; `none` takes it away.
    pub deadline: Option<Option<i64>>,
    /// `spec.suspend`.
    pub suspend: Option<bool>,
    /// How many finished Jobs are kept: successful and failed.
    pub history: Option<(u32, u32)>,
    /// Annotations by their name without `punctual.dev/`; `none` takes one away.
    pub extensions: BTreeMap<String, Option<String>>,
    /// A finalizer keeps the CronJob from going when it is deleted.
    pub finalizer: Option<String>,
}

impl Apply {
    /// An `apply` that names nothing but the CronJob.
    pub fn of(name: Key) -> Self {
        Apply {
            name,
            count: None,
            schedule: None,
            zone: None,
            policy: None,
            deadline: None,
            suspend: None,
            history: None,
            extensions: BTreeMap::new(),
            finalizer: None,
        }
    }
}

/// Whose a Job is that the controller did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// A person's, made with `kubectl create job --from`: owned by the CronJob and annotated.
    Manual,
    /// Made by `punctual backfill`: owned by the CronJob and labelled.
    Backfill,
    /// Owned by the CronJob, without the annotation: as if an earlier controller had forgotten it.
    Stray,
    /// Owned by something of another kind that has the CronJob's name.
    Lookalike,
    /// Nobody's.
    Foreign,
}

/// Which Jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The Job of this name.
    Named(Key),
    /// The oldest unfinished run of a CronJob.
    Oldest(Key),
    /// The newest unfinished run of a CronJob.
    Newest(Key),
    /// Every unfinished run of a CronJob.
    All(Key),
}

/// Which watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Watched {
    /// Those of CronJobs.
    CronJobs,
    /// Those of Jobs.
    Jobs,
}

/// How a watch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutKind {
    /// The API says that its history is gone: `410 Gone`.
    Expire,
    /// The connection breaks.
    Break,
}
