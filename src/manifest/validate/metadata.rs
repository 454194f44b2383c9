//! The metadata that every object has: name, namespace, labels, annotations.
//!
//! Rules: `ValidateObjectMeta` of `k8s.io/apimachinery/pkg/api/validation`, without what only a server fills
//! in.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Findings, Hint, names};
use crate::manifest::path::FieldPath;

/// The most that all annotations of an object may hold together, keys and values, in bytes.
const ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;

/// The metadata of an object that is created.
pub fn create(metadata: &ObjectMeta, found: &mut Findings) {
    let path = FieldPath::of("metadata");
    match metadata.name.as_deref() {
        Some(name) if !name.is_empty() => {
            for rule in names::dns_subdomain(name) {
                let error = found.invalid(&path.child("name"), name, rule);
                error.hint(name_hint(name));
            }
        }
        _ if metadata
            .generate_name
            .as_deref()
            .is_some_and(|prefix| !prefix.is_empty()) => {}
        _ => {
            let hint = Hint {
                label: Some("a name is missing here".to_owned()),
                ..Hint::default()
            };
            found.required_hinting(&path.child("name"), "name or generateName is required", hint);
        }
    }
    if let Some(namespace) = metadata.namespace.as_deref() {
        for rule in names::dns_label(namespace) {
            let error = found.invalid(&path.child("namespace"), namespace, rule);
            error.hint(name_hint(namespace));
        }
    }
    labels(metadata.labels.as_ref(), &path.child("labels"), found);
    annotations(metadata.annotations.as_ref(), &path.child("annotations"), found);
}

/// What of the metadata may not change once an object is created, and what may.
pub fn update(new: &ObjectMeta, old: &ObjectMeta, found: &mut Findings) {
    let path = FieldPath::of("metadata");
    immutable(new.name.as_ref(), old.name.as_ref(), &path.child("name"), found);
    immutable(
        new.namespace.as_ref(),
        old.namespace.as_ref(),
        &path.child("namespace"),
        found,
    );
    immutable(new.uid.as_ref(), old.uid.as_ref(), &path.child("uid"), found);
    labels(new.labels.as_ref(), &path.child("labels"), found);
    annotations(new.annotations.as_ref(), &path.child("annotations"), found);
}

/// A field that may not change. `new` may leave it out, as a client's update does.
fn immutable(new: Option<&String>, old: Option<&String>, path: &FieldPath, found: &mut Findings) {
    if new.is_some() && new != old {
        found.invalid(path, new, "field is immutable");
    }
}

/// Labels: qualified names and short values.
pub(super) fn labels(labels: Option<&BTreeMap<String, String>>, path: &FieldPath, found: &mut Findings) {
    for (key, value) in labels.into_iter().flatten() {
        for rule in names::qualified(key) {
            found.invalid(path, key, rule);
        }
        for rule in names::label_value(value) {
            found.invalid(&path.key(key), value, rule);
        }
    }
}

/// Annotations: qualified names, any case, and any value up to a total.
pub(super) fn annotations(
    annotations: Option<&BTreeMap<String, String>>,
    path: &FieldPath,
    found: &mut Findings,
) {
    let mut bytes = 0;
    for (key, value) in annotations.into_iter().flatten() {
        for rule in names::qualified(&key.to_lowercase()) {
            found.invalid(path, key, rule);
        }
        bytes += key.len() + value.len();
    }
    if bytes > ANNOTATIONS_BYTES_MAX {
        found.too_long(path, ANNOTATIONS_BYTES_MAX);
    }
}

/// Says in plain words what a name may be, and offers one.
pub(super) fn name_hint(name: &str) -> Hint {
    Hint {
        message: format!(
            "`{name}` is not a name in Kubernetes: only lower-case letters, digits and `-`, with a letter or digit at both ends"
        ),
        help: names::like(name).map(|name| format!("write `{name}`")),
        ..Hint::default()
    }
}
