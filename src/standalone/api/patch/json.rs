//! JSON Patch within limits.
//!
//! A few operations that copy a part of the object into itself double it each time, and a few that add at the end of the
//! last one's path nest it without end. So what is copied is counted, and how deep it goes is looked at before it is done.

use std::borrow::Cow;

use json_patch::jsonptr::{Pointer, PointerBuf};
use json_patch::{AddOperation, Patch, PatchError, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::Value;

use crate::standalone::api::error::ApiError;
use crate::standalone::api::limits::{DEPTH_MAX, depth};

/// The most operations of a patch, as in kube-apiserver.
const OPERATIONS_MAX: usize = 10_000;

/// What an operation can be.
const OPERATIONS: [&str; 6] = ["add", "copy", "move", "remove", "replace", "test"];

/// Those that have a value.
const VALUED: [&str; 3] = ["add", "replace", "test"];

/// The most that `copy` operations of one patch may copy, in bytes, as in kube-apiserver.
const COPIED_BYTES_MAX: usize = 3 * 1024 * 1024;

/// Those that take their value from another place.
const MOVING: [&str; 2] = ["copy", "move"];

/// Reads a patch.
pub(super) fn parse(bytes: &[u8]) -> Result<Patch, ApiError> {
    let malformed =
        |error: serde_json::Error| ApiError::bad_request(format!("the patch cannot be read: {error}"));
    let operations: Option<Vec<Value>> = serde_json::from_slice(bytes).map_err(malformed)?;
    let mut operations = operations.unwrap_or_default();
    let (count, most) = (operations.len(), OPERATIONS_MAX);
    if count > most {
        return Err(ApiError::TooManyOperations { most, count });
    }
    if let Some(message) = operations.iter().find_map(lack) {
        return Err(ApiError::Unprocessable { message });
    }
    for operation in operations.iter_mut().filter_map(Value::as_object_mut) {
        if operation
            .get("op")
            .is_some_and(|name| VALUED.iter().any(|valued| name == valued))
        {
            // What is not said is nothing, as for kube-apiserver.
            operation.entry("value").or_insert(Value::Null);
        }
    }
    serde_json::from_value(Value::Array(operations)).map_err(malformed)
}

/// What an operation does not say, or not so that it can be carried out. What is of another type is told later.
fn lack(operation: &Value) -> Option<String> {
    if !operation.is_object() && !operation.is_null() {
        return None;
    }
    let said = |field| operation.get(field).filter(|value| !value.is_null());
    let known = OPERATIONS.join(", ");
    let Some(name) = said("op") else {
        return Some(format!(
            "an operation of a JSON patch has to say in \"op\" which it is: {known}"
        ));
    };
    let name = name.as_str()?;
    if !OPERATIONS.contains(&name) {
        return Some(format!("a JSON patch has no operation \"{name}\", only {known}"));
    }
    let places = if MOVING.contains(&name) {
        &["from", "path"][..]
    } else {
        &["path"]
    };
    let place = places
        .iter()
        .find(|place| said(place).is_none_or(|path| path == ""))?;
    Some(format!(
        "\"{name}\" has to say in \"{place}\" which part of the object it is about, such as /metadata/labels"
    ))
}

/// Changes `object` as `patch` says; when that fails, says why, and the object is half changed.
pub(super) fn apply(object: &mut Value, patch: &Patch) -> Result<(), String> {
    let mut copied_bytes = 0;
    for (number, operation) in patch.0.iter().enumerate() {
        let failed =
            |PatchError { path, kind, .. }| format!("operation '/{number}' failed at path '{path}': {kind}");
        let operation = &match operation {
            PatchOperation::Move(shift) => {
                let (path, value) = (shift.path.clone(), take(object, &shift.from).map_err(failed)?);
                with_indexes(object, &PatchOperation::Add(AddOperation { path, value }))
            }
            operation => with_indexes(object, operation),
        };
        if reaches(object, operation) > DEPTH_MAX {
            return Err(format!(
                "the patch nests the object deeper than {DEPTH_MAX} levels"
            ));
        }
        if let PatchOperation::Copy(copy) = operation {
            copied_bytes += object
                .pointer(copy.from.as_str())
                .map_or(0, |part| part.to_string().len());
        }
        if copied_bytes > COPIED_BYTES_MAX {
            return Err(format!("the patch copies more than {COPIED_BYTES_MAX} bytes"));
        }
        if let Some(operation) = lenient(object, operation) {
            let one = std::slice::from_ref(operation.as_ref());
            json_patch::patch(object, one).map_err(failed)?;
        }
    }
    Ok(())
}

/// Takes out what is moved: where it goes is looked for in what is left.
fn take(object: &mut Value, from: &Pointer) -> Result<Value, PatchError> {
    let path = indexed(object, from, 0);
    let value = object.pointer_mut(path.as_str()).map(Value::take);
    json_patch::patch(object, &[PatchOperation::Remove(RemoveOperation { path })])?;
    Ok(value.unwrap_or_default())
}

/// An operation as kube-apiserver's library takes it, which is less strict than RFC 6902: a field of an object can be
/// replaced before it is there, and one that is not there is `null` when it is tested or copied. Nothing, when that holds.
fn lenient<'o>(object: &Value, operation: &'o PatchOperation) -> Option<Cow<'o, PatchOperation>> {
    let is_missing = |path: &Pointer| {
        let holder = path.parent().and_then(|holder| object.pointer(holder.as_str()));
        holder.is_some_and(Value::is_object) && object.pointer(path.as_str()).is_none()
    };
    match operation {
        PatchOperation::Replace(ReplaceOperation { path, value }) if is_missing(path) => {
            let (path, value) = (path.clone(), value.clone());
            Some(Cow::Owned(PatchOperation::Add(AddOperation { path, value })))
        }
        PatchOperation::Copy(copy) if is_missing(&copy.from) => {
            let (path, value) = (copy.path.clone(), Value::Null);
            Some(Cow::Owned(PatchOperation::Add(AddOperation { path, value })))
        }
        PatchOperation::Test(test) if test.value.is_null() && is_missing(&test.path) => None,
        operation => Some(Cow::Borrowed(operation)),
    }
}

