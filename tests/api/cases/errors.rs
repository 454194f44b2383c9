//! Refusals, word for word: people read the message, clients the reason and the code.

use std::fmt::Write as _;

use kube::api::PostParams;
use kube::client::Body;
use kube::core::Status;
use serde_json::{Value, json};

use crate::cluster::{Cluster, config_map, cron_job};

/// A refusal as a reader sees it. What changes from run to run is replaced by a word.
fn text(cluster: &Cluster, status: &Status) -> String {
    let mut text = format!("{} {}: {}", status.code, status.reason, status.message);
    if let Some(details) = &status.details {
        write!(text, "\n  about {} {:?}", details.kind, details.name).unwrap();
        for cause in &details.causes {
            write!(text, "\n  {} {}", cause.reason, cause.field).unwrap();
        }
    }
    text.replace(&cluster.namespace, "NAMESPACE")
}

/// What is tried, by which method, at which path below the namespace, with what.
type Request = (&'static str, &'static str, &'static str, Option<Value>);

/// Pods that are refused.
fn bad_pods() -> [Request; 2] {
    let pods = "/api/v1/namespaces/NAMESPACE/pods";
    let container = json!({ "name": "Bad_Name", "image": "", "imagePullPolicy": "Seldom" });
    let mistakes = json!({ "restartPolicy": "Sometimes", "containers": [container] });
    let pod = |spec: Value| Some(json!({ "metadata": { "name": "bad" }, "spec": spec }));
    [
        ("create a pod with mistakes", "POST", pods, pod(mistakes)),
        ("create an empty pod", "POST", pods, pod(json!({}))),
    ]
}

/// Requests that are refused.
fn requests() -> Vec<Request> {
    let changed = |pointer: &str, value: Value| {
        let mut object = serde_json::to_value(cron_job("other")).unwrap();
        *object.pointer_mut(pointer).expect("a field to change") = value;
        Some(object)
    };
    let in_batch = "/apis/batch/v1/namespaces/NAMESPACE/cronjobs";
    let nightly = "/apis/batch/v1/namespaces/NAMESPACE/cronjobs/nightly";
    let config_maps = "/api/v1/namespaces/NAMESPACE/configmaps";
    let outdated = json!({
        "metadata": { "name": "nightly", "resourceVersion": "1" },
        "spec": cron_job("nightly").spec,
    });
    let twice_wrong = json!({
        "metadata": { "name": "x".repeat(53) },
        "spec": { "schedule": "0 24 * * *", "jobTemplate": { "spec": { "template": { "spec": {} } } } },
    });
    vec![
        (
            "get",
            "GET",
            "/apis/batch/v1/namespaces/NAMESPACE/cronjobs/none",
            None,
        ),
        (
            "get from the core group",
            "GET",
            "/api/v1/namespaces/NAMESPACE/configmaps/none",
            None,
        ),
        (
            "create twice",
            "POST",
            in_batch,
            changed("/metadata/name", json!("nightly")),
        ),
        (
            "create nameless",
            "POST",
            in_batch,
            changed("/metadata/name", json!("")),
        ),
        (
            "create with a bad name",
            "POST",
            config_maps,
            Some(json!({ "metadata": { "name": "Bad_Name" } })),
        ),
        ("create with many mistakes", "POST", in_batch, Some(twice_wrong)),
        (
            "create a wrong type",
            "POST",
            in_batch,
            changed("/spec/jobTemplate/spec", json!(5)),
        ),
        (
            "create another kind",
            "POST",
            in_batch,
            changed("/kind", json!("Job")),
        ),
        (
            "create another version",
            "POST",
            in_batch,
            changed("/apiVersion", json!("batch/v1beta1")),
        ),
        (
            "create elsewhere",
            "POST",
            in_batch,
            changed("/metadata", json!({ "name": "a", "namespace": "b" })),
        ),
        (
            "create nowhere",
            "POST",
            "/api/v1/namespaces/nowhere/configmaps",
            Some(json!({ "metadata": { "name": "a" } })),
        ),
        ("create a list", "POST", in_batch, Some(json!([]))),
        ("update an old version", "PUT", nightly, Some(outdated)),
        (
            "delete oddly",
            "DELETE",
            "/api/v1/namespaces/NAMESPACE/configmaps/a?propagationPolicy=Sideways",
            None,
        ),
        (
            "list from a strange version",
            "GET",
            "/api/v1/pods?resourceVersion=newest",
            None,
        ),
        ("list strangely many", "GET", "/api/v1/pods?limit=many", None),
        (
            "select strangely",
            "GET",
            "/api/v1/pods?labelSelector=a%20in%20b",
            None,
        ),
    ]
}

pub(crate) async fn each_refusal_says_what_to_do(cluster: Cluster) {
    cluster
        .cron_jobs()
        .create(&PostParams::default(), &cron_job("nightly"))
        .await
        .unwrap();
    let (mut seen, mut codes) = (String::new(), String::new());
    for (what, method, path, body) in requests().into_iter().chain(bad_pods()) {
        let path = path.replace("NAMESPACE", &cluster.namespace);
        let status = cluster.send(method, &path, body.as_ref()).await.unwrap_err();
        writeln!(codes, "{what}: {} {}", status.code, status.reason).unwrap();
        writeln!(seen, "# {what}\n{}\n", text(&cluster, &status)).unwrap();
    }
    insta::assert_snapshot!("refusal_codes", codes);
    // The words are ours: they say what to write instead where Kubernetes names a Go type.
    if cluster.is_embedded() {
        insta::assert_snapshot!("refusals", seen);
    }
}

pub(crate) async fn paths_and_methods_that_are_not_served(cluster: Cluster) {
    let namespace = &cluster.namespace;
    let code = async |method: &str, path: &str, body: Option<&Value>| {
        cluster
            .send(method, path, body)
            .await
            .map_or_else(|status| status.code, |_| 200)
    };
    assert_eq!(code("GET", "/api/v1/nothings", None).await, 404);
    assert_eq!(code("GET", "/apis/example.com/v1/things", None).await, 404);
    assert_eq!(
        code("POST", "/apis/batch/v1/cronjobs", Some(&json!({}))).await,
        405
    );
    let index = cluster.send("GET", "/", None).await.unwrap();
    let paths = index["paths"].as_array().expect("paths");
    assert!(paths.contains(&json!("/apis/batch/v1")), "{index}");
    let head = http::Request::head("/api/v1/namespaces").body(Body::empty());
    let head = cluster.client.send(head.unwrap()).await.unwrap();
    assert_eq!(head.status(), 405);
    assert_eq!(
        code(
            "PUT",
            &format!("/api/v1/namespaces/{namespace}/configmaps"),
            Some(&json!({}))
        )
        .await,
        405
    );
    assert_eq!(
        code(
            "DELETE",
            &format!("/api/v1/namespaces/{namespace}/pods/a/status"),
            None
        )
        .await,
        405
    );

    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let body = serde_json::to_value(config_map("a")).unwrap();
    let sent_as = async |media_type: &str, method: &str, path: &str, body: &Value| {
        cluster
            .send_as(media_type, method, path, Some(body))
            .await
            .map_or_else(|status| status.code, |_| 200)
    };
    assert_eq!(sent_as("text/plain", "POST", &path, &body).await, 415);
    assert_eq!(
        sent_as("application/json", "PATCH", &format!("{path}/a"), &body).await,
        415
    );
    let large = json!({ "metadata": { "name": "a" }, "data": { "key": "x".repeat(4 * 1024 * 1024) } });
    assert_eq!(sent_as("application/json", "POST", &path, &large).await, 413);
    // kube-apiserver reads up to 3 MiB, and then finds what is too large for the kind; the embedded API stops earlier.
    let large = json!({ "metadata": { "name": "a" }, "data": { "key": "x".repeat(2 * 1024 * 1024) } });
    let code = sent_as("application/json", "POST", &path, &large).await;
    assert!([413, 422].contains(&code), "{code}");
    // kube-apiserver drops what it does not know, however deep; what is kept has to have an end.
    if cluster.is_embedded() {
        let deep = (0..110).fold(json!({}), |inner, _| json!({ "a": inner }));
        let deep = json!({ "metadata": { "name": "a" }, "other": deep });
        assert_eq!(sent_as("application/json", "POST", &path, &deep).await, 400);
    }

    let request = http::Request::get(&path)
        .header("accept", "application/xml")
        .body(Vec::new())
        .unwrap();
    match cluster.client.request::<Value>(request).await {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 406),
        other => panic!("expected a refusal, found {other:?}"),
    }
}

