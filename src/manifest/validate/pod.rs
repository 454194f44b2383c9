//! Pod templates: the part of Kubernetes' `ValidatePodTemplateSpec` that concerns pods as they are run here.
//!
//! `restartPolicy` is left to the Job, which allows less than a pod does.

use k8s_openapi::api::core::v1::{Pod, PodSpec, PodTemplateSpec};

use super::{FieldError, Findings, container, metadata, probe, scheduling, security, volume};
use crate::manifest::path::FieldPath;

/// Kubernetes' words; it adds the difference in its own types.
const UNCHANGEABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
     `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
     tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// What is wrong with a pod that is to be created.
pub fn create(pod: &Pod) -> Vec<FieldError> {
    let mut found = Findings::default();
    metadata::create(&pod.metadata, &mut found);
    match &pod.spec {
        Some(spec) => {
            check_spec(spec, &FieldPath::of("spec"), &mut found);
            check_restart_policy(spec, &FieldPath::of("spec.restartPolicy"), &mut found);
        }
        None => found.required(&FieldPath::of("spec"), ""),
    }
    found.into_errors()
}

/// What is wrong with a change of a pod: of what it runs, hardly anything can be changed.
pub fn update(new: &Pod, old: &Pod) -> Vec<FieldError> {
    let mut found = Findings::default();
    if fixed(new) != fixed(old) {
        found.forbidden(&FieldPath::of("spec"), UNCHANGEABLE);
    }
    found.into_errors()
}

/// A pod's spec without what may be changed.
fn fixed(pod: &Pod) -> Option<PodSpec> {
    let mut spec = pod.spec.clone()?;
    let init = spec.init_containers.iter_mut().flatten();
    for container in init.chain(&mut spec.containers) {
        container.image = None;
    }
    spec.active_deadline_seconds = None;
    spec.tolerations = None;
    Some(spec)
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

fn check_restart_policy(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let policies = ["Always", "Never", "OnFailure"];
    let written = pod.restart_policy.as_deref().unwrap_or("Always");
    if !policies.contains(&written) {
        found.not_supported(path, written, &policies);
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
