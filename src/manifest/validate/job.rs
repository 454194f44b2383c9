//! Jobs, and the templates that CronJobs make them from (rule V7).
//!
//! Kubernetes: `ValidateJob`, `ValidateJobUpdate` and `ValidateJobTemplateSpec`.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{Job, JobSpec, JobTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{
    FieldError, Findings, Hint, completion, metadata, names, pod, pod_failure_policy, runtime, selector,
    success_policy,
};
use crate::cronjob::{JOB_NAME_LABEL, pod_labels};
use crate::manifest::path::FieldPath;

type Labels = BTreeMap<String, String>;

mod status;
mod update;

pub use status::update_status;
pub use update::update;

/// The longest `managedBy`, in characters.
const MANAGED_BY_MAX: usize = 63;

/// How to choose a `restartPolicy`.
const RESTART_ADVICE: &str =
    "`OnFailure` starts a failed container again in its pod, `Never` tries again with a new pod";

/// What is wrong with a Job that is to be created.
///
/// A Job's name is also a label of its pods, unless they are selected in a way of the user's own, so it may have 63 bytes;
/// Kubernetes reports a longer one at the label, which a manifest does not have yet.
pub fn create(job: &Job) -> Vec<FieldError> {
    let mut found = Findings::default();
    let path = FieldPath::of("spec");
    let Some(spec) = &job.spec else {
        metadata::create(&job.metadata, &mut found);
        found.required(&path, "");
        return found.into_errors();
    };
    metadata::create(&without_generated(job), &mut found);
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let is_told = labels_of(spec).is_some_and(|labels| labels.contains_key(JOB_NAME_LABEL));
    let becomes_label = spec.manual_selector != Some(true) && !is_told;
    if name.len() > names::LABEL_BYTES_MAX && becomes_label {
        let rule = format!("must be no more than {} bytes", names::LABEL_BYTES_MAX);
        found.invalid(&FieldPath::of("metadata.name"), name, rule);
    }
    check_generated(job, spec, &path, &mut found);
    check_spec(spec, &path, &mut found);
    runtime::check(
        spec.template.metadata.as_ref(),
        &path.child("template.metadata"),
        &mut found,
    );
    // A manifest has a selector only if it is its own, and there is more to say of any other above.
    if job.metadata.uid.is_some() || spec.manual_selector == Some(true) {
        check_selector(spec, &path, &mut found);
    }
    completion::check_host_names(name, spec, &mut found);
    found.into_errors()
}

/// The Job's metadata, without the labels that it has only because its pods were given them.
fn without_generated(job: &Job) -> ObjectMeta {
    let mut metadata = job.metadata.clone();
    let is_generated = |key: &String| pod_labels((), ()).iter().any(|(label, ())| label == key);
    if metadata.labels.as_ref() == job.spec.as_ref().and_then(labels_of)
        && metadata.labels.iter().flatten().all(|(key, _)| is_generated(key))
    {
        metadata.labels = None;
    }
    metadata
}

/// What is wrong with the template that a CronJob makes its Jobs from. Its labels and annotations are checked
/// only when a Job is made of them, as in Kubernetes.
pub(super) fn check_template(template: &JobTemplateSpec, path: &FieldPath, found: &mut Findings) {
    let path = path.child("spec");
    let Some(spec) = &template.spec else {
        // Kubernetes reads a missing spec as an empty one, and so finds what every empty spec lacks.
        return check_spec(&JobSpec::default(), &path, found);
    };
    check_spec(spec, &path, found);
    if let Some(selector) = &spec.selector {
        let error = found.invalid(
            &path.child("selector"),
            selector,
            "`selector` will be auto-generated",
        );
        error.hint(Hint {
            message: "a CronJob's Jobs find their pods by themselves".to_owned(),
            help: Some("leave `selector` out".to_owned()),
            ..Hint::default()
        });
    }
    if spec.manual_selector == Some(true) {
        found.not_supported(&path.child("manualSelector"), true, &["nil", "false"]);
    }
}

fn check_spec(spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    found.not_negative(&path.child("parallelism"), spec.parallelism);
    found.not_negative(&path.child("completions"), spec.completions);
    found.not_negative(&path.child("activeDeadlineSeconds"), spec.active_deadline_seconds);
    found.not_negative(&path.child("backoffLimit"), spec.backoff_limit);
    found.not_negative(
        &path.child("ttlSecondsAfterFinished"),
        spec.ttl_seconds_after_finished,
    );
    completion::check_limits(spec, path, found);
    managed_by(spec.managed_by.as_deref(), &path.child("managedBy"), found);
    completion::check(spec, path, found);
    pod_failure_policy::check(spec, &path.child("podFailurePolicy"), found);
    success_policy::check(spec, &path.child("successPolicy"), found);
    pod_replacement_policy(spec, &path.child("podReplacementPolicy"), found);
    pod::check_template(&spec.template, &path.child("template"), found);
    restart_policy(spec, &path.child("template.spec.restartPolicy"), found);
}

