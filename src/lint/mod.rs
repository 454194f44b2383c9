//! `lint`: what is wrong with manifests, and what is likely not what their author meant.
//!
//! ```text
//!  texts ─ document ─▶ objects ─ examine ─▶ what is wrong ──────────┐
//!                         │                                         ├─▶ a rule for each ─▶ Report
//!                         └──▶ Subject ─ rules ─▶ what may surprise ┘    (minus what is silenced)
//! ```
//!
//! What `examine` finds while it reads an object has a rule as well, so every finding has a stable code, a severity, a
//! page and a way to silence it.
//!
//! | file | what it is for |
//! |---|---|
//! | `rule` | what a rule is |
//! | `register` | all of them |
//! | `rules/` | one file a rule |
//! | `subject` | what a rule gets to see |
//! | `silence` | what is not to be told |
//! | `meant` | schedules in the dialect that they are meant in |
//! | `claims` | the volumes of stateful sets |
//! | `calendar` | calendars, which are looked at beside objects with pods |

mod calendar;
mod claims;
mod meant;
mod register;
mod rule;
mod rules;
mod silence;
mod subject;

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};

pub use self::register::{find, rules};
use self::rule::Finds;
pub use self::rule::Rule;
use self::subject::{Object, Subject};
use crate::manifest::diagnostic::{Diagnostic, Severity};
use crate::manifest::document::{Document, documents};
use crate::manifest::examine::{Names, examine};
use crate::manifest::kinds::{Kind, removed_version};
use crate::manifest::object::Checkable;
use crate::manifest::path::FieldPath;
use crate::manifest::read;
pub use crate::manifest::read::Depth;
use crate::manifest::report::Reporter;
use crate::manifest::schema::Version;
use crate::manifest::source::Source;
use crate::manifest::tree::Node;
use crate::schedule::{Dialect, TimeZones, Timestamp};

/// The first version that does not serve `batch/v1beta1`.
const BETA_REMOVED: Version = Version { major: 1, minor: 25 };

/// What matters to those that run manifests, but breaks no rule.
const NO_RULES: [&str; 1] = ["generated-name"];

/// What is asked of a lint.
#[derive(Debug, Clone)]
pub struct Options {
    /// The version of Kubernetes that the manifests are for.
    pub kubernetes: Version,
    /// Rules that are not applied.
    pub ignore: Vec<&'static Rule>,
    /// The dialect that schedules are meant in where the object does not say.
    pub dialect: Option<Dialect>,
    /// The time from which on schedules are looked at.
    pub now: Timestamp,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What is wrong, where, and what to write. Its code is that of the rule.
    pub diagnostic: Diagnostic,
}

/// What was found in some manifests.
#[derive(Debug, Default)]
pub struct Report {
    /// What was found, in the order of the texts and, within a text, of its lines.
    pub findings: Vec<Finding>,
    /// How many CronJobs, Jobs and objects with pods were looked at.
    pub objects: usize,
    /// How many objects of other kinds passed by.
    pub others: usize,
    /// How many findings were silenced by an annotation or an option.
    pub silenced: usize,
}

impl Report {
    /// Whether anything was found that matters at least so much.
    pub fn has(&self, severity: Severity) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.diagnostic.severity <= severity)
    }

    /// How many findings are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        let is_it = |finding: &&Finding| finding.diagnostic.severity == severity;
        self.findings.iter().filter(is_it).count()
    }
}

/// Lints all that `paths` name: files, folders to a depth, and `-` for `stdin`.
pub fn lint(
    paths: &[PathBuf],
    depth: Depth,
    stdin: &mut dyn Read,
    zones: &TimeZones,
    options: &Options,
) -> Report {
    let mut linter = Linter::new(zones, options);
    for source in read::read_all(paths, depth, stdin) {
        match source {
            Ok(source) => linter.take(&source),
            Err(diagnostic) => linter.found(*diagnostic),
        }
    }
    linter.finish()
}

/// Lints manifests in memory, each a name and its bytes.
pub fn lint_bytes<'a>(
    texts: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    zones: &TimeZones,
    options: &Options,
) -> Report {
    let mut linter = Linter::new(zones, options);
    for (name, bytes) in texts {
        match read::decode(name, bytes.to_vec()) {
            Ok(source) => linter.take(&source),
            Err(diagnostic) => linter.found(*diagnostic),
        }
    }
    linter.finish()
}

struct Linter<'z> {
    zones: &'z TimeZones,
    options: &'z Options,
    names: Names,
    subjects: Vec<Subject>,
    /// The names of the texts, for their order.
    texts: Vec<Arc<Source>>,
    report: Report,
}

