//! The reason for every yes and every no, as data.
//!
//! A note feeds the event, the log line, the metric label and the explanation alike, so that none of them can tell
//! a different story. Reasons and messages are those of Kubernetes' CronJob controller where it has one.

use std::error::Error;
use std::fmt;

use chrono::TimeDelta;

use crate::cronjob::{BadSchedule, Outcome, Spec};
use crate::schedule::Timestamp;

/// One thing that was decided or noticed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A run was started.
    Started {
        /// The Job.
        job: String,
        /// Its due instant.
        scheduled: Timestamp,
        /// How long after that instant it was created.
        lateness: TimeDelta,
        /// How much of that it was held back on purpose, to keep a limit on the rate of starts.
        held_back: TimeDelta,
    },
    /// A run could not be started; it is tried again.
    StartFailed {
        /// The Job that was to be created.
        job: String,
        /// Its due instant.
        scheduled: Timestamp,
        /// Why, in the words of whoever refused.
        error: String,
    },
    /// The run exists already: an earlier attempt went through, only its answer or its record was lost.
    AlreadyStarted {
        /// The Job.
        job: String,
        /// Its due instant.
        scheduled: Timestamp,
    },
    /// Somebody else's Job has the name of the run.
    NameTaken {
        /// The name.
        job: String,
    },
    /// A run is due, but another is active and `concurrencyPolicy` is `Forbid`.
    Blocked {
        /// The instant that waits.
        scheduled: Timestamp,
        /// The Jobs it waits for.
        behind: Vec<String>,
    },
    /// Instants passed while nobody could start them, and a newer one runs in their place.
    PassedOver {
        /// How many, at most [`MISSED_COUNT_CAP`](crate::policy::MISSED_COUNT_CAP).
        count: u64,
        /// The first of them.
        oldest: Timestamp,
        /// The instant that runs.
        newest_runs: Timestamp,
    },
    /// So many instants were missed that something is wrong.
    TooManyMissed {
        /// How many, at most [`MISSED_COUNT_CAP`](crate::policy::MISSED_COUNT_CAP).
        count: u64,
    },
    /// Instants became older than `startingDeadlineSeconds` before they could be started.
    DeadlinePassed {
        /// How many, at most [`MISSED_COUNT_CAP`](crate::policy::MISSED_COUNT_CAP).
        count: u64,
        /// The newest of them.
        newest: Timestamp,
    },
    /// A run that was recorded as active has finished.
    Completed {
        /// The Job.
        job: String,
        /// How it ended.
        outcome: Outcome,
    },
    /// A run that was recorded as active is gone.
    Missing {
        /// The Job.
        job: String,
    },
    /// A run is active that was not recorded; now it is.
    Adopted {
        /// The Job.
        job: String,
    },
    /// A Job was deleted, for the history limits or to be replaced.
    Deleted {
        /// The Job.
        job: String,
    },
    /// A Job could not be deleted; it is tried again.
    DeleteFailed {
        /// The Job.
        job: String,
        /// Why, in the words of whoever refused.
        error: String,
    },
    /// The CronJob is suspended.
    Suspended,
    /// The CronJob is being deleted.
    BeingDeleted,
    /// The schedule does not parse.
    Unparseable {
        /// `spec.schedule` as written.
        schedule: String,
        /// What is wrong with it.
        error: String,
    },
    /// The time zone is not known.
    UnknownTimeZone {
        /// `spec.timeZone` as written.
        name: String,
        /// Why it cannot be used.
        error: String,
    },
    /// The schedule parses but matches no date there is.
    NeverFires {
        /// `spec.schedule` as written.
        schedule: String,
    },
    /// The schedule carries its zone in a `TZ=` or `CRON_TZ=` prefix, which Kubernetes tolerates but does not support.
    ZoneInSchedule {
        /// `spec.schedule` as written.
        schedule: String,
    },
    /// The newest recorded run lay in the future, written by a clock that was ahead.
    ClockWentBack {
        /// The `lastScheduleTime` that was taken back.
        recorded: Timestamp,
    },
    /// The CronJob was created in the future, by a clock that was ahead.
    CreatedInFuture {
        /// Its `creationTimestamp`.
        created: Timestamp,
    },
    /// The namespace is being deleted and takes no new Jobs; the CronJob goes with it.
    NamespaceTerminating {
        /// The Job that was to be created.
        job: String,
        /// Its due instant.
        scheduled: Timestamp,
    },
    /// Somebody else starts runs of this CronJob under the same names.
    OtherController {
        /// The run that was not started by us.
        job: String,
        /// Who started it, by its field manager.
        manager: String,
    },
    /// An annotation of ours does not say what it has to.
    BadAnnotation {
        /// Which one, what is wrong with it, and what to write.
        problem: String,
    },
    /// Nothing is started, because an annotation can't be read that the schedule depends on. The event says what is wrong
    /// with it ([`Note::BadAnnotation`]); this says once more what comes of it.
    Held {
        /// Its name.
        annotation: String,
    },
    /// The CronJob can't be read, so it is not run.
    Malformed {
        /// What is wrong.
        error: String,
    },
}

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something happened as it should.
    Normal,
    /// Somebody may have to act.
    Warning,
}

