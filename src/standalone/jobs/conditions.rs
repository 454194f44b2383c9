//! The conditions of a Job, with Kubernetes' reasons and messages.
//!
//! A Job finishes in two steps. First its fate is written (`SuccessCriteriaMet` or `FailureTarget`), and its pods are
//! ended; then, when the last pod has ended, the fate is sealed (`Complete` or `Failed`). What is sealed stays.

use k8s_openapi::api::batch::v1::{JobCondition, JobStatus};

use crate::schedule::Timestamp;
use crate::standalone::instants::{from_time, to_time};

/// How a Job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    /// Whether it is a success.
    pub(super) success: bool,
    /// Why, in a word.
    pub(super) reason: String,
    /// Why, in a sentence.
    pub(super) message: String,
}

impl Fate {
    pub(super) fn success(reason: &str, message: impl Into<String>) -> Self {
        Self {
            success: true,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn failure(reason: &str, message: impl Into<String>) -> Self {
        Self {
            success: false,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn completions_reached() -> Self {
        Self::success("CompletionsReached", "Reached expected number of succeeded pods")
    }

    pub(super) fn backoff_limit_exceeded() -> Self {
        Self::failure(
            "BackoffLimitExceeded",
            "Job has reached the specified backoff limit",
        )
    }

    pub(super) fn deadline_exceeded() -> Self {
        Self::failure(
            "DeadlineExceeded",
            "Job was active longer than specified deadline",
        )
    }

    /// The fate that is already written.
    pub(super) fn written(status: &JobStatus) -> Option<Self> {
        let read = |name, success| {
            find(status, name).map(|condition| Self {
                success,
                reason: condition.reason.clone().unwrap_or_default(),
                message: condition.message.clone().unwrap_or_default(),
            })
        };
        read("SuccessCriteriaMet", true).or_else(|| read("FailureTarget", false))
    }

    /// The condition that announces the fate, and the one that seals it.
    fn names(&self) -> [&'static str; 2] {
        if self.success {
            ["SuccessCriteriaMet", "Complete"]
        } else {
            ["FailureTarget", "Failed"]
        }
    }

    /// Writes the fate.
    pub(super) fn announce(&self, status: &mut JobStatus, now: Timestamp) {
        set(status, self.names()[0], true, &self.reason, &self.message, now);
    }

    /// Seals the fate.
    pub(super) fn seal(&self, status: &mut JobStatus, now: Timestamp) {
        set(status, self.names()[1], true, &self.reason, &self.message, now);
        if self.success {
            // A clock may have been put back since it was started, and no Job ends before it starts.
            let start = status.start_time.as_ref().map_or(now, from_time);
            status.completion_time = Some(to_time(now.max(start)));
        }
    }
}

/// The condition that sealed the Job's fate, if it is sealed.
pub(super) fn sealed(status: &JobStatus) -> Option<&JobCondition> {
    find(status, "Complete").or_else(|| find(status, "Failed"))
}

/// Sets a condition. Whether anything changed; a condition that never held does not begin by not holding.
pub(super) fn set(
    status: &mut JobStatus,
    name: &str,
    holds: bool,
    reason: &str,
    message: &str,
    now: Timestamp,
) -> bool {
    let condition = JobCondition {
        type_: name.to_owned(),
        status: if holds { "True" } else { "False" }.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_probe_time: Some(to_time(now)),
        last_transition_time: Some(to_time(now)),
    };
    let mut conditions = status.conditions.iter_mut().flatten();
    match conditions.find(|condition| condition.type_ == name) {
        Some(before) if same(before, &condition) => return false,
        Some(before) => *before = condition,
        None if holds => status.conditions.get_or_insert_default().push(condition),
        None => return false,
    }
    true
}

/// Whether two conditions say the same, whenever they began to.
fn same(one: &JobCondition, other: &JobCondition) -> bool {
    (&one.status, &one.reason, &one.message) == (&other.status, &other.reason, &other.message)
}

fn find<'s>(status: &'s JobStatus, name: &str) -> Option<&'s JobCondition> {
    let mut conditions = status.conditions.iter().flatten();
    conditions.find(|condition| condition.type_ == name && condition.status == "True")
}
