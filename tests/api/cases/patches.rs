//! Patches in the three languages.

use futures::future::join_all;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::cluster::{Cluster, POST, config_map, cron_job, job, pod, refused, typed};

/// The media types of patches, and of a configuration that is applied.
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON: &str = "application/json-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

pub(crate) async fn each_language_of_patches_is_spoken(cluster: Cluster) {
    let api = cluster.config_maps();
    api.create(&POST, &config_map("a")).await.unwrap();
    let params = PatchParams::default();
    let merge = Patch::Merge(json!({ "data": { "key": null, "merged": "1" } }));
    let data = api.patch("a", &params, &merge).await.unwrap().data.unwrap();
    assert_eq!(serde_json::to_value(data).unwrap(), json!({ "merged": "1" }));
    let operations: json_patch::Patch = typed(json!([
        { "op": "test", "path": "/data/merged", "value": "1" },
        { "op": "add", "path": "/data/added", "value": "2" },
        { "op": "remove", "path": "/data/merged" },
    ]));
    let body = serde_json::to_value(&operations).unwrap();
    let path = format!("/api/v1/namespaces/{}/configmaps/a", cluster.namespace);
    let patched = cluster.send_as(JSON, "PATCH", &path, Some(&body)).await.unwrap();
    assert_eq!(patched["data"], json!({ "added": "2" }));
    let strategic = Patch::Strategic(json!({ "data": { "strategic": "3" } }));
    let data = api.patch("a", &params, &strategic).await.unwrap().data.unwrap();
    assert_eq!(
        serde_json::to_value(data).unwrap(),
        json!({ "added": "2", "strategic": "3" })
    );

    let failed = cluster
        .send_as(JSON, "PATCH", &path, Some(&body))
        .await
        .unwrap_err();
    assert_eq!((failed.code, failed.reason.as_str()), (422, "Invalid"));
    let wrong = Patch::Merge(json!({ "data": "not a map" }));
    // kube-apiserver says 422 where the result is no object of the kind, as it says 400 to one that is sent so.
    let code = refused(api.patch("a", &params, &wrong).await).code;
    assert!([400, 422].contains(&code), "{code}");
    assert_eq!(refused(api.patch("none", &params, &strategic).await).code, 404);
}

/// What `kubectl apply` and `kubectl set image` send.
pub(crate) async fn lists_with_keys_are_merged_by_kubectl(cluster: Cluster) {
    let api = cluster.cron_jobs();
    api.create(&POST, &cron_job("nightly")).await.unwrap();
    let pod = |pod: serde_json::Value| json!({ "spec": { "jobTemplate": { "spec": { "template": { "spec": pod } } } } });
    let patch = Patch::Strategic(pod(json!({
        "containers": [
            { "name": "main", "image": "busybox:1.38", "env": [{ "name": "A", "value": "1" }] },
            { "name": "sidecar", "image": "proxy:1" },
        ],
        "$setElementOrder/containers": [{ "name": "main" }, { "name": "sidecar" }],
    })));
    let patched = api
        .patch("nightly", &PatchParams::default(), &patch)
        .await
        .unwrap();
    let template = patched.spec.job_template.spec.unwrap().template.spec.unwrap();
    let seen: Vec<_> = template
        .containers
        .iter()
        .map(|container| container.name.as_str())
        .collect();
    assert_eq!(seen, ["main", "sidecar"]);
    let main = &template.containers[0];
    assert_eq!(main.image.as_deref(), Some("busybox:1.38"));
    assert_eq!(
        main.command.as_ref().unwrap(),
        &["true"],
        "what the patch does not say stays"
    );
    let patch = Patch::Strategic(pod(
        json!({ "containers": [{ "name": "sidecar", "$patch": "delete" }] }),
    ));
    let patched = api
        .patch("nightly", &PatchParams::default(), &patch)
        .await
        .unwrap();
    assert_eq!(
        patched
            .spec
            .job_template
            .spec
            .unwrap()
            .template
            .spec
            .unwrap()
            .containers
            .len(),
        1
    );
}

