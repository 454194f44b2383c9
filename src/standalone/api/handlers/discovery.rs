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
use super::{ApiError, RESOURCES, Resource};

/// The Kubernetes version whose behaviour the API follows.
const KUBERNETES_MINOR: u32 = 36;

/// The routes that belong to no resource.
pub(super) fn routes() -> Router {
    let mut router = Router::new()
        .route(
            "/version",
            get(|| async { answer_json(StatusCode::OK, &version()) }),
        )
        .route(
            "/api",
            get(|| async { answer_json(StatusCode::OK, &core_versions()) }),
        )
        .route(
            "/apis",
            get(|| async { answer_json(StatusCode::OK, &group_list()) }),
        )
        .route("/apis/{group}", get(one_group));
    for health in ["/healthz", "/livez", "/readyz"] {
        router = router.route(health, get(|| async { "ok" }));
    }
    for (root, resources) in by_root() {
        let list = resource_list(&resources);
        router = router.route(
            &root,
            get(move || async move { answer_json(StatusCode::OK, &list) }),
        );
    }
    router
}

async fn one_group(Path(name): Path<String>) -> Result<Response, ApiError> {
    let resource = RESOURCES
        .iter()
        .find(|resource| !resource.group.is_empty() && resource.group == name);
    let resource = resource.ok_or(ApiError::NoSuchPath)?;
    let mut group = group(resource);
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    Ok(answer_json(StatusCode::OK, &group))
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": KUBERNETES_MINOR.to_string(),
        "gitVersion": format!("v1.{KUBERNETES_MINOR}.0+punctual-{}", env!("CARGO_PKG_VERSION")),
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
    let groups: BTreeMap<&str, Value> = RESOURCES
        .iter()
        .filter(|resource| !resource.group.is_empty())
        .map(|resource| (resource.group, group(resource)))
        .collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups.into_values().collect::<Vec<_>>() })
}

fn group(resource: &Resource) -> Value {
    let version = json!({ "groupVersion": resource.api_version(), "version": resource.version });
    json!({ "name": resource.group, "versions": [version], "preferredVersion": version })
}

/// The resources of each group and version.
fn by_root() -> BTreeMap<String, Vec<&'static Resource>> {
    let mut roots: BTreeMap<String, Vec<&'static Resource>> = BTreeMap::new();
    for resource in RESOURCES {
        roots.entry(resource.root()).or_default().push(resource);
    }
    roots
}

fn resource_list(resources: &[&'static Resource]) -> Value {
    let group_version = resources
        .first()
        .map(|resource| resource.api_version())
        .unwrap_or_default();
    let listed: Vec<Value> = resources.iter().flat_map(|resource| entries(resource)).collect();
    json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed })
}

/// A resource, and its status where it has one.
fn entries(resource: &Resource) -> Vec<Value> {
    let mut entry = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    });
    if !resource.short_names.is_empty() {
        entry["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
    let mut entries = vec![entry];
    if resource.has_status {
        entries.push(json!({
            "name": format!("{}/status", resource.plural),
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": ["get", "patch", "update"],
        }));
    }
    entries
}
