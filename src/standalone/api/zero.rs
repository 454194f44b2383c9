//! What says nothing in an object, and is not kept.
//!
//! Kubernetes reads every object into Go types and writes it out anew. So `null` is another way to leave a field out, and
//! an empty list or map, `""`, `0` or `false` is as well, unless the field is a pointer, where it means something, or must
//! be written. Objects stay JSON here, and the same is done to them; or a client that sends an object back as its own
//! types hold it, without its empty lists, would have changed it.

use serde_json::Value;

use super::protobuf::wire::is_pointer;
use crate::manifest::schema::Schema;

/// Takes out what says nothing.
pub(super) fn drop_all(object: &mut Value, schema: Schema) {
    drop_nulls(object, schema);
    drop_empty(object, schema);
}

/// Takes `null` for what Go makes of it: a field that is left out, or an empty text in a map or a list of texts.
pub(super) fn drop_nulls(value: &mut Value, schema: Schema) {
    match value {
        Value::Object(fields) => {
            if schema.is_map() && is_text(schema.field("")) {
                fields.values_mut().for_each(empty_for_null);
            }
            fields.retain(|_, field| !field.is_null());
            for (name, field) in fields {
                drop_nulls(field, schema.field(name));
            }
        }
        Value::Array(items) => {
            if is_text(schema.items()) {
                items.iter_mut().for_each(empty_for_null);
            }
            for item in items {
                drop_nulls(item, schema.items());
            }
        }
        _ => {}
    }
}

fn is_text(schema: Schema) -> bool {
    schema.primitive().0 == "string"
}

fn empty_for_null(value: &mut Value) {
    if value.is_null() {
        *value = "".into();
    }
}

/// Takes out the fields that are empty and are no pointers. What is data, or of a type that is not known, stays, and so does
/// what is of another type: who wrote it is told.
pub(super) fn drop_empty(value: &mut Value, schema: Schema) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                drop_empty(field, schema.field(name));
            }
            fields.retain(|name, field| {
                !is_empty(field) || is_kept_empty(name, schema) || !may_be(field, schema.field(name))
            });
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_empty(item, schema.items())),
        _ => {}
    }
}

/// Whether a value is the empty one of its type.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Whether a value may be one of a type, as far as that is known.
fn may_be(value: &Value, schema: Schema) -> bool {
    let (kind, _) = schema.primitive();
    match value {
        Value::Null => true,
        Value::Array(_) => schema.is_list(),
        Value::Object(_) => schema.is_map() || schema.has_fields(),
        _ if schema.is_list() || schema.is_map() || schema.has_fields() => false,
        Value::Bool(_) => kind == "boolean",
        Value::String(_) => kind == "string",
        // A quantity, or a port that may have a name, is of no one kind.
        Value::Number(_) => !matches!(kind, "boolean" | "string"),
    }
}

/// Whether a field of an object of this type is kept when it is empty.
fn is_kept_empty(name: &str, schema: Schema) -> bool {
    let (Some(field), Some(message)) = (schema.own_field(name), schema.name()) else {
        return true;
    };
    if schema.requires(name) {
        return true;
    }
    let may_be_pointer = !field.is_list() && !field.is_map();
    // A struct that is no pointer is written whatever it holds.
    field.has_fields() || (may_be_pointer && is_pointer(message, name) != Some(false))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::standalone::api::resource::Resource;

    #[test]
    fn what_is_empty_and_of_another_type_stays_to_be_told() {
        let pod = Resource::of("v1", "Pod").unwrap().schema();
        for field in [
            json!({ "nodeSelector": [] }),
            json!({ "nodeSelector": "" }),
            json!({ "tolerations": {} }),
            json!({ "tolerations": 0 }),
            json!({ "hostNetwork": "" }),
            json!({ "hostNetwork": 0 }),
            json!({ "priorityClassName": false }),
            json!({ "priorityClassName": [] }),
            json!({ "priorityClassName": 0 }),
        ] {
            let mut object = json!({ "spec": field });
            let before = object.clone();
            drop_all(&mut object, pod);
            assert_eq!(object, before);
        }
    }

    #[test]
    fn what_says_nothing_is_dropped_and_what_means_something_stays() {
        let pod = Resource::of("v1", "Pod").unwrap().schema();
        let mut object = json!({
            "metadata": {
                "name": "p",
                "labels": {},
                "annotations": { "empty": "", "nothing": null },
                "deletionGracePeriodSeconds": 0,
                "unknown": [],
            },
            "spec": {
                "hostNetwork": false,
                "priorityClassName": "",
                "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": false,
                "securityContext": {},
                "affinity": null,
                "nodeSelector": {},
                "tolerations": [],
                "volumes": [{ "name": "v", "emptyDir": {}, "hostPath": null }],
                "containers": [{
                    "name": "",
                    "command": [],
                    "args": [null, ""],
                    "resources": {},
                    "env": [{ "name": "A", "value": "" }],
                    "livenessProbe": { "initialDelaySeconds": 0, "tcpSocket": { "port": 0 } },
                }],
            },
            "status": { "containerStatuses": [{ "name": "c", "ready": false, "restartCount": 0, "started": false }] },
        });
        drop_all(&mut object, pod);
        let kept = json!({
            "metadata": {
                "name": "p",
                "annotations": { "empty": "", "nothing": "" },
                "deletionGracePeriodSeconds": 0,
                "unknown": [],
            },
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": false,
                "securityContext": {},
                "volumes": [{ "name": "v", "emptyDir": {} }],
                "containers": [{
                    "name": "",
                    "args": ["", ""],
                    "resources": {},
                    "env": [{ "name": "A" }],
                    "livenessProbe": { "tcpSocket": { "port": 0 } },
                }],
            },
            "status": { "containerStatuses": [{ "name": "c", "ready": false, "restartCount": 0, "started": false }] },
        });
        assert_eq!(object, kept);
    }
}
