//! Sets of fields: which of an object's fields somebody owns.
//!
//! A set is a tree. That a field is in it says nothing of the fields below it, and the other way round.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::step::Step;
use crate::manifest::schema::Schema;

/// What `FieldsV1` calls the place itself, beside what is below it.
const ITSELF: &str = ".";

/// A set of fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    /// The fields at this level that are in the set.
    members: BTreeSet<Step>,
    /// What is in the set below each field of this level; never empty.
    below: BTreeMap<Step, FieldSet>,
}

impl FieldSet {
    /// The set of these paths of field names.
    pub(super) fn of_fields(paths: &[&[&str]]) -> Self {
        let mut set = FieldSet::default();
        for path in paths {
            let path: Vec<Step> = path.iter().map(|name| Step::field(name)).collect();
            set.insert(&path);
        }
        set
    }

    /// Reads a `FieldsV1`; `None` when it is not one.
    pub(super) fn parse(fields: &Value) -> Option<Self> {
        let mut set = FieldSet::default();
        for (text, content) in fields.as_object()? {
            if text == ITSELF {
                continue;
            }
            let step = Step::parse(text)?;
            let content = content.as_object()?;
            if content.is_empty() || content.contains_key(ITSELF) {
                set.members.insert(step.clone());
            }
            set.put_below(step, FieldSet::parse(&Value::Object(content.clone()))?);
        }
        Some(set)
    }

    /// Writes it as a `FieldsV1`.
    pub(super) fn to_fields(&self) -> Value {
        let mut fields: Map<String, Value> = self
            .below
            .iter()
            .map(|(step, below)| (step.text().to_owned(), below.to_fields()))
            .collect();
        for step in &self.members {
            let itself = Value::Object(Map::new());
            if let Some(Value::Object(below)) = fields.get_mut(step.text()) {
                below.insert(ITSELF.to_owned(), itself);
            } else {
                fields.insert(step.text().to_owned(), itself);
            }
        }
        Value::Object(fields)
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.below.is_empty()
    }

    /// Whether the field at this level is in it.
    pub(super) fn has(&self, step: &Step) -> bool {
        self.members.contains(step)
    }

    /// What is in it below a field of this level.
    pub(super) fn below(&self, step: &Step) -> Option<&FieldSet> {
        self.below.get(step)
    }

    /// Adds a field of this level.
    pub(super) fn put(&mut self, step: Step) {
        self.members.insert(step);
    }

    /// Adds what is below a field of this level, where there was nothing.
    pub(super) fn put_below(&mut self, step: Step, below: FieldSet) {
        if !below.is_empty() {
            self.below.insert(step, below);
        }
    }

    /// Adds the field that a path leads to. The whole object is never owned.
    pub(super) fn insert(&mut self, path: &[Step]) {
        match path {
            [] => {}
            [last] => self.put(last.clone()),
            [first, rest @ ..] => self.below.entry(first.clone()).or_default().insert(rest),
        }
    }

    /// What is in one or the other.
    pub(super) fn union(mut self, other: &FieldSet) -> Self {
        self.members.extend(other.members.iter().cloned());
        for (step, theirs) in &other.below {
            let ours = self.below.remove(step).unwrap_or_default();
            self.below.insert(step.clone(), ours.union(theirs));
        }
        self
    }

    /// What is in both.
    pub(super) fn intersection(&self, other: &FieldSet) -> Self {
        let mut both = FieldSet {
            members: self.members.intersection(&other.members).cloned().collect(),
            below: BTreeMap::new(),
        };
        for (step, ours) in &self.below {
            if let Some(theirs) = other.below(step) {
                both.put_below(step.clone(), ours.intersection(theirs));
            }
        }
        both
    }

    /// What is in this one only.
    pub(super) fn difference(&self, other: &FieldSet) -> Self {
        self.without(other, false)
    }

    /// What is in this one, and neither in the other nor below a field in the other.
    pub(super) fn difference_and_below(&self, other: &FieldSet) -> Self {
        self.without(other, true)
    }

    fn without(&self, other: &FieldSet, and_below: bool) -> Self {
        let mut rest = FieldSet {
            members: self.members.difference(&other.members).cloned().collect(),
            below: BTreeMap::new(),
        };
        for (step, ours) in &self.below {
            if and_below && other.has(step) {
                continue;
            }
            let ours = match other.below(step) {
                Some(theirs) => ours.without(theirs, and_below),
                None => ours.clone(),
            };
            rest.put_below(step.clone(), ours);
        }
        rest
    }

    /// The set together with the fields of types with named fields that lead to what is in it: who has `spec.schedule` has
    /// `spec`, for what is removed next to it.
    pub(super) fn with_named_fields(&self, schema: Schema) -> Self {
        let mut set = FieldSet {
            members: self.members.clone(),
            below: BTreeMap::new(),
        };
        for (step, below) in &self.below {
            let inner = match step.field_name() {
                Some(name) => {
                    if schema.own_field(name).is_some() {
                        set.members.insert(step.clone());
                    }
                    schema.field(name)
                }
                None => schema.items(),
            };
            set.below.insert(step.clone(), below.with_named_fields(inner));
        }
        set
    }

    /// The paths of all fields in it, as people are told of them.
    pub(super) fn paths(&self) -> Vec<String> {
        let members = self.members.iter().map(Step::to_string);
        let below = self
            .below
            .iter()
            .flat_map(|(step, below)| below.paths().into_iter().map(move |path| format!("{step}{path}")));
        members.chain(below).collect()
    }
}
