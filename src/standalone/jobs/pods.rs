//! What the rules ask of a pod.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::schedule::Timestamp;
use crate::standalone::instants::from_time;
use crate::standalone::runtime::{self, all_statuses};

/// The finalizer that keeps a pod until its end is counted (`batch.JobTrackingFinalizer`).
pub(super) const TRACKING_FINALIZER: &str = "batch.kubernetes.io/job-tracking";

/// Whether the pod's end has not been counted for good yet.
pub(super) fn is_tracked(pod: &Pod) -> bool {
    pod.metadata
        .finalizers
        .iter()
        .flatten()
        .any(|finalizer| finalizer == TRACKING_FINALIZER)
}

/// Whether the pod succeeded.
pub(super) fn is_succeeded(pod: &Pod) -> bool {
    phase(pod) == "Succeeded"
}

/// Whether the pod has ended, either way.
pub(super) fn is_over(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether the pod failed because its node was stopped.
pub(super) fn ended_with_node(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    phase(pod) == "Failed" && status.is_some_and(runtime::ended_with_node)
}

/// Whether the pod is being deleted and has not ended.
pub(super) fn is_terminating(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some() && !is_over(pod)
}

/// Whether the pod is at work, or will be.
pub(super) fn is_active(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && !is_over(pod)
}

/// Whether the pod says that it is ready.
pub(super) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .iter()
        .filter_map(|status| status.conditions.as_ref())
        .flatten();
    conditions
        .into_iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// The pod's phase; a new pod has none, and that is `Pending`.
pub(super) fn phase(pod: &Pod) -> &str {
    pod.status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("Pending")
}

/// The pod's uid.
pub(super) fn uid(pod: &Pod) -> &str {
    pod.metadata.uid.as_deref().unwrap_or_default()
}

/// The pod's name.
pub(super) fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// How often the containers of a pod have been restarted.
pub(super) fn restarts(pod: &Pod) -> i32 {
    let Some(status) = &pod.status else { return 0 };
    all_statuses(status)
        .map(|container| container.restart_count)
        .fold(0, i32::saturating_add)
}

/// When a pod ended: when its last container did; else when it stopped being ready; else when it was deleted; else,
/// which only a pod without any status comes to, when it was made.
pub(super) fn finish_time(pod: &Pod) -> Timestamp {
    containers_finished(pod)
        .or_else(|| stopped_being_ready(pod))
        .or_else(|| deleted(pod))
        .unwrap_or_else(|| {
            pod.metadata
                .creation_timestamp
                .as_ref()
                .map(from_time)
                .unwrap_or_default()
        })
}

fn containers_finished(pod: &Pod) -> Option<Timestamp> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    let finished: Option<Vec<Timestamp>> = containers.iter().map(container_finished).collect();
    finished?.into_iter().max()
}

fn container_finished(container: &ContainerStatus) -> Option<Timestamp> {
    container
        .state
        .as_ref()?
        .terminated
        .as_ref()?
        .finished_at
        .as_ref()
        .map(from_time)
}

fn stopped_being_ready(pod: &Pod) -> Option<Timestamp> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let ready = conditions
        .iter()
        .find(|condition| condition.type_ == "Ready" && condition.status == "False")?;
    ready.last_transition_time.as_ref().map(from_time)
}

fn deleted(pod: &Pod) -> Option<Timestamp> {
    let gone = from_time(pod.metadata.deletion_timestamp.as_ref()?);
    let grace = chrono::TimeDelta::seconds(pod.metadata.deletion_grace_period_seconds.unwrap_or_default());
    Some(gone - grace)
}
