//! Forms of an answer: the objects themselves, a table of them, or only their metadata.
//!
//! Source: "Receiving resources as Tables" of the Kubernetes API Concepts.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::accept::Shape;
use super::body::{answer, answer_json};
use super::{ApiError, Endpoint};
use crate::standalone::api::registry::read;
use crate::standalone::api::table::{self, Include, META_API_VERSION};
use crate::standalone::store::Object;

/// The form in which objects are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    /// As they are.
    #[default]
    Objects,
    /// Rows of a table.
    Table(Include),
    /// Only their metadata.
    Metadata,
}

impl Form {
    /// The form of this shape; `include_object` says how much of its object each row of a table carries.
    pub(super) fn of(shape: Shape, include_object: &str) -> Result<Self, ApiError> {
        match shape {
            Shape::Objects => Ok(Self::Objects),
            Shape::Metadata => Ok(Self::Metadata),
            Shape::Table => Include::parse(include_object).map(Self::Table).ok_or_else(|| {
                ApiError::bad_request(format!(
                    "includeObject: Unsupported value: \"{include_object}\": supported values: \"None\", \"Metadata\", \"Object\""
                ))
            }),
        }
    }

    /// One object in this form.
    pub(super) fn object(
        self,
        endpoint: &Endpoint,
        code: StatusCode,
        object: &Object,
    ) -> Result<Response, ApiError> {
        if self == Self::Objects {
            return Ok(answer(code, object));
        }
        let document = read(object)?;
        Ok(answer_json(code, &self.one(endpoint, document, true)))
    }

    /// One object in this form; `defined` says whether a table tells its columns.
    pub(super) fn one(self, endpoint: &Endpoint, object: Value, defined: bool) -> Value {
        match self {
            Self::Objects => object,
            Self::Metadata => table::metadata_only(&object),
            Self::Table(include) => {
                let metadata = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
                let now = endpoint.registry().now();
                let mut table = table::head(endpoint.resource, &metadata, defined);
                table[table::ROWS] = json!([table::row(endpoint.resource, &object, include, now)]);
                table
            }
        }
    }

    /// A list in this form, without the field that holds its items.
    pub(super) fn list_head(self, endpoint: &Endpoint, metadata: &Value) -> Value {
        match self {
            Self::Objects => json!({
                "kind": format!("{}List", endpoint.resource.kind),
                "apiVersion": endpoint.resource.api_version(),
                "metadata": metadata,
            }),
            Self::Metadata => json!({
                "kind": "PartialObjectMetadataList",
                "apiVersion": META_API_VERSION,
                "metadata": metadata,
            }),
            Self::Table(_) => table::head(endpoint.resource, metadata, true),
        }
    }

    /// The name of that field.
    pub(super) fn list_field(self) -> &'static str {
        match self {
            Self::Objects | Self::Metadata => "items",
            Self::Table(_) => table::ROWS,
        }
    }

    /// Writes an item of a list.
    pub(super) fn write_item(
        self,
        text: &mut Vec<u8>,
        endpoint: &Endpoint,
        object: &Object,
    ) -> Result<(), ApiError> {
        let item = match self {
            Self::Objects => {
                text.extend_from_slice(object.text().as_bytes());
                return Ok(());
            }
            Self::Metadata => table::metadata_only(&read(object)?),
            Self::Table(include) => {
                let now = endpoint.registry().now();
                table::row(endpoint.resource, &read(object)?, include, now)
            }
        };
        text.extend_from_slice(item.to_string().as_bytes());
        Ok(())
    }

    /// An object without content that says how far a watch is.
    pub(super) fn bookmark(self, object: Value) -> Value {
        match self {
            Self::Objects => object,
            Self::Metadata => table::metadata_only(&object),
            // A table of no kind of objects: kubectl reads the revision, and finds no row to print.
            Self::Table(_) => json!({
                "kind": "Table",
                "apiVersion": META_API_VERSION,
                "metadata": { "resourceVersion": object["metadata"]["resourceVersion"] },
                "columnDefinitions": [],
                "rows": [{ "cells": [], "object": object }],
            }),
        }
    }
}
