//! A document as a tree in which every key and value knows its place.

use serde_json::{Map, Number};

use super::path::{FieldPath, Step};
use super::source::Span;

/// A value and the bytes it was written in.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value stands; for an aliased value, where it was first written.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a YAML or JSON value can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: `null`, `~`, or a key without a value.
    Null,
    /// `true` or `false`; in YAML also `yes`, `no`, `on` and `off`.
    Bool(bool),
    /// A whole number or a fraction.
    Number(Number),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping; keys are unique and in the order of the text.
    Mapping(Vec<Entry>),
}

/// A key of a mapping and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value under it.
    pub value: Node,
}

impl Value {
    /// The kind of value, as a person would name it: "the number", "a list".
    pub fn described(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "the boolean",
            Value::Number(_) => "the number",
            Value::String(_) => "the string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

impl Node {
    /// The entry of a mapping under `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Mapping(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The value of a mapping under `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value at a path.
    pub fn at(&self, path: &FieldPath) -> Option<&Node> {
        path.steps()
            .iter()
            .try_fold(self, |node, step| match (step, &node.value) {
                (Step::Field(name) | Step::Key(name), _) => node.get(name),
                (Step::Index(index), Value::Sequence(items)) => items.get(*index),
                _ => None,
            })
    }

    /// Sets the text of a mapping's entry, if it is there.
    pub fn set_str(&mut self, key: &str, text: &str) {
        if let Value::Mapping(entries) = &mut self.value
            && let Some(entry) = entries.iter_mut().find(|entry| entry.key == key)
        {
            entry.value.value = Value::String(text.to_owned());
        }
    }

    /// Takes the entry at a path out of the mapping that it is in.
    pub fn take(&mut self, path: &FieldPath) -> Option<Entry> {
        let (Step::Field(name) | Step::Key(name), parents) = path.steps().split_last()? else {
            return None;
        };
        let parent = parents.iter().try_fold(self, |node, step| node.child_mut(step))?;
        let Value::Mapping(entries) = &mut parent.value else {
            return None;
        };
        let index = entries.iter().position(|entry| entry.key == *name)?;
        Some(entries.remove(index))
    }

    /// Puts a value at a path, with what lies between where that is not there. Nothing is overwritten; says whether
    /// there was room.
    pub fn put(&mut self, path: &FieldPath, entry: &Entry) -> bool {
        let mut node = self;
        for step in path.steps() {
            if node.value == Value::Null {
                node.value = match step {
                    Step::Index(_) => Value::Sequence(Vec::new()),
                    Step::Field(_) | Step::Key(_) => Value::Mapping(Vec::new()),
                };
            }
            if node.child_mut(step).is_none() {
                node.grow(step, &entry.key_span);
            }
            let Some(child) = node.child_mut(step) else {
                return false;
            };
            node = child;
        }
        let has_room = node.value == Value::Null;
        if has_room {
            *node = entry.value.clone();
        }
        has_room
    }

    /// Takes out an item of a list that has nothing left in it.
    pub fn prune(&mut self, path: &FieldPath) {
        let Some((Step::Index(index), list)) = path.steps().split_last() else {
            return;
        };
        let list = list.iter().try_fold(self, |node, step| node.child_mut(step));
        if let Some(Value::Sequence(items)) = list.map(|list| &mut list.value)
            && items
                .get(*index)
                .is_some_and(|item| item.value == Value::Mapping(Vec::new()))
        {
            items.remove(*index);
        }
    }

    fn child_mut(&mut self, step: &Step) -> Option<&mut Node> {
        match (step, &mut self.value) {
            (Step::Field(name) | Step::Key(name), Value::Mapping(entries)) => entries
                .iter_mut()
                .find(|entry| entry.key == *name)
                .map(|entry| &mut entry.value),
            (Step::Index(index), Value::Sequence(items)) => items.get_mut(*index),
            _ => None,
        }
    }

    /// Adds an empty child, which is shown at `span`.
    fn grow(&mut self, step: &Step, span: &Span) {
        let value = Node {
            span: span.clone(),
            value: Value::Null,
        };
        match (step, &mut self.value) {
            (Step::Field(name) | Step::Key(name), Value::Mapping(entries)) => entries.push(Entry {
                key: name.clone(),
                key_span: span.clone(),
                value,
            }),
            (Step::Index(_), Value::Sequence(items)) => items.push(value),
            _ => {}
        }
    }

    /// The place to point at for a field: its value, or, where the field is not written, the key of the
    /// nearest part of the path that is.
    pub fn span_of(&self, path: &FieldPath) -> Span {
        let mut node = self;
        let mut nearest = self.start();
        for step in path.steps() {
            let found = match (step, &node.value) {
                (Step::Field(name) | Step::Key(name), _) => node
                    .entry(name)
                    .map(|entry| (entry.key_span.clone(), &entry.value)),
                (Step::Index(index), Value::Sequence(items)) => {
                    items.get(*index).map(|item| (item.start(), item))
                }
                _ => None,
            };
            let Some((key_span, value)) = found else {
                return nearest;
            };
            (nearest, node) = (key_span, value);
        }
        match &node.value {
            Value::Mapping(_) | Value::Sequence(_) | Value::Null => nearest,
            _ => node.span.clone(),
        }
    }

    /// The place of a field's key, or of the first thing in a list's item; as [`span_of`](Self::span_of) where the field
    /// is not written.
    pub fn key_span(&self, path: &FieldPath) -> Span {
        let Some((Step::Field(name) | Step::Key(name), parents)) = path.steps().split_last() else {
            return self.at(path).map_or_else(|| self.start(), Node::start);
        };
        let parent = self.at(&FieldPath::from_steps(parents));
        let entry = parent.and_then(|parent| parent.entry(name));
        entry.map_or_else(|| self.span_of(path), |entry| entry.key_span.clone())
    }

    /// The first thing written in this value: its first key or item, or the scalar itself.
    pub fn start(&self) -> Span {
        match &self.value {
            Value::Mapping(entries) => entries
                .first()
                .map_or(self.span.clone(), |entry| entry.key_span.clone()),
            Value::Sequence(items) => items.first().map_or(self.span.clone(), Node::start),
            _ => self.span.clone(),
        }
    }

    /// How many nodes this one is made of, itself included.
    pub fn size(&self) -> usize {
        match &self.value {
            Value::Sequence(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Value::Mapping(entries) => 1 + entries.iter().map(|entry| entry.value.size()).sum::<usize>(),
            _ => 1,
        }
    }

    /// How many collections stand within each other here.
    pub fn depth(&self) -> usize {
        match &self.value {
            Value::Sequence(items) => 1 + items.iter().map(Node::depth).max().unwrap_or(0),
            Value::Mapping(entries) => 1 + entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// The same value as JSON, whole: also what no type of ours knows.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => serde_json::Value::Bool(*value),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::String(text) => serde_json::Value::String(text.clone()),
            Value::Sequence(items) => items.iter().map(Node::to_json).collect(),
            Value::Mapping(entries) => {
                let entries = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_json()));
                serde_json::Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }
}
