//! The metadata that every object has: name, namespace, labels, annotations.
//!
//! Rules: `ValidateObjectMeta` of `k8s.io/apimachinery/pkg/api/validation`, without what only a server fills
//! in.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::{Findings, Hint, names};
use crate::manifest::path::FieldPath;

/// The most that all annotations of an object may hold together, keys and values, in bytes.
const ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;

/// The finalizers that need no domain before them.
const FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// The metadata of an object that is created.
pub fn create(metadata: &ObjectMeta, found: &mut Findings) {
    let path = FieldPath::of("metadata");
    if let Some(prefix) = metadata
        .generate_name
        .as_deref()
        .filter(|prefix| !prefix.is_empty())
    {
        // More will follow, so that it may end as a name may not.
        let begun = format!("{}a", prefix.strip_suffix('-').unwrap_or_default());
        let begun = if prefix.ends_with('-') { &begun } else { prefix };
        for rule in names::dns_subdomain(begun) {
            found.invalid(&path.child("generateName"), prefix, rule);
        }
    }
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
        _ => nameless(found),
    }
    if let Some(namespace) = metadata.namespace.as_deref() {
        for rule in names::dns_label(namespace) {
            let error = found.invalid(&path.child("namespace"), namespace, rule);
            error.hint(name_hint(namespace));
        }
    }
    labels(metadata.labels.as_ref(), &path.child("labels"), found);
    annotations(metadata.annotations.as_ref(), &path.child("annotations"), found);
    owners(
        metadata.owner_references.as_deref(),
        &path.child("ownerReferences"),
        found,
    );
    let path = path.child("finalizers");
    finalizers(metadata.finalizers.as_deref(), &path, found);
    for (index, name) in metadata.finalizers.iter().flatten().enumerate() {
        is_known_or_qualified(name, &path.index(index), found);
    }
}

/// The finalizers that a namespace has beside those of its metadata (`spec.finalizers`), each qualified in full.
pub fn finalizers_of_namespace(names: &[String], path: &FieldPath, found: &mut Findings) {
    for (index, name) in names.iter().enumerate() {
        let path = path.index(index);
        for rule in names::qualified(name) {
            found.invalid(&path, name, rule);
        }
        is_known_or_qualified(name, &path, found);
    }
}

fn is_known_or_qualified(name: &str, path: &FieldPath, found: &mut Findings) {
    if !name.contains('/') && !FINALIZERS.contains(&name) {
        let rule = "name is neither a standard finalizer name nor is it fully qualified";
        found.invalid(path, name, rule);
    }
}

/// What is missing of an object without a name.
pub fn nameless(found: &mut Findings) {
    let hint = Hint {
        label: Some("a name is missing here".to_owned()),
        ..Hint::default()
    };
    let path = FieldPath::of("metadata.name");
    found.required_hinting(&path, "name or generateName is required", hint);
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
    owners(
        new.owner_references.as_deref(),
        &path.child("ownerReferences"),
        found,
    );
    finalizers(new.finalizers.as_deref(), &path.child("finalizers"), found);
}

/// Owners: each said in full, and one of them at most in control.
fn owners(owners: Option<&[OwnerReference]>, path: &FieldPath, found: &mut Findings) {
    let owners = owners.unwrap_or_default();
    let mut in_control: Option<String> = None;
    for owner in owners {
        let version = owner.api_version.rsplit('/').next().unwrap_or_default();
        for (field, value, part, rule) in [
            (
                "apiVersion",
                &owner.api_version,
                version,
                "version must not be empty",
            ),
            ("kind", &owner.kind, owner.kind.as_str(), "must not be empty"),
            ("name", &owner.name, owner.name.as_str(), "must not be empty"),
            ("uid", &owner.uid, owner.uid.as_str(), "must not be empty"),
        ] {
            if part.is_empty() {
                found.invalid(&path.child(field), value, rule);
            }
        }
        if owner.controller != Some(true) {
            continue;
        }
        let this = format!("{}/{}", owner.kind, owner.name);
        match &in_control {
            None => in_control = Some(this),
            Some(first) => {
                let rule = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                );
                found.invalid(path, owners, rule);
            }
        }
    }
}

/// Finalizers: qualified names, and not both ways to treat dependents.
fn finalizers(names: Option<&[String]>, path: &FieldPath, found: &mut Findings) {
    let names = names.unwrap_or_default();
    for name in names {
        for rule in names::qualified(name) {
            found.invalid(path, name, rule);
        }
    }
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has("orphan") && has("foregroundDeletion") {
        let rule = "finalizer orphan and foregroundDeletion cannot be both set";
        found.invalid(path, names, rule);
    }
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
            found.invalid(path, key, rule).at(path.key(key));
        }
        for rule in names::label_value(value) {
            found.invalid(path, value, rule).at(path.key(key));
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
            found.invalid(path, key, rule).at(path.key(key));
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
