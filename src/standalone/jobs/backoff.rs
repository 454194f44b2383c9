//! The wait before a pod that failed, or was lost, is replaced.
//!
//! Ten seconds after the first failure in a row, doubling with each further one, up to ten minutes; a success starts
//! the row anew (Kubernetes' `DefaultJobPodFailureBackOff` and `MaxJobPodFailureBackOff`). Kubernetes remembers the
//! row in the controller's memory; here it is read off the pods that are there as well, so it survives a restart.

use chrono::TimeDelta;
use k8s_openapi::api::core::v1::Pod;

use super::pods::{ended_with_node, finish_time, is_succeeded, is_tracked};
use super::tally::is_failed;
use super::wanted::Wanted;
use crate::schedule::Timestamp;

/// The wait after the first failure in a row.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(10);
/// The longest wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(10);

/// How a pod ended, or how else the Job came to have it no more. Of two in the same second the success counts as the later
/// one, as in Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    Failed,
    Lost,
    Succeeded,
}

/// The end of a pod, for its Job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    at: Timestamp,
    pub(super) how: How,
}

impl End {
    /// The end of a pod that has ended.
    pub(super) fn of(pod: &Pod) -> Self {
        let how = if is_succeeded(pod) {
            How::Succeeded
        } else {
            How::Failed
        };
        let at = finish_time(pod);
        Self { at, how }
    }

    /// The end of a pod that goes on without its Job. When it was lost is not known, and it counts from when it was made: one
    /// that has been at work for long is replaced at once.
    pub(super) fn of_lost(pod: &Pod) -> Self {
        let (at, how) = (finish_time(pod), How::Lost);
        Self { at, how }
    }
}

/// Whether a pod has ended for its Job, in a way that tells whether to wait. One that was discarded does not: it was let go
/// before it was deleted, by a suspension or because there were too many. Nor does one that ended because its node was
/// stopped: it goes on with the node.
pub(super) fn ended(pod: &Pod, wanted: &Wanted) -> bool {
    let was_discarded = pod.metadata.deletion_timestamp.is_some() && !is_tracked(pod);
    (is_succeeded(pod) || is_failed(pod, wanted)) && !was_discarded && !ended_with_node(pod)
}

/// When the next pod may be made, given how others ended; nothing, when it may be made at once.
pub(super) fn next_start(ends: impl IntoIterator<Item = End>) -> Option<Timestamp> {
    let mut row = 0;
    let mut last_failure = None;
    let mut ends: Vec<End> = ends.into_iter().collect();
    ends.sort_unstable();
    for end in ends {
        let succeeded = end.how == How::Succeeded;
        row = if succeeded { 0 } else { row + 1 };
        last_failure = (!succeeded).then_some(end.at);
    }
    Some(last_failure? + wait(row))
}

/// The wait after this many failures in a row.
pub(super) fn wait(failures: u32) -> TimeDelta {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_WAIT * 2_i32.saturating_pow(doublings)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let waits = [1, 2, 3, 4, 5, 6, 7, 8, 100].map(|failures| wait(failures).num_seconds());
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
    }
}
