//! A text to its documents, each an object of a kind. Lists of objects are taken apart.

use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::kinds::{Kind, classify};
use super::path::FieldPath;
use super::source::{Place, Source};
use super::tree::{Node, Value};
use super::yaml;

/// An object in a text.
#[derive(Debug)]
pub(crate) struct Document {
    /// The tree, as it was written.
    pub node: Node,
    /// What it is.
    pub kind: Kind,
}

/// The objects of a text, and what is wrong with what is none.
pub(crate) fn documents(source: &Arc<Source>) -> (Vec<Document>, Vec<Diagnostic>) {
    let (nodes, mistakes) = yaml::read(source);
    let mut reader = Reader {
        source,
        documents: Vec::new(),
        mistakes,
    };
    if nodes.is_empty() && reader.mistakes.is_empty() {
        let message = format!("{} holds no manifests", source.name);
        reader.mistakes.push(Diagnostic::error("no-manifests", message));
    }
    for node in nodes {
        reader.document(node);
    }
    (reader.documents, reader.mistakes)
}

struct Reader<'s> {
    source: &'s Arc<Source>,
    documents: Vec<Document>,
    mistakes: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn document(&mut self, node: Node) {
        match classify(self.source, &node) {
            Ok(Kind::List) => self.list(node),
            Ok(kind) => self.documents.push(Document { node, kind }),
            Err(diagnostic) => self.mistakes.push(*diagnostic),
        }
    }

    fn list(&mut self, node: Node) {
        let place = Place::new(self.source, node.span_of(&FieldPath::of("items")));
        let Value::Mapping(entries) = node.value else {
            return;
        };
        let items = entries.into_iter().find(|entry| entry.key == "items");
        match items.map(|entry| entry.value.value) {
            Some(Value::Sequence(items)) if !items.is_empty() => {
                for item in items {
                    self.document(item);
                }
            }
            _ => {
                let empty = Diagnostic::error("no-manifests", "this list has no `items`");
                self.mistakes.push(empty.at(place));
            }
        }
    }
}
