//! Garbage collection: what follows from the deletion of an owner or a namespace.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PropagationPolicy};
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};

use crate::cluster::{
    Cluster, POST, config_map, cron_job, delete, eventually, eventually_gone, job, owned_by, refused, typed,
};

/// A CronJob, a Job of it, and a config map in the place of a pod of that.
async fn family(cluster: &Cluster) {
    let owner = cluster
        .cron_jobs()
        .create(&POST, &cron_job("grandparent"))
        .await
        .unwrap();
    let mut child = job("parent");
    child.metadata.owner_references = owned_by(config_map(""), &owner, true).metadata.owner_references;
    let child = cluster.jobs().create(&POST, &child).await.unwrap();
    create_owned(cluster, "child", &child, true).await;
}

/// Creates a config map with an owner, whose deletion in the foreground it may block.
async fn create_owned<K: Resource<DynamicType = ()>>(cluster: &Cluster, name: &str, owner: &K, blocks: bool) {
    let owned = owned_by(config_map(name), owner, blocks);
    cluster.config_maps().create(&POST, &owned).await.unwrap();
}

pub(crate) async fn in_the_background_dependents_follow(cluster: Cluster) {
    family(&cluster).await;
    cluster
        .cron_jobs()
        .delete("grandparent", &delete(PropagationPolicy::Background))
        .await
        .unwrap();
    assert!(
        cluster
            .cron_jobs()
            .get_opt("grandparent")
            .await
            .unwrap()
            .is_none()
    );
    eventually_gone(&cluster.jobs(), "parent").await;
    eventually_gone(&cluster.config_maps(), "child").await;
}

pub(crate) async fn in_the_foreground_dependents_go_first(cluster: Cluster) {
    family(&cluster).await;
    let hold = |names| Patch::Merge(json!({ "metadata": { "finalizers": names } }));
    let params = PatchParams::default();
    cluster
        .config_maps()
        .patch("child", &params, &hold(json!(["example.com/hold"])))
        .await
        .unwrap();
    let marked = cluster
        .cron_jobs()
        .delete("grandparent", &delete(PropagationPolicy::Foreground))
        .await
        .unwrap();
    assert_eq!(
        marked.left().expect("the CronJob").finalizers(),
        ["foregroundDeletion"]
    );
    eventually("the child is marked", || async {
        let child = cluster.config_maps().get("child").await.unwrap();
        child.metadata.deletion_timestamp.is_some()
    })
    .await;
    let parent = cluster.jobs().get("parent").await.unwrap();
    assert!(
        parent.metadata.deletion_timestamp.is_some(),
        "the Job waits for what depends on it"
    );
    assert!(
        cluster
            .cron_jobs()
            .get_opt("grandparent")
            .await
            .unwrap()
            .is_some()
    );
    cluster
        .config_maps()
        .patch("child", &params, &hold(json!(null)))
        .await
        .unwrap();
    eventually_gone(&cluster.jobs(), "parent").await;
    eventually_gone(&cluster.cron_jobs(), "grandparent").await;
}

pub(crate) async fn orphans_stay(cluster: Cluster) {
    family(&cluster).await;
    cluster
        .cron_jobs()
        .delete("grandparent", &delete(PropagationPolicy::Orphan))
        .await
        .unwrap();
    eventually_gone(&cluster.cron_jobs(), "grandparent").await;
    let parent = cluster.jobs().get("parent").await.unwrap();
    assert_eq!(parent.owner_references(), []);
    assert!(cluster.config_maps().get_opt("child").await.unwrap().is_some());
}

pub(crate) async fn a_job_orphans_unless_told_otherwise(cluster: Cluster) {
    let owner = cluster.jobs().create(&POST, &job("owner")).await.unwrap();
    create_owned(&cluster, "a", &owner, false).await;
    cluster
        .jobs()
        .delete("owner", &DeleteParams::default())
        .await
        .unwrap();
    eventually_gone(&cluster.jobs(), "owner").await;
    assert_eq!(
        cluster.config_maps().get("a").await.unwrap().owner_references(),
        []
    );

    let owner = cluster
        .cron_jobs()
        .create(&POST, &cron_job("owner"))
        .await
        .unwrap();
    create_owned(&cluster, "b", &owner, false).await;
    cluster
        .cron_jobs()
        .delete("owner", &DeleteParams::default())
        .await
        .unwrap();
    eventually_gone(&cluster.config_maps(), "b").await;
}

pub(crate) async fn a_dependent_stays_while_one_owner_does(cluster: Cluster) {
    let first = cluster.jobs().create(&POST, &job("first")).await.unwrap();
    let second = cluster.jobs().create(&POST, &job("second")).await.unwrap();
    let shared = owned_by(owned_by(config_map("shared"), &first, true), &second, true);
    cluster.config_maps().create(&POST, &shared).await.unwrap();
    cluster
        .jobs()
        .delete("first", &delete(PropagationPolicy::Background))
        .await
        .unwrap();
    eventually("one owner is left", || async {
        cluster
            .config_maps()
            .get("shared")
            .await
            .unwrap()
            .owner_references()
            .len()
            == 1
    })
    .await;
    cluster
        .jobs()
        .delete("second", &delete(PropagationPolicy::Background))
        .await
        .unwrap();
    eventually_gone(&cluster.config_maps(), "shared").await;
}

