//! Builds trees from the parser's events: nesting, anchors and aliases, limits.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, ScalarStyle, Tag};

use super::mapping::{Duplicate, Mapping};
use super::{DEPTH_MAX, VALUES_MAX, mistake, scalar};
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::source::{Place, Source, Span};
use crate::manifest::tree::{Node, Value};

/// A document in the making.
pub(super) struct Builder<'s> {
    source: &'s Arc<Source>,
    open: Vec<Collection>,
    anchors: HashMap<usize, Node>,
    values: usize,
    /// Set once a limit is passed: nothing more is read.
    full: bool,
    /// Whether the document being read has a mistake that makes its tree worthless.
    broken: bool,
    /// How many documents there were when this one began.
    before: usize,
    documents: Vec<Node>,
    diagnostics: Vec<Diagnostic>,
}

/// A list or mapping whose end has not come yet.
struct Collection {
    start: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping(Mapping),
}

impl<'s> Builder<'s> {
    pub(super) fn new(source: &'s Arc<Source>) -> Builder<'s> {
        Builder {
            source,
            open: Vec::new(),
            anchors: HashMap::new(),
            values: 0,
            full: false,
            broken: false,
            before: 0,
            documents: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Takes the parser's next event.
    pub(super) fn take(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::DocumentStart(..) => self.start_document(),
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), span);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(span.start, anchor, Content::Sequence(Vec::new()));
            }
            Event::MappingStart(_, anchor, _) => {
                self.open(span.start, anchor, Content::Mapping(Mapping::default()));
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end),
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => {}
        }
    }

    /// Leaves the document that is being read, because of a mistake.
    pub(super) fn give_up(&mut self, diagnostic: Diagnostic) {
        if self.broken {
            // What follows a mistake is mostly its echo.
            return;
        }
        self.diagnostics.push(diagnostic);
        self.broken = true;
        self.open.clear();
        self.documents.truncate(self.before);
    }

    /// Whether a limit was passed, so that reading on is pointless.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// The documents and what is wrong with them.
    pub(super) fn finish(self) -> (Vec<Node>, Vec<Diagnostic>) {
        (self.documents, self.diagnostics)
    }

    fn start_document(&mut self) {
        self.open.clear();
        self.anchors.clear();
        self.broken = false;
        self.before = self.documents.len();
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tag>, span: Span) {
        let plain = match tag.and_then(Tag::core_suffix) {
            Some("str") => false,
            Some("bool" | "int" | "float" | "null") => true,
            _ => style == ScalarStyle::Plain,
        };
        let value = if plain {
            scalar::resolve(text)
        } else {
            Value::String(text.to_owned())
        };
        self.add(Node { span, value }, anchor, Some(text));
    }

    fn open(&mut self, start: usize, anchor: usize, content: Content) {
        if self.open.len() >= DEPTH_MAX {
            return self.refuse_depth(start..start);
        }
        self.open.push(Collection {
            start,
            anchor,
            content,
        });
    }

    fn close(&mut self, end: usize) {
        let Some(Collection {
            start,
            anchor,
            content,
        }) = self.open.pop()
        else {
            return;
        };
        let value = match content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping(mapping) => {
                let (entries, duplicates) = mapping.finish();
                match second_object(&duplicates).filter(|_| self.open.is_empty()) {
                    Some(second) => self.refuse_second_object(second),
                    None => duplicates
                        .into_iter()
                        .for_each(|duplicate| self.refuse_duplicate(duplicate)),
                }
                Value::Mapping(entries)
            }
        };
        self.add(
            Node {
                span: start..end.max(start),
                value,
            },
            anchor,
            None,
        );
    }

    /// Puts a copy of what the anchor names where the alias stands.
    fn alias(&mut self, anchor: usize, span: Span) {
        let Some(target) = self.anchors.get(&anchor) else {
            let place = Place::new(self.source, span);
            let message = "this alias stands inside the value that it names";
            return self.give_up(Diagnostic::error("yaml-syntax", message).at(place));
        };
        if self.values + target.size() > VALUES_MAX {
            return self.refuse_size(span);
        }
        if self.open.len() + target.depth() > DEPTH_MAX {
            return self.refuse_depth(span);
        }
        let target = target.clone();
        self.values += target.size() - 1;
        let text = target.as_str().map(ToOwned::to_owned);
        self.add(target, 0, text.as_deref());
    }

    /// Adds a finished value to what it stands in. `text` is what a scalar says, for use as a key.
    fn add(&mut self, node: Node, anchor: usize, text: Option<&str>) {
        if self.broken {
            return;
        }
        self.values += 1;
        if self.values > VALUES_MAX {
            return self.refuse_size(node.span);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(collection) = self.open.last_mut() else {
            if node.value != Value::Null {
                self.documents.push(node);
            }
            return;
        };
        match &mut collection.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping(mapping) => {
                if let Err(node) = mapping.take(node, text) {
                    self.give_up(mistake::key_that_is_no_word(self.source, node.span));
                }
            }
        }
    }

    fn refuse_duplicate(&mut self, Duplicate { key, first, again }: Duplicate) {
        let diagnostic = Diagnostic::error("duplicate-key", format!("`{key}` is written twice"))
            .at(Place::new(self.source, again))
            .labelled("here again")
            .related(Place::new(self.source, first), "first written here")
            .help("keep one of the two");
        self.diagnostics.push(diagnostic);
    }

    fn refuse_second_object(&mut self, Duplicate { first, again, .. }: &Duplicate) {
        let diagnostic = Diagnostic::error(
            "duplicate-key",
            "a second object begins here, and nothing separates it from the first",
        )
        .at(Place::new(self.source, again.clone()))
        .related(Place::new(self.source, first.clone()), "the first begins here")
        .help("write `---` on a line of its own above it");
        self.diagnostics.push(diagnostic);
    }

    fn refuse_size(&mut self, span: Span) {
        self.full = true;
        let message = format!("this file holds more than {VALUES_MAX} values");
        self.give_up(
            Diagnostic::error("too-large", message)
                .at(Place::new(self.source, span))
                .help("an alias counts as all the values that it stands for; split the file, or write less with aliases"),
        );
    }

    fn refuse_depth(&mut self, span: Span) {
        self.full = true;
        let message = format!("more than {DEPTH_MAX} lists and mappings stand within each other here");
        self.give_up(Diagnostic::error("too-deep", message).at(Place::new(self.source, span)));
    }
}

/// Where a second object begins in the mapping of the first: both keys that every object begins with are there again.
fn second_object(duplicates: &[Duplicate]) -> Option<&Duplicate> {
    let again = |key: &str| duplicates.iter().find(|duplicate| duplicate.key == key);
    let both = again("apiVersion").zip(again("kind"))?;
    [both.0, both.1]
        .into_iter()
        .min_by_key(|duplicate| duplicate.again.start)
}