/// Each is refused, and nothing is done.
pub(crate) async fn requests_that_contradict_themselves(cluster: Cluster) {
    const JSON: &str = "application/json";
    const MERGE: &str = "application/merge-patch+json";
    const APPLY: &str = "application/apply-patch+yaml";
    let maps = format!("/api/v1/namespaces/{}/configmaps", cluster.namespace);
    let map = format!("{maps}/a");
    let whole = serde_json::to_value(config_map("a")).unwrap();
    cluster.create(whole.clone()).await;
    let metadata = |fields: Value| json!({ "metadata": fields });
    let nothing = json!({});
    for (method, media_type, path, body, code) in [
        ("POST", JSON, format!("{maps}?dryRun=foo"), &whole, 422),
        ("POST", JSON, format!("{maps}?fieldValidation=foo"), &whole, 422),
        ("PUT", JSON, format!("{map}?dryRun=foo"), &whole, 422),
        (
            "PATCH",
            MERGE,
            map.clone(),
            &metadata(json!({ "name": "b" })),
            400,
        ),
        (
            "PATCH",
            MERGE,
            map.clone(),
            &metadata(json!({ "namespace": "b" })),
            400,
        ),
        (
            "PATCH",
            MERGE,
            map.clone(),
            &metadata(json!({ "deletionTimestamp": "2026-11-26T12:00:00Z" })),
            422,
        ),
        (
            "PATCH",
            APPLY,
            format!("{map}?fieldManager=x"),
            &metadata(json!({ "name": "a" })),
            400,
        ),
        (
            "DELETE",
            JSON,
            map.clone(),
            &json!({ "propagationPolicy": "Background", "orphanDependents": true }),
            422,
        ),
        (
            "DELETE",
            JSON,
            map.clone(),
            &json!({ "kind": "Foo", "apiVersion": "v1" }),
            400,
        ),
        ("DELETE", JSON, map.clone(), &json!({ "dryRun": ["foo"] }), 422),
        (
            "GET",
            JSON,
            format!("{maps}?labelSelector=a%3Db%3Dc"),
            &nothing,
            400,
        ),
        (
            "GET",
            JSON,
            format!("{maps}?labelSelector=a%20in%20(b%20c)"),
            &nothing,
            400,
        ),
    ] {
        let answer = cluster.send_as(media_type, method, &path, Some(body)).await;
        let found = answer.map_or_else(|status| status.code, |_| 200);
        assert_eq!(found, code, "{method} {path} {body}");
    }
    let there = cluster.send("GET", &map, None).await.unwrap();
    assert_eq!(there["data"], json!({ "key": "value" }));
}

