//! Faults of punctual's own: a panic ends what is being done for one Job or one pod, which is begun anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;
use tempfile::TempDir;

use crate::machine::{Machine, holds, phase};

/// A machine that panics at the first request of this method for a path that has this and ends so; how many there were,
/// and where its data is.
async fn machine(
    method: Method,
    within: &'static str,
    end: &'static str,
) -> (Machine, Arc<AtomicUsize>, TempDir) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let machine = Machine::start_with_faults(&data, move |asked_by, path| {
        let is_asked = *asked_by == method && path.contains(within) && path.ends_with(end);
        is_asked && counted.fetch_add(1, Ordering::SeqCst) == 0
    });
    (machine.await, asked, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_looked_at_again_after_a_fault() {
    let (machine, asked, _folder) = machine(Method::POST, "/", "/pods").await;
    machine.job(&json!({}), "true").await;
    assert!(holds(&machine.finished().await, "Complete"));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_is_followed_again_after_a_fault_and_runs_once() {
    let (machine, asked, folder) = machine(Method::PATCH, "/pods/", "/status").await;
    let runs = folder.path().join("runs");
    machine
        .job(&json!({}), &format!("echo run >> {}", runs.display()))
        .await;
    let status = machine.finished().await;
    assert!(holds(&status, "Complete"));
    assert_eq!((status.succeeded, status.failed), (Some(1), None));
    assert!(asked.load(Ordering::SeqCst) > 1);
    assert_eq!(std::fs::read_to_string(runs).unwrap(), "run\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_is_begun_anew_after_a_fault_in_one_of_its_containers() {
    let (machine, asked, _folder) = machine(Method::GET, "/configmaps/", "words").await;
    let words: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": "words"}, "data": {"WORD": "hello"}})).unwrap();
    let maps: Api<ConfigMap> = Api::default_namespaced(machine.client.clone());
    maps.create(&PostParams::default(), &words).await.unwrap();
    machine
        .pod(&json!({"restartPolicy": "Never", "containers": [{
            "name": "main", "command": ["/bin/sh", "-c", "test $WORD = hello"],
            "envFrom": [{"configMapRef": {"name": "words"}}],
        }]}))
        .await;
    machine.pod_until(|pod| phase(pod) == "Succeeded").await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