/// Unless the patch says the order, or the object knows it.
pub(crate) async fn what_is_new_to_a_list_goes_first(cluster: Cluster) {
    let api = cluster.cron_jobs();
    api.create(&POST, &cron_job("nightly")).await.unwrap();
    let names = async |containers: serde_json::Value| {
        let pod = json!({ "containers": containers });
        let patch = json!({ "spec": { "jobTemplate": { "spec": { "template": { "spec": pod } } } } });
        let patched = api
            .patch("nightly", &PatchParams::default(), &Patch::Strategic(patch))
            .await
            .unwrap();
        let pod = patched.spec.job_template.spec.unwrap().template.spec.unwrap();
        let names: Vec<String> = pod
            .containers
            .into_iter()
            .map(|container| container.name)
            .collect();
        names.join(" ")
    };
    let new = |name: &str| json!({ "name": name, "image": "x:1" });
    assert_eq!(names(json!([new("a")])).await, "a main");
    assert_eq!(names(json!([new("c"), new("b")])).await, "c b a main");
    assert_eq!(names(json!([new("main"), new("d")])).await, "c b a main d");
    assert_eq!(
        names(json!([{ "name": "a", "image": "x:2" }])).await,
        "c b a main d"
    );
}

pub(crate) async fn a_patch_may_insist_on_a_version(cluster: Cluster) {
    let api = cluster.config_maps();
    let made = api.create(&POST, &config_map("a")).await.unwrap();
    let patch = Patch::Merge(json!({
        "metadata": { "resourceVersion": made.resource_version() },
        "data": { "key": "new" },
    }));
    api.patch("a", &PatchParams::default(), &patch).await.unwrap();
    let again = Patch::Merge(json!({
        "metadata": { "resourceVersion": made.resource_version() },
        "data": { "key": "newer" },
    }));
    assert_eq!(
        refused(api.patch("a", &PatchParams::default(), &again).await).reason,
        "Conflict"
    );
}

pub(crate) async fn a_patch_of_a_pods_status_leaves_its_owners(cluster: Cluster) {
    let api = cluster.pods();
    api.create(&POST, &pod("a")).await.unwrap();
    let owner = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "00000000-0000-0000-0000-000000000000",
    });
    let patch =
        Patch::Merge(json!({ "metadata": { "ownerReferences": [owner] }, "status": { "message": "told" } }));
    let patched = api
        .patch_status("a", &PatchParams::default(), &patch)
        .await
        .unwrap();
    assert_eq!(patched.metadata.owner_references, None);
    assert_eq!(patched.status.unwrap().message.as_deref(), Some("told"));
}

pub(crate) async fn a_patch_of_the_status_leaves_the_spec(cluster: Cluster) {
    let api = cluster.cron_jobs();
    api.create(&POST, &cron_job("nightly")).await.unwrap();
    let both = json!({
        "spec": { "suspend": true },
        "status": { "lastScheduleTime": "2026-11-23T12:00:00Z" },
    });
    let patched = api
        .patch_status("nightly", &PatchParams::default(), &Patch::Merge(&both))
        .await
        .unwrap();
    assert_eq!(patched.spec.suspend, Some(false));
    assert!(patched.status.unwrap().last_schedule_time.is_some());
    let patched = api
        .patch(
            "nightly",
            &PatchParams::default(),
            &Patch::Merge(json!({ "status": null })),
        )
        .await
        .unwrap();
    assert!(patched.status.unwrap().last_schedule_time.is_some());
}

pub(crate) async fn many_patches_at_once_all_arrive(cluster: Cluster) {
    let api = cluster.config_maps();
    api.create(&POST, &config_map("a")).await.unwrap();
    let patches = (0..20).map(|number| {
        let (api, patch) = (
            api.clone(),
            Patch::Merge(json!({ "data": { format!("n{number}"): "there" } })),
        );
        async move { api.patch("a", &PatchParams::default(), &patch).await.unwrap() }
    });
    join_all(patches).await;
    assert_eq!(api.get("a").await.unwrap().data.unwrap().len(), 21);
}

pub(crate) async fn an_apply_adds_nothing_of_its_own(cluster: Cluster) {
    let mut config = serde_json::to_value(config_map("a")).unwrap();
    config["metadata"] = json!({ "name": "a" });
    let path = format!(
        "/api/v1/namespaces/{}/configmaps/a?fieldManager=kubectl",
        cluster.namespace
    );
    for _ in 0..2 {
        let applied = cluster
            .send_as(APPLY, "PATCH", &path, Some(&config))
            .await
            .unwrap();
        assert_eq!(applied["metadata"].get("annotations"), None, "{applied}");
    }
}

