//! As much of `OpenAPI` v3 as kubectl needs before it writes: that the server itself checks for unknown fields.
//!
//! The schemas of the kinds are not here: `kubectl explain` finds nothing.

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::body::answer_json;
use super::{RESOURCES, Resource};

/// The routes of the documents.
pub(super) fn routes() -> Router {
    let mut documents: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for resource in RESOURCES {
        documents
            .entry(resource.root())
            .or_default()
            .insert(item_path(resource), operations(resource));
    }
    let index: Map<String, Value> = documents
        .keys()
        .map(|root| {
            (
                root[1..].to_owned(),
                json!({ "serverRelativeURL": format!("/openapi/v3{root}") }),
            )
        })
        .collect();
    let index = json!({ "paths": index });
    let mut router = Router::new().route(
        "/openapi/v3",
        get(|| async move { answer_json(StatusCode::OK, &index) }),
    );
    for (root, paths) in documents {
        let document = json!({
            "openapi": "3.0.0",
            "info": { "title": "Punctual", "version": env!("CARGO_PKG_VERSION") },
            "paths": paths,
        });
        let answer = || async move { answer_json(StatusCode::OK, &document) };
        router = router.route(&format!("/openapi/v3{root}"), get(answer));
    }
    router
}

fn item_path(resource: &Resource) -> String {
    let namespace = if resource.namespaced {
        "namespaces/{namespace}/"
    } else {
        ""
    };
    format!("{}/{namespace}{}/{{name}}", resource.root(), resource.plural)
}

/// A patch of the resource that knows the parameter which kubectl looks for.
fn operations(resource: &Resource) -> Value {
    json!({
        "patch": {
            "parameters": [{ "name": "fieldValidation", "in": "query", "schema": { "type": "string" } }],
            "responses": {},
            "x-kubernetes-group-version-kind": {
                "group": resource.group,
                "version": resource.version,
                "kind": resource.kind,
            },
        },
    })
}
