//! The whole way: paths to texts, texts to documents, documents to objects that can be run.
//!
//! Nothing stops at the first problem. Every object that is right is there, every problem is told, in the
//! order of the files and, within a file, of its lines.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::batch::v1 as batch;
use serde_json::Value as Json;

use super::adoption::Adoption;
use super::annotation;
use super::diagnostic::Diagnostic;
use super::document::{Document, documents};
use super::examine::{Names, examine, with_namespace, without_a_name};
use super::kinds::{Kind, not_run_here, removed_version};
use super::object::{Object, Runnable};
use super::path::FieldPath;
use super::read::{self, Depth};
use super::report::Reporter;
use super::source::{Place, Source};
use super::tree::Node;
use crate::cronjob::extension::ExtensionError;
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
    /// The objects that those may need, in the order of the text.
    pub companions: Vec<Companion>,
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

/// An object that is not run, but that pods may need: kept as it is written, for the API to look at.
#[derive(Debug, Clone)]
pub struct Companion {
    /// Its kind, one of `v1`.
    pub kind: &'static str,
    /// What is written. A namespace is filled in where the kind has one.
    pub json: Json,
    /// Where it begins.
    pub place: Place,
}

/// The kinds of [`Companion`]s.
pub const COMPANIONS: [&str; 5] = ["ConfigMap", "Namespace", "Pod", "Secret", "ServiceAccount"];

impl Loaded {
    /// Leaves out everything that is in a file with an error, and returns the names of those files.
    pub fn drop_broken_files(&mut self) -> BTreeSet<String> {
        let errors = self.diagnostics.iter().filter(|one| one.is_error());
        let places = errors.filter_map(|error| error.place.as_ref());
        let broken: BTreeSet<String> = places.map(|place| place.source.name.clone()).collect();
        self.objects
            .retain(|one| !broken.contains(&one.place.source.name));
        self.companions
            .retain(|one| !broken.contains(&one.place.source.name));
        broken
    }

    /// Whether anything was refused.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads and checks all that `paths` name: files, folders, and `-` for `stdin`.
pub fn load(paths: &[PathBuf], stdin: &mut dyn Read, zones: &TimeZones) -> Loaded {
    let mut loader = Loader::new(zones);
    for source in read::read_all(paths, Depth::Flat, stdin) {
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
    names: Names,
}

impl<'z> Loader<'z> {
    fn new(zones: &'z TimeZones) -> Loader<'z> {
        Loader {
            zones,
            loaded: Loaded::default(),
            names: Names::default(),
        }
    }

    /// What was read; says so when there is nothing to run among it.
    fn finish(mut self) -> Loaded {
        let is_nothing = self.loaded.objects.is_empty() && self.loaded.companions.is_empty();
        if is_nothing && !self.loaded.has_errors() {
            let help = "punctual runs `CronJob` and `Job` objects of `apiVersion: batch/v1`";
            self.say(Diagnostic::warning("nothing-to-run", "there is nothing to run here").help(help));
        }
        self.loaded
    }

    fn take(&mut self, source: &Arc<Source>) {
        let before = self.loaded.diagnostics.len();
        let (documents, mistakes) = documents(source);
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

    fn document(&mut self, source: &Arc<Source>, Document { mut node, kind }: Document) {
        match kind {
            Kind::CronJob { removed } => {
                if removed {
                    self.say(removed_version(source, &node));
                    node.set_str("apiVersion", "batch/v1");
                }
                self.object::<batch::CronJob>(source, &node);
            }
            Kind::Job => self.object::<batch::Job>(source, &node),
            Kind::Pods(_) | Kind::Other | Kind::List => match companion(source, &node) {
                Some(companion) => {
                    let mistakes = without_a_name(source, companion.kind, &node);
                    if mistakes.is_empty() {
                        self.loaded.companions.push(companion);
                    }
                    self.loaded.diagnostics.extend(mistakes);
                }
                None => self.say(not_run_here(source, &node)),
            },
        }
    }

    /// Examines one object; keeps it if nothing is wrong with it.
    fn object<T: Runnable>(&mut self, source: &Arc<Source>, node: &Node) {
        let mut examined = examine::<T>(source, T::KIND, node, &FieldPath::root(), self.zones);
        examined.diagnostics.extend(self.names.again(&examined));
        let refused = examined.diagnostics.iter().any(Diagnostic::is_error);
        self.loaded.diagnostics.extend(examined.diagnostics);
        let json = with_namespace(node);
        if let (false, Ok(object)) = (refused, T::object(&json)) {
            let reporter = Reporter {
                source,
                node: &examined.node,
                within: &FieldPath::root(),
                subject: &examined.subject,
            };
            let mistakes = mistaken_annotations(&object);
            let said = mistakes
                .iter()
                .map(|mistake| annotation::tell(&reporter, mistake));
            self.loaded.diagnostics.extend(said);
            let place = examined.place;
            self.loaded.objects.push(Manifest { object, json, place });
        }
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        self.loaded.diagnostics.push(diagnostic);
    }
}

/// What is wrong with the annotations of a CronJob, which is run in spite of it.
fn mistaken_annotations(object: &Object) -> Vec<ExtensionError> {
    match object {
        Object::CronJob(cronjob) => Adoption::All.mistakes(cronjob),
        Object::Job(_) => vec![],
    }
}

fn companion(source: &Arc<Source>, node: &Node) -> Option<Companion> {
    let text = |field| node.get(field).and_then(Node::as_str).unwrap_or_default();
    let known = COMPANIONS.into_iter().find(|kind| *kind == text("kind"));
    let kind = known.filter(|_| text("apiVersion") == "v1")?;
    let json = if kind == "Namespace" {
        node.to_json()
    } else {
        with_namespace(node)
    };
    let place = Place::new(source, node.start());
    Some(Companion { kind, json, place })
}
