//! The whole way: paths to texts, texts to documents, documents to objects that can be run.
//!
//! Nothing stops at the first problem. Every object that is right is there, every problem is told, in the
//! order of the files and, within a file, of its lines.

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::batch::v1 as batch;
use serde_json::Value as Json;

use super::decode::decode;
use super::diagnostic::Diagnostic;
use super::kinds::{Kind, classify};
use super::object::{Object, Runnable};
use super::path::FieldPath;
use super::report::Reporter;
use super::source::{Place, Source};
use super::tree::{Node, Value};
use super::validate::{FieldError, names};
use super::{read, yaml};
use crate::schedule::TimeZones;

/// The namespace of an object that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// How many diagnostics of one file are shown. Nobody reads more of them; they have one cause, such as a file
/// that is not a manifest at all.
const DIAGNOSTICS_MAX: usize = 100;

/// What was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The objects that can be run, in the order of the text.
    pub objects: Vec<Manifest>,
    /// Everything there is to say, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// An object that can be run.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The object.
    pub object: Object,
    /// The same as JSON, with everything that was written: unknown fields too. Its `apiVersion` is `batch/v1`
    /// and its namespace is filled in; other defaults are not (see [`defaults`](super::defaults)).
    pub json: Json,
    /// Where its name stands.
    pub place: Place,
}

impl Loaded {
    /// Whether anything was refused.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads and checks all that `paths` name: files, folders, and `-` for `stdin`.
pub fn load(paths: &[PathBuf], stdin: &mut dyn Read, zones: &TimeZones) -> Loaded {
    let mut loader = Loader::new(zones);
    for source in read::read_all(paths, stdin) {
        match source {
            Ok(source) => loader.take(&source),
            Err(diagnostic) => loader.say(*diagnostic),
        }
    }
    loader.finish()
}

/// Checks manifests in memory, each a name and its bytes.
pub fn load_bytes<'a>(texts: impl IntoIterator<Item = (&'a str, &'a [u8])>, zones: &TimeZones) -> Loaded {
    let mut loader = Loader::new(zones);
    for (name, bytes) in texts {
        match read::decode(name, bytes.to_vec()) {
            Ok(source) => loader.take(&source),
            Err(diagnostic) => loader.say(*diagnostic),
        }
    }
    loader.finish()
}

struct Loader<'z> {
    zones: &'z TimeZones,
    loaded: Loaded,
    /// The objects so far, by `CronJob shop/report`, and where their names stand.
    seen: HashMap<String, Place>,
}

impl<'z> Loader<'z> {
    fn new(zones: &'z TimeZones) -> Loader<'z> {
        Loader {
            zones,
            loaded: Loaded::default(),
            seen: HashMap::new(),
        }
    }

    /// What was read; says so when there is nothing to run among it.
    fn finish(mut self) -> Loaded {
        if self.loaded.objects.is_empty() && !self.loaded.has_errors() {
            let help = "punctual runs `CronJob` and `Job` objects of `apiVersion: batch/v1`";
            self.say(Diagnostic::warning("nothing-to-run", "there is nothing to run here").help(help));
        }
        self.loaded
    }

    fn take(&mut self, source: &Arc<Source>) {
        let before = self.loaded.diagnostics.len();
        let (documents, mistakes) = yaml::read(source);
        if documents.is_empty() && mistakes.is_empty() {
            let message = format!("{} holds no manifests", source.name);
            self.say(Diagnostic::error("no-manifests", message));
        }
        self.loaded.diagnostics.extend(mistakes);
        for document in documents {
            self.document(source, document);
        }
        // Problems of the text come before those of what it means; people read from top to bottom.
        self.loaded.diagnostics[before..]
            .sort_by_key(|diagnostic| diagnostic.place.as_ref().map_or(0, |place| place.span.start));
        self.shorten(before, source);
    }

    /// Keeps the first diagnostics of a file, and counts the others.
    fn shorten(&mut self, before: usize, source: &Source) {
        let keep = self.loaded.diagnostics.len().min(before + DIAGNOSTICS_MAX);
        let rest = self.loaded.diagnostics.split_off(keep);
        if let Some(worst) = rest.iter().map(|diagnostic| diagnostic.severity).min() {
            let message = format!("{} more problems in {} are not shown", rest.len(), source.name);
            self.say(Diagnostic::new(worst, "too-many-problems", message));
        }
    }

    fn document(&mut self, source: &Arc<Source>, mut document: Node) {
        match classify(source, &document) {
            Kind::None(diagnostic) => self.say(*diagnostic),
            Kind::CronJob { beta: false } => self.object::<batch::CronJob>(source, &document),
            Kind::CronJob { beta: true } => {
                self.say(beta_warning(source, &document));
                document.set_str("apiVersion", "batch/v1");
                self.object::<batch::CronJob>(source, &document);
            }
            Kind::Job => self.object::<batch::Job>(source, &document),
            Kind::List => self.list(source, document),
        }
    }

    fn list(&mut self, source: &Arc<Source>, document: Node) {
        let items_path = FieldPath::of("items");
        let place = Place::new(source, document.span_of(&items_path));
        let Value::Mapping(entries) = document.value else {
            return;
        };
        let items = entries
            .into_iter()
            .find(|entry| entry.key == "items")
            .map(|entry| entry.value.value);
        match items {
            Some(Value::Sequence(items)) if !items.is_empty() => {
                for item in items {
                    self.document(source, item);
                }
            }
            _ => self.say(Diagnostic::error("no-manifests", "this list has no `items`").at(place)),
        }
    }

    /// Decodes, fills in and checks one object; keeps it if nothing is wrong with it.
    fn object<T: Runnable>(&mut self, source: &Arc<Source>, document: &Node) {
        let name = document
            .get("metadata")
            .and_then(|metadata| metadata.get("name"))
            .and_then(Node::as_str);
        let json = with_namespace(document.to_json());
        let subject = subject(T::KIND, name, &json);
        let reporter = Reporter {
            source,
            node: document,
            subject: &subject,
        };

        let (decoded, misfits) = decode::<T>(document, &source.text);
        let errors = decoded
            .map(|object| check(&object, self.zones))
            .unwrap_or_default();
        let mut diagnostics = reporter.all(misfits, &errors);
        let place = Place::new(source, document.span_of(&FieldPath::of("metadata.name")));
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            diagnostics.extend(dotted_name(&reporter, name));
            diagnostics.extend(self.duplicate(&subject, &place));
        } else {
            diagnostics.extend(generated_name(&reporter));
        }

        let refused = diagnostics.iter().any(Diagnostic::is_error);
        self.loaded.diagnostics.extend(diagnostics);
        if let (false, Ok(object)) = (refused, T::object(&json)) {
            self.loaded.objects.push(Manifest { object, json, place });
        }
    }

