//! What Kubernetes' schema asks of a tree beyond the kinds of its values: fields that must be written, and values that
//! are among a few.
//!
//! It reaches the deepest field. `validate` has the rules that a schema can't say, and better words where they overlap.

use super::path::{FieldPath, Step};
use super::schema::{self, Schema};
use super::tree::{Entry, Node, Value};
use super::validate::{FieldError, Findings};

/// What is missing from a tree of the type `root`, and which of its values are not among those that are known.
pub(super) fn check(node: &Node, root: Schema) -> Vec<FieldError> {
    let mut shape = Shape {
        path: Vec::new(),
        found: Findings::default(),
    };
    shape.value(node, root);
    shape.found.into_errors()
}

struct Shape {
    path: Vec<Step>,
    found: Findings,
}

impl Shape {
    fn value(&mut self, node: &Node, schema: Schema) {
        match &node.value {
            Value::Mapping(entries) if schema.has_fields() => self.fields(node, entries, schema),
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    self.value(item, schema.items());
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn fields(&mut self, node: &Node, entries: &[Entry], schema: Schema) {
        for name in schema.required() {
            let is_there = node.get(name).is_some_and(|value| value.value != Value::Null);
            if !is_there {
                self.found.required(&self.at(name), "");
            }
        }
        for entry in entries {
            let Some(field) = schema.own_field(&entry.key) else {
                continue;
            };
            if let (Some(known), Some(text)) = (
                schema::values(schema.short_name(), &entry.key),
                entry.value.as_str(),
            ) && !known.contains(&text)
                && !text.is_empty()
            {
                self.found.not_supported(&self.at(&entry.key), text, known);
            }
            self.path.push(Step::Field(entry.key.clone()));
            self.value(&entry.value, field);
            self.path.pop();
        }
    }

    fn at(&self, name: &str) -> FieldPath {
        FieldPath::from_steps(&self.path).child_named(name)
    }
}
