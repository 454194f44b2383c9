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
            (Some((key, _)), _) if key == MERGE_KEY => self.merged.extend(merge(node)),
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
        let mut places: HashMap<String, Span> = HashMap::with_capacity(self.entries.len());
        let mut duplicates = Vec::new();
        let mut entries = self.entries;
        entries.retain(|entry| match places.get(&entry.key) {
            None => {
                places.insert(entry.key.clone(), entry.key_span.clone());
                true
            }
            Some(first) => {
                let (key, first, again) = (entry.key.clone(), first.clone(), entry.key_span.clone());
                duplicates.push(Duplicate { key, first, again });
                false
            }
        });
        for entry in self.merged {
            if !places.contains_key(&entry.key) {
                places.insert(entry.key.clone(), entry.key_span.clone());
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