/// "Garbage collector should not be blocked by dependency circle" of the conformance tests.
pub(crate) async fn a_circle_of_owners_goes(cluster: Cluster) {
    let api = cluster.config_maps();
    let first = api.create(&POST, &config_map("first")).await.unwrap();
    create_owned(&cluster, "second", &first, true).await;
    let second = api.get("second").await.unwrap();
    create_owned(&cluster, "third", &second, true).await;
    let owned = owned_by(config_map("first"), &api.get("third").await.unwrap(), true);
    let owners = json!({ "metadata": { "ownerReferences": owned.metadata.owner_references } });
    api.patch("first", &PatchParams::default(), &Patch::Merge(owners))
        .await
        .unwrap();
    api.delete("first", &delete(PropagationPolicy::Foreground))
        .await
        .unwrap();
    for name in ["first", "second", "third"] {
        eventually_gone(&api, name).await;
    }
}

/// An owner of another uid is another owner; one of a kind that nobody serves may be anywhere.
pub(crate) async fn an_owner_that_never_was_is_no_owner(cluster: Cluster) {
    let mut owner = cluster.jobs().create(&POST, &job("owner")).await.unwrap();
    let mut foreign = owned_by(config_map("foreign"), &owner, true);
    let reference = &mut foreign.metadata.owner_references.as_mut().unwrap()[0];
    "example.com/v1".clone_into(&mut reference.api_version);
    "Nobody".clone_into(&mut reference.kind);
    cluster.config_maps().create(&POST, &foreign).await.unwrap();
    owner.metadata.uid = Some("00000000-0000-0000-0000-000000000000".to_owned());
    create_owned(&cluster, "stray", &owner, true).await;
    eventually_gone(&cluster.config_maps(), "stray").await;
    assert!(cluster.config_maps().get_opt("foreign").await.unwrap().is_some());
}

pub(crate) async fn what_may_not_be_collected_keeps_nobody_else(cluster: Cluster) {
    let gone = json!([{
        "apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "00000000-0000-0000-0000-000000000000",
    }]);
    let patch = async |owners: Value| {
        let (path, owners) = (
            "/api/v1/namespaces/kube-system",
            json!({ "metadata": { "ownerReferences": owners } }),
        );
        let patched = cluster.send_as("application/merge-patch+json", "PATCH", path, Some(&owners));
        patched.await.unwrap();
    };
    patch(gone).await;
    let mut owner = cluster.jobs().create(&POST, &job("owner")).await.unwrap();
    owner.metadata.uid = Some("00000000-0000-0000-0000-000000000000".to_owned());
    for name in ["a", "b"] {
        let stray = owned_by(config_map(name), &owner, true);
        cluster.config_maps().create(&POST, &stray).await.unwrap();
        eventually_gone(&cluster.config_maps(), name).await;
    }
    patch(json!([])).await;
}

/// It can't be told in which namespace that would be.
pub(crate) async fn what_is_in_no_namespace_has_no_owner_within_one(cluster: Cluster) {
    let owner = cluster.jobs().create(&POST, &job("owner")).await.unwrap();
    let precious = format!("{}-precious", cluster.namespace);
    let namespace: Namespace = typed(json!({ "metadata": { "name": precious } }));
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let mut owned = namespace.clone();
    owned.metadata.owner_references = owned_by(config_map(""), &owner, true).metadata.owner_references;
    namespaces.create(&POST, &owned).await.unwrap();
    // What comes after it in the collector's queue is dealt with after it.
    let mut never = owner.clone();
    never.metadata.uid = Some("00000000-0000-0000-0000-000000000000".to_owned());
    for name in ["a", "b"] {
        create_owned(&cluster, name, &never, true).await;
        eventually_gone(&cluster.config_maps(), name).await;
    }
    let kept = namespaces.get(&precious).await.unwrap();
    assert_eq!(kept.metadata.deletion_timestamp, None);
    namespaces
        .delete(&precious, &DeleteParams::default())
        .await
        .unwrap();
}

pub(crate) async fn a_namespace_takes_its_contents_along(cluster: Cluster) {
    family(&cluster).await;
    let mut held = config_map("held");
    held.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    cluster.config_maps().create(&POST, &held).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let name = cluster.namespace.as_str();
    let marked = namespaces
        .delete(name, &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .expect("the namespace");
    assert_eq!(marked.status.unwrap().phase.as_deref(), Some("Terminating"));
    let status = refused(cluster.config_maps().create(&POST, &config_map("late")).await);
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    assert_eq!(status.details.unwrap().causes[0].reason, "NamespaceTerminating");
    eventually_gone(&cluster.cron_jobs(), "grandparent").await;
    assert!(
        namespaces.get_opt(name).await.unwrap().is_some(),
        "something in it is held"
    );
    let release = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    let api: Api<ConfigMap> = cluster.api();
    api.patch("held", &PatchParams::default(), &release)
        .await
        .unwrap();
    eventually_gone(&namespaces, name).await;
}
