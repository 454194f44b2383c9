//! What may change of a Job once it exists: its pace, not its work. Kubernetes: `ValidateJobUpdate`.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Affinity, PodTemplateSpec};
use serde::Serialize;

use super::status::has;
use super::{check_generated, check_selector, check_spec};
use crate::manifest::path::FieldPath;
use crate::manifest::validate::{FieldError, Findings, completion, metadata, runtime};

/// What is wrong with a Job that is to take the place of `old`.
pub fn update(new: &Job, old: &Job) -> Vec<FieldError> {
    let mut found = Findings::default();
    metadata::update(&new.metadata, &old.metadata, &mut found);
    let path = FieldPath::of("spec");
    let (Some(spec), Some(old_spec)) = (&new.spec, &old.spec) else {
        found.required(&path, "");
        return found.into_errors();
    };
    check_generated(new, spec, &path, &mut found);
    check_spec(spec, &path, &mut found);
    check_selector(spec, &path, &mut found);
    completion::update(spec, old_spec, &path.child("completions"), &mut found);
    let (template, old_template) = (&spec.template, &old_spec.template);
    runtime::check_update(
        template.metadata.as_ref(),
        old_template.metadata.as_ref(),
        &path.child("template.metadata"),
        &mut found,
    );
    let template = if is_waiting(old) {
        let (new, old) = (placeless(template), placeless(old_template));
        ("template.spec", changed(&new, &old))
    } else {
        ("template", changed(template, old_template))
    };
    let immutable = [
        ("selector", changed(&spec.selector, &old_spec.selector)),
        template,
        (
            "completionMode",
            changed(&spec.completion_mode, &old_spec.completion_mode),
        ),
        (
            "podFailurePolicy",
            changed(&spec.pod_failure_policy, &old_spec.pod_failure_policy),
        ),
        (
            "backoffLimitPerIndex",
            changed(&spec.backoff_limit_per_index, &old_spec.backoff_limit_per_index),
        ),
        ("managedBy", changed(&spec.managed_by, &old_spec.managed_by)),
        (
            "successPolicy",
            changed(&spec.success_policy, &old_spec.success_policy),
        ),
    ];
    for (field, changed) in immutable {
        if let Some(value) = changed {
            found.invalid(&path.child(field), value, "field is immutable");
        }
    }
    found.into_errors()
}

/// The new value, if it is not the old one.
fn changed<T: PartialEq + Serialize>(new: &T, old: &T) -> Option<serde_json::Value> {
    (new != old).then(|| serde_json::to_value(new).unwrap_or_default())
}

/// Whether a Job is suspended and has no pods, because it never had any or because they have been stopped: a queue may
/// still say where they will run.
fn is_waiting(job: &Job) -> bool {
    let is_suspended = job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true);
    let Some(status) = &job.status else {
        return is_suspended;
    };
    let was_stopped = has(status, "Suspended");
    let has_pods = status.active.unwrap_or_default() > 0;
    is_suspended && !has_pods && (was_stopped || status.start_time.is_none())
}

/// The template without what says where its pods run, and on how much.
fn placeless(template: &PodTemplateSpec) -> PodTemplateSpec {
    let mut template = template.clone();
    if let Some(metadata) = &mut template.metadata {
        metadata.labels = None;
        metadata.annotations = None;
    }
    if let Some(pod) = &mut template.spec {
        pod.node_selector = None;
        pod.tolerations = None;
        pod.scheduling_gates = None;
        let mut affinity = pod.affinity.take().unwrap_or_default();
        affinity.node_affinity = None;
        pod.affinity = Some(affinity).filter(|affinity| *affinity != Affinity::default());
        let containers = pod
            .containers
            .iter_mut()
            .chain(pod.init_containers.iter_mut().flatten());
        containers.for_each(|container| container.resources = None);
    }
    template
}
