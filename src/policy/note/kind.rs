//! What kind of note it is: one table of the reason of its event, what was decided, and how much it weighs.

use chrono::TimeDelta;

use super::{Note, Ruling, Severity, SkipReason, WaitReason};
use crate::schedule::Timestamp;

/// A row of the table: the reason, the decision, and the type of the event.
type Kind = (&'static str, Option<&'static str>, Option<Severity>);

const START: Option<&str> = Some("start");
const WAIT: Option<&str> = Some("wait");
const SKIP: Option<&str> = Some("skip");
const DELETE: Option<&str> = Some("delete");
const SUSPEND: Option<&str> = Some("suspend");
/// Nothing was decided, something was noticed.
const NOTICED: Option<&str> = None;

const NORMAL: Option<Severity> = Some(Severity::Normal);
const WARNING: Option<Severity> = Some(Severity::Warning);
/// It is told in logs and explanations only.
const NO_EVENT: Option<Severity> = None;

impl Note {
    fn kind(&self) -> Kind {
        match self {
            Note::Started { .. } => ("SuccessfulCreate", START, NORMAL),
            Note::StartFailed { .. } => ("FailedCreate", WAIT, WARNING),
            Note::AlreadyStarted { .. } => ("AlreadyStarted", START, NO_EVENT),
            Note::NameTaken { .. } => ("JobNameTaken", SKIP, WARNING),
            Note::Blocked { .. } => ("JobAlreadyActive", WAIT, NORMAL),
            Note::PassedOver { .. } => ("PassedOver", SKIP, NO_EVENT),
            Note::TooManyMissed { .. } => ("TooManyMissedTimes", NOTICED, WARNING),
            Note::DeadlinePassed { .. } => ("MissSchedule", SKIP, WARNING),
            Note::Completed { .. } => ("SawCompletedJob", NOTICED, NORMAL),
            Note::Missing { .. } => ("MissingJob", NOTICED, NORMAL),
            Note::Adopted { .. } => ("AdoptedJob", NOTICED, NORMAL),
            Note::Deleted { .. } => ("SuccessfulDelete", DELETE, NORMAL),
            Note::DeleteFailed { .. } => ("FailedDelete", DELETE, WARNING),
            Note::Suspended => ("Suspended", SKIP, NO_EVENT),
            Note::BeingDeleted => ("BeingDeleted", SKIP, NO_EVENT),
            Note::Unparseable { .. } => ("UnparseableSchedule", NOTICED, WARNING),
            Note::UnknownTimeZone { .. } => ("UnknownTimeZone", NOTICED, WARNING),
            Note::NeverFires { .. } => ("InvalidSchedule", NOTICED, WARNING),
            Note::ZoneInSchedule { .. } => ("UnsupportedSchedule", NOTICED, WARNING),
            Note::ClockWentBack { .. } | Note::CreatedInFuture { .. } => ("ClockWentBack", NOTICED, WARNING),
            Note::NamespaceTerminating { .. } => ("NamespaceTerminating", WAIT, NO_EVENT),
            Note::OtherController { .. } => ("OtherController", NOTICED, WARNING),
            Note::BadAnnotation { .. } => ("InvalidAnnotation", NOTICED, WARNING),
            Note::Held { .. } => ("Held", WAIT, NO_EVENT),
            Note::Ruled(ruling) => ruling.kind(),
            Note::Fault { .. } | Note::NotUnderstood { .. } => ("InternalError", NOTICED, WARNING),
            Note::Malformed { .. } => ("MalformedCronJob", NOTICED, WARNING),
            Note::MalformedJob { .. } => ("MalformedJob", NOTICED, WARNING),
        }
    }

    /// The word for it: the reason of the event, the label of the metric.
    pub fn reason(&self) -> &'static str {
        self.kind().0
    }

    /// What was decided, in a word, for those who filter a log: `start`, `wait`, `skip`, `delete` or `suspend`. What was only
    /// noticed has none.
    pub fn decision(&self) -> Option<&'static str> {
        self.kind().1
    }

    /// The type of its event, or `None` when it is told in logs and explanations only.
    pub fn severity(&self) -> Option<Severity> {
        self.kind().2
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
            Note::Ruled(ruling) => ruling.scheduled(),
            _ => None,
        }
    }

    /// Whether it says that the CronJob can't be started as it is written.
    pub fn is_about_unusable(&self) -> bool {
        matches!(
            self,
            Note::Unparseable { .. }
                | Note::UnknownTimeZone { .. }
                | Note::NeverFires { .. }
                | Note::Held { .. }
        )
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
}

impl Ruling {
    /// What somebody asked for is normal; what was asked for and could not be had is not.
    fn kind(&self) -> Kind {
        match self {
            Ruling::Skipped { why, .. } => match why {
                SkipReason::Asked => ("SkippedOnRequest", SKIP, NORMAL),
                SkipReason::Missed => ("SkippedMissedRun", SKIP, NORMAL),
                SkipReason::BeyondLimit(_) => ("SkippedMissedRun", SKIP, WARNING),
                SkipReason::Active(_) | SkipReason::Behind(_) => ("SkippedWhileActive", SKIP, NORMAL),
                SkipReason::ClockChange { .. } => ("SkippedByClockChange", SKIP, NORMAL),
                SkipReason::QueueFull(_) => ("QueueFull", SKIP, WARNING),
            },
            Ruling::Waiting { why, .. } => match why {
                WaitReason::Forbid | WaitReason::MaxActive(_) => ("WaitingForTurn", WAIT, NORMAL),
                WaitReason::Group { .. } => ("WaitingForGroup", WAIT, NORMAL),
                WaitReason::Stopping => ("WaitingForStop", WAIT, NORMAL),
            },
            Ruling::SuspendedForFailures { .. } => ("SuspendedAfterFailures", SUSPEND, WARNING),
            Ruling::GroupDisagrees { .. } => ("GroupDisagrees", NOTICED, WARNING),
            Ruling::NeverStarted { .. } => ("RunNeverStarted", DELETE, WARNING),
            Ruling::PodsHidden { .. } => ("PodsHidden", NOTICED, WARNING),
            Ruling::Suspended => ("Suspended", SKIP, NO_EVENT),
            Ruling::Overdue { .. } => ("SuccessOverdue", NOTICED, WARNING),
            Ruling::SucceededAgain => ("SucceededAgain", NOTICED, NORMAL),
        }
    }
}
