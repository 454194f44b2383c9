//! Objects as rows: what `kubectl get` asks for, with the columns of Kubernetes.
//!
//! Source: `pkg/printers/internalversion` and `metav1.Table`. A row carries its cells, and as much of its object as the
//! client asks for; the metadata, when it does not say.

mod cells;
mod columns;
mod human;
mod pod;

use serde_json::{Value, json};

use super::resource::Resource;
use crate::manifest::schema::Schema;
use crate::schedule::Timestamp;
use columns::{About, Column};

/// The `apiVersion` of tables and of metadata without its object.
pub(super) const META_API_VERSION: &str = "meta.k8s.io/v1";

/// How much of its object a row carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// Reads the `includeObject` of a query.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Metadata" => Some(Self::Metadata),
            "None" => Some(Self::None),
            "Object" => Some(Self::Object),
            _ => None,
        }
    }
}

/// The field of a table that holds its rows.
pub(super) const ROWS: &str = "rows";

/// A table but for its rows; without the columns' definitions when the client has them already.
pub(super) fn head(resource: &Resource, metadata: &Value, defined: bool) -> Value {
    let definitions: Vec<Value> = if defined {
        columns::of(resource).iter().map(definition).collect()
    } else {
        Vec::new()
    };
    json!({
        "kind": "Table",
        "apiVersion": META_API_VERSION,
        "metadata": metadata,
        "columnDefinitions": definitions,
    })
}

/// The metadata of an object, as an object of its own.
pub(super) fn metadata_only(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": META_API_VERSION, "metadata": object["metadata"] })
}

/// An object as a row.
pub(super) fn row(resource: &Resource, object: &Value, include: Include, now: Timestamp) -> Value {
    let mut row = json!({ "cells": cells::of(resource, object, now) });
    let conditions = cells::conditions(resource, object);
    if !conditions.is_null() {
        row["conditions"] = conditions;
    }
    row["object"] = match include {
        Include::None => Value::Null,
        Include::Metadata => metadata_only(object),
        Include::Object => object.clone(),
    };
    row
}

fn definition(column: &Column) -> Value {
    let description = match column.about {
        About::Text(text) => text,
        About::Field(definition, field) => {
            Schema::named(definition).map_or("", |schema| schema.field(field).description())
        }
    };
    json!({
        "name": column.name,
        "type": column.kind,
        "format": column.format,
        "description": description,
        "priority": column.priority,
    })
}

#[cfg(test)]
mod tests;
