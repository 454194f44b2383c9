//! What kind of note it is: the reason of its event, the label of its metric, its weight.

use chrono::TimeDelta;

use super::{Note, Severity};
use crate::schedule::Timestamp;

impl Note {
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
            Note::Ruled(ruling) => ruling.reason(),
            Note::Malformed { .. } => "MalformedCronJob",
            Note::MalformedJob { .. } => "MalformedJob",
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
            Note::Ruled(ruling) => ruling.scheduled(),
            _ => None,
        }
    }

    /// What was decided, in a word, for those who filter a log: `start`, `wait`, `skip`, `delete` or `suspend`. What was only
    /// noticed has none.
    pub fn decision(&self) -> Option<&'static str> {
        match self {
            Note::Started { .. } | Note::AlreadyStarted { .. } => Some("start"),
            Note::StartFailed { .. }
            | Note::Blocked { .. }
            | Note::Held { .. }
            | Note::NamespaceTerminating { .. } => Some("wait"),
            Note::PassedOver { .. }
            | Note::DeadlinePassed { .. }
            | Note::NameTaken { .. }
            | Note::Suspended
            | Note::BeingDeleted => Some("skip"),
            Note::Deleted { .. } | Note::DeleteFailed { .. } => Some("delete"),
            Note::Ruled(ruling) => ruling.decision(),
            Note::TooManyMissed { .. }
            | Note::Completed { .. }
            | Note::Missing { .. }
            | Note::Adopted { .. }
            | Note::Unparseable { .. }
            | Note::UnknownTimeZone { .. }
            | Note::NeverFires { .. }
            | Note::ZoneInSchedule { .. }
            | Note::ClockWentBack { .. }
            | Note::CreatedInFuture { .. }
            | Note::OtherController { .. }
            | Note::BadAnnotation { .. }
            | Note::Malformed { .. }
            | Note::MalformedJob { .. } => None,
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
            | Note::Malformed { .. }
            | Note::MalformedJob { .. } => Some(Severity::Warning),
            Note::Ruled(ruling) => ruling.severity(),
            Note::AlreadyStarted { .. }
            | Note::PassedOver { .. }
            | Note::Suspended
            | Note::BeingDeleted
            | Note::Held { .. }
            | Note::NamespaceTerminating { .. } => None,
        }
    }
}
