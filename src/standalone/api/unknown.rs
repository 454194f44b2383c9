//! Fields of an object that its kind does not have.
//!
//! They are kept, for a template may be newer than our types. But a client may ask for them to be refused
//! (`fieldValidation=Strict`, as kubectl does), because most of them are slips of the pen.

use serde_json::Value;

/// The paths of the fields that are in `written` and not in `understood`, which is the same object read and written again.
///
/// A field that is empty (`null`, `{}`, `[]`, `""`, `false`, `0`) says nothing, and reading may drop it.
pub(super) fn fields(written: &Value, understood: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(written, understood, "", &mut found);
    found
}

fn compare(written: &Value, understood: &Value, path: &str, found: &mut Vec<String>) {
    match (written, understood) {
        (Value::Object(written), Value::Object(understood)) => {
            for (field, value) in written {
                let path = if path.is_empty() {
                    field.clone()
                } else {
                    format!("{path}.{field}")
                };
                match understood.get(field) {
                    Some(understood) => compare(value, understood, &path, found),
                    None if says_nothing(value) => {}
                    None => found.push(path),
                }
            }
        }
        (Value::Array(written), Value::Array(understood)) => {
            for (index, (written, understood)) in written.iter().zip(understood).enumerate() {
                compare(written, understood, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(says_nothing),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_understood_is_named_by_its_path() {
        let written = json!({ "spec": { "suspnd": true, "list": [{ "a": 1 }, { "b": 2 }], "empty": {}, "none": null } });
        let understood = json!({ "spec": { "list": [{ "a": 1 }, {}] } });
        assert_eq!(fields(&written, &understood), ["spec.list[1].b", "spec.suspnd"]);
        assert!(fields(&understood, &understood).is_empty());
    }
}
