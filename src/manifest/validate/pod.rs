//! Pod templates: the part of Kubernetes' `ValidatePodTemplateSpec` that concerns pods as they are run here.
//!
//! `restartPolicy` is left to the Job, which allows less than a pod does.

use k8s_openapi::api::core::v1::{Pod, PodSpec, PodTemplateSpec};

use super::{FieldError, Findings, container, metadata, probe, scheduling, security, volume};
use crate::manifest::path::FieldPath;

/// What is wrong with a pod that is to be created.
pub fn create(pod: &Pod) -> Vec<FieldError> {
    let mut found = Findings::default();
    metadata::create(&pod.metadata, &mut found);
    match &pod.spec {
        Some(spec) => check_spec(spec, &FieldPath::of("spec"), &mut found),
        None => found.required(&FieldPath::of("spec"), ""),
    }
    found.into_errors()
}

/// What is wrong with the template of some pods.
pub fn template(template: &PodTemplateSpec) -> Vec<FieldError> {
    let mut found = Findings::default();
    check_template(template, &FieldPath::root(), &mut found);
    found.into_errors()
}

/// Checks the template that a Job makes its pods from.
pub(super) fn check_template(template: &PodTemplateSpec, path: &FieldPath, found: &mut Findings) {
    if let Some(meta) = &template.metadata {
        metadata::labels(meta.labels.as_ref(), &path.child("labels"), found);
        metadata::annotations(meta.annotations.as_ref(), &path.child("annotations"), found);
    }
    match &template.spec {
        Some(pod) => check_spec(pod, &path.child("spec"), found),
        None => found.required(&path.child("spec.containers"), ""),
    }
}

fn check_spec(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let volumes = volume::check(
        pod.volumes.as_deref().unwrap_or_default(),
        &path.child("volumes"),
        found,
    );
    if pod.containers.is_empty() {
        found.required(&path.child("containers"), "");
    }
    let mut names = Vec::new();
    for (list, containers) in [
        ("containers", pod.containers.as_slice()),
        (
            "initContainers",
            pod.init_containers.as_deref().unwrap_or_default(),
        ),
    ] {
        for (index, container) in containers.iter().enumerate() {
            let path = path.child(list).index(index);
            container::check(container, &volumes, &path, found);
            if list == "initContainers" {
                probe::check_init(container, &path, found);
            }
            if names.contains(&container.name.as_str()) {
                found.duplicate(&path.child("name"), &container.name);
            } else if !container.name.is_empty() {
                names.push(&container.name);
            }
        }
    }
    if let Some(seconds) = pod.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let rule = format!("must be between 1 and {}, inclusive", i32::MAX);
        found.invalid(&path.child("activeDeadlineSeconds"), seconds, rule);
    }
    security::check_pod(pod, path, found);
    scheduling::check(pod, path, found);
}
