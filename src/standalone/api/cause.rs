//! What is wrong with an object, field by field, worded as kube-apiserver words it (`apimachinery/pkg/util/validation/field`).

use serde_json::{Value, json};

/// One broken rule of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The kind of mistake as Kubernetes names it, such as `FieldValueInvalid`.
    pub reason: &'static str,
    /// What is wrong, such as `Required value`.
    pub message: String,
    /// The path of the field, such as `spec.schedule`.
    pub field: String,
}

impl Cause {
    /// A field that must be there and is not.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = if detail.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {detail}")
        };
        Self {
            reason: "FieldValueRequired",
            message,
            field: field.into(),
        }
    }

    /// A field whose value breaks a rule.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {value}: {detail}"),
            field: field.into(),
        }
    }

    /// A field with a value that is none of those that it may have.
    pub fn unsupported(field: impl Into<String>, value: &str, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
        Self {
            reason: "FieldValueNotSupported",
            message: format!(
                "Unsupported value: {value:?}: supported values: {}",
                supported.join(", ")
            ),
            field: field.into(),
        }
    }

    /// A field that holds too much.
    pub fn too_long(field: impl Into<String>, bytes_max: usize) -> Self {
        Self {
            reason: "FieldValueTooLong",
            message: format!("Too long: may not be more than {bytes_max} bytes"),
            field: field.into(),
        }
    }

    /// A field that may not be there, or not change like this.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self {
            reason: "FieldValueForbidden",
            message: format!("Forbidden: {detail}"),
            field: field.into(),
        }
    }
}

/// As `details.causes` of a `Status` has them.
pub(super) fn details(causes: &[Cause]) -> Value {
    let detail =
        |cause: &Cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field });
    causes.iter().map(detail).collect()
}

/// One cause as it is, several in brackets, as Kubernetes aggregates them.
pub(super) fn listed(causes: &[Cause]) -> String {
    let each: Vec<String> = causes
        .iter()
        .map(|cause| format!("{}: {}", cause.field, cause.message))
        .collect();
    if each.len() == 1 {
        each.concat()
    } else {
        format!("[{}]", each.join(", "))
    }
}