/// What a patch makes of an object has to be one of its kind. It is the patch that is wrong then.
pub(crate) async fn a_patch_that_does_not_fit_is_refused_as_such(cluster: Cluster) {
    let nightly = serde_json::to_value(cron_job("nightly")).expect("an object");
    let path = format!("{}/nightly", cluster.path_of(&nightly));
    cluster.create(nightly).await;
    let suspend = json!({ "spec": { "suspend": "yes" } });
    let unknown = json!({ "spec": { "suspended": true } });
    for (media_type, query, patch) in [
        (MERGE, "", suspend.clone()),
        (STRATEGIC, "", suspend),
        // What is empty, and of another type than what it is to be.
        (MERGE, "", json!({ "metadata": { "labels": [] } })),
        (STRATEGIC, "", json!({ "metadata": { "finalizers": {} } })),
        (MERGE, "", json!({ "spec": { "timeZone": 0 } })),
        (STRATEGIC, "", json!({ "spec": { "suspend": "" } })),
        (MERGE, "", json!({ "spec": { "concurrencyPolicy": 0 } })),
        (
            JSON,
            "",
            json!([{ "op": "add", "path": "/spec/suspend", "value": "yes" }]),
        ),
        (MERGE, "?fieldValidation=Strict", unknown.clone()),
        (STRATEGIC, "?fieldValidation=Strict", unknown),
        (MERGE, "", json!({ "kind": "Job" })),
        (MERGE, "", json!({ "apiVersion": "v1" })),
    ] {
        let path = format!("{path}{query}");
        let refused = cluster.send_as(media_type, "PATCH", &path, Some(&patch)).await;
        let refused = refused.expect_err("it does not fit");
        let causes = refused.details.as_ref().map(|details| &details.causes);
        let field = causes
            .and_then(|causes| causes.first())
            .map_or("", |cause| cause.field.as_str());
        assert_eq!(
            (refused.code, refused.reason.as_str(), field),
            (422, "Invalid", "patch"),
            "{media_type} {patch}: {}",
            refused.message
        );
    }
}

/// What is too large in a field is told before what is too large as a whole, as for `kubectl apply` of a large config map.
pub(crate) async fn a_patch_that_is_too_large_in_a_field_names_it(cluster: Cluster) {
    let mut large = serde_json::to_value(config_map("large")).expect("an object");
    large["data"] = json!({ "key": "x".repeat(1_000_000) });
    let path = format!("{}/large", cluster.path_of(&large));
    cluster.create(large).await;
    let patch = json!({ "metadata": { "annotations": { "note": "x".repeat(900_000) } } });
    let refused = cluster.send_as(MERGE, "PATCH", &path, Some(&patch)).await;
    let refused = refused.expect_err("it is too large");
    assert_eq!(refused.code, 422);
    assert!(
        refused.message.contains("metadata.annotations: Too long"),
        "{}",
        refused.message
    );
}

/// The secrets of a pod are merged by name, those of a service account are replaced.
pub(crate) async fn a_list_is_merged_where_its_kind_says_so(cluster: Cluster) {
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": "robot", "namespace": cluster.namespace },
        "imagePullSecrets": [{ "name": "old" }],
    });
    cluster.create(account.clone()).await;
    let path = format!("{}/robot", cluster.path_of(&account));
    let new = json!([{ "name": "new" }]);
    let patch = json!({ "imagePullSecrets": new });
    let patched = cluster
        .send_as(STRATEGIC, "PATCH", &path, Some(&patch))
        .await
        .unwrap();
    assert_eq!(patched["imagePullSecrets"], new);

    let mut template: serde_json::Value = serde_json::to_value(cron_job("secretive")).unwrap();
    let pod = "/spec/jobTemplate/spec/template/spec";
    template.pointer_mut(pod).unwrap()["imagePullSecrets"] = json!([{ "name": "old" }]);
    cluster.create(template.clone()).await;
    let path = format!("{}/secretive", cluster.path_of(&template));
    let patch = json!({ "spec": { "jobTemplate": { "spec": { "template": { "spec": patch } } } } });
    let patched = cluster
        .send_as(STRATEGIC, "PATCH", &path, Some(&patch))
        .await
        .unwrap();
    let merged = json!([{ "name": "new" }, { "name": "old" }]);
    assert_eq!(patched.pointer(pod).unwrap()["imagePullSecrets"], merged);
}

