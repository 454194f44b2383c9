//! How a request may be written, and in which form it is answered.

use std::fmt::Write as _;

use kube::client::Body;
use serde_json::{Value, json};

use crate::cluster::{Cluster, config_map};

/// What comes back: the code, and the media type of the answer.
async fn answer(cluster: &Cluster, path: &str, accept: Option<&str>) -> (String, String) {
    let mut request = http::Request::get(path);
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    let request = request.body(Body::empty()).expect("a request");
    let answer = cluster.client.send(request).await.expect("an answer");
    let media_type = answer.headers().get("content-type");
    let media_type = media_type.map_or("none", |value| value.to_str().expect("words"));
    let head = format!("{} {media_type}", answer.status().as_u16());
    let bytes = answer.into_body().collect_bytes().await.expect("a body");
    (head, String::from_utf8(bytes.to_vec()).expect("a text"))
}

pub(crate) async fn a_slash_at_the_end_of_a_path_means_nothing(cluster: Cluster) {
    cluster
        .create(serde_json::to_value(config_map("a")).expect("an object"))
        .await;
    let namespace = format!("/api/v1/namespaces/{}", cluster.namespace);
    for path in [
        "/api/",
        "/api/v1/",
        "/api/v1/pods/",
        "/apis/batch/v1/",
        &format!("{namespace}/"),
        &format!("{namespace}/pods/?limit=1"),
        &format!("{namespace}/pods//"),
        &format!("{namespace}/configmaps/a/"),
    ] {
        let (head, _) = answer(&cluster, path, None).await;
        assert!(head.starts_with("200 "), "{path}: {head}");
    }
    let gone = cluster
        .send("DELETE", &format!("{namespace}/configmaps/a/"), None)
        .await;
    assert_eq!(gone.expect("a success")["status"], "Success");
    let (head, _) = answer(&cluster, "/api/v1//pods", None).await;
    assert!(head.starts_with("404 "), "a slash in the middle does: {head}");
}

/// A client says what it reads, and how well it likes it; the best that can be given is given.
pub(crate) async fn the_form_is_what_the_client_likes_best(cluster: Cluster) {
    let object = format!("/api/v1/namespaces/{}", cluster.namespace);
    let watch = "/api/v1/namespaces?watch=1&timeoutSeconds=1";
    let mut found = String::new();
    for (path, accepts) in [
        (
            object.as_str(),
            &[
                "application/json",
                "application/json; charset=utf-8",
                "application/yaml",
                "application/yaml, application/json",
                "application/json, application/yaml",
                "application/yaml;q=0.5, application/json;q=0.9",
                "application/json;q=0.1, application/yaml",
                "application/json;q=0, application/yaml",
                "application/json;q=often",
                "text/html, application/yaml;q=0.4, */*;q=0.1",
                "*/*, application/yaml",
                "application/yaml;q=0.8, */*;q=0.7",
                "application/yaml;as=Table;v=v1;g=meta.k8s.io",
                "application/yaml;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
                "application/json;q=0",
                "text/*",
                "*/yaml",
            ] as &[&str],
        ),
        (
            watch,
            &[
                "application/yaml",
                "application/yaml, application/json",
                "application/json, application/yaml",
                "application/yaml;stream=watch, application/json;stream=watch",
            ],
        ),
        (
            "/api/v1/namespaces/nowhere-at-all",
            &["application/yaml", "application/json"],
        ),
        ("/api/v1", &["application/yaml", "application/json"]),
    ] {
        writeln!(found, "# {}", path.replace(&cluster.namespace, "NAMESPACE")).expect("a line");
        for accept in accepts {
            let (head, _) = answer(&cluster, path, Some(accept)).await;
            writeln!(found, "{accept}\n  {head}").expect("a line");
        }
    }
    insta::assert_snapshot!("forms_of_answers", found);
}

/// A list is sent in parts when it is long, and is none the less whole.
pub(crate) async fn a_long_list_is_whole_in_every_form(cluster: Cluster) {
    const MANY: usize = 300;
    let names: Vec<String> = (0..MANY).map(|number| format!("map-{number:03}")).collect();
    for name in &names {
        let mut map = serde_json::to_value(config_map(name)).expect("an object");
        map["metadata"]["labels"] = json!({ "long": "yes" });
        cluster.create(map).await;
    }
    let path = format!(
        "/api/v1/namespaces/{}/configmaps?labelSelector=long",
        cluster.namespace
    );
    for (accept, kind, items, name) in [
        ("application/json", "ConfigMapList", "items", "/metadata/name"),
        (
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
            "PartialObjectMetadataList",
            "items",
            "/metadata/name",
        ),
        (
            "application/json;as=Table;v=v1;g=meta.k8s.io",
            "Table",
            "rows",
            "/cells/0",
        ),
    ] {
        for (limit, expected) in [("", MANY), ("&limit=260", 260)] {
            let (head, text) = answer(&cluster, &format!("{path}{limit}"), Some(accept)).await;
            assert_eq!(head, "200 application/json", "{accept}");
            let list: Value = serde_json::from_str(&text).expect("JSON");
            let found = list[items].as_array().expect("a list").iter();
            let found: Vec<&str> = found
                .map(|item| item.pointer(name).and_then(Value::as_str).expect("a name"))
                .collect();
            assert_eq!(
                (&list["kind"], found),
                (
                    &json!(kind),
                    names[..expected].iter().map(String::as_str).collect()
                )
            );
            assert_eq!(
                list["metadata"]["continue"].is_string(),
                expected < MANY,
                "{accept}"
            );
        }
    }
}

/// What is written as YAML reads as what is written as JSON.
pub(crate) async fn yaml_says_what_json_says(cluster: Cluster) {
    let data = json!({
        "yes": "yes", "one": "1", "lines": "first\nsecond\n", "open": "first\nsecond", "empty": "", "null": "null",
        "space": " x", "tilde": "~", "octal": "012", "exponent": "1e3", "colon": "a: b", "hash": "#x", "day": "2026-01-01",
        "dash": "-", "n": "on", "letters": "ünï 🦀", "trail": "trail \nx", "tab": "\ttab", "hex": "0x1F", "time": "12:30",
        "bell": "\u{7}", "two": "a\n\n\nb\n\n", "indented": "  a\n b\n",
    });
    let mut map = serde_json::to_value(config_map("words")).expect("an object");
    map["data"] = data.clone();
    let path = cluster.path_of(&map);
    let request = http::Request::post(&path)
        .header("accept", "application/yaml")
        .header("content-type", "application/json")
        .body(map.to_string().into_bytes());
    let created = cluster.client.request_text(request.expect("a request")).await;
    let created = created.expect("a config map");
    assert!(created.starts_with("apiVersion: v1\ndata:\n"), "{created}");
    assert!(
        created.contains("\n  lines: |\n    first\n    second\n"),
        "{created}"
    );
    // As YAML it can be handed back.
    let request = http::Request::put(format!("{path}/words"))
        .header("content-type", "application/yaml")
        .body(created.into_bytes());
    let again: Value = cluster
        .client
        .request(request.expect("a request"))
        .await
        .expect("a config map");
    assert_eq!(again["data"], data);
}
