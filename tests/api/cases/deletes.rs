//! Deletes: what they answer, what they wait for.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use serde_json::{Value, json};

use crate::cluster::{Cluster, POST, config_map, eventually_gone, pod, refused};

pub(crate) async fn a_delete_answers_what_it_did(cluster: Cluster) {
    let api = cluster.config_maps();
    let made = api.create(&POST, &config_map("a")).await.unwrap();
    let status = api
        .delete("a", &DeleteParams::default())
        .await
        .unwrap()
        .right()
        .expect("a Status");
    assert!(status.is_success());
    assert_eq!(status.details.unwrap().uid, made.uid().unwrap());
    assert_eq!(
        refused(api.delete("a", &DeleteParams::default()).await).reason,
        "NotFound"
    );
}

pub(crate) async fn a_delete_may_insist(cluster: Cluster) {
    let api = cluster.config_maps();
    let made = api.create(&POST, &config_map("a")).await.unwrap();
    let with = |uid: Option<String>, resource_version: Option<String>| DeleteParams {
        preconditions: Some(Preconditions {
            uid,
            resource_version,
        }),
        ..DeleteParams::default()
    };
    let other = Some("00000000-0000-0000-0000-000000000000".to_owned());
    assert_eq!(
        refused(api.delete("a", &with(other, None)).await).reason,
        "Conflict"
    );
    assert_eq!(
        refused(api.delete("a", &with(None, Some("1".to_owned()))).await).reason,
        "Conflict"
    );
    api.delete("a", &with(made.uid(), made.resource_version()))
        .await
        .unwrap();
}

pub(crate) async fn a_delete_that_is_not_understood_deletes_nothing(cluster: Cluster) {
    let api = cluster.config_maps();
    api.create(&POST, &config_map("a")).await.unwrap();
    let path = format!("/api/v1/namespaces/{}/configmaps", cluster.namespace);
    for options in [
        json!({ "dryRun": "All" }),
        json!({ "preconditions": { "uid": 5 } }),
        json!({ "gracePeriodSeconds": "5" }),
        json!({ "propagationPolicy": 7 }),
        json!([]),
        json!(5),
    ] {
        for path in [&path, &format!("{path}/a")] {
            let refusal = cluster.send("DELETE", path, Some(&options)).await;
            assert_eq!(refusal.unwrap_err().reason, "BadRequest", "{path} {options}");
        }
    }
    // No text at all, and therefore the name of no namespace: least of all of every one.
    let _refused_or_empty = cluster
        .send("DELETE", "/api/v1/namespaces/%FF/configmaps", None)
        .await;
    api.get("a").await.unwrap();
    // This is understood: it asks for nothing in particular.
    let path = format!("{path}/a");
    cluster.send("DELETE", &path, Some(&Value::Null)).await.unwrap();
    assert_eq!(refused(api.get("a").await).code, 404);
}

pub(crate) async fn a_pod_is_evicted(cluster: Cluster) {
    let api = cluster.pods();
    let mut object = pod("held");
    object.metadata.finalizers = Some(vec!["example.com/a".to_owned()]);
    api.create(&POST, &object).await.unwrap();
    let request = |path: &str, body: &Value| {
        let path = format!("/api/v1/namespaces/{}/pods/{path}/eviction", cluster.namespace);
        let body = serde_json::to_vec(body).unwrap();
        let request = http::Request::post(path).header("Content-Type", "application/json");
        cluster.client.request::<Value>(request.body(body).unwrap())
    };
    let eviction = |name: &str, options: Value| {
        json!({
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": name }, "deleteOptions": options,
        })
    };
    let rehearsal = eviction("held", json!({ "dryRun": ["All"] }));
    let answer = request("held", &rehearsal).await.unwrap();
    assert_eq!(
        (&answer["status"], &answer["code"]),
        (&json!("Success"), &json!(201))
    );
    assert_eq!(api.get("held").await.unwrap().metadata.deletion_timestamp, None);
    let other = json!({ "preconditions": { "uid": "00000000-0000-0000-0000-000000000000" } });
    let refusal = refused(request("held", &eviction("held", other)).await);
    assert_eq!(refusal.reason, "Conflict");
    let untouched = api.get("held").await.unwrap();
    assert!(untouched.status.unwrap().conditions.is_none());
    request("held", &eviction("held", json!({ "gracePeriodSeconds": 0 })))
        .await
        .unwrap();
    let evicted = api.get("held").await.unwrap();
    assert!(evicted.metadata.deletion_timestamp.is_some());
    let conditions = evicted.status.unwrap().conditions.unwrap();
    let disrupted = conditions
        .iter()
        .find(|each| each.type_ == "DisruptionTarget")
        .unwrap();
    assert_eq!(
        (
            disrupted.status.as_str(),
            disrupted.reason.as_deref(),
            disrupted.message.as_deref()
        ),
        (
            "True",
            Some("EvictionByEvictionAPI"),
            Some("Eviction API: evicting")
        )
    );
    for (path, body, reason) in [
        ("held", eviction("other", Value::Null), "BadRequest"),
        ("held", eviction("held", json!({ "dryRun": "All" })), "BadRequest"),
        ("none", eviction("none", Value::Null), "NotFound"),
    ] {
        assert_eq!(refused(request(path, &body).await).reason, reason);
    }
    let let_go = json!({ "metadata": { "finalizers": null } });
    api.patch("held", &PatchParams::default(), &Patch::Merge(let_go))
        .await
        .unwrap();
    eventually_gone(&api, "held").await;
}

