//! Forms of an answer: the objects themselves, a table of them, or only their metadata.
//!
//! Source: "Resource representations" and "Receiving resources as Tables" of the Kubernetes API Concepts. Protobuf is
//! read and never written: clients that ask for it name JSON as well.

use std::str::FromStr;

use axum::response::Response;
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::body::{answer, answer_json};
use super::{ApiError, Endpoint, JSON};
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
    /// The first form that the client accepts and that is given here.
    pub(super) fn negotiate(headers: &HeaderMap, include_object: &str) -> Result<Self, ApiError> {
        let accepted = headers
            .get(ACCEPT)
            .map(|value| value.to_str().unwrap_or_default())
            .unwrap_or_default();
        if accepted.is_empty() {
            return Ok(Self::Objects);
        }
        let include = || {
            Include::parse(include_object).ok_or_else(|| {
                ApiError::bad_request(format!(
                    "includeObject: Unsupported value: \"{include_object}\": supported values: \"None\", \"Metadata\", \"Object\""
                ))
            })
        };
        for range in accepted.split(',') {
            match Range::from_str(range) {
                Ok(Range::Plain) => return Ok(Self::Objects),
                Ok(Range::Table) => return include().map(Self::Table),
                Ok(Range::Metadata) => return Ok(Self::Metadata),
                Err(NotGiven) => {}
            }
        }
        Err(ApiError::NotAcceptable)
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
                table::table(endpoint.resource, &[object], metadata, include, defined, now)
            }
        }
    }

    /// A list in a form other than that of the objects themselves.
    pub(super) fn list(
        self,
        endpoint: &Endpoint,
        objects: &[Object],
        metadata: Value,
    ) -> Result<Value, ApiError> {
        let documents: Vec<Value> = objects.iter().map(read).collect::<Result<_, _>>()?;
        if let Self::Table(include) = self {
            let now = endpoint.registry().now();
            return Ok(table::table(
                endpoint.resource,
                &documents,
                metadata,
                include,
                true,
                now,
            ));
        }
        let items: Vec<Value> = documents.iter().map(table::metadata_only).collect();
        Ok(json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": META_API_VERSION,
            "metadata": metadata,
            "items": items,
        }))
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

/// One range of an `Accept` header that can be answered.
enum Range {
    Plain,
    Table,
    Metadata,
}

/// A range that cannot.
struct NotGiven;

impl FromStr for Range {
    type Err = NotGiven;

    fn from_str(text: &str) -> Result<Self, NotGiven> {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        if ![JSON, "application/*", "*/*"].contains(&media_type) {
            return Err(NotGiven);
        }
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let parameter = |name: &str| {
            parameters
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| *value)
        };
        let of_meta = parameter("g") == Some("meta.k8s.io");
        let version = parameter("v");
        match parameter("as") {
            None => Ok(Self::Plain),
            Some("Table") if of_meta && matches!(version, Some("v1" | "v1beta1")) => Ok(Self::Table),
            Some("PartialObjectMetadata" | "PartialObjectMetadataList")
                if of_meta && version == Some("v1") =>
            {
                Ok(Self::Metadata)
            }
            Some(_) => Err(NotGiven),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: &str) -> Option<Form> {
        let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
        Form::negotiate(&headers, "").ok()
    }

    #[test]
    fn the_first_form_that_is_given_is_taken() {
        let kubectl_get = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        let table = [
            ("", Some(Form::Objects)),
            ("application/json", Some(Form::Objects)),
            ("*/*", Some(Form::Objects)),
            ("text/html, */*;q=0.8", Some(Form::Objects)),
            (kubectl_get, Some(Form::Table(Include::Metadata))),
            (
                "application/json;as=Table;v=v9;g=meta.k8s.io, application/json",
                Some(Form::Objects),
            ),
            (
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
                Some(Form::Metadata),
            ),
            (
                "application/vnd.kubernetes.protobuf,application/json",
                Some(Form::Objects),
            ),
            ("application/vnd.kubernetes.protobuf", None),
            ("application/json;as=Table;v=v9;g=meta.k8s.io", None),
            ("text/html", None),
        ];
        for (accept, expected) in table {
            assert_eq!(form(accept), expected, "{accept}");
        }
    }
}
