//! `OpenAPI` v2, the older document of everything at once: clients fall back to it.
//!
//! As JSON it is whole. kubectl asks for protobuf (`openapi.v2.Document` of gnostic) and only looks up which operations
//! take `fieldValidation`, so in that form it has the operations that change objects, and no definitions.

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::super::body::answer_json;
use super::super::{RESOURCES, Resource};
use super::{identity, places};
use crate::manifest::schema::definitions;

/// What the form in protobuf is asked for by, and answered with.
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const PROTOBUF_ANSWER: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// The version of the format.
const SWAGGER: &str = "2.0";

/// The route of the document, which is written when it is asked for.
pub(super) fn routes() -> Router {
    Router::new().route("/openapi/v2", get(answer))
}

async fn answer(headers: HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.starts_with(PROTOBUF)) {
        return ([(CONTENT_TYPE, PROTOBUF_ANSWER)], binary()).into_response();
    }
    answer_json(StatusCode::OK, &document())
}

/// The document.
fn document() -> Value {
    let mut paths = Map::new();
    for resource in RESOURCES {
        let (collection, item) = places(resource);
        paths.insert(collection, json!({ "get": operation(resource, "list") }));
        paths.insert(
            item,
            json!({ "get": operation(resource, "get"), "patch": operation(resource, "patch") }),
        );
    }
    let definitions: Map<String, Value> = definitions()
        .iter()
        .map(|(name, definition)| (name.clone(), older(definition)))
        .collect();
    json!({
        "swagger": SWAGGER,
        "info": { "title": "Punctual", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "definitions": definitions,
    })
}

fn operation(resource: &Resource, action: &str) -> Value {
    json!({
        "parameters": [{ "name": "fieldValidation", "in": "query", "type": "string" }],
        "responses": { "200": { "description": "OK" } },
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": identity(resource),
    })
}

/// A definition as version 2 has it: references lead elsewhere, and stand alone.
fn older(definition: &Value) -> Value {
    match definition {
        Value::Object(fields) => {
            let named = fields.get("allOf").and_then(|all| all[0].get("$ref"));
            let mut older: Map<String, Value> = fields
                .iter()
                .filter(|(field, _)| *field != "allOf")
                .map(|(field, value)| (field.clone(), self::older(value)))
                .collect();
            if let Some(Value::String(target)) = older.get("$ref").or(named) {
                let target = target.replace("/components/schemas/", "/definitions/");
                older.insert("$ref".to_owned(), target.into());
            }
            Value::Object(older)
        }
        Value::Array(items) => items.iter().map(older).collect(),
        plain => plain.clone(),
    }
}

/// The document in protobuf, as far as kubectl reads it.
fn binary() -> Vec<u8> {
    let info = [text(1, "Punctual"), text(2, env!("CARGO_PKG_VERSION"))].concat();
    let paths = RESOURCES.iter().map(|resource| {
        let parameter = [text(2, "query"), text(4, "fieldValidation"), text(6, "string")].concat();
        // A parameter, of the query, that is not the body.
        let parameter = message(1, &message(2, &message(3, &parameter)));
        let extension = message(2, &text(2, &identity(resource).to_string()));
        let extension = [text(1, "x-kubernetes-group-version-kind"), extension].concat();
        let patch = [message(8, &parameter), message(13, &extension)].concat();
        let (_, item) = places(resource);
        message(2, &[text(1, &item), message(2, &message(8, &patch))].concat())
    });
    let paths = paths.collect::<Vec<_>>().concat();
    [text(1, SWAGGER), message(2, &info), message(8, &paths)].concat()
}

fn text(number: u8, text: &str) -> Vec<u8> {
    message(number, text.as_bytes())
}

/// A field whose content has a length: a text, or a message.
fn message(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        field.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    field.push(length.to_le_bytes()[0]);
    field.extend_from_slice(content);
    field
}
