//! CronJobs, as the e2e specification of Kubernetes tries them: "should support CronJob API operations".

use futures::TryStreamExt;
use k8s_openapi::api::batch::v1::CronJob;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use serde_json::json;

use crate::cluster::{Cluster, cron_job, eventually};

/// Create, get, list, watch, patch, update, status, delete and deletecollection, in the order of the specification.
pub(crate) async fn support_all_operations(cluster: Cluster) {
    let api = cluster.cron_jobs();
    // Others share the server; the label is of this case alone.
    let selector = format!("case={}", cluster.namespace);
    let label = ListParams::default().labels(&selector);
    let cron_job = |name: &str| {
        let mut made = cron_job(name);
        made.labels_mut().insert("case".into(), cluster.namespace.clone());
        made
    };

    let created = api
        .create(&PostParams::default(), &cron_job("first"))
        .await
        .unwrap();
    let second = api
        .create(&PostParams::default(), &cron_job("second"))
        .await
        .unwrap();
    api.create(&PostParams::default(), &cron_job("third"))
        .await
        .unwrap();
    assert!(second.resource_version() > created.resource_version());

    let got = api.get("first").await.unwrap();
    assert_eq!(got.uid(), created.uid());
    assert_eq!(api.list(&label).await.unwrap().items.len(), 3);
    let everywhere: Api<CronJob> = Api::all(cluster.client.clone());
    assert_eq!(everywhere.list(&label).await.unwrap().items.len(), 3);

    let after = api.list(&label).await.unwrap().metadata.resource_version.unwrap();
    let in_namespace = api
        .watch(&WatchParams::default().labels(&selector), &after)
        .await
        .unwrap();
    let mut in_namespace = Box::pin(in_namespace);
    let in_cluster = everywhere
        .watch(&WatchParams::default().labels(&selector), &after)
        .await
        .unwrap();
    let mut in_cluster = Box::pin(in_cluster);

    let patch = json!({ "metadata": { "annotations": { "patched": "true" } } });
    let patched = api
        .patch("first", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    assert_eq!(patched.annotations()["patched"], "true");

    let mut to_update = patched.clone();
    to_update
        .annotations_mut()
        .insert("updated".to_owned(), "true".to_owned());
    let updated = api
        .replace("first", &PostParams::default(), &to_update)
        .await
        .unwrap();
    assert_eq!(updated.annotations()["updated"], "true");

    for watch in [&mut in_namespace, &mut in_cluster] {
        for annotation in ["patched", "updated"] {
            match watch.try_next().await.unwrap() {
                Some(WatchEvent::Modified(seen)) => assert!(seen.annotations().contains_key(annotation)),
                other => panic!("expected a modification, found {other:?}"),
            }
        }
    }

    let status = json!({
        "metadata": { "annotations": { "patchedstatus": "true" } },
        "status": { "lastScheduleTime": "2026-11-23T12:00:00Z" },
    });
    let patched = api
        .patch_status("first", &PatchParams::default(), &Patch::Merge(status))
        .await
        .unwrap();
    assert_eq!(patched.annotations()["patchedstatus"], "true");
    assert!(patched.status.as_ref().unwrap().last_schedule_time.is_some());

    let mut to_update = api.get_status("first").await.unwrap();
    to_update.status.as_mut().unwrap().last_schedule_time = None;
    let updated = api
        .replace_status("first", &PostParams::default(), &to_update)
        .await
        .unwrap();
    assert!(updated.status.unwrap().last_schedule_time.is_none());

    api.delete("second", &DeleteParams::default()).await.unwrap();
    eventually("the second is gone", || async {
        api.get_opt("second").await.unwrap().is_none()
    })
    .await;
    assert_eq!(api.list(&label).await.unwrap().items.len(), 2);

    api.delete_collection(&DeleteParams::default(), &label)
        .await
        .unwrap();
    eventually("all are gone", || async {
        api.list(&label).await.unwrap().items.is_empty()
    })
    .await;
}