    /// Notes that an object is there; says so if it was there before.
    fn duplicate(&mut self, subject: &str, place: &Place) -> Option<Diagnostic> {
        let Some(first) = self.seen.get(subject) else {
            self.seen.insert(subject.to_owned(), place.clone());
            return None;
        };
        let diagnostic = Diagnostic::error("duplicate-object", format!("there is already a {subject}"))
            .at(place.clone())
            .labelled("the same name again")
            .related(first.clone(), "first used here")
            .help("give one of the two another name or namespace, or take it out");
        Some(diagnostic)
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        self.loaded.diagnostics.push(diagnostic);
    }
}

/// What is wrong with an object once it has its defaults.
fn check<T: Runnable>(object: &T, zones: &TimeZones) -> Vec<FieldError> {
    // The object was just made from a tree, so it goes to JSON and back without loss.
    let filled = serde_json::to_value(object).and_then(|mut json| {
        T::fill_in(&mut json);
        serde_json::from_value::<T>(json)
    });
    filled.map(|filled| filled.check(zones)).unwrap_or_default()
}

/// The object with a namespace written into it.
fn with_namespace(mut json: Json) -> Json {
    if let Some(metadata) = json.get_mut("metadata").and_then(Json::as_object_mut) {
        let namespace = metadata.entry("namespace").or_insert(Json::Null);
        if namespace.is_null() || *namespace == "" {
            *namespace = DEFAULT_NAMESPACE.into();
        }
    }
    json
}

/// `CronJob shop/report`.
fn subject(kind: &str, name: Option<&str>, json: &Json) -> String {
    let namespace = json
        .pointer("/metadata/namespace")
        .and_then(Json::as_str)
        .unwrap_or(DEFAULT_NAMESPACE);
    match name {
        Some(name) if !name.is_empty() => format!("{kind} {namespace}/{name}"),
        _ => format!("{kind} without a name"),
    }
}

/// Kubernetes has removed `batch/v1beta1`; the fields are those of `batch/v1`.
fn beta_warning(source: &Arc<Source>, document: &Node) -> Diagnostic {
    let place = Place::new(source, document.span_of(&FieldPath::of("apiVersion")));
    Diagnostic::warning(
        "removed-version",
        "`batch/v1beta1` was removed in Kubernetes 1.25; read as `batch/v1`",
    )
    .at(place)
    .help("write `apiVersion: batch/v1`")
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
    let diagnostic = reporter.place(
        Diagnostic::error("required-field", message),
        &path,
        reporter.node.span_of(&path),
    );
    Some(
        diagnostic.help(
            "write `name:` and a name of its own, so that reading the file again means the same object",
        ),
    )
}
