//! Discovery: what is served, and whether the server is well.
//!
//! Clients ask for the aggregated form of discovery first and take this older, plain one when they are given it.

use std::collections::BTreeMap;

use axum::response::Response;
use axum::routing::get;
use axum::{Router, extract::Path};
use http::StatusCode;
use serde_json::{Value, json};

use super::body::answer_json;
use super::reviews::REVIEWS;
use super::{ABSENTEES, ApiError, RESOURCES, Resource};
use crate::standalone::KUBERNETES_VERSION;

/// The Kubernetes version whose behaviour the API follows.
const KUBERNETES_MINOR: &str = "36";

/// Where clients ask whether the server is well.
const HEALTH: [&str; 6] = [
    "/healthz",
    "/healthz/ping",
    "/livez",
    "/livez/ping",
    "/readyz",
    "/readyz/ping",
];

/// The routes that belong to no resource.
pub(super) fn routes() -> Router {
    let fixed = |answer: Value| get(move || async move { answer_json(StatusCode::OK, &answer) });
    let mut routes = vec![
        ("/version".to_owned(), fixed(version())),
        ("/api".to_owned(), fixed(core_versions())),
        ("/apis".to_owned(), fixed(group_list())),
        ("/apis/{group}".to_owned(), get(one_group)),
    ];
    let health = HEALTH.map(|health| (health.to_owned(), get(|| async { "ok" })));
    routes.extend(health);
    routes.extend(by_root().into_iter().map(|(root, list)| (root, fixed(list))));
    let paths: Vec<&str> = routes
        .iter()
        .map(|(path, _)| path.as_str())
        .filter(|path| !path.contains('{'))
        .collect();
    let index = Router::new().route("/", fixed(json!({ "paths": paths })));
    routes
        .into_iter()
        .fold(index, |router, (path, answer)| router.route(&path, answer))
}

async fn one_group(Path(name): Path<String>) -> Result<Response, ApiError> {
    let mut group = groups().remove(name.as_str()).ok_or(ApiError::NoSuchPath)?;
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    Ok(answer_json(StatusCode::OK, &group))
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": KUBERNETES_MINOR,
        "gitVersion": KUBERNETES_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

fn core_versions() -> Value {
    json!({ "kind": "APIVersions", "apiVersion": "v1", "versions": ["v1"], "serverAddressByClientCIDRs": [] })
}

fn group_list() -> Value {
    let groups: Vec<Value> = groups().into_values().collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// The groups, which are all but the core.
fn groups() -> BTreeMap<&'static str, Value> {
    let of_resources = RESOURCES
        .iter()
        .chain(ABSENTEES)
        .map(|resource| (resource.group, resource.version));
    let of_reviews = REVIEWS.iter().map(|review| (review.group, review.version));
    let served = of_resources.chain(of_reviews);
    served
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, version)| {
            let one = json!({ "groupVersion": format!("{group}/{version}"), "version": version });
            let known = json!({ "name": group, "versions": [one], "preferredVersion": one });
            (group, known)
        })
        .collect()
}

/// What discovery tells of each group and version, by the path that they are served under.
fn by_root() -> BTreeMap<String, Value> {
    let of_resources = RESOURCES
        .iter()
        .chain(ABSENTEES)
        .map(|resource| (resource.root(), resource.api_version(), entries(resource)));
    let of_reviews = REVIEWS
        .iter()
        .map(|review| (review.root(), review.api_version(), vec![review.entry()]));
    let mut roots: BTreeMap<String, (String, Vec<Value>)> = BTreeMap::new();
    for (root, api_version, entries) in of_resources.chain(of_reviews) {
        let (_, listed) = roots.entry(root).or_insert_with(|| (api_version, Vec::new()));
        listed.extend(entries);
    }
    let list = |(root, (api_version, listed)): (String, (String, Vec<Value>))| {
        let list = json!({
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": api_version,
            "resources": listed,
        });
        (root, list)
    };
    roots.into_iter().map(list).collect()
}

/// A resource, and the parts of it that it has.
fn entries(resource: &Resource) -> Vec<Value> {
    let mut entry = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        entry["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
    let subresource = |name: &str, verbs: &[&str]| {
        json!({
            "name": format!("{}/{name}", resource.plural),
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": verbs,
        })
    };
    let mut entries = vec![entry];
    if resource.has_log {
        entries.push(subresource("log", &["get"]));
        entries.push(super::eviction::entry(resource));
    }
    if resource.has_finalize() {
        entries.push(subresource("finalize", &["update"]));
    }
    if resource.has_status {
        entries.push(subresource("status", &["get", "patch", "update"]));
    }
    entries
}
