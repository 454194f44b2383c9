//! Fields of an object that its kind does not have.
//!
//! A template may be newer than our types, so what this process writes itself, such as the objects of manifests on disk,
//! keeps them. Other clients are refused or warned, as they ask for, because most such fields are slips of the pen.

use serde_json::Value;

use super::zero;
use crate::manifest::path::{FieldPath, Step};

/// The fields that are in `written` and not in `understood`, which is the same object read and written again.
///
/// A field that is empty (`null`, `{}`, `[]`, `""`, `false`, `0`) says nothing, and reading may drop it.
pub(super) fn fields(written: &Value, understood: &Value) -> Vec<FieldPath> {
    let mut found = Vec::new();
    compare(written, understood, &FieldPath::root(), &mut found);
    found
}

fn compare(written: &Value, understood: &Value, path: &FieldPath, found: &mut Vec<FieldPath>) {
    match (written, understood) {
        (Value::Object(written), Value::Object(understood)) => {
            for (field, value) in written {
                let path = path.child_named(field);
                match understood.get(field) {
                    Some(understood) => compare(value, understood, &path, found),
                    None if says_nothing(value) => {}
                    None => found.push(path),
                }
            }
        }
        (Value::Array(written), Value::Array(understood)) => {
            for (index, (written, understood)) in written.iter().zip(understood).enumerate() {
                compare(written, understood, &path.index(index), found);
            }
        }
        _ => {}
    }
}

/// Takes a field out of an object.
pub(super) fn remove(object: &mut Value, path: &FieldPath) {
    let Some((Step::Field(last), before)) = path.steps().split_last() else {
        return;
    };
    let parent = before.iter().try_fold(object, |value, step| match step {
        Step::Field(name) | Step::Key(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(*index),
    });
    if let Some(fields) = parent.and_then(Value::as_object_mut) {
        fields.remove(last);
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(says_nothing),
        plain => zero::is_empty(plain),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_understood_is_named_by_its_path_and_can_be_taken_out() {
        let mut written = json!({ "spec": { "suspnd": true, "list": [{ "a": 1 }, { "b": 2 }], "empty": {}, "none": null } });
        let understood = json!({ "spec": { "list": [{ "a": 1 }, {}] } });
        let found = fields(&written, &understood);
        let named: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(named, ["spec.list[1].b", "spec.suspnd"]);
        assert!(fields(&understood, &understood).is_empty());
        for field in found {
            remove(&mut written, &field);
        }
        assert_eq!(
            written,
            json!({ "spec": { "list": [{ "a": 1 }, {}], "empty": {}, "none": null } })
        );
    }
}
