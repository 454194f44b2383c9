//! What keeps the pods of a run from starting, in the words of whoever keeps them.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::policy::PodsState;

/// What is seen of the pods of a Job.
pub(super) fn seen(pods: &[Pod]) -> PodsState {
    if pods.iter().any(began) {
        return PodsState::Began;
    }
    let none = if pods.is_empty() {
        "no pod of it could be created"
    } else {
        "its pods give no reason"
    };
    PodsState::Kept(pods.iter().find_map(why).unwrap_or_else(|| none.to_owned()))
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let lists = status.map(|status| [&status.init_container_statuses, &status.container_statuses]);
    lists.into_iter().flatten().flatten().flatten()
}

/// Whether any container has run, or runs.
fn began(pod: &Pod) -> bool {
    containers(pod).any(has_run)
}

/// Whether a container has run, or runs.
pub(crate) fn has_run(container: &ContainerStatus) -> bool {
    let state = container.state.as_ref();
    let before = container.last_state.as_ref();
    state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
        || before.is_some_and(|state| state.terminated.is_some())
}

/// What a pod waits for: a node, or what a container is in need of.
fn why(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let unscheduled = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    let said = |reason: Option<&String>, message: Option<&String>| {
        let words: Vec<&str> = [reason, message]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        (!words.is_empty()).then(|| words.join(": "))
    };
    let unscheduled = unscheduled.and_then(|found| said(found.reason.as_ref(), found.message.as_ref()));
    let waiting = |container: &ContainerStatus| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        said(waiting.reason.as_ref(), waiting.message.as_ref())
    };
    unscheduled.or_else(|| containers(pod).find_map(waiting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_says_what_keeps_it() {
        let kept = |why: &str| PodsState::Kept(why.to_owned());
        for (status, expected) in [
            (r"{}", kept("its pods give no reason")),
            (
                r#"{"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available"}]}"#,
                kept("Unschedulable: 0/3 nodes are available"),
            ),
            (
                r#"{"containerStatuses":[{"name":"c","image":"x","imageID":"","ready":false,"restartCount":0,"state":{"waiting":{"reason":"ImagePullBackOff","message":"no such image"}}}]}"#,
                kept("ImagePullBackOff: no such image"),
            ),
            (
                r#"{"containerStatuses":[{"name":"c","image":"x","imageID":"","ready":false,"restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":1}}}]}"#,
                PodsState::Began,
            ),
        ] {
            let pod: Pod =
                serde_json::from_str(&format!(r#"{{"metadata":{{}},"status":{status}}}"#)).expect("a pod");
            assert_eq!(seen(&[pod]), expected, "{status}");
        }
        assert_eq!(seen(&[]), kept("no pod of it could be created"));
    }
}