pub(crate) async fn a_finalizer_holds_until_it_is_removed(cluster: Cluster) {
    let api = cluster.config_maps();
    let mut object = config_map("held");
    object.metadata.finalizers = Some(vec!["example.com/a".to_owned(), "example.com/b".to_owned()]);
    api.create(&POST, &object).await.unwrap();
    let marked = api
        .delete("held", &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .expect("the object");
    assert!(marked.metadata.deletion_timestamp.is_some());
    let again = api
        .delete("held", &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .expect("the object");
    assert_eq!(
        again.metadata.deletion_timestamp,
        marked.metadata.deletion_timestamp
    );

    let finalizers = |names: Value| Patch::Merge(json!({ "metadata": { "finalizers": names } }));
    let params = PatchParams::default();
    let more = finalizers(json!(["example.com/a", "example.com/b", "example.com/c"]));
    assert_eq!(refused(api.patch("held", &params, &more).await).reason, "Invalid");
    let fewer = api
        .patch("held", &params, &finalizers(json!(["example.com/b"])))
        .await
        .unwrap();
    assert_eq!(fewer.finalizers(), ["example.com/b"]);
    api.patch("held", &params, &finalizers(Value::Null))
        .await
        .unwrap();
    assert_eq!(api.get_opt("held").await.unwrap(), None);
}

/// A pod that runs is marked; the node ends it and deletes it with no grace. One that nobody has started goes at once.
/// Deletes the pod `running` and tells the seconds that it is given, and the second in which they are over.
async fn given(api: &Api<Pod>, asked: Option<u32>) -> (i64, i64) {
    let parameters = DeleteParams {
        grace_period_seconds: asked,
        ..DeleteParams::default()
    };
    let marked = api.delete("running", &parameters).await.unwrap();
    let metadata = marked.left().expect("the pod").metadata;
    let end = metadata.deletion_timestamp.expect("an end").0.as_second();
    (metadata.deletion_grace_period_seconds.expect("a period"), end)
}

pub(crate) async fn a_pod_is_given_time_to_end(cluster: Cluster) {
    let api = cluster.pods();
    api.create(&POST, &pod("waiting")).await.unwrap();
    api.delete("waiting", &DeleteParams::default()).await.unwrap();
    eventually_gone(&api, "waiting").await;

    let mut running = pod("running");
    running.spec.as_mut().unwrap().node_name = Some("node".to_owned());
    api.create(&POST, &running).await.unwrap();
    let status = Patch::Merge(json!({ "status": { "phase": "Running" } }));
    api.patch_status("running", &PatchParams::default(), &status)
        .await
        .unwrap();
    // What is asked for in turn, and what the pod is given then: never more than before.
    let begun = given(&api, Some(3_600)).await;
    assert_eq!(begun.0, 3_600);
    for (asked, given_then) in [
        (None, 3_600),
        (Some(7_200), 3_600),
        (Some(1_800), 1_800),
        (None, 1_800),
    ] {
        let (seconds, end) = given(&api, asked).await;
        assert_eq!(seconds, given_then, "{asked:?}");
        assert_eq!(
            begun.1 - end,
            3_600 - given_then,
            "from when the deletion began: {asked:?}"
        );
    }
    let status = Patch::Merge(json!({ "status": { "phase": "Failed" } }));
    api.patch_status("running", &PatchParams::default(), &status)
        .await
        .unwrap();
    api.delete("running", &DeleteParams::default().grace_period(0))
        .await
        .unwrap();
    eventually_gone(&api, "running").await;
}

pub(crate) async fn a_collection_is_deleted_by_selector(cluster: Cluster) {
    let api = cluster.config_maps();
    for (name, label) in [("a", "go"), ("b", "stay"), ("c", "go")] {
        let mut object = config_map(name);
        object.labels_mut().insert("what".to_owned(), label.to_owned());
        api.create(&POST, &object).await.unwrap();
    }
    let going = ListParams::default().labels("what=go");
    api.delete_collection(&DeleteParams::default(), &going)
        .await
        .unwrap();
    eventually_gone(&api, "a").await;
    eventually_gone(&api, "c").await;
    assert!(api.get_opt("b").await.unwrap().is_some());
}

pub(crate) async fn the_first_namespaces_stay(cluster: Cluster) {
    for name in ["default", "kube-system"] {
        let path = format!("/api/v1/namespaces/{name}");
        let refused = cluster.send("DELETE", &path, None).await.unwrap_err();
        assert_eq!((refused.code, refused.reason.as_str()), (403, "Forbidden"));
        assert_eq!(
            refused.message,
            format!("namespaces \"{name}\" is forbidden: this namespace may not be deleted")
        );
        let found = cluster.send("GET", &path, None).await.unwrap();
        assert_eq!(found["status"]["phase"], "Active");
    }
    let all = cluster
        .send("DELETE", "/api/v1/namespaces", None)
        .await
        .unwrap_err();
    assert_eq!(all.code, 405);
}
