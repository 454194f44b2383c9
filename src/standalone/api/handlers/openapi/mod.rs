//! `OpenAPI`: what the kinds are made of, for `kubectl explain` and for what kubectl checks before it writes. Here is
//! version 3, one document for each group and version.

mod v2;

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::body::answer_json;
use super::{ABSENTEES, RESOURCES, Resource};
use crate::manifest::schema::{self, Schema, definitions, references};

/// The routes of the documents. They are written when they are asked for.
pub(super) fn routes() -> Router {
    let mut roots: BTreeMap<String, Vec<&'static Resource>> = BTreeMap::new();
    // Of a kind that is not made here only the paths are told: kubectl asks whether the server checks it before it applies
    // one, and is then told by the server.
    for resource in RESOURCES.iter().chain(ABSENTEES) {
        roots.entry(resource.root()).or_default().push(resource);
    }
    let paths: Map<String, Value> = roots
        .keys()
        .map(|root| {
            (
                root[1..].to_owned(),
                json!({ "serverRelativeURL": format!("/openapi/v3{root}") }),
            )
        })
        .collect();
    let index = json!({ "paths": paths });
    let mut router = v2::routes().route(
        "/openapi/v3",
        get(|| async move { answer_json(StatusCode::OK, &index) }),
    );
    for (root, resources) in roots {
        let answer = || async move { answer_json(StatusCode::OK, &document(&resources)) };
        router = router.route(&format!("/openapi/v3{root}"), get(answer));
    }
    router
}

/// The document of a group and version: the paths of its resources, and every definition that these need.
fn document(resources: &[&'static Resource]) -> Value {
    let mut paths = Map::new();
    let mut needed = BTreeSet::new();
    for resource in resources {
        let (collection, item) = places(resource);
        paths.insert(collection, json!({ "get": operation(resource, "list") }));
        paths.insert(
            item,
            json!({ "get": operation(resource, "get"), "patch": operation(resource, "patch") }),
        );
        if let Some((name, _)) = Schema::of_kind(resource.group, resource.version, resource.kind) {
            need(name, &mut needed);
        }
    }
    let schemas: Map<String, Value> = needed
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), with_values(name, definitions().get(name)?))))
        .collect();
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Punctual", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

/// A definition, with the values that its fields can have, where they can have only some.
fn with_values(name: &str, definition: &Value) -> Value {
    let mut definition = definition.clone();
    let short_name = name.rsplit('.').next().unwrap_or(name);
    let fields = definition.get_mut("properties").and_then(Value::as_object_mut);
    for (field, schema) in fields.into_iter().flatten() {
        if let Some(values) = schema::values(short_name, field) {
            schema["enum"] = json!(values);
        }
    }
    definition
}

/// Collects a definition and those that it refers to.
fn need(name: &'static str, needed: &mut BTreeSet<&'static str>) {
    if needed.insert(name)
        && let Some(definition) = definitions().get(name)
    {
        for name in references(definition) {
            need(name, needed);
        }
    }
}

/// The paths of a resource's collection and of one object.
fn places(resource: &Resource) -> (String, String) {
    let namespace = if resource.namespaced {
        "namespaces/{namespace}/"
    } else {
        ""
    };
    let collection = format!("{}/{namespace}{}", resource.root(), resource.plural);
    let item = format!("{collection}/{{name}}");
    (collection, item)
}

/// An operation, with the parameter by which kubectl knows that the server itself checks for unknown fields.
fn operation(resource: &Resource, action: &str) -> Value {
    json!({
        "parameters": [{ "name": "fieldValidation", "in": "query", "schema": { "type": "string" } }],
        "responses": {},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": identity(resource),
    })
}

fn identity(resource: &Resource) -> Value {
    json!({ "group": resource.group, "version": resource.version, "kind": resource.kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::schema::OBJECT_META;

    #[test]
    fn everything_that_is_served_is_defined() {
        for resource in RESOURCES {
            let (name, schema) = Schema::of_kind(resource.group, resource.version, resource.kind)
                .unwrap_or_else(|| panic!("{} is defined", resource.kind));
            assert!(!schema.description().is_empty(), "{name}");
            assert_eq!(schema.field("metadata").name(), Some(OBJECT_META), "{name}");
        }
    }
}
