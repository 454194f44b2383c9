//! Work that goes on while nobody looks after it, and is found again.

use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::json;

use crate::machine::{Machine, container_status, holds, phase};

/// Writes a line to `runs`, and ends with a code when `go` is there.
fn work(folder: &Path, exit_code: i32) -> String {
    let folder = folder.display();
    format!(
        "echo run >> {folder}/runs; until [ -e {folder}/go ]; do sleep 0.02; done; echo done >> {folder}/runs; exit {exit_code}"
    )
}

/// Waits until the file holds so many lines.
async fn lines(folder: &Path, wanted: usize) {
    let begun = std::time::Instant::now();
    while std::fs::read_to_string(folder.join("runs")).map_or(0, |runs| runs.lines().count()) < wanted {
        assert!(begun.elapsed().as_secs() < 30, "the work does not go on");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_found_running_and_followed_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = Machine::start_in(&folder.path().join("data")).await;
    machine.job(&json!({}), &work(folder.path(), 0)).await;
    lines(folder.path(), 1).await;
    machine.crash().await;
    let machine = machine.restarted();
    machine.job_until(|status| status.active == Some(1)).await;
    std::fs::write(folder.path().join("go"), "").unwrap();
    let status = machine.finished().await;
    assert!(holds(&status, "Complete"));
    assert_eq!(status.failed, None);
    let runs = std::fs::read_to_string(folder.path().join("runs")).unwrap();
    assert_eq!(runs, "run\ndone\n", "once, to its end");
}

/// Changes how many files a process may have open.
fn limit_files(pid: i32, limit: &Rlimit) -> Rlimit {
    prlimit(Pid::from_raw(pid), Resource::Nofile, *limit).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_was_short_of_files_lets_in_who_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = Machine::start_in(&folder.path().join("data")).await;
    machine.job(&json!({}), &work(folder.path(), 0)).await;
    lines(folder.path(), 1).await;
    machine.crash().await;
    let mut pods = std::fs::read_dir(folder.path().join("data/pods")).unwrap();
    let attempt = pods.next().unwrap().unwrap().path().join("main.0.attempt");
    let records = std::fs::read_to_string(attempt.join("state")).unwrap();
    let starting: serde_json::Value = serde_json::from_str(records.lines().next().unwrap()).unwrap();
    let supervisor = i32::try_from(starting["session"]["leader"].as_i64().unwrap()).unwrap();
    let none = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Nofile)
    };
    let before = limit_files(supervisor, &none);
    let _waits = UnixStream::connect(attempt.join("socket")).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    limit_files(supervisor, &before);
    UnixStream::connect(attempt.join("socket")).expect("it listens still");
    std::fs::write(folder.path().join("go"), "").unwrap();
    lines(folder.path(), 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_meanwhile_is_found_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = Machine::start_in(&folder.path().join("data")).await;
    machine
        .job(&json!({"backoffLimit": 0}), &work(folder.path(), 7))
        .await;
    lines(folder.path(), 1).await;
    machine.crash().await;
    std::fs::write(folder.path().join("go"), "").unwrap();
    lines(folder.path(), 2).await;
    let machine = machine.restarted();
    assert!(holds(&machine.finished().await, "Failed"));
    let pod = machine.pods_until(|_| true).await.remove(0);
    let ended = container_status(&pod).state.unwrap().terminated.unwrap();
    assert_eq!((ended.exit_code, ended.reason.as_deref()), (7, Some("Error")));
    let runs = std::fs::read_to_string(folder.path().join("runs")).unwrap();
    assert_eq!(runs, "run\ndone\n", "not again");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_process_leaves_behind_is_no_zombie_while_that_runs() {
    let machine = Machine::start().await;
    // Its parent is the supervisor, which is the parent of each of these soon.
    let script = "for i in 1 2 3 4 5 6 7 8; do (true &); done; sleep 0.5; \
        until [ $(cat /proc/[0-9]*/stat 2>/dev/null | grep -c \") Z $PPID \") = 0 ]; do sleep 0.05; done";
    let spec = json!({"backoffLimit": 0, "activeDeadlineSeconds": 20});
    machine.job(&spec, script).await;
    assert!(holds(&machine.finished().await, "Complete"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_whose_sidecar_waits_for_its_restart_can_be_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = Machine::start_in(&folder.path().join("data")).await;
    let shell = |name: &str, script: &str| json!({"name": name, "command": ["/bin/sh", "-c", script]});
    let mut failing = shell("side", "exit 1");
    failing["restartPolicy"] = "Always".into();
    machine
        .pod(&json!({
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "initContainers": [failing],
            "containers": [shell("main", "exec sleep 600")],
        }))
        .await;
    let is_waiting = |pod: &k8s_openapi::api::core::v1::Pod| {
        let status = pod.status.as_ref();
        let side = status.and_then(|status| status.init_container_statuses.as_ref()?.first());
        let state = side.and_then(|side| side.state.as_ref());
        state.is_some_and(|state| state.waiting.is_some()) && phase(pod) == "Running"
    };
    machine.pod_until(is_waiting).await;
    machine.crash().await;
    let machine = machine.restarted();
    machine.delete_pod("test").await;
    machine.pods_until(<[_]>::is_empty).await;
}
