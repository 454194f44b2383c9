//! The wait before a failed pod is replaced.
//!
//! Ten seconds after the first failure in a row, doubling with each further one, up to ten minutes; a success starts
//! the row anew (Kubernetes' `DefaultJobPodFailureBackOff` and `MaxJobPodFailureBackOff`). Kubernetes remembers the
//! row in the controller's memory; here it is read off the pods themselves, so it survives a restart.

use chrono::TimeDelta;
use k8s_openapi::api::core::v1::Pod;

use super::pods::{finish_time, is_succeeded, is_tracked};
use crate::schedule::Timestamp;

/// The wait after the first failure in a row.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(10);
/// The longest wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(10);

/// When the next pod may be made, given the pods that have ended; nothing, when it may be made at once.
pub(super) fn next_start<'p>(ended: impl Iterator<Item = &'p Pod>) -> Option<Timestamp> {
    let mut row = 0;
    let mut last_failure = None;
    let mut ended: Vec<(Timestamp, bool)> = ended
        .filter(|pod| !was_discarded(pod))
        .map(|pod| (finish_time(pod), is_succeeded(pod)))
        .collect();
    // Of two that ended in the same second the success counts as the later one, as in Kubernetes.
    ended.sort_unstable();
    for (finished, succeeded) in ended {
        row = if succeeded { 0 } else { row + 1 };
        last_failure = (!succeeded).then_some(finished);
    }
    Some(last_failure? + wait(row))
}

/// The wait after this many failures in a row.
pub(super) fn wait(failures: u32) -> TimeDelta {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_WAIT * 2_i32.saturating_pow(doublings)).min(LONGEST_WAIT)
}

/// Whether the pod was taken away by a suspension or because there were too many: that is no failure of its own.
fn was_discarded(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some() && !is_tracked(pod)
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