/// RFC 6902 would have it there before.
pub(crate) async fn a_json_patch_may_replace_what_is_not_there(cluster: Cluster) {
    let api = cluster.config_maps();
    api.create(&POST, &config_map("a")).await.unwrap();
    let operations = json!([
        { "op": "test", "path": "/data/new", "value": null },
        { "op": "replace", "path": "/data/new", "value": "1" },
        { "op": "copy", "from": "/data/missing", "path": "/data/copy" },
    ]);
    let path = format!("/api/v1/namespaces/{}/configmaps/a", cluster.namespace);
    let patched = cluster.send_as(JSON, "PATCH", &path, Some(&operations));
    assert_eq!(patched.await.unwrap()["data"]["new"], "1");
}

/// Fails unless each patch of a pod that is sent is refused with the code and the reason that are said.
async fn assert_refused(cluster: Cluster, rows: &[(&str, &str, u16, &str)]) {
    let mut labelled = pod("p");
    labelled.metadata.labels = Some([("a".to_owned(), "1".to_owned())].into());
    cluster.pods().create(&POST, &labelled).await.unwrap();
    let path = format!("/api/v1/namespaces/{}/pods/p", cluster.namespace);
    for (media_type, patch, code, reason) in rows {
        let answer = cluster.send_text(media_type, "PATCH", &path, patch).await;
        let shown: String = patch.chars().take(80).collect();
        let refusal = answer.expect_err(&shown);
        let told = (refusal.code, refusal.reason.as_str());
        assert_eq!(
            told,
            (*code, *reason),
            "{media_type} {shown}: {}",
            refusal.message
        );
    }
}

pub(crate) async fn a_patch_that_can_not_be_read_is_refused(cluster: Cluster) {
    let texts = ["", "no", "{", "5", "[5]", "{} {}"];
    let mut rows = vec![
        ("application/json", "{}", 415, "UnsupportedMediaType"),
        ("text/plain", "{}", 415, "UnsupportedMediaType"),
    ];
    for media_type in [JSON, MERGE, STRATEGIC] {
        rows.extend(texts.map(|text| (media_type, text, 400, "BadRequest")));
    }
    assert_refused(cluster, &rows).await;
}

