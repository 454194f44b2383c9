//! Refusals, word for word: people read the message, clients the reason and the code.

use kube::ResourceExt;
use kube::api::PostParams;
use kube::core::Status;
use serde_json::{Value, json};

use crate::cluster::{Cluster, config_map, cron_job};

/// A refusal as a reader sees it. What changes from run to run is replaced by a word.
fn text(cluster: &Cluster, status: &Status) -> String {
    let mut text = format!("{} {}: {}", status.code, status.reason, status.message);
    if let Some(details) = &status.details {
        text += &format!(
            "\n  about {} {} \"{}\"",
            details.group, details.kind, details.name
        );
        for cause in &details.causes {
            text += &format!("\n  {}: {}: {}", cause.field, cause.reason, cause.message);
        }
    }
    text.replace(&cluster.namespace, "NAMESPACE")
}

pub(crate) async fn each_refusal_says_what_to_do(cluster: Cluster) {
    let namespace = &cluster.namespace;
    let cron_jobs = format!("/apis/batch/v1/namespaces/{namespace}/cronjobs");
    let config_maps = format!("/api/v1/namespaces/{namespace}/configmaps");
    let made = cluster
        .cron_jobs()
        .create(&PostParams::default(), &cron_job("nightly"))
        .await
        .unwrap();
    let object = |change: fn(&mut Value)| {
        let mut object = serde_json::to_value(cron_job("other")).unwrap();
        change(&mut object);
        object
    };
    let outdated = {
        let mut object = serde_json::to_value(&made).unwrap();
        object["metadata"]["resourceVersion"] = "1".into();
        object["spec"]["suspend"] = true.into();
        object
    };
    let mut seen = String::new();
    for (what, method, path, body) in [
        ("get", "GET", format!("{cron_jobs}/none"), None),
        ("get a config map", "GET", format!("{config_maps}/none"), None),
        (
            "create twice",
            "POST",
            cron_jobs.clone(),
            Some(object(|object| object["metadata"]["name"] = "nightly".into())),
        ),
        (
            "update an old version",
            "PUT",
            format!("{cron_jobs}/nightly"),
            Some(outdated),
        ),
        (
            "create nameless",
            "POST",
            cron_jobs.clone(),
            Some(object(|object| object["metadata"]["name"] = "".into())),
        ),
        (
            "create with a bad name",
            "POST",
            config_maps.clone(),
            Some(json!({ "metadata": { "name": "Bad_Name" } })),
        ),
        (
            "create two mistakes",
            "POST",
            cron_jobs.clone(),
            Some(object(|object| {
                object["metadata"]["name"] = "x".repeat(53).into();
                object["spec"]["schedule"] = "".into();
            })),
        ),
        (
            "create a wrong type",
            "POST",
            cron_jobs.clone(),
            Some(object(|object| object["spec"]["suspend"] = "yes".into())),
        ),
        (
            "create another kind",
            "POST",
            cron_jobs.clone(),
            Some(object(|object| object["kind"] = "Job".into())),
        ),
        (
            "create another version",
            "POST",
            cron_jobs.clone(),
            Some(object(|object| object["apiVersion"] = "batch/v1beta1".into())),
        ),
        (
            "create elsewhere",
            "POST",
            cron_jobs.clone(),
            Some(object(|object| {
                object["metadata"]["namespace"] = "elsewhere".into()
            })),
        ),
        (
            "create nowhere",
            "POST",
            "/apis/batch/v1/namespaces/nowhere/cronjobs".to_owned(),
            Some(object(|_| ())),
        ),
        ("create a list", "POST", cron_jobs.clone(), Some(json!([]))),
        (
            "delete oddly",
            "DELETE",
            format!("{cron_jobs}/nightly?propagationPolicy=Sideways"),
            None,
        ),
        (
            "a bad resourceVersion",
            "GET",
            format!("{cron_jobs}?resourceVersion=newest"),
            None,
        ),
        ("a bad limit", "GET", format!("{cron_jobs}?limit=many"), None),
    ] {
        let status = cluster.send(method, &path, body.as_ref()).await.unwrap_err();
        seen += &format!("# {what}\n{}\n", text(&cluster, &status));
    }
    assert_eq!(made.name_any(), "nightly");
    insta::assert_snapshot!("refusals", seen);
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

    let request = http::Request::get(&path)
        .header("accept", "application/xml")
        .body(Vec::new())
        .unwrap();
    match cluster.client.request::<Value>(request).await {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 406),
        other => panic!("expected a refusal, found {other:?}"),
    }
}
