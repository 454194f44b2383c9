//! A mapping in the making: keys and values by turns, merge keys, keys that are written twice.

use std::collections::HashMap;

use crate::manifest::source::Span;
use crate::manifest::tree::{Entry, Node, Value};

/// The key that merges another mapping into this one (YAML 1.1, which Kubernetes reads).
const MERGE_KEY: &str = "<<";

/// A mapping whose end has not come yet.
#[derive(Default)]
pub(super) struct Mapping {
    entries: Vec<Entry>,
    merged: Vec<Entry>,
    /// The key whose value comes next.
    key: Option<(String, Span)>,
}

/// A key that is written a second time.
pub(super) struct Duplicate {
    pub key: String,
    pub first: Span,
    pub again: Span,
}

impl Mapping {
    /// Takes the next key, if `text` says that it is a word, or the next value. Gives back what cannot be a
    /// key.
    pub(super) fn take(&mut self, node: Node, text: Option<&str>) -> Result<(), Node> {
        match (self.key.take(), text) {
            (None, Some(text)) => self.key = Some((text.to_owned(), node.span)),
            (None, None) => return Err(node),
            // In quotes it is a key like any other.
            (Some((key, at)), _) if key == MERGE_KEY && at.len() == key.len() => {
                self.merged.extend(merge(node));
            }
            (Some((key, key_span)), _) => self.entries.push(Entry {
                key,
                key_span,
                value: node,
            }),
        }
        Ok(())
    }

    /// The entries, each key once, and the keys that were written again. What is merged in comes last, and
    /// only where nothing is written.
    pub(super) fn finish(self) -> (Vec<Entry>, Vec<Duplicate>) {
        let mut places: HashMap<String, usize> = HashMap::with_capacity(self.entries.len());
        let mut duplicates = Vec::new();
        let mut entries: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            let Some(known) = places.get(&entry.key).map(|place| &mut entries[*place]) else {
                places.insert(entry.key.clone(), entries.len());
                entries.push(entry);
                continue;
            };
            duplicates.push(Duplicate {
                key: entry.key,
                first: known.key_span.clone(),
                again: entry.key_span,
            });
            // A key that was left empty the first time says nothing that could be missed.
            if known.value.value == Value::Null {
                known.value = entry.value;
            }
        }
        for entry in self.merged {
            if !places.contains_key(&entry.key) {
                places.insert(entry.key.clone(), entries.len());
                entries.push(entry);
            }
        }
        (entries, duplicates)
    }
}

/// The entries that a merge key brings in, the nearest first: later ones do not override earlier ones.
fn merge(node: Node) -> Vec<Entry> {
    match node.value {
        Value::Mapping(entries) => entries,
        Value::Sequence(items) => items.into_iter().flat_map(merge).collect(),
        _ => Vec::new(),
    }
}
