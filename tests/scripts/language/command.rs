//! The commands of a script, parsed.

use chrono::TimeDelta;
use punctual::cronjob::{Key, Outcome};
use punctual::schedule::Timestamp;

use super::Fault;

/// One line of a script.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
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
    StartJob { name: Key, of: Key, kind: JobKind },
    /// Ends a Job.
    Finish { which: Which, outcome: Outcome },
    /// Ends every run of a CronJob some time after it was created.
    AutoFinish {
        cronjob: Key,
        after: TimeDelta,
        outcome: Outcome,
    },
    /// Kills the controller.
    Stop,
    /// Kills the controller if it runs, and starts one.
    Restart,
    /// Arms a fault between the controller and the API.
    Fault(Fault),
    /// Holds back what a watch shows.
    DelayWatch { of: Watched, by: TimeDelta },
    /// Ends a watch.
    CutWatch { of: Watched, how: CutKind },
    /// Serves a CronJob with a field of the wrong type.
    Malform(Key),
    /// Serves it as it is again.
    Heal(Key),
    /// Counts what happens at the same moment, instead of listing it.
    Summarise,
    /// Shows the status of a CronJob.
    ShowStatus(Key),
    /// Shows all Jobs.
    ShowJobs,
}

/// What `apply` says. A field that is `None` stays as it is, or has its default.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::option_option,
    reason = "left alone, taken away, and set are three things"
)]
pub(crate) struct Apply {
    pub(crate) name: Key,
    /// How many CronJobs; their names are numbered.
    pub(crate) count: Option<u32>,
    pub(crate) schedule: Option<String>,
    /// `none` takes the zone away.
    pub(crate) zone: Option<Option<String>>,
    pub(crate) policy: Option<String>,
    /// `startingDeadlineSeconds`; `none` takes it away.
    pub(crate) deadline: Option<Option<i64>>,
    pub(crate) suspend: Option<bool>,
    /// Successful and failed.
    pub(crate) history: Option<(u32, u32)>,
    /// A finalizer keeps the CronJob from going when it is deleted.
    pub(crate) finalizer: Option<String>,
}

impl Apply {
    pub(crate) fn of(name: Key) -> Self {
        Apply {
            name,
            count: None,
            schedule: None,
            zone: None,
            policy: None,
            deadline: None,
            suspend: None,
            history: None,
            finalizer: None,
        }
    }
}

/// Whose a Job is that the controller did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// A person's, made with `kubectl create job --from`: owned by the CronJob and annotated.
    Manual,
    /// Owned by the CronJob, without the annotation: as if an earlier controller had forgotten it.
    Stray,
    /// Owned by something of another kind that has the CronJob's name.
    Lookalike,
    /// Nobody's.
    Foreign,
}

/// Which Jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
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
pub(crate) enum Watched {
    CronJobs,
    Jobs,
}

/// How a watch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CutKind {
    /// The API says that its history is gone: `410 Gone`.
    Expire,
    /// The connection breaks.
    Break,
}