/// An operation whose indexes are what kube-apiserver's library makes of them: one that is negative counts from the end, where
/// `add` has one place more.
fn with_indexes(object: &Value, operation: &PatchOperation) -> PatchOperation {
    let mut operation = operation.clone();
    match &mut operation {
        PatchOperation::Add(add) => add.path = indexed(object, &add.path, 1),
        PatchOperation::Remove(remove) => remove.path = indexed(object, &remove.path, 0),
        PatchOperation::Replace(replace) => replace.path = indexed(object, &replace.path, 0),
        PatchOperation::Test(test) => test.path = indexed(object, &test.path, 0),
        PatchOperation::Copy(copy) => {
            copy.from = indexed(object, &copy.from, 0);
            copy.path = indexed(object, &copy.path, 1);
        }
        // Has become a removal, and an addition.
        PatchOperation::Move(_) => {}
    }
    operation
}

/// A path with its indexes as RFC 6902 has them. What is none stays, and leads nowhere.
fn indexed(object: &Value, path: &Pointer, more_places: usize) -> PointerBuf {
    let mut there = Some(object);
    let mut resolved = PointerBuf::new();
    let mut tokens = path.tokens().peekable();
    while let Some(token) = tokens.next() {
        let places = match there {
            Some(Value::Array(list)) if tokens.peek().is_none() => Some(list.len() + more_places),
            Some(Value::Array(list)) => Some(list.len()),
            _ => None,
        };
        let index = places.and_then(|places| index(&token.decoded(), places));
        let token = index.map_or_else(|| token.decoded().into_owned(), |index| index.to_string());
        there = match there {
            Some(Value::Array(list)) => index.and_then(|index| list.get(index)),
            Some(Value::Object(fields)) => fields.get(&token),
            _ => None,
        };
        resolved.push_back(token);
    }
    resolved
}

/// The index that a text says, into so many places.
fn index(text: &str, places: usize) -> Option<usize> {
    let number: i64 = text.parse().ok()?;
    let from_start = usize::try_from(number).ok();
    from_start.or_else(|| places.checked_sub(usize::try_from(number.unsigned_abs()).ok()?))
}