/// What lists and watches can't be asked for, and what they can.
pub(crate) async fn parameters_of_lists(cluster: Cluster) {
    let maps = format!("/api/v1/namespaces/{}/configmaps", cluster.namespace);
    let mut found = String::new();
    for query in [
        "limit=-1",
        "limit=x",
        "timeoutSeconds=-1",
        "resourceVersion=x",
        "resourceVersionMatch=Exact",
        "resourceVersionMatch=Exact&resourceVersion=0",
        "resourceVersionMatch=Exact&resourceVersion=1&continue=x",
        "resourceVersionMatch=NotOlderThan&resourceVersion=0",
        "resourceVersionMatch=Odd&resourceVersion=1",
        "sendInitialEvents=false",
        "watch=1&timeoutSeconds=1&resourceVersionMatch=NotOlderThan",
        "watch=1&timeoutSeconds=1&resourceVersionMatch=Odd&sendInitialEvents=true",
        "watch=1&timeoutSeconds=1&sendInitialEvents=true",
        "watch=1&timeoutSeconds=1&continue=x",
    ] {
        let answer = cluster.send("GET", &format!("{maps}?{query}"), None).await;
        writeln!(found, "{query}").unwrap();
        match answer {
            Ok(list) => writeln!(found, "  {}", list["kind"]).unwrap(),
            Err(status) => {
                let causes = status.details.iter().flat_map(|details| &details.causes);
                let causes: Vec<String> = causes
                    .map(|cause| format!("\n    {}: {}", cause.field, cause.message))
                    .collect();
                let kind = status.details.as_ref().map_or("", |details| &details.kind);
                writeln!(
                    found,
                    "  {} {} {kind}{}",
                    status.code,
                    status.reason,
                    causes.concat()
                )
                .unwrap();
            }
        }
    }
    insta::assert_snapshot!("parameters_of_lists", found);
}
