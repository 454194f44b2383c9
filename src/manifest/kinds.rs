//! Which kind of object a document is, and what becomes of it.

use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::path::FieldPath;
use super::source::{Place, Source, Span};
use super::suggest;
use super::tree::{Node, Value};
use super::yaml;

/// The kinds that are run here.
const RUN: [&str; 2] = ["CronJob", "Job"];

/// The kinds of Kubernetes' own that often stand beside a CronJob. They do no harm here, and nothing else.
const KNOWN: &[&str] = &[
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "Endpoints",
    "Event",
    "HorizontalPodAutoscaler",
    "Ingress",
    "IngressClass",
    "LimitRange",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PodTemplate",
    "PriorityClass",
    "ReplicaSet",
    "ReplicationController",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "StorageClass",
];

/// What a document is.
#[derive(Debug)]
pub(super) enum Kind {
    /// A CronJob; `beta` if it is written as the `batch/v1beta1` that Kubernetes has removed.
    CronJob { beta: bool },
    /// A Job.
    Job,
    /// A list of objects, under `items`.
    List,
    /// Something that is not run here, or not an object at all: this says why.
    None(Box<Diagnostic>),
}

/// Tells what a document is.
pub(super) fn classify(source: &Arc<Source>, document: &Node) -> Kind {
    if !matches!(document.value, Value::Mapping(_)) {
        let message = format!("a manifest is a mapping, found {}", document.value.described());
        if let Some(diagnostic) = yaml::in_crontab(source, &document.span) {
            return Kind::refused(diagnostic);
        }
        let help = match document.value {
            Value::Sequence(_) => "write each object as a document of its own, with `---` between them",
            _ => "begin with `apiVersion: batch/v1` and `kind: CronJob`",
        };
        let place = Place::new(source, document.start());
        return Kind::refused(Diagnostic::error("not-a-manifest", message).at(place).help(help));
    }
    let text = |field| document.get(field).and_then(Node::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    match (api_version, kind) {
        ("batch/v1", "CronJob") => Kind::CronJob { beta: false },
        ("batch/v1beta1", "CronJob") => Kind::CronJob { beta: true },
        ("batch/v1", "Job") => Kind::Job,
        ("v1", "List") | ("batch/v1" | "batch/v1beta1", "CronJobList" | "JobList") => Kind::List,
        (_, "") => Kind::refused(without_kind(source, document)),
        (_, kind) if RUN.contains(&kind) => Kind::refused(wrong_version(source, document, api_version, kind)),
        ("", _) => Kind::refused(missing(
            source,
            document,
            "apiVersion",
            "write the `apiVersion` that the object has",
        )),
        (version, kind) if KNOWN.contains(&kind) || is_custom(version) => {
            let place = Place::new(source, span_of(document, "kind"));
            let message = format!("{kind} is not run here; skipped");
            Kind::refused(Diagnostic::note("not-run-here", message).at(place))
        }
        (_, kind) => Kind::refused(unknown(source, document, kind)),
    }
}

impl Kind {
    fn refused(diagnostic: Diagnostic) -> Kind {
        Kind::None(Box::new(diagnostic))
    }
}

/// Whether an API group has a domain for a name, as all but Kubernetes' oldest have.
fn is_custom(api_version: &str) -> bool {
    api_version
        .split_once('/')
        .is_some_and(|(group, _)| group.contains('.'))
}

fn without_kind(source: &Arc<Source>, document: &Node) -> Diagnostic {
    let help = if document
        .get("spec")
        .and_then(|spec| spec.get("schedule"))
        .is_some()
    {
        "write `apiVersion: batch/v1` and `kind: CronJob`"
    } else {
        "write `kind: CronJob` or `kind: Job`"
    };
    missing(source, document, "kind", help)
}

fn missing(source: &Arc<Source>, document: &Node, field: &str, help: &str) -> Diagnostic {
    Diagnostic::error("not-a-manifest", format!("`{field}` is missing"))
        .at(Place::new(source, span_of(document, field)))
        .labelled("this object does not say what it is")
        .help(help)
}

fn wrong_version(source: &Arc<Source>, document: &Node, api_version: &str, kind: &str) -> Diagnostic {
    let message = if api_version.is_empty() {
        "`apiVersion` is missing".to_owned()
    } else {
        format!("there is no {kind} in `{api_version}`")
    };
    Diagnostic::error("unknown-kind", message)
        .at(Place::new(source, span_of(document, "apiVersion")))
        .help("write `apiVersion: batch/v1`")
}

fn unknown(source: &Arc<Source>, document: &Node, kind: &str) -> Diagnostic {
    let known: Vec<&str> = RUN.iter().chain(KNOWN).copied().collect();
    let help = match suggest::nearest(kind, &RUN).or_else(|| suggest::nearest(kind, &known)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "punctual runs `CronJob` and `Job`".to_owned(),
    };
    Diagnostic::error("unknown-kind", format!("unknown kind `{kind}`"))
        .at(Place::new(source, span_of(document, "kind")))
        .help(help)
}

fn span_of(document: &Node, field: &str) -> Span {
    document.span_of(&FieldPath::of(field))
}
