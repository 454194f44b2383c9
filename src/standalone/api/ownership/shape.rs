//! How a value is owned: as a whole, or by its parts. It is its type that says so (`x-kubernetes-list-type` and its
//! neighbours, "Merge strategy" of the documentation of server-side apply).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::OwnershipError;
use super::set::FieldSet;
use super::step::Step;
use crate::manifest::schema::{ListType, Schema};

/// How a value is owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As a whole.
    Whole,
    /// Field by field.
    Fields,
    /// Element by element.
    Elements,
}

impl Shape {
    /// The shape of a value of a type.
    pub(super) fn of(value: &Value, schema: Schema) -> Self {
        match value {
            Value::Object(_) if !schema.is_atomic_map() => Self::Fields,
            Value::Array(elements)
                if schema.list_type() != ListType::Atomic && !has_twins(elements, schema) =>
            {
                Self::Elements
            }
            _ => Self::Whole,
        }
    }
}

/// Whether a list has two elements that can't be told apart: then nobody can say whose element is whose.
fn has_twins(elements: &[Value], list: Schema) -> bool {
    let mut seen = BTreeSet::new();
    let steps = elements.iter().filter_map(|element| step(element, list).ok());
    elements.len() > 1 && !steps.into_iter().all(|step| seen.insert(step))
}

/// Whether a value has no parts.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        _ => false,
    }
}

/// The parts of a value that is owned by its parts, each with its step and its type.
pub(super) fn parts(value: &Value, schema: Schema) -> Result<Vec<(Step, &Value, Schema)>, OwnershipError> {
    match value {
        Value::Object(fields) => Ok(fields
            .iter()
            .map(|(name, value)| (Step::field(name), value, schema.field(name)))
            .collect()),
        Value::Array(elements) => {
            let items = schema.items();
            let part = |element| Ok((step(element, schema)?, element, items));
            elements.iter().map(part).collect()
        }
        _ => Ok(Vec::new()),
    }
}

/// The step to an element of a list that is owned element by element.
pub(super) fn step(element: &Value, list: Schema) -> Result<Step, OwnershipError> {
    let ListType::ByKeys(keys) = list.list_type() else {
        return if element.is_object() || element.is_array() || element.is_null() {
            Err(OwnershipError::NotPlain)
        } else {
            Ok(Step::value(element))
        };
    };
    let items = list.items();
    let with_default = |key: &&'static str| {
        let written = element.get(*key);
        let value = written.or_else(|| items.own_field(key)?.default())?;
        Some(((*key).to_owned(), value.clone()))
    };
    let fields: Map<String, Value> = keys.iter().filter_map(with_default).collect();
    if fields.is_empty() {
        return Err(OwnershipError::NoKey {
            keys: keys.join(", "),
        });
    }
    Ok(Step::key(fields))
}

/// Fails when elements of a list can't be told apart that should be, however deep in an object it is.
pub(super) fn check_elements(object: &Value, schema: Schema) -> Result<(), OwnershipError> {
    let is_atomic = match object {
        Value::Array(_) => schema.list_type() == ListType::Atomic,
        _ => schema.is_atomic_map(),
    };
    if is_atomic {
        return Ok(());
    }
    let parts = parts(object, schema)?;
    let steps: BTreeSet<&Step> = parts.iter().map(|(step, ..)| step).collect();
    if steps.len() < parts.len() {
        return Err(OwnershipError::Twice);
    }
    parts
        .iter()
        .try_for_each(|(_, value, inner)| check_elements(value, *inner))
}

/// All fields that are written in an object.
pub(super) fn fields_of(object: &Value, schema: Schema) -> Result<FieldSet, OwnershipError> {
    let mut set = FieldSet::default();
    for (step, value, inner) in parts(object, schema)? {
        let shape = Shape::of(value, inner);
        if shape != Shape::Whole {
            set.put_below(step.clone(), fields_of(value, inner)?);
        }
        // An element belongs to who writes it, and so does a key of a map; a field with a name comes with its type.
        let comes_with_type = step
            .field_name()
            .is_some_and(|name| schema.own_field(name).is_some());
        let is_empty_map = value.as_object().is_some_and(Map::is_empty);
        if shape == Shape::Whole || !comes_with_type || is_empty_map {
            set.put(step);
        }
    }
    Ok(set)
}
