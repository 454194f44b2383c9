//! What differs between two versions of an object, as sets of fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::OwnershipError;
use super::set::FieldSet;
use super::shape::{Shape, is_empty, parts};
use super::step::Step;
use crate::manifest::schema::Schema;

/// What differs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// What is only in the new version.
    pub(super) added: FieldSet,
    /// What is in both, and not the same.
    pub(super) modified: FieldSet,
    /// What is only in the old version.
    pub(super) removed: FieldSet,
}

impl Comparison {
    /// Compares two versions of an object.
    pub(super) fn of(old: &Value, new: &Value, schema: Schema) -> Result<Self, OwnershipError> {
        let mut comparison = Self::default();
        comparison.compare(Some(old), Some(new), schema, &mut Vec::new())?;
        Ok(comparison)
    }

    /// What the new version says that the old one did not.
    pub(super) fn written(&self) -> FieldSet {
        self.added.clone().union(&self.modified)
    }

    fn compare(
        &mut self,
        old: Option<&Value>,
        new: Option<&Value>,
        schema: Schema,
        path: &mut Vec<Step>,
    ) -> Result<(), OwnershipError> {
        if old == new {
            return Ok(());
        }
        let shape_of = |value: Option<&Value>| {
            let value = value.filter(|value| !value.is_null());
            value.map(|value| Shape::of(value, schema))
        };
        let shape = match (shape_of(old), shape_of(new)) {
            (Some(old), Some(new)) if old != new => Shape::Whole,
            (old, new) => new.or(old).unwrap_or(Shape::Whole),
        };
        let has_parts = [old, new].into_iter().flatten().any(|value| !is_empty(value));
        if shape != Shape::Whole && has_parts {
            self.compare_parts(old, new, schema, path)?;
        } else if old.is_some() && new.is_some() {
            self.modified.insert(path);
        }
        match (old, new) {
            (None, Some(_)) => self.added.insert(path),
            (Some(_), None) => self.removed.insert(path),
            _ => {}
        }
        Ok(())
    }

    fn compare_parts(
        &mut self,
        old: Option<&Value>,
        new: Option<&Value>,
        schema: Schema,
        path: &mut Vec<Step>,
    ) -> Result<(), OwnershipError> {
        let (olds, news) = (
            parts(old.unwrap_or(&Value::Null), schema)?,
            parts(new.unwrap_or(&Value::Null), schema)?,
        );
        let twins: BTreeMap<&Step, &Value> = news.iter().map(|(step, value, _)| (step, *value)).collect();
        for (step, value, inner) in &olds {
            path.push(step.clone());
            self.compare(Some(value), twins.get(step).copied(), *inner, path)?;
            path.pop();
        }
        let before: BTreeSet<&Step> = olds.iter().map(|(step, ..)| step).collect();
        for (step, value, inner) in news.iter().filter(|(step, ..)| !before.contains(step)) {
            // What always comes with its type was there before, only empty.
            let was_empty =
                old.is_some() && step.field_name().is_some_and(|name| schema.is_always_there(name));
            if was_empty && is_empty(value) {
                continue;
            }
            path.push(step.clone());
            self.compare(was_empty.then_some(&Value::Null), Some(value), *inner, path)?;
            path.pop();
        }
        Ok(())
    }
}