impl Note {
    /// The note for a schedule that cannot be followed.
    pub(super) fn unusable(problem: &BadSchedule) -> Note {
        let error = problem.source().map(ToString::to_string).unwrap_or_default();
        match problem {
            BadSchedule::Unparseable { text, .. } => Note::Unparseable {
                schedule: text.clone(),
                error,
            },
            BadSchedule::Annotation { name, .. } => Note::Held {
                annotation: name.clone(),
            },
            BadSchedule::UnknownTimeZone { name, .. } => Note::UnknownTimeZone {
                name: name.clone(),
                error,
            },
        }
    }

    /// The note for a schedule that names its zone itself. As in Kubernetes, the prefix wins over `spec.timeZone`.
    pub(super) fn zone_in_schedule(spec: &Spec) -> Option<Note> {
        let prefixed = spec.schedule_text.contains("TZ");
        prefixed.then(|| Note::ZoneInSchedule {
            schedule: spec.schedule_text.clone(),
        })
    }

    /// The word for it: the reason of the event, the label of the metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Note::Started { .. } => "SuccessfulCreate",
            Note::StartFailed { .. } => "FailedCreate",
            Note::AlreadyStarted { .. } => "AlreadyStarted",
            Note::NameTaken { .. } => "JobNameTaken",
            Note::Blocked { .. } => "JobAlreadyActive",
            Note::PassedOver { .. } => "PassedOver",
            Note::TooManyMissed { .. } => "TooManyMissedTimes",
            Note::DeadlinePassed { .. } => "MissSchedule",
            Note::Completed { .. } => "SawCompletedJob",
            Note::Missing { .. } => "MissingJob",
            Note::Adopted { .. } => "AdoptedJob",
            Note::Deleted { .. } => "SuccessfulDelete",
            Note::DeleteFailed { .. } => "FailedDelete",
            Note::Suspended => "Suspended",
            Note::BeingDeleted => "BeingDeleted",
            Note::Unparseable { .. } => "UnparseableSchedule",
            Note::UnknownTimeZone { .. } => "UnknownTimeZone",
            Note::NeverFires { .. } => "InvalidSchedule",
            Note::ZoneInSchedule { .. } => "UnsupportedSchedule",
            Note::ClockWentBack { .. } | Note::CreatedInFuture { .. } => "ClockWentBack",
            Note::NamespaceTerminating { .. } => "NamespaceTerminating",
            Note::OtherController { .. } => "OtherController",
            Note::BadAnnotation { .. } => "InvalidAnnotation",
            Note::Held { .. } => "Held",
            Note::Malformed { .. } => "MalformedCronJob",
        }
    }

    /// The due instant that it is about.
    pub fn scheduled(&self) -> Option<Timestamp> {
        match self {
            Note::Started { scheduled, .. }
            | Note::StartFailed { scheduled, .. }
            | Note::AlreadyStarted { scheduled, .. }
            | Note::Blocked { scheduled, .. }
            | Note::NamespaceTerminating { scheduled, .. }
            | Note::DeadlinePassed {
                newest: scheduled, ..
            } => Some(*scheduled),
            _ => None,
        }
    }

    /// How late a run was started.
    pub fn lateness(&self) -> Option<TimeDelta> {
        match self {
            Note::Started { lateness, .. } => Some(*lateness),
            _ => None,
        }
    }

    /// How long a run was held back on purpose, if it was.
    pub fn held_back(&self) -> Option<TimeDelta> {
        match self {
            Note::Started { held_back, .. } => Some(*held_back).filter(|time| !time.is_zero()),
            _ => None,
        }
    }

    /// The type of its event, or `None` when it is told in logs and explanations only.
    pub fn severity(&self) -> Option<Severity> {
        match self {
            Note::Started { .. }
            | Note::Blocked { .. }
            | Note::Completed { .. }
            | Note::Missing { .. }
            | Note::Adopted { .. }
            | Note::Deleted { .. } => Some(Severity::Normal),
            Note::StartFailed { .. }
            | Note::NameTaken { .. }
            | Note::TooManyMissed { .. }
            | Note::DeadlinePassed { .. }
            | Note::DeleteFailed { .. }
            | Note::Unparseable { .. }
            | Note::UnknownTimeZone { .. }
            | Note::NeverFires { .. }
            | Note::ZoneInSchedule { .. }
            | Note::ClockWentBack { .. }
            | Note::CreatedInFuture { .. }
            | Note::OtherController { .. }
            | Note::BadAnnotation { .. }
            | Note::Malformed { .. } => Some(Severity::Warning),
            Note::AlreadyStarted { .. }
            | Note::PassedOver { .. }
            | Note::Suspended
            | Note::BeingDeleted
            | Note::Held { .. }
            | Note::NamespaceTerminating { .. } => None,
        }
    }
}

