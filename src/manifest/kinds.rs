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

/// Kinds that have pods, by the group and version that serves them, and where the template of their pods is.
const PODS: [(&str, &str, &str); 7] = [
    ("v1", "Pod", ""),
    ("v1", "PodTemplate", "template"),
    ("v1", "ReplicationController", "spec.template"),
    ("apps/v1", "DaemonSet", "spec.template"),
    ("apps/v1", "Deployment", "spec.template"),
    ("apps/v1", "ReplicaSet", "spec.template"),
    ("apps/v1", "StatefulSet", "spec.template"),
];

/// Versions of CronJobs that Kubernetes no longer serves; their fields are those of `batch/v1`.
const REMOVED: [&str; 2] = ["batch/v1beta1", "batch/v2alpha1"];

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A CronJob; `removed` if it is written in a version that Kubernetes no longer serves.
    CronJob { removed: bool },
    /// A Job.
    Job,
    /// A list of objects, under `items`.
    List,
    /// Something else that has pods; where their template is, and nothing for a pod.
    Pods(&'static str),
    /// An object of a kind that is of no concern here.
    Other,
}

/// Tells what a document is, or why it is no object.
pub(crate) fn classify(source: &Arc<Source>, document: &Node) -> Result<Kind, Box<Diagnostic>> {
    if !matches!(document.value, Value::Mapping(_)) {
        return Err(Box::new(not_a_mapping(source, document)));
    }
    let text = |field| document.get(field).and_then(Node::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let pods = |&(version, name, template): &(&str, &str, &'static str)| {
        (version == api_version && name == kind).then_some(Kind::Pods(template))
    };
    let refused = match (api_version, kind) {
        ("batch/v1", "CronJob") => return Ok(Kind::CronJob { removed: false }),
        (version, "CronJob") if REMOVED.contains(&version) => return Ok(Kind::CronJob { removed: true }),
        ("batch/v1", "Job") => return Ok(Kind::Job),
        ("v1", "List") | ("batch/v1" | "batch/v1beta1", "CronJobList" | "JobList") => return Ok(Kind::List),
        (_, "") => without_kind(source, document),
        (_, kind) if RUN.contains(&kind) => wrong_version(source, document, api_version, kind),
        ("", _) => missing(
            source,
            document,
            "apiVersion",
            "write the `apiVersion` that the object has",
        ),
        (version, kind) if KNOWN.contains(&kind) || is_custom(version) => {
            return Ok(PODS.iter().find_map(pods).unwrap_or(Kind::Other));
        }
        (_, kind) => unknown(source, document, kind),
    };
    Err(Box::new(refused))
}

fn not_a_mapping(source: &Arc<Source>, document: &Node) -> Diagnostic {
    let message = format!("a manifest is a mapping, found {}", document.value.described());
    let help = match document.value {
        Value::Sequence(_) => "write each object as a document of its own, with `---` between them",
        _ => "begin with `apiVersion: batch/v1` and `kind: CronJob`",
    };
    let place = Place::new(source, document.start());
    yaml::in_crontab(source, &document.span)
        .unwrap_or_else(|| Diagnostic::error("not-a-manifest", message).at(place).help(help))
}

/// Says that an object is passed over.
pub(crate) fn not_run_here(source: &Arc<Source>, document: &Node) -> Diagnostic {
    let kind = document.get("kind").and_then(Node::as_str).unwrap_or_default();
    let place = Place::new(source, span_of(document, "kind"));
    Diagnostic::note("not-run-here", format!("{kind} is not run here; skipped")).at(place)
}

/// Kubernetes has removed the version that a CronJob is written in.
pub(crate) fn removed_version(source: &Arc<Source>, document: &Node) -> Diagnostic {
    let version = document
        .get("apiVersion")
        .and_then(Node::as_str)
        .unwrap_or_default();
    let until = if version == "batch/v1beta1" {
        "1.25"
    } else {
        "1.21"
    };
    let message = format!("`{version}` was removed in Kubernetes {until}; read as `batch/v1`");
    Diagnostic::warning("removed-version", message)
        .at(Place::new(source, span_of(document, "apiVersion")))
        .help("write `apiVersion: batch/v1`")
}

/// Whether an API group has a domain for a name, as all but Kubernetes' oldest have.
fn is_custom(api_version: &str) -> bool {
    api_version
        .split_once('/')
        .is_some_and(|(group, _)| group.contains('.'))
}

fn without_kind(source: &Arc<Source>, document: &Node) -> Diagnostic {
    if let Some(path) = misplaced_kind(document) {
        let place = Place::new(source, document.key_span(&path));
        return Diagnostic::error(
            "not-a-manifest",
            format!("`kind` is indented too far: it is in `{}`", owner(&path)),
        )
        .at(place)
        .labelled("this is not the kind of the object")
        .help("let `kind` start in the first column, as `apiVersion` does");
    }
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

/// Where a `kind` is that was probably meant for the object itself.
fn misplaced_kind(document: &Node) -> Option<FieldPath> {
    let paths = ["apiVersion.kind", "metadata.kind", "spec.kind"].map(FieldPath::of);
    paths.into_iter().find(|path| document.at(path).is_some())
}

fn owner(path: &FieldPath) -> String {
    path.parent().map(|parent| parent.to_string()).unwrap_or_default()
}

fn missing(source: &Arc<Source>, document: &Node, field: &str, help: &str) -> Diagnostic {
    Diagnostic::error("not-a-manifest", format!("`{field}` is missing"))
        .at(Place::new(source, span_of(document, field)))
        .labelled("this object does not say what it is")
        .help(help)
}

fn wrong_version(source: &Arc<Source>, document: &Node, api_version: &str, kind: &str) -> Diagnostic {
    if let Some(written) = misspelt(document, "apiVersion") {
        let place = Place::new(source, document.key_span(&FieldPath::root().child(written)));
        return Diagnostic::error("unknown-kind", format!("`{written}` is not `apiVersion`"))
            .at(place)
            .help("write `apiVersion`");
    }
    let message = if api_version.is_empty() {
        "`apiVersion` is missing".to_owned()
    } else {
        format!("there is no {kind} in `{api_version}`")
    };
    Diagnostic::error("unknown-kind", message)
        .at(Place::new(source, span_of(document, "apiVersion")))
        .help("write `apiVersion: batch/v1`")
}

/// The field of a document that was meant to be another, which is missing.
fn misspelt<'d>(document: &'d Node, field: &str) -> Option<&'d str> {
    let Value::Mapping(entries) = &document.value else {
        return None;
    };
    if document.get(field).is_some() {
        return None;
    }
    let mut keys = entries.iter().map(|entry| entry.key.as_str());
    keys.find(|key| suggest::nearest(key, &[field]).is_some())
}

fn unknown(source: &Arc<Source>, document: &Node, kind: &str) -> Diagnostic {
    let known: Vec<&str> = RUN.iter().chain(KNOWN).copied().collect();
    // What CronJobs were called at first.
    let was_called_so = (kind == "ScheduledJob").then_some("CronJob");
    let help = match was_called_so
        .or_else(|| suggest::nearest(kind, &RUN))
        .or_else(|| suggest::nearest(kind, &known))
    {
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