/// How deep the object is at the place that an operation writes to.
fn reaches(object: &Value, operation: &PatchOperation) -> usize {
    let copied = |from: &str| object.pointer(from).map_or(0, depth);
    let (path, added) = match operation {
        PatchOperation::Add(add) => (&add.path, depth(&add.value)),
        PatchOperation::Replace(replace) => (&replace.path, depth(&replace.value)),
        PatchOperation::Copy(copy) => (&copy.path, copied(copy.from.as_str())),
        PatchOperation::Remove(_) | PatchOperation::Test(_) | PatchOperation::Move(_) => return 0,
    };
    path.tokens().count() + added
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patch(operations: Vec<Value>) -> Patch {
        serde_json::from_value(Value::Array(operations)).unwrap()
    }

    #[test]
    fn a_patch_that_doubles_the_object_is_stopped() {
        let copies = (0..40)
            .map(|n| json!({ "op": "copy", "from": "", "path": format!("/c{n}") }))
            .collect();
        let mut object = json!({ "a": "x".repeat(1_000) });
        insta::assert_snapshot!(apply(&mut object, &patch(copies)).unwrap_err(), @"the patch copies more than 3145728 bytes");
    }

    /// One row an operation on `["a", "b"]`, and the list after it.
    #[test]
    fn an_index_may_count_from_the_end() {
        for (operation, list) in [
            (json!({ "op": "remove", "path": "/l/-1" }), Some(json!(["a"]))),
            (json!({ "op": "remove", "path": "/l/-2" }), Some(json!(["b"]))),
            (json!({ "op": "remove", "path": "/l/-3" }), None),
            (
                json!({ "op": "replace", "path": "/l/-1", "value": "c" }),
                Some(json!(["a", "c"])),
            ),
            (
                json!({ "op": "replace", "path": "/l/01", "value": "c" }),
                Some(json!(["a", "c"])),
            ),
            (
                json!({ "op": "add", "path": "/l/-1", "value": "c" }),
                Some(json!(["a", "b", "c"])),
            ),
            (
                json!({ "op": "add", "path": "/l/-2", "value": "c" }),
                Some(json!(["a", "c", "b"])),
            ),
            (
                json!({ "op": "add", "path": "/l/-", "value": "c" }),
                Some(json!(["a", "b", "c"])),
            ),
            (json!({ "op": "add", "path": "/l/3", "value": "c" }), None),
            (
                json!({ "op": "test", "path": "/l/-1", "value": "b" }),
                Some(json!(["a", "b"])),
            ),
            (
                json!({ "op": "copy", "from": "/l/-2", "path": "/l/-" }),
                Some(json!(["a", "b", "a"])),
            ),
            // What is moved is not there any more where its new place is looked for.
            (
                json!({ "op": "move", "from": "/l/0", "path": "/l/-1" }),
                Some(json!(["b", "a"])),
            ),
            (
                json!({ "op": "move", "from": "/l/-1", "path": "/l/-2" }),
                Some(json!(["b", "a"])),
            ),
            (json!({ "op": "move", "from": "/l/0", "path": "/l/-3" }), None),
            (json!({ "op": "move", "from": "/l", "path": "/l/0" }), None),
            (
                json!({ "op": "add", "path": "/-1", "value": 1 }),
                Some(json!(["a", "b"])),
            ),
        ] {
            let mut object = json!({ "l": ["a", "b"] });
            let applied = apply(&mut object, &patch(vec![operation.clone()]));
            assert_eq!(applied.ok().map(|()| object["l"].clone()), list, "{operation}");
        }
    }

    #[test]
    fn a_patch_that_nests_without_end_is_stopped() {
        let step = |n: usize| json!({ "op": "add", "path": "/a".repeat(n), "value": {} });
        let mut object = json!({});
        let stopped = apply(&mut object, &patch((1..200).map(step).collect())).unwrap_err();
        insta::assert_snapshot!(stopped, @"the patch nests the object deeper than 100 levels");
    }
}