impl<'z> Linter<'z> {
    fn new(zones: &'z TimeZones, options: &'z Options) -> Linter<'z> {
        Linter {
            zones,
            options,
            names: Names::default(),
            subjects: Vec::new(),
            texts: Vec::new(),
            report: Report::default(),
        }
    }

    fn take(&mut self, source: &Arc<Source>) {
        self.texts.push(Arc::clone(source));
        let (documents, mistakes) = documents(source);
        for mistake in mistakes {
            self.found(mistake);
        }
        for document in documents {
            self.document(source, document);
        }
    }

    fn document(&mut self, source: &Arc<Source>, Document { mut node, kind }: Document) {
        let root = FieldPath::root();
        match kind {
            Kind::CronJob { removed } => {
                if removed {
                    self.removed_version(source, &node);
                    node.set_str("apiVersion", "batch/v1");
                }
                self.object::<batch::CronJob>(source, &node, &root, |object| {
                    Object::CronJob(Box::new(object))
                });
            }
            Kind::Job => {
                self.object::<batch::Job>(source, &node, &root, |object| Object::Job(Box::new(object)));
            }
            Kind::Pods("") => self.object::<Pod>(source, &node, &root, |pod| {
                Object::Pods(Box::new(PodTemplateSpec {
                    metadata: Some(pod.metadata),
                    spec: pod.spec,
                }))
            }),
            Kind::Pods(template) => {
                let within = FieldPath::of(template);
                claims::add(&mut node);
                self.object::<PodTemplateSpec>(source, &node, &within, |pods| Object::Pods(Box::new(pods)));
            }
            Kind::Other | Kind::List => {
                self.report.others += 1;
                for mistake in calendar::mistakes(source, &node) {
                    self.found_in(&silence::rules(silence::text(&node)), mistake);
                }
            }
        }
    }

    /// A version that is not served any more, if it is not by the version that is meant.
    fn removed_version(&mut self, source: &Arc<Source>, node: &Node) {
        let is_beta = node.get("apiVersion").and_then(Node::as_str) == Some("batch/v1beta1");
        if !is_beta || self.options.kubernetes >= BETA_REMOVED {
            self.found_in(
                &silence::rules(silence::text(node)),
                removed_version(source, node),
            );
        }
    }

    fn object<T: Checkable>(
        &mut self,
        source: &Arc<Source>,
        written: &Node,
        within: &FieldPath,
        keep: fn(T) -> Object,
    ) {
        let kind = written.get("kind").and_then(Node::as_str).unwrap_or_default();
        if written.at(within).is_none() {
            // A workload without a template is for the validation of its own kind.
            self.report.others += 1;
            return;
        }
        self.report.objects += 1;
        let mut examined = examine::<T>(source, kind, written, within, self.zones);
        if let Some(dialect) = self.options.dialect {
            meant::in_dialect(dialect, written, &mut examined.diagnostics);
        }
        examined.diagnostics.extend(self.names.again(&examined));
        let silenced = silence::rules(silence::text(written));
        // What could not be read counts as not written; what a rule would say of that is not true.
        let unread: Vec<FieldPath> = examined
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.code == "wrong-type")
            .filter_map(|diagnostic| diagnostic.path.clone())
            .collect();
        let is_read = |diagnostic: &Diagnostic| {
            let path = diagnostic.path.as_ref();
            !path.is_some_and(|path| unread.iter().any(|unread| path.is_within(unread)))
        };
        for diagnostic in examined.diagnostics {
            self.found_in(&silenced, diagnostic);
        }
        let Some(object) = examined.object else {
            return;
        };
        let reporter = Reporter {
            source,
            node: &examined.node,
            within,
            subject: &examined.subject,
        };
        let mut subject = Subject::new(&reporter, T::schema(), keep(object), self.options, silenced);
        subject.understand(self.zones, self.options.now);
        for rule in rules() {
            if let Finds::InObject(check) = rule.finds {
                for diagnostic in check(&subject).into_iter().filter(is_read) {
                    self.tell(rule, &subject.silenced, diagnostic);
                }
            }
        }
        self.subjects.push(subject);
    }

    /// What was found while reading, outside any object that could silence it.
    fn found(&mut self, diagnostic: Diagnostic) {
        self.found_in(&[], diagnostic);
    }

    fn found_in(&mut self, silenced: &[&'static Rule], diagnostic: Diagnostic) {
        match register::of_reading(diagnostic.code) {
            Some(rule) => self.tell(rule, silenced, diagnostic),
            None => debug_assert!(
                NO_RULES.contains(&diagnostic.code),
                "{} has no rule",
                diagnostic.code
            ),
        }
    }

    fn tell(&mut self, rule: &'static Rule, silenced: &[&'static Rule], mut diagnostic: Diagnostic) {
        if silenced.contains(&rule) || self.options.ignore.contains(&rule) {
            self.report.silenced += 1;
            return;
        }
        diagnostic.code = rule.name;
        diagnostic.severity = rule.severity;
        diagnostic.rule = Some(rule.code);
        self.report.findings.push(Finding { rule, diagnostic });
    }

    fn finish(mut self) -> Report {
        let subjects = std::mem::take(&mut self.subjects);
        for rule in rules() {
            if let Finds::InAll(check) = rule.finds {
                let heard: Vec<&Subject> = subjects
                    .iter()
                    .filter(|subject| !subject.silenced.contains(&rule))
                    .collect();
                for diagnostic in check(&heard) {
                    self.tell(rule, &[], diagnostic);
                }
            }
        }
        let order: HashMap<*const Source, usize> = self.texts.iter().map(Arc::as_ptr).zip(0..).collect();
        // What is about a text as a whole comes first.
        self.report.findings.sort_by_cached_key(|finding| {
            let place = finding.diagnostic.place.as_ref();
            place.map(|place| {
                (
                    order.get(&Arc::as_ptr(&place.source)).copied(),
                    place.span.start,
                    finding.rule.code,
                )
            })
        });
        self.report
    }
}
