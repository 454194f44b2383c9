//! Ctrl-C: no new starts, every process gets its grace, and what happened is recorded.

use serde_json::json;

use crate::machine::{Machine, phase};

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_gives_processes_their_grace_and_records_their_end() {
    let mut machine = Machine::start().await;
    machine
        .job(
            &json!({"backoffLimit": 3}),
            "trap 'echo stopped; exit 7' TERM; echo up; while :; do sleep 0.05; done",
        )
        .await;
    assert_eq!(machine.line().await, "up");
    machine.drain();
    machine.stopped().await;
    assert_eq!(machine.lines(), ["stopped"]);
    let pods = machine.pods_until(|pods| pods.len() == 1).await;
    let status = pods[0].status.as_ref().unwrap();
    assert_eq!(
        (phase(&pods[0]), status.reason.as_deref()),
        ("Failed", Some("Terminated"))
    );
    let ended = status.container_statuses.as_ref().unwrap()[0]
        .state
        .as_ref()
        .unwrap()
        .terminated
        .as_ref()
        .unwrap();
    assert_eq!(ended.exit_code, 7);
    let job = machine.job_until(|_| true).await;
    assert_eq!((job.active, job.failed), (None, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stop_kills() {
    let mut machine = Machine::start().await;
    let spec = json!({"template": {"spec": {"terminationGracePeriodSeconds": 600}}});
    machine
        .job(&spec, "trap '' TERM; echo up; while :; do sleep 0.05; done")
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
    let mut machine = Machine::start().await;
    machine.drain();
    machine.stopped().await;
    machine.job(&json!({}), "echo never").await;
    assert!(machine.lines().is_empty());
}