pub(crate) async fn an_operation_that_can_not_be_meant_is_refused(cluster: Cluster) {
    let many = vec![json!({ "op": "test", "path": "/kind", "value": "Pod" }); 10_001];
    let many = json!(many).to_string();
    let rows = [
        (r#"[{ "op": 5, "path": "/a" }]"#, 400, "BadRequest"),
        (r#"[{ "op": "add", "path": 5 }]"#, 400, "BadRequest"),
        (
            r#"[{ "op": "copy", "path": "/a", "from": 5 }]"#,
            400,
            "BadRequest",
        ),
        ("[null]", 422, "Invalid"),
        ("[{}]", 422, "Invalid"),
        (r#"[{ "op": "shuffle", "path": "/metadata" }]"#, 422, "Invalid"),
        (r#"[{ "op": null, "path": "/metadata" }]"#, 422, "Invalid"),
        (r#"[{ "op": "add", "value": "x" }]"#, 422, "Invalid"),
        (r#"[{ "op": "add", "path": null }]"#, 422, "Invalid"),
        (r#"[{ "op": "add", "path": "", "value": {} }]"#, 422, "Invalid"),
        (r#"[{ "op": "replace", "path": "", "value": 5 }]"#, 422, "Invalid"),
        (r#"[{ "op": "remove" }]"#, 422, "Invalid"),
        (
            r#"[{ "op": "copy", "path": "/metadata/labels/b" }]"#,
            422,
            "Invalid",
        ),
        (
            r#"[{ "op": "move", "from": "/metadata/labels/a" }]"#,
            422,
            "Invalid",
        ),
        (
            r#"[{ "op": "test", "path": "/kind", "value": "Job" }]"#,
            422,
            "Invalid",
        ),
        (
            r#"[{ "op": "remove", "path": "/metadata/labels/b" }]"#,
            422,
            "Invalid",
        ),
        (&many, 413, "RequestEntityTooLarge"),
    ];
    let rows = rows.map(|(patch, code, reason)| (JSON, patch, code, reason));
    assert_refused(cluster, &rows).await;
}

/// kube-apiserver takes most of them for a fault of its own, for which it has no reason.
pub(crate) async fn a_directive_that_can_not_be_meant_is_refused(cluster: Cluster) {
    let rows = [
        (r#"{ "metadata": { "labels": { "$retainKeys": "a" } } }"#, 400),
        (
            r#"{ "metadata": { "labels": { "$retainKeys": ["a"], "b": "1" } } }"#,
            400,
        ),
        (r#"{ "$patch": null }"#, 500),
        (r#"{ "metadata": { "labels": { "$patch": 5 } } }"#, 500),
        (r#"{ "metadata": { "labels": { "$patch": "burn" } } }"#, 500),
        (
            r#"{ "metadata": { "$setElementOrder/finalizers": "a.b/c" } }"#,
            500,
        ),
        (
            r#"{ "metadata": { "$setElementOrder/finalizers": ["a.b/c"], "finalizers": ["d.e/f"] } }"#,
            500,
        ),
        (
            r#"{ "spec": { "$setElementOrder/containers": [{ "name": "no" }], "containers": [{ "name": "main" }] } }"#,
            500,
        ),
        (r#"{ "spec": { "containers": [{ "image": "b" }] } }"#, 500),
        (r#"{ "spec": { "containers": ["main"] } }"#, 500),
        (
            r#"{ "spec": { "containers": [{ "name": "main", "$patch": "merge" }] } }"#,
            500,
        ),
        (
            r#"{ "spec": { "containers": [{ "name": "main", "$patch": "replace" }] } }"#,
            422,
        ),
    ];
    let rows = rows.map(|(patch, code)| {
        let reason = match code {
            400 => "BadRequest",
            422 => "Invalid",
            _ => "",
        };
        (STRATEGIC, patch, code, reason)
    });
    assert_refused(cluster, &rows).await;
}

/// `null` is one where the language is not RFC 7386.
pub(crate) async fn a_patch_of_nothing_changes_nothing(cluster: Cluster) {
    let made = cluster.pods().create(&POST, &pod("p")).await.unwrap();
    let path = format!("/api/v1/namespaces/{}/pods/p", cluster.namespace);
    for (media_type, patch) in [
        (MERGE, "{}"),
        (STRATEGIC, "{}"),
        (STRATEGIC, "null"),
        (JSON, "[]"),
        (JSON, "null"),
    ] {
        let patched = cluster.send_text(media_type, "PATCH", &path, patch).await;
        let version = &patched.unwrap()["metadata"]["resourceVersion"];
        assert_eq!(
            version.as_str(),
            made.metadata.resource_version.as_deref(),
            "{patch}"
        );
    }
    let refused = cluster
        .send_text(MERGE, "PATCH", &path, "null")
        .await
        .unwrap_err();
    assert_eq!(refused.code, 400);
}

/// Its author would own what is not there.
pub(crate) async fn an_applied_field_that_nobody_knows_is_refused(cluster: Cluster) {
    let mut object = serde_json::to_value(config_map("odd")).unwrap();
    object["apiVersion"] = "v1".into();
    object["kind"] = "ConfigMap".into();
    object["spec"] = json!({ "paused": true });
    let path = format!("{}/odd?fieldManager=tester", cluster.path_of(&object));
    let applied = cluster.send_from_outside(APPLY, "PATCH", &path, &object);
    let refusal = applied.await.unwrap_err();
    // kube-apiserver takes it for a fault of its own.
    assert!([400, 500].contains(&refusal.code), "{refusal:?}");
    assert!(
        refusal.message.contains(".spec: field not declared in schema"),
        "{}",
        refusal.message
    );
    assert!(cluster.config_maps().get_opt("odd").await.unwrap().is_none());
}

/// Else the second apply would be refused, and each one after it.
pub(crate) async fn what_is_applied_has_each_element_once(cluster: Cluster) {
    let mut object: serde_json::Value = serde_json::to_value(job("twice")).unwrap();
    let twice = json!([{ "name": "A", "value": "1" }, { "name": "A", "value": "2" }]);
    object["spec"]["template"]["spec"]["containers"][0]["env"] = twice;
    object["apiVersion"] = "batch/v1".into();
    object["kind"] = "Job".into();
    let path = format!("{}/twice?fieldManager=tester", cluster.path_of(&object));
    let applied = cluster.send_from_outside(APPLY, "PATCH", &path, &object);
    let refusal = applied.await.unwrap_err();
    // kube-apiserver takes it for a fault of its own.
    assert!([400, 500].contains(&refusal.code), "{refusal:?}");
    assert!(cluster.jobs().get_opt("twice").await.unwrap().is_none());
}

/// It is meant for an object that was read, and makes none of its name when that has gone.
pub(crate) async fn an_apply_for_an_object_that_has_gone_makes_no_other(cluster: Cluster) {
    let mut config = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
    let path = format!("{}/a?fieldManager=tester", cluster.path_of(&config));
    let apply = async |config: &serde_json::Value| cluster.send_as(APPLY, "PATCH", &path, Some(config)).await;
    let made = apply(&config).await.unwrap();
    config["metadata"]["uid"] = made["metadata"]["uid"].clone();
    config["data"] = json!({ "key": "value" });
    apply(&config).await.unwrap();
    cluster
        .config_maps()
        .delete("a", &DeleteParams::default())
        .await
        .unwrap();
    let refused = apply(&config).await.unwrap_err();
    assert_eq!(refused.code, 409);
    assert_eq!(
        refused.message,
        format!(
            "Operation cannot be fulfilled on configmaps \"a\": uid mismatch: the provided object specified uid {}, and no \
             existing object was found",
            config["metadata"]["uid"].as_str().unwrap()
        )
    );
    assert!(cluster.config_maps().get_opt("a").await.unwrap().is_none());
}

/// The rest of the metadata belongs to nobody, and stays when the last of it that somebody has applied goes.
pub(crate) async fn an_apply_without_labels_keeps_the_rest_of_the_metadata(cluster: Cluster) {
    let labelled = json!({ "name": "a", "labels": { "l": "1" }, "annotations": { "a": "1" } });
    let mut config = serde_json::to_value(config_map("a")).unwrap();
    config["metadata"] = labelled;
    let path = format!(
        "/api/v1/namespaces/{}/configmaps/a?fieldManager=tester",
        cluster.namespace
    );
    let apply = async |config: &serde_json::Value| {
        let applied = cluster.send_as(APPLY, "PATCH", &path, Some(config));
        applied.await.unwrap()
    };
    let before = apply(&config).await;
    config["metadata"] = json!({ "name": "a" });
    let after = apply(&config).await;
    for field in ["name", "namespace", "uid", "creationTimestamp"] {
        assert_eq!(after["metadata"][field], before["metadata"][field], "{field}");
    }
    for field in ["labels", "annotations"] {
        assert_eq!(after["metadata"].get(field), None, "{after}");
    }
    cluster
        .config_maps()
        .delete("a", &DeleteParams::default())
        .await
        .unwrap();
}

/// Whatever a patch makes of it, it is an object with its name and its beginning.
pub(crate) async fn a_patch_does_not_take_the_metadata_away(cluster: Cluster) {
    let map = serde_json::to_value(config_map("kept")).unwrap();
    let path = format!("{}/kept", cluster.path_of(&map));
    cluster.create(map).await;
    let before = cluster.config_maps().get("kept").await.unwrap();
    for (media_type, patch, code) in [
        (MERGE, json!({ "metadata": null }), 400),
        (MERGE, json!({ "metadata": { "name": null } }), 400),
        (MERGE, json!({ "metadata": { "uid": null } }), 200),
        (
            MERGE,
            json!({ "metadata": { "namespace": null, "creationTimestamp": null } }),
            200,
        ),
        (JSON, json!([{ "op": "remove", "path": "/metadata" }]), 400),
        (JSON, json!([{ "op": "remove", "path": "/metadata/name" }]), 400),
        (
            JSON,
            json!([{ "op": "replace", "path": "/metadata", "value": {} }]),
            400,
        ),
        (
            JSON,
            json!([{ "op": "replace", "path": "/metadata", "value": "none" }]),
            422,
        ),
    ] {
        let patched = cluster.send_as(media_type, "PATCH", &path, Some(&patch)).await;
        assert_eq!(
            patched.map_or_else(|refusal| refusal.code, |_| 200),
            code,
            "{patch}"
        );
        let after = cluster.config_maps().get("kept").await.unwrap();
        assert_eq!(after.metadata.name, before.metadata.name, "{patch}");
        assert_eq!(after.metadata.uid, before.metadata.uid, "{patch}");
        assert_eq!(
            after.metadata.creation_timestamp, before.metadata.creation_timestamp,
            "{patch}"
        );
    }
}

/// What the server makes up belongs to nobody: whoever applies a Job that he has created does not take it away.
pub(crate) async fn what_a_job_is_given_belongs_to_nobody(cluster: Cluster) {
    let mut object = serde_json::to_value(job("given")).unwrap();
    (object["apiVersion"], object["kind"]) = ("batch/v1".into(), "Job".into());
    let path = cluster.path_of(&object);
    let created = cluster.send_from_outside("application/json", "POST", &path, &object);
    let owned = created.await.unwrap()["metadata"]["managedFields"].to_string();
    for field in ["f:selector", "controller-uid", "job-name", "f:status"] {
        assert!(!owned.contains(field), "{owned}");
    }
    assert!(
        owned.contains("f:backoffLimit"),
        "what a client may leave out is its own: {owned}"
    );
}

/// What is filled in or left out anyway makes no other version of an object that is applied again, not even of its owners.
pub(crate) async fn what_is_applied_again_is_no_write(cluster: Cluster) {
    let mut object = serde_json::to_value(cron_job("again")).unwrap();
    (object["apiVersion"], object["kind"]) = ("batch/v1".into(), "CronJob".into());
    let container = "/spec/jobTemplate/spec/template/spec/containers/0";
    let container = object.pointer_mut(container).expect("a container");
    container["env"] = json!([{ "name": "EMPTY", "value": "" }]);
    let path = format!("{}/again?fieldManager=tester", cluster.path_of(&object));
    let mut versions = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let applied = cluster
            .send_from_outside(APPLY, "PATCH", &path, &object)
            .await
            .unwrap();
        versions.insert(applied["metadata"]["resourceVersion"].to_string());
        // Moments are whole seconds.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }
    assert_eq!(versions.len(), 1, "{versions:?}");
}

/// As the library of kube-apiserver has it, and RFC 6902 has not.
pub(crate) async fn an_index_of_a_json_patch_may_count_from_the_end(cluster: Cluster) {
    let mut map = config_map("a");
    map.metadata.finalizers = Some(vec!["a.b/c".into(), "d.e/f".into()]);
    cluster.config_maps().create(&POST, &map).await.unwrap();
    let path = format!("/api/v1/namespaces/{}/configmaps/a", cluster.namespace);
    let operations = json!([
        { "op": "add", "path": "/metadata/finalizers/-1", "value": "x.y/z" },
        { "op": "test", "path": "/metadata/finalizers/-1", "value": "x.y/z" },
        { "op": "replace", "path": "/metadata/finalizers/-2", "value": "g.h/i" },
        { "op": "remove", "path": "/metadata/finalizers/-3" },
        { "op": "move", "from": "/metadata/finalizers/0", "path": "/metadata/finalizers/-1" },
        { "op": "add", "path": "/data/empty" },
    ]);
    let patched = cluster
        .send_as(JSON, "PATCH", &path, Some(&operations))
        .await
        .unwrap();
    assert_eq!(patched["metadata"]["finalizers"], json!(["x.y/z", "g.h/i"]));
    assert_eq!(patched["data"]["empty"], "");
    let too_far = json!([{ "op": "remove", "path": "/metadata/finalizers/-3" }]);
    let refused = cluster
        .send_as(JSON, "PATCH", &path, Some(&too_far))
        .await
        .unwrap_err();
    assert_eq!(refused.code, 422);
    let none = json!({ "metadata": { "finalizers": null } });
    cluster.send_as(MERGE, "PATCH", &path, Some(&none)).await.unwrap();
}