/// A pod that finishes must be able to stay finished, so `Always`, which is what a pod has when it says
/// nothing, is as good as missing.
fn restart_policy(spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    let policy = spec
        .template
        .spec
        .as_ref()
        .and_then(|pod| pod.restart_policy.as_deref());
    match policy.unwrap_or_default() {
        "" | "Always" => {
            let always = policy == Some("Always");
            let message = "a Job's pods cannot restart `Always`: they would never be done";
            let hint = Hint {
                message: if always { message.to_owned() } else { String::new() },
                label: always.then(|| "`OnFailure` or `Never`".to_owned()),
                help: Some(RESTART_ADVICE.to_owned()),
                ..Hint::default()
            };
            found.required_hinting(path, "valid values: \"OnFailure\", \"Never\"", hint);
        }
        "OnFailure" if spec.pod_failure_policy.is_some() => {
            found.invalid(
                path,
                policy,
                "only \"Never\" is supported when podFailurePolicy is specified",
            );
        }
        "OnFailure" | "Never" => {}
        other => found.not_supported(path, other, &["OnFailure", "Never"]),
    }
}

fn pod_replacement_policy(spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    let supported: &[&str] = if spec.pod_failure_policy.is_some() {
        &["Failed"]
    } else {
        &["Failed", "TerminatingOrFailed"]
    };
    if let Some(policy) = spec.pod_replacement_policy.as_deref()
        && !supported.contains(&policy)
    {
        found.not_supported(path, policy, supported);
    }
}

/// A path under a domain: `example.com/controller`.
fn managed_by(manager: Option<&str>, path: &FieldPath, found: &mut Findings) {
    let Some(manager) = manager else { return };
    match manager.split_once('/') {
        _ if manager.is_empty() => found.required(path, ""),
        Some((host, rest)) if !host.is_empty() && !rest.is_empty() => {
            for rule in names::dns_subdomain(host) {
                found.invalid(path, host, rule);
            }
            if !rest.bytes().all(is_path_byte) {
                let rule = r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')";
                found.invalid(path, rest, rule);
            }
        }
        _ => {
            found.invalid(
                path,
                manager,
                "must be a domain-prefixed path (such as \"acme.io/foo\")",
            );
        }
    }
    if manager.len() > MANAGED_BY_MAX {
        found.too_long(path, MANAGED_BY_MAX);
    }
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte)
}

fn labels_of(spec: &JobSpec) -> Option<&Labels> {
    spec.template.metadata.as_ref()?.labels.as_ref()
}

/// Checks that the labels and the selector that the API server makes are not somebody else's.
pub(super) fn check_generated(job: &Job, spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    if spec.manual_selector == Some(true) {
        return;
    }
    let labels = labels_of(spec);
    let (uid, name) = (job.metadata.uid.as_deref(), job.metadata.name.as_deref());
    for (label, own) in pod_labels(uid, name) {
        let path = path.child("template.metadata.labels").key(label);
        let rule = format!("must be '{}'", own.unwrap_or_default());
        match labels.and_then(|labels| labels.get(label)) {
            Some(written) if own.unwrap_or_default() != written => {
                found.invalid(&path, labels, rule).hint(Hint {
                    message: format!("`{label}` is written by Kubernetes itself, with another value"),
                    help: Some("leave it out".to_owned()),
                    ..Hint::default()
                });
            }
            // A manifest has neither; the API server has given it a selector and labels together.
            None if spec.selector.is_some() && uid.is_some() => found.required(&path, rule),
            _ => {}
        }
    }
    let Some(selector) = &spec.selector else { return };
    let own = pod_labels(uid, name)
        .into_iter()
        .filter_map(|(label, own)| Some((label.to_owned(), own?.to_owned())));
    if uid.is_none() || !selector::selects(selector, &own.collect()) {
        let error = found.invalid(&path.child("selector"), selector, "`selector` not auto-generated");
        error.hint(Hint {
            message: "a Job finds its pods by itself".to_owned(),
            help: Some("leave `selector` out, or set `manualSelector: true`".to_owned()),
            ..Hint::default()
        });
    }
}

/// A Job finds its pods by a selector that the API server makes, or, with `manualSelector`, by the user's
/// own.
pub(super) fn check_selector(spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    let nothing = Labels::new();
    let labels = labels_of(spec);
    let place = path.child("selector");
    match &spec.selector {
        Some(selector) => selector::check(selector, &place, found),
        None => found.required(&place, ""),
    }
    let matches = |selector| selector::selects(selector, labels.unwrap_or(&nothing));
    if !spec.selector.as_ref().is_some_and(matches) {
        let rule = "`selector` does not match template `labels`";
        found.invalid(&path.child("template.metadata.labels"), labels, rule);
    }
}
