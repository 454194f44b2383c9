//! Changing an object by what somebody applies: merging it in, and taking out what is no longer applied.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::OwnershipError;
use super::set::FieldSet;
use super::shape::{Shape, is_empty, parts, step};
use super::step::Step;
use crate::manifest::schema::Schema;

/// The live value with the applied one merged in: what is applied wins, what is not stays.
pub(super) fn merged(live: &Value, applied: &Value, schema: Schema) -> Result<Value, OwnershipError> {
    let shape = Shape::of(applied, schema);
    let has_parts = !is_empty(live) || !is_empty(applied);
    if shape != Shape::of(live, schema) || !has_parts {
        return Ok(applied.clone());
    }
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) if shape == Shape::Fields => {
            merged_fields(live, applied, schema).map(Value::Object)
        }
        (Value::Array(_), Value::Array(_)) if shape == Shape::Elements => {
            merged_elements(live, applied, schema).map(Value::Array)
        }
        _ => Ok(applied.clone()),
    }
}

fn merged_fields(
    live: &Map<String, Value>,
    applied: &Map<String, Value>,
    schema: Schema,
) -> Result<Map<String, Value>, OwnershipError> {
    let mut fields = live.clone();
    for (name, value) in applied {
        let value = match live.get(name) {
            Some(live) => merged(live, value, schema.field(name))?,
            None => value.clone(),
        };
        fields.insert(name.clone(), value);
    }
    Ok(fields)
}

/// The elements of both lists. Applied ones keep their order; one that is only live stays before the applied one that it
/// stood before.
fn merged_elements(live: &Value, applied: &Value, schema: Schema) -> Result<Vec<Value>, OwnershipError> {
    let (live, applied) = (parts(live, schema)?, parts(applied, schema)?);
    let by_step: BTreeMap<&Step, &Value> = live.iter().map(|(step, value, _)| (step, *value)).collect();
    let applied_steps: BTreeSet<&Step> = applied.iter().map(|(step, ..)| step).collect();
    let mut out = Vec::new();
    let mut waiting = live.iter().peekable();
    for (index, (step, value, items)) in applied.iter().enumerate() {
        let next_shared = applied[index..]
            .iter()
            .map(|(step, ..)| step)
            .find(|step| by_step.contains_key(step));
        while let Some((other, element, _)) = waiting.next_if(|(other, ..)| Some(other) != next_shared) {
            if !applied_steps.contains(other) {
                out.push((*element).clone());
            }
        }
        waiting.next_if(|(other, ..)| other == step);
        out.push(match by_step.get(step) {
            Some(element) => merged(element, value, *items)?,
            None => (*value).clone(),
        });
    }
    let rest = waiting.filter(|(other, ..)| !applied_steps.contains(other));
    out.extend(rest.map(|(_, element, _)| (*element).clone()));
    Ok(out)
}

/// The value without the fields of a set. What held them stays, even when that leaves it empty.
pub(super) fn without(value: &Value, set: &FieldSet, schema: Schema) -> Result<Value, OwnershipError> {
    if Shape::of(value, schema) == Shape::Whole {
        return Ok(value.clone());
    }
    let kept = |step: &Step, value: &Value, inner: Schema| match set.below(step) {
        _ if set.has(step) => Ok(None),
        Some(below) => without(value, below, inner).map(Some),
        None => Ok(Some(value.clone())),
    };
    match value {
        Value::Object(fields) => {
            let mut out = Map::new();
            for (name, value) in fields {
                if let Some(value) = kept(&Step::field(name), value, schema.field(name))? {
                    out.insert(name.clone(), value);
                }
            }
            Ok(Value::Object(out))
        }
        Value::Array(elements) => {
            let mut out = Vec::new();
            for element in elements {
                out.extend(kept(&step(element, schema)?, element, schema.items())?);
            }
            Ok(Value::Array(out))
        }
        plain => Ok(plain.clone()),
    }
}
