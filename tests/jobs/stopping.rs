//! Ctrl-C: no new starts, every process gets its grace, and what happened is recorded.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use crate::machine::{Machine, container_status, holds, phase};

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_gives_processes_their_grace_and_records_their_end() {
    let mut machine = Machine::start().await;
    machine
        .job(
            &json!({"backoffLimit": 3}),
            "trap 'echo stopped; exit 7' TERM; echo up; while :; do sleep 0.05; done 2>/dev/null",
        )
        .await;
    assert_eq!(machine.line().await, "up");
    machine.drain();
    machine.stopped().await;
    assert_eq!(machine.lines(1).await, ["stopped"]);
    let pods = machine.pods_until(|pods| pods.len() == 1).await;
    let status = pods[0].status.as_ref().unwrap();
    assert_eq!(
        (phase(&pods[0]), status.reason.as_deref()),
        ("Failed", Some("Terminated"))
    );
    let ended = container_status(&pods[0]).state.unwrap().terminated.unwrap();
    assert_eq!(ended.exit_code, 7);
    let job = machine.job_until(|_| true).await;
    assert_eq!((job.active, job.failed), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_more_pods_than_may_fail_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let script = format!(
        "echo up; until [ -e {} ]; do sleep 0.05; done; echo done",
        go.display()
    );
    let mut machine = Machine::start().await;
    machine
        .job(
            &json!({"completions": 4, "parallelism": 4, "backoffLimit": 2}),
            &script,
        )
        .await;
    assert_eq!(machine.lines(4).await, ["up"; 4]);
    machine.drain();
    machine.stopped().await;
    std::fs::write(go, "").unwrap();
    let machine = machine.restarted();
    let status = machine.finished().await;
    assert!(holds(&status, "Complete"));
    assert_eq!((status.succeeded, status.failed), (Some(4), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_well_in_its_grace_has_succeeded() {
    let mut machine = Machine::start().await;
    let script = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done 2>/dev/null";
    machine.job(&json!({}), script).await;
    assert_eq!(machine.line().await, "up");
    machine.drain();
    machine.stopped().await;
    let pods = machine.pods_until(|pods| pods.len() == 1).await;
    assert_eq!(phase(&pods[0]), "Succeeded");
    assert_eq!(pods[0].status.as_ref().unwrap().reason, None);
    assert!(holds(&machine.job_until(|_| true).await, "Complete"));
}

/// By the condition `DisruptionTarget`, which the kubelet sets as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_no_failure_where_the_policy_says_so_and_is_made_up_for_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let once = folder.path().join("once");
    let script = format!(
        "[ -e {0} ] && exit 0; touch {0}; echo up; while :; do sleep 0.05; done",
        once.display()
    );
    let ignored =
        json!({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]});
    let mut machine = Machine::start().await;
    machine
        .job(
            &json!({"backoffLimit": 0, "podFailurePolicy": {"rules": [ignored]}}),
            &script,
        )
        .await;
    assert_eq!(machine.line().await, "up");
    machine.drain();
    machine.stopped().await;
    let machine = machine.restarted();
    let status = machine.finished().await;
    assert!(holds(&status, "Complete"));
    assert_eq!((status.succeeded, status.failed), (Some(1), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stop_kills() {
    let mut machine = Machine::start().await;
    let spec = json!({"template": {"spec": {"terminationGracePeriodSeconds": 600}}});
    machine
        .job(
            &spec,
            "trap '' TERM; echo up; while :; do sleep 0.05; done 2>/dev/null",
        )
        .await;
    assert_eq!(machine.line().await, "up");
    machine.drain();
    machine.kill();
    machine.stopped().await;
    let pods = machine.pods_until(|pods| pods.len() == 1).await;
    assert_eq!(phase(&pods[0]), "Failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_starts_while_it_drains() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let mut machine = Machine::start().await;
    let script = format!(
        "trap 'until test -e {}; do sleep 0.05; done; exit 0' TERM; echo up; while :; do sleep 0.05; done 2>/dev/null",
        go.display()
    );
    let spec = json!({"template": {"spec": {"terminationGracePeriodSeconds": 600}}});
    machine.job(&spec, &script).await;
    assert_eq!(machine.line().await, "up");
    machine.drain();
    let never = json!({"name": "main", "command": ["echo", "never"]});
    machine
        .pod(&json!({"restartPolicy": "Never", "containers": [never]}))
        .await;
    std::fs::write(go, "").unwrap();
    machine.stopped().await;
    assert!(machine.lines(0).await.is_empty());
    let never = machine.pods().get("test").await.unwrap();
    assert_eq!(phase(&never), "Pending");
}

/// Its config map comes later: a stop in between is no failure of it, as killing `punctual` would not be.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_started_is_left_and_goes_on_after_a_restart() {
    let mut machine = Machine::start().await;
    let later = json!([{"configMapRef": {"name": "later"}}]);
    let container = json!({"name": "main", "image": "none", "command": ["/bin/sh", "-c", "echo $WORD"], "envFrom": later});
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [container]}});
    machine
        .job(&json!({"backoffLimit": 0, "template": template}), "")
        .await;
    let waits = |pods: &[Pod]| matches!(pods, [pod] if waiting(pod) == "CreateContainerConfigError");
    machine.pods_until(waits).await;
    machine.drain();
    machine.stopped().await;
    let pods = machine.pods_until(waits).await;
    assert_eq!(phase(&pods[0]), "Pending");

    let mut machine = machine.restarted();
    let maps: Api<ConfigMap> = Api::default_namespaced(machine.client.clone());
    let words = json!({"metadata": {"name": "later"}, "data": {"WORD": "late"}});
    let words = serde_json::from_value(words).unwrap();
    maps.create(&PostParams::default(), &words).await.unwrap();
    let status = machine.finished().await;
    assert_eq!((status.succeeded, status.failed), (Some(1), None));
    assert_eq!(machine.lines(1).await, ["late"]);
}

/// What its one container waits for.
fn waiting(pod: &Pod) -> String {
    let statuses = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    let state = statuses.and_then(|statuses| statuses.first()?.state.as_ref()?.waiting.as_ref());
    state
        .and_then(|waiting| waiting.reason.clone())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_meanwhile_runs_after_a_restart() {
    let mut machine = Machine::start().await;
    machine.drain();
    machine.stopped().await;
    machine.job(&json!({}), "echo late").await;
    let mut machine = machine.restarted();
    assert!(holds(&machine.finished().await, "Complete"));
    assert_eq!(machine.lines(1).await, ["late"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_job_is_not_run_again_after_a_restart() {
    let mut machine = Machine::start().await;
    machine.job(&json!({"completions": 2}), "echo run").await;
    machine.finished().await;
    machine.drain();
    machine.stopped().await;
    let mut machine = machine.restarted();
    let later = json!({"name": "main", "command": ["echo", "later"]});
    machine
        .pod(&json!({"restartPolicy": "Never", "containers": [later]}))
        .await;
    assert_eq!(machine.lines(1).await, ["later"]);
    assert_eq!(machine.pods_until(|_| true).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_a_dead_node_left_running_has_failed() {
    let mut machine = Machine::start().await;
    machine.drain();
    machine.stopped().await;
    machine
        .pod(&json!({"restartPolicy": "Never", "containers": [{"name": "main", "command": ["true"]}]}))
        .await;
    let container = json!({"name": "main", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}});
    let running = json!({"status": {"phase": "Running", "containerStatuses": [container]}});
    machine
        .pods()
        .patch_status("test", &PatchParams::default(), &Patch::Merge(running))
        .await
        .unwrap();
    let machine = machine.restarted();
    let pod = machine.pod_until(|pod| phase(pod) == "Failed").await;
    let ended = container_status(&pod).state.unwrap().terminated.unwrap();
    assert_eq!(
        (ended.exit_code, ended.reason.as_deref()),
        (137, Some("ContainerStatusUnknown"))
    );
}
