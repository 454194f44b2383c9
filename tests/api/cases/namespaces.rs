//! Namespaces, and what keeps them.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::core::Status;
use serde_json::{Value, json};

use crate::cluster::{Cluster, POST, config_map, eventually, pod};

/// A namespace of a case, beside the one that each has.
struct Another<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> Another<'a> {
    /// Makes it.
    async fn made(cluster: &'a Cluster, suffix: &str, metadata: Value, finalizers: &[&str]) -> Self {
        let name = format!("{}-{suffix}", cluster.namespace);
        let mut namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "spec": { "finalizers": finalizers },
        });
        namespace["metadata"]["name"] = json!(name);
        let made = cluster.send("POST", "/api/v1/namespaces", Some(&namespace));
        made.await.expect("a namespace");
        Another { cluster, name }
    }

    /// Sends a request to it, or to a part of it.
    async fn send(&self, method: &str, part: &str, body: Option<Value>) -> Result<Value, Status> {
        let path = format!("/api/v1/namespaces/{}{part}", self.name);
        self.cluster.send(method, &path, body.as_ref()).await
    }

    async fn get(&self) -> Option<Value> {
        self.send("GET", "", None).await.ok()
    }

    async fn delete(&self) {
        let deleted = self.send("DELETE", "", None).await.unwrap();
        assert_eq!(deleted["status"]["phase"], "Terminating");
    }

    /// Sends this instead of the namespace, and these finalizers.
    async fn finalize(&self, mut object: Value, finalizers: &[&str]) -> Result<Value, Status> {
        object["kind"] = "Namespace".into();
        object["apiVersion"] = "v1".into();
        object["metadata"]["name"] = json!(self.name);
        object["spec"] = json!({ "finalizers": finalizers });
        self.send("PUT", "/finalize", Some(object)).await
    }
}

