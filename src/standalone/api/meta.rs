//! Reading and writing `metadata` of an object that is still JSON.
//!
//! Objects stay JSON inside the API, so that fields which are newer than our Kubernetes types survive. These few functions
//! are the only place that knows where the metadata is.

use chrono::SecondsFormat;
use serde_json::{Map, Value};

use crate::schedule::Timestamp;

/// A field of the metadata.
pub(super) fn get<'a>(object: &'a Value, field: &str) -> Option<&'a Value> {
    object.get("metadata")?.get(field)
}

/// A text field of the metadata; empty when it is not there.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    get(object, field).and_then(Value::as_str).unwrap_or_default()
}

/// The name.
pub(super) fn name(object: &Value) -> &str {
    text(object, "name")
}

/// The namespace; empty where there is none.
pub(super) fn namespace(object: &Value) -> &str {
    text(object, "namespace")
}

/// The unique id.
pub(super) fn uid(object: &Value) -> &str {
    text(object, "uid")
}

/// Sets a field of the metadata.
pub(super) fn set(object: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert(field.to_owned(), value.into());
    }
}

/// Removes a field of the metadata.
pub(super) fn remove(object: &mut Value, field: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove(field);
    }
}

/// Copies a field of the metadata from another object, or removes it when the other has none.
pub(super) fn carry(object: &mut Value, from: &Value, field: &str) {
    match get(from, field) {
        Some(value) => set(object, field, value.clone()),
        None => remove(object, field),
    }
}

/// Whether someone asked for the object to be deleted, and it is still here.
pub(super) fn is_deleting(object: &Value) -> bool {
    get(object, "deletionTimestamp").is_some()
}

/// Those whose consent a deletion waits for.
pub(super) fn finalizers(object: &Value) -> Vec<String> {
    let list = get(object, "finalizers").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// The uids of the owners.
pub(super) fn owner_uids(object: &Value) -> Vec<&str> {
    let references = get(object, "ownerReferences").and_then(Value::as_array);
    references
        .into_iter()
        .flatten()
        .filter_map(|reference| reference["uid"].as_str())
        .collect()
}

/// Keeps each reference to an owner once. The uids of those that were there again.
pub(super) fn drop_repeated_owners(object: &mut Value) -> Vec<String> {
    let references = object
        .pointer_mut("/metadata/ownerReferences")
        .and_then(Value::as_array_mut);
    let Some(references) = references else {
        return Vec::new();
    };
    let mut repeated = Vec::new();
    let mut kept: Vec<Value> = Vec::with_capacity(references.len());
    for reference in references.drain(..) {
        if kept.contains(&reference) {
            repeated.push(reference["uid"].as_str().unwrap_or_default().to_owned());
        } else {
            kept.push(reference);
        }
    }
    *references = kept;
    repeated
}

/// Sets the finalizers; none at all leaves no field behind.
pub(super) fn set_finalizers(object: &mut Value, finalizers: Vec<String>) {
    if finalizers.is_empty() {
        remove(object, "finalizers");
    } else {
        set(object, "finalizers", finalizers);
    }
}

/// The count of changes to what the object asks for.
pub(super) fn generation(object: &Value) -> i64 {
    get(object, "generation")
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

/// A moment as Kubernetes writes it: in UTC, to the second.
pub(super) fn time(moment: Timestamp) -> Value {
    Value::String(moment.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Sets a field of an object unless it is there already.
pub(super) fn default(fields: &mut Map<String, Value>, field: &str, value: impl Into<Value>) {
    if !fields.contains_key(field) {
        fields.insert(field.to_owned(), value.into());
    }
}

/// The object under a field, which is made when it is not there.
pub(super) fn section<'a>(
    fields: &'a mut Map<String, Value>,
    field: &str,
) -> Option<&'a mut Map<String, Value>> {
    fields
        .entry(field.to_owned())
        .or_insert_with(|| Value::Object(Map::new()))
        .as_object_mut()
}

/// The `spec` of an object, which is made when it is not there.
pub(super) fn spec(object: &mut Value) -> Option<&mut Map<String, Value>> {
    section(object.as_object_mut()?, "spec")
}
