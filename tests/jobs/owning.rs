//! Which pods are a Job's.

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::machine::{Machine, until};

/// Kubernetes' documentation of Jobs, "Specifying your own Pod selector".
#[tokio::test(flavor = "multi_thread")]
async fn a_selector_of_the_users_own_takes_over_what_another_job_left() {
    let machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let script = format!("until [ -e {}/go ]; do sleep 0.02; done", folder.path().display());
    let old = machine.job(&json!({}), &script).await;
    let left = machine.pods_until(|pods| pods.len() == 1).await.remove(0);
    machine
        .jobs()
        .delete("test", &DeleteParams::orphan())
        .await
        .unwrap();
    until(|| async {
        let job = machine.jobs().get_opt("test").await.unwrap();
        Some(job.map_or(Ok(()), Err))
    })
    .await;
    // When it is let go it is known to be free, and no other is made in its place.
    machine
        .pods_until(|pods| pods[0].owner_references().is_empty() && pods[0].finalizers().is_empty())
        .await;
    let labels = json!({"batch.kubernetes.io/controller-uid": old.metadata.uid, "of": "both"});
    let spec = json!({
        "completions": 3, "parallelism": 3,
        "manualSelector": true,
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": old.metadata.uid}},
        "template": {"metadata": {"labels": labels}},
    });
    let new = machine.job(&spec, &script).await;
    machine.job_until(|status| status.active == Some(3)).await;
    std::fs::write(folder.path().join("go"), "").unwrap();
    let status = machine.finished().await;
    assert_eq!((status.succeeded, status.failed), (Some(3), None));
    let pods = machine.pods_until(|_| true).await;
    // Where the controller hears late that it is free, one too many was made and taken back.
    assert!((3..=4).contains(&pods.len()), "{pods:#?}");
    for pod in &pods {
        assert_eq!(pod.owner_references()[0].uid, new.uid().unwrap());
        if pod.uid() != left.uid() {
            assert_eq!(
                json!(pod.labels()),
                labels,
                "no more labels than its template has"
            );
        }
    }
    assert!(pods.iter().any(|pod| pod.uid() == left.uid()));
}

/// As somebody does who wants to look into a failure. The copy names an owner that its namespace does not have.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_pod_in_another_namespace_is_not_the_jobs() {
    let machine = Machine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let script = format!("until [ -e {}/go ]; do sleep 0.02; done", folder.path().display());
    machine.job(&json!({"backoffLimit": 0}), &script).await;
    machine.job_until(|status| status.active == Some(1)).await;
    let mut copy = machine.pods_until(|pods| pods.len() == 1).await.remove(0);
    let other = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}});
    let namespaces: Api<Namespace> = Api::all(machine.client.clone());
    namespaces
        .create(&PostParams::default(), &serde_json::from_value(other).unwrap())
        .await
        .unwrap();
    copy.metadata.namespace = Some("other".to_owned());
    (copy.metadata.uid, copy.metadata.resource_version) = (None, None);
    let copies: Api<Pod> = Api::namespaced(machine.client.clone(), "other");
    copies.create(&PostParams::default(), &copy).await.unwrap();
    until(|| async {
        let copy = copies.get_opt(&copy.name_any()).await.unwrap();
        Some(copy.map_or(Ok(()), Err))
    })
    .await;
    std::fs::write(folder.path().join("go"), "").unwrap();
    let status = machine.finished().await;
    assert_eq!((status.succeeded, status.failed), (Some(1), None));
    assert_eq!(machine.pods_until(|_| true).await.len(), 1);
}
