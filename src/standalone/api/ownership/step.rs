//! One step of a path into an object, as `managedFields` writes it: `f:spec`, `k:{"name":"main"}`, `v:"orphan"`.

use std::fmt;

use serde_json::{Map, Value};

/// A step, in the text of `FieldsV1`, which is also what it is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step(String);

impl Step {
    /// A field of an object, or a key of a map.
    pub(super) fn field(name: &str) -> Self {
        Step(format!("f:{name}"))
    }

    /// An element of a list of objects that are told apart by these fields.
    pub(super) fn key(fields: Map<String, Value>) -> Self {
        Step(format!("k:{}", Value::Object(fields)))
    }

    /// A plain element of a list that is a set.
    pub(super) fn value(value: &Value) -> Self {
        Step(format!("v:{value}"))
    }

    /// Reads a step. What it says as JSON is written as we write it, so that equal steps are equal texts.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_at_checked(2)? {
            ("f:" | "i:", _) => Some(Step(text.to_owned())),
            (kind @ ("k:" | "v:"), json) => {
                let value: Value = serde_json::from_str(json).ok()?;
                Some(Step(format!("{kind}{value}")))
            }
            _ => None,
        }
    }

    /// As `FieldsV1` has it.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// The name of the field, if it is one.
    pub(super) fn field_name(&self) -> Option<&str> {
        self.0.strip_prefix("f:")
    }
}

/// As people are told of it: `.spec`, `[name="main"]`, `[="orphan"]`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, rest) = self.0.split_at(2);
        match (kind, serde_json::from_str(rest)) {
            ("f:", _) => write!(f, ".{rest}"),
            ("k:", Ok(Value::Object(fields))) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                write!(f, "[{}]", fields.join(","))
            }
            ("v:", _) => write!(f, "[={rest}]"),
            _ => write!(f, "[{rest}]"),
        }
    }
}