/// The message, of the event and for people.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Started { job, .. } => write!(f, "Created job {job}"),
            Note::StartFailed { error, .. } => write!(f, "Error creating job: {error}"),
            Note::AlreadyStarted { job, .. } => write!(f, "Job {job} was started before; recorded now"),
            Note::NameTaken { job } => write!(
                f,
                "Not starting job {job}: another job has that name and does not belong to this CronJob. \
                 Rename or delete it; the next run goes ahead"
            ),
            Note::Blocked { .. } => f.write_str(
                "Not starting job because prior execution is running and concurrency policy is Forbid",
            ),
            Note::PassedOver {
                count,
                oldest,
                newest_runs,
            } => write!(
                f,
                "{} since {} could not be started in time; only the newest, of {}, runs",
                runs(*count),
                moment(oldest),
                moment(newest_runs)
            ),
            Note::TooManyMissed { count } => write!(
                f,
                "too many missed start times ({count}). Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            ),
            Note::DeadlinePassed { count: 1, newest } => {
                write!(f, "Missed scheduled time to start a job: {}", moment(newest))
            }
            Note::DeadlinePassed { count, newest } => write!(
                f,
                "Missed scheduled time to start a job: {} passed their starting deadline, the newest of {}",
                runs(*count),
                moment(newest)
            ),
            Note::Completed { job, outcome } => {
                write!(f, "Saw completed job: {job}, condition: {}", outcome.condition())
            }
            Note::Missing { job } => write!(f, "Active job went missing: {job}"),
            Note::Adopted { job } => write!(f, "Adopted job {job}, which was running but not recorded"),
            Note::Deleted { job } => write!(f, "Deleted job {job}"),
            Note::DeleteFailed { job, error } => write!(f, "Could not delete job {job}: {error}"),
            Note::Suspended => f.write_str("Suspended: nothing is started"),
            Note::BeingDeleted => f.write_str("Being deleted: nothing is started"),
            Note::Unparseable { schedule, error } => {
                write!(f, "unparseable schedule: {schedule:?} : {error}")
            }
            Note::UnknownTimeZone { name, error } => write!(f, "invalid timeZone: {name:?}: {error}"),
            Note::NeverFires { schedule } => {
                write!(
                    f,
                    "invalid schedule: {schedule} : it matches no date there is, so it never fires"
                )
            }
            Note::ZoneInSchedule { schedule } => write!(
                f,
                "CRON_TZ or TZ used in schedule {schedule:?} is not officially supported, \
                 set .spec.timeZone instead"
            ),
            Note::ClockWentBack { recorded } => write!(
                f,
                "The last run was recorded for {}, which is in the future: a clock was ahead. Scheduling goes on from now",
                moment(recorded)
            ),
            Note::CreatedInFuture { created } => write!(
                f,
                "Created at {}, which is in the future: a clock was ahead. Scheduling goes on from now",
                moment(created)
            ),
            Note::NamespaceTerminating { job, .. } => {
                write!(f, "Not starting job {job}: its namespace is being deleted")
            }
            Note::OtherController { job, manager } => write!(
                f,
                "Job {job} was created by {manager}: two controllers run this CronJob. Nothing is started twice, \
                 but one of them is one too many: switch the built-in one off \
                 (--controllers=*,-cronjob-controller), or start punctual with --adopt=opted-in"
            ),
            Note::BadAnnotation { problem } => f.write_str(problem),
            Note::Held { annotation } => {
                write!(
                    f,
                    "Nothing is started, because the annotation {annotation} can't be read"
                )
            }
            Note::Malformed { error } => {
                write!(f, "Not run, because this CronJob can't be read: {error}")
            }
        }
    }
}

fn runs(count: u64) -> String {
    match count {
        1 => "1 run".into(),
        _ => format!("{count} runs"),
    }
}

fn moment(instant: &Timestamp) -> impl fmt::Display {
    instant.format("%Y-%m-%dT%H:%M:%SZ")
}
