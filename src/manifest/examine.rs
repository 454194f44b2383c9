//! One object, read as what it says it is: its value, and everything that is wrong with it.
//!
//! Fields that are not where they belong are put there first, in a copy, so that the rest is judged by what was meant.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::DEFAULT_NAMESPACE;
use super::decode::decode;
use super::diagnostic::{Diagnostic, Severity};
use super::object::Checkable;
use super::path::FieldPath;
use super::report::Reporter;
use super::shape;
use super::source::{Place, Source};
use super::stray;
use super::tree::{Node, Value};
use super::validate::{FieldError, Findings, metadata, names};
use crate::schedule::TimeZones;

/// What there is to know of an object.
pub(crate) struct Examined<T> {
    /// What it is called, as in `CronJob shop/report`.
    pub subject: String,
    /// Its value as it was meant, without defaults; none if it can't be made out.
    pub object: Option<T>,
    /// The tree as it was meant.
    pub node: Node,
    /// What is wrong with it, in no order.
    pub diagnostics: Vec<Diagnostic>,
    /// Where its name stands, or should.
    pub place: Place,
}

/// Examines the object that `written` is. `within` is the part of it that is of the type `T`: the root, or the template
/// in an object of another kind.
pub(crate) fn examine<T: Checkable>(
    source: &Arc<Source>,
    kind: &str,
    written: &Node,
    within: &FieldPath,
    zones: &TimeZones,
) -> Examined<T> {
    let subject = subject(kind, written);
    let part = written.at(within).unwrap_or(written);
    let reporter = Reporter {
        source,
        node: part,
        within,
        subject: &subject,
    };
    let schema = T::schema();
    let mut meant = part.clone();
    let strays = stray::settle(&mut meant, schema);
    let (object, misfits) = decode::<T>(&meant, &source.text);
    let errors = |object: &Option<T>, node: &Node| {
        let mut errors = object
            .as_ref()
            .map(|object| check(object, zones))
            .unwrap_or_default();
        for error in shape::check(node, schema) {
            if !errors.iter().any(|known| known.place() == error.place()) {
                errors.push(error);
            }
        }
        errors
    };

    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    if !strays.is_empty() {
        let (as_written, wrong) = decode::<T>(part, &source.text);
        let is_valid = wrong.is_empty() && errors(&as_written, part).is_empty();
        let severity = if is_valid {
            Severity::Warning
        } else {
            Severity::Error
        };
        diagnostics.extend(strays.iter().map(|stray| stray.tell(&reporter, severity)));
    }
    let reporter = Reporter {
        node: &meant,
        ..reporter
    };
    diagnostics.extend(reporter.all(misfits, &errors(&object, &meant)));
    if within.steps().is_empty() {
        diagnostics.extend(about_the_name(&reporter));
    }
    let place = Place::new(source, written.span_of(&FieldPath::of("metadata.name")));
    Examined {
        subject,
        object,
        node: meant,
        diagnostics,
        place,
    }
}

/// What is wrong with an object once it has its defaults.
fn check<T: Checkable>(object: &T, zones: &TimeZones) -> Vec<FieldError> {
    // The object was just made from a tree, so it goes to JSON and back without loss.
    let filled = serde_json::to_value(object).and_then(|mut json| {
        T::fill_in(&mut json);
        serde_json::from_value::<T>(json)
    });
    filled.map(|filled| filled.check(zones)).unwrap_or_default()
}

/// The name of a namespace of a tree, or the one that is meant where none is written.
fn namespace(node: &Node) -> &str {
    let written = node
        .get("metadata")
        .and_then(|metadata| metadata.get("namespace"));
    let namespace = written
        .and_then(Node::as_str)
        .filter(|namespace| !namespace.is_empty());
    namespace.unwrap_or(DEFAULT_NAMESPACE)
}

/// The name of an object; none if it has none.
fn name(node: &Node) -> Option<&str> {
    let written = node.get("metadata").and_then(|metadata| metadata.get("name"));
    written.and_then(Node::as_str).filter(|name| !name.is_empty())
}

/// `CronJob shop/report`.
fn subject(kind: &str, node: &Node) -> String {
    match name(node) {
        Some(name) => format!("{kind} {}/{name}", namespace(node)),
        None => format!("{kind} without a name"),
    }
}

/// The object as JSON, with a namespace written into it.
pub(crate) fn with_namespace(node: &Node) -> Json {
    let mut json = node.to_json();
    if let Some(metadata) = json.get_mut("metadata").and_then(Json::as_object_mut) {
        metadata.insert("namespace".to_owned(), namespace(node).into());
    }
    json
}

/// What keeps an object that is looked at no further from being known when its file is read again.
pub(crate) fn without_a_name(source: &Arc<Source>, kind: &str, node: &Node) -> Vec<Diagnostic> {
    let written = node.at(&FieldPath::of("metadata.name"));
    if written.is_some_and(|name| name.value != Value::Null && name.as_str() != Some("")) {
        return Vec::new();
    }
    let (subject, within) = (subject(kind, node), &FieldPath::root());
    let reporter = Reporter {
        source,
        node,
        within,
        subject: &subject,
    };
    if let Some(generated) = generated_name(&reporter) {
        return vec![generated];
    }
    let mut found = Findings::default();
    metadata::nameless(&mut found);
    reporter.all(Vec::new(), &found.into_errors())
}

/// A name that is right for Kubernetes and yet not what a manifest should have.
fn about_the_name(reporter: &Reporter<'_>) -> Option<Diagnostic> {
    match name(reporter.node) {
        Some(name) => dotted_name(reporter, name),
        None => generated_name(reporter),
    }
}

/// A name with dots is allowed, but becomes part of host names, where a dot means something else. Kubernetes
/// warns in the same way.
fn dotted_name(reporter: &Reporter<'_>, name: &str) -> Option<Diagnostic> {
    let surprising = names::dns_subdomain(name).is_empty() && name.contains('.');
    let path = FieldPath::of("metadata.name");
    let span = reporter.node.span_of(&path);
    let message = "a name with dots in it makes for surprising host names";
    let diagnostic = reporter.place(Diagnostic::warning("dotted-name", message), &path, span);
    surprising.then(|| diagnostic.help(format!("write `{}`", name.replace('.', "-"))))
}

/// An object that is read again must be known by its name, so none can be made up for it.
fn generated_name(reporter: &Reporter<'_>) -> Option<Diagnostic> {
    let path = FieldPath::of("metadata.generateName");
    reporter.node.at(&path)?;
    let message = "a manifest needs a `name`, not a `generateName`";
    let span = reporter.node.span_of(&path);
    let diagnostic = reporter.place(Diagnostic::error("generated-name", message), &path, span);
    Some(
        diagnostic.help(
            "write `name:` and a name of its own, so that reading the file again means the same object",
        ),
    )
}

/// The objects so far, by what they are called, and where their names stand.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, Place>);

impl Names {
    /// Notes that an object is there; says so if it was there before.
    pub(crate) fn again<T>(&mut self, examined: &Examined<T>) -> Option<Diagnostic> {
        let Examined { subject, place, .. } = examined;
        if subject.ends_with(" without a name") {
            return None;
        }
        let Some(first) = self.0.get(subject) else {
            self.0.insert(subject.clone(), place.clone());
            return None;
        };
        let diagnostic = Diagnostic::error("duplicate-object", format!("there is already a {subject}"))
            .at(place.clone())
            .labelled("the same name again")
            .related(first.clone(), "first used here")
            .help("give one of the two another name or namespace, or take it out");
        Some(diagnostic)
    }
}