pub(crate) async fn the_finalizers_are_a_part_of_their_own(cluster: Cluster) {
    let found = cluster.send("GET", "/api/v1", None).await.unwrap();
    let of_namespaces: Vec<&Value> = found["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|resource| resource["kind"] == "Namespace")
        .collect();
    let names: Vec<&Value> = of_namespaces.iter().map(|resource| &resource["name"]).collect();
    assert_eq!(names, ["namespaces", "namespaces/finalize", "namespaces/status"]);
    assert_eq!(of_namespaces[1]["verbs"], json!(["update"]));

    let another = Another::made(&cluster, "other", json!({}), &["example.com/mine"]).await;
    let made = another.get().await.unwrap();
    let (mine, both) = (json!(["example.com/mine"]), ["example.com/mine", "kubernetes"]);
    assert_eq!(made["spec"]["finalizers"], json!(both));
    let other =
        json!({ "metadata": { "name": another.name }, "spec": { "finalizers": ["example.com/other"] } });
    let unchanged = another.send("PUT", "", Some(other)).await.unwrap();
    assert_eq!(unchanged["spec"]["finalizers"], json!(both));
    for method in ["GET", "PATCH", "POST", "DELETE"] {
        let refused = another.send(method, "/finalize", Some(made.clone())).await;
        assert_eq!(refused.unwrap_err().code, 405, "{method}");
    }
    let written = json!({ "metadata": { "labels": { "a": "b" } }, "status": { "phase": "Terminating" } });
    let finalized = another.finalize(written, &["example.com/mine"]).await.unwrap();
    assert_eq!(finalized["spec"]["finalizers"], mine);
    assert_eq!(finalized["status"]["phase"], "Active");
    let labels = json!({ "a": "b", "kubernetes.io/metadata.name": another.name });
    assert_eq!(finalized["metadata"]["labels"], labels);
    let stale = json!({ "metadata": { "resourceVersion": "1" } });
    assert_eq!(another.finalize(stale, &[]).await.unwrap_err().code, 409);
    let refused = another
        .finalize(json!({}), &["kubernetes", "alone", "", "a/b/c"])
        .await;
    let causes = refused.unwrap_err().details.unwrap().causes;
    let fields: Vec<&str> = causes.iter().map(|cause| cause.field.as_str()).collect();
    let of = |index| format!("spec.finalizers[{index}]");
    assert_eq!(fields, [of(1), of(2), of(2), of(2), of(3)]);
    assert_eq!(
        causes[0].message,
        "Invalid value: \"alone\": name is neither a standard finalizer name nor is it fully qualified"
    );
    // Nobody deletes it, so it stays.
    let finalized = another.finalize(json!({}), &[]).await.unwrap();
    assert_eq!(finalized["spec"], json!({}));
    assert_eq!(another.get().await.unwrap(), finalized);
}

/// What is known from many an answer on the web.
pub(crate) async fn one_that_is_stuck_is_let_go(cluster: Cluster) {
    let held = json!({ "finalizers": ["example.com/hold"] });
    for (suffix, metadata) in [("plain", json!({})), ("held", held)] {
        let is_held = metadata != json!({});
        let another = Another::made(&cluster, suffix, metadata.clone(), &[]).await;
        let mut map = config_map("held");
        map.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
        let maps = kube::Api::namespaced(cluster.client.clone(), &another.name);
        maps.create(&POST, &map).await.unwrap();
        another.delete().await;
        let kept = json!({ "metadata": metadata });
        let finalized = another.finalize(kept.clone(), &["example.com/mine"]).await;
        assert_eq!(
            finalized.unwrap()["spec"]["finalizers"],
            json!(["example.com/mine"])
        );
        assert!(another.get().await.is_some());
        let finalized = another.finalize(kept, &[]).await.unwrap();
        assert_eq!(finalized["status"]["phase"], "Terminating");
        assert_eq!(another.get().await.is_some(), is_held);
        if is_held {
            another.finalize(json!({}), &[]).await.unwrap();
            assert_eq!(another.get().await, None);
        }
        // What it was stuck for is still there, in no namespace.
        assert!(maps.get_opt("held").await.unwrap().is_some());
    }
}

/// They may use what else there is until they end.
pub(crate) async fn pods_go_before_all_else(cluster: Cluster) {
    let another = Another::made(&cluster, "other", json!({}), &[]).await;
    let maps = kube::Api::namespaced(cluster.client.clone(), &another.name);
    let pods: kube::Api<Pod> = kube::Api::namespaced(cluster.client.clone(), &another.name);
    maps.create(&POST, &config_map("used")).await.unwrap();
    let mut held = pod("held");
    held.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    pods.create(&POST, &held).await.unwrap();
    another.delete().await;
    eventually("it says what it waits for", || async {
        another.get().await.unwrap()["status"]["conditions"] != Value::Null
    })
    .await;
    let pod = pods.get("held").await.unwrap();
    assert!(pod.metadata.deletion_timestamp.is_some());
    // What is written to then is no exception.
    let patch = Patch::Merge(json!({ "data": { "key": "other" } }));
    let patched = maps.patch("used", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(patched.metadata.deletion_timestamp, None);
    let let_go = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    pods.patch("held", &PatchParams::default(), &let_go)
        .await
        .unwrap();
    if cluster.is_embedded() {
        // The real namespace controller looks again when it likes.
        eventually("all goes", || async { another.get().await.is_none() }).await;
    }
}

pub(crate) async fn one_waits_for_finalizers_of_its_own(cluster: Cluster) {
    let another = Another::made(&cluster, "other", json!({}), &["example.com/mine"]).await;
    another.delete().await;
    eventually("only the finalizer of others is left", || async {
        another.get().await.unwrap()["spec"]["finalizers"] == json!(["example.com/mine"])
    })
    .await;
    another.finalize(json!({}), &[]).await.unwrap();
    assert_eq!(another.get().await, None);
}

pub(crate) async fn one_that_is_stuck_says_why(cluster: Cluster) {
    let another = Another::made(&cluster, "stuck", json!({}), &[]).await;
    let maps = kube::Api::namespaced(cluster.client.clone(), &another.name);
    for (name, finalizers) in [
        ("a", vec!["example.com/hold"]),
        ("b", vec!["example.com/hold", "example.com/more"]),
    ] {
        let mut map = config_map(name);
        map.metadata.finalizers = Some(finalizers.into_iter().map(str::to_owned).collect());
        maps.create(&POST, &map).await.unwrap();
    }
    another.delete().await;
    let conditions = async || another.get().await.unwrap()["status"]["conditions"].clone();
    eventually("it says why it stays", || async {
        conditions().await != Value::Null
    })
    .await;
    let told = conditions().await;
    let told: Vec<[&str; 4]> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|condition| {
            ["type", "status", "reason", "message"].map(|field| condition[field].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            [
                "NamespaceDeletionDiscoveryFailure",
                "False",
                "ResourcesDiscovered",
                "All resources successfully discovered"
            ],
            [
                "NamespaceDeletionGroupVersionParsingFailure",
                "False",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed"
            ],
            [
                "NamespaceDeletionContentFailure",
                "False",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"
            ],
            [
                "NamespaceContentRemaining",
                "True",
                "SomeResourcesRemain",
                "Some resources are remaining: configmaps. has 2 resource instances"
            ],
            [
                "NamespaceFinalizersRemaining",
                "True",
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: \
                 example.com/hold in 2 resource instances, example.com/more in 1 resource instances"
            ],
        ]
    );
}

/// They may say what else it is like.
pub(crate) async fn whether_one_goes_is_not_for_clients_to_say(cluster: Cluster) {
    let another = Another::made(&cluster, "other", json!({}), &["example.com/mine"]).await;
    let write = async |status: Value| {
        let body = json!({ "metadata": { "name": another.name }, "status": status });
        another.send("PUT", "/status", Some(body)).await
    };
    let refusal = |written: &str, rule: &str| {
        format!(
            "Namespace \"{}\" is invalid: status.Phase: Invalid value: \"{written}\": {rule}",
            another.name
        )
    };
    let mine = json!([{ "type": "Mine", "status": "True", "lastTransitionTime": "2026-11-23T12:00:00Z" }]);
    let written = write(json!({ "conditions": mine })).await.unwrap();
    assert_eq!(
        written["status"],
        json!({ "phase": "Active", "conditions": mine })
    );
    let labels = json!({ "kubernetes.io/metadata.name": another.name });
    assert_eq!(written["metadata"]["labels"], labels);
    for phase in ["Terminating", "Elsewhere"] {
        let refused = write(json!({ "phase": phase })).await.unwrap_err();
        assert_eq!(
            refused.message,
            refusal(phase, "may only be 'Active' if `deletionTimestamp` is empty")
        );
    }
    another.delete().await;
    assert_eq!(another.get().await.unwrap()["status"]["conditions"], mine);
    for phase in ["Active", ""] {
        let refused = write(json!({ "phase": phase })).await.unwrap_err();
        assert_eq!(
            refused.message,
            refusal(
                "Active",
                "may only be 'Terminating' if `deletionTimestamp` is not empty"
            )
        );
    }
    let written = write(json!({ "phase": "Terminating" })).await.unwrap();
    assert_eq!(written["status"], json!({ "phase": "Terminating" }));
    another.finalize(json!({}), &[]).await.unwrap();
}
