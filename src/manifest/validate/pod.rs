//! Pods, and the templates that they are made from: the part of Kubernetes' `ValidatePodTemplateSpec` and
//! `ValidatePodSpec` that concerns pods as they are run here. What is only for Windows, and the sources of volumes that
//! are not to be had on one machine, is taken as it is written.
//!
//! | file | rules |
//! |---|---|
//! | `container`, `environment`, `resources` | what containers run, know, and use |
//! | `probe`, `handler` | how they are looked after |
//! | `volume`, `paths`, `claims` | what is mounted and claimed |
//! | `security` | as whom, and what they may do |
//! | `scheduling`, `affinity` | where and when |
//! | `network` | what they are called, and how they find others |
//! | `update` | what may change of a pod that exists |
//!
//! What is wrong is found in the order of Kubernetes, field by field.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, PodTemplateSpec};

use super::{FieldError, Findings, metadata, names, runtime};
use crate::manifest::path::FieldPath;

mod affinity;
mod claims;
mod container;
mod environment;
mod handler;
mod network;
mod paths;
mod probe;
mod resources;
mod scheduling;
mod security;
mod update;
mod volume;

pub(crate) use scheduling::is_gated;
pub use update::update;

const RESTART_POLICIES: [&str; 3] = ["Always", "OnFailure", "Never"];
const PREEMPTION_POLICIES: [&str; 2] = ["PreemptLowerPriority", "Never"];
const SYSTEMS: [&str; 2] = ["linux", "windows"];

/// What is wrong with a pod that is to be created.
pub fn create(pod: &Pod) -> Vec<FieldError> {
    let mut found = Findings::default();
    check(pod, &mut found);
    runtime::check(Some(&pod.metadata), &FieldPath::of("metadata"), &mut found);
    let (path, Some(spec)) = (FieldPath::of("spec"), &pod.spec) else {
        return found.into_errors();
    };
    let has_node = spec.node_name.as_deref().is_some_and(|name| !name.is_empty());
    if has_node && is_gated(spec) {
        let rule = "cannot be set until all schedulingGates have been cleared";
        found.forbidden(&path.child("nodeName"), rule);
    }
    if has_ephemeral_containers(spec) {
        found.forbidden(&path.child("ephemeralContainers"), "cannot be set on create");
    }
    found.into_errors()
}

/// Checks what has to be right of a pod at any time.
fn check(pod: &Pod, found: &mut Findings) {
    metadata::create(&pod.metadata, found);
    let path = FieldPath::of("spec");
    match &pod.spec {
        Some(spec) => {
            check_spec(spec, &path, found);
            check_images(spec, &path, found);
        }
        None => found.required(&path, ""),
    }
}

/// What the API server takes in a template, and refuses in each pod that is made of it.
pub fn made_of(template: &PodTemplateSpec, path: &FieldPath) -> Vec<FieldError> {
    let mut found = Findings::default();
    if let Some(spec) = &template.spec {
        check_images(spec, &path.child("spec"), &mut found);
    }
    found.into_errors()
}

/// What is wrong with the template of some pods.
pub fn template(template: &PodTemplateSpec) -> Vec<FieldError> {
    let mut found = Findings::default();
    check_template(template, &FieldPath::root(), &mut found);
    found.into_errors()
}

/// Checks the template that a Job makes its pods from. The Job itself checks `restartPolicy` once more, as it allows less
/// than a pod does.
pub(super) fn check_template(template: &PodTemplateSpec, path: &FieldPath, found: &mut Findings) {
    if let Some(meta) = &template.metadata {
        // Kubernetes leaves out where they are in the template.
        let place = path.child("metadata");
        let (labels, annotations) = (path.child("labels"), path.child("annotations"));
        found.placed(&labels, &place.child("labels"), |found| {
            metadata::labels(meta.labels.as_ref(), &labels, found);
        });
        found.placed(&annotations, &place.child("annotations"), |found| {
            metadata::annotations(meta.annotations.as_ref(), &annotations, found);
        });
    }
    let path = path.child("spec");
    match &template.spec {
        Some(pod) => {
            check_spec(pod, &path, found);
            if has_ephemeral_containers(pod) {
                let rule = "ephemeral containers not allowed in pod template";
                found.forbidden(&path.child("ephemeralContainers"), rule);
            }
        }
        None => found.required(&path.child("containers"), ""),
    }
}

fn has_ephemeral_containers(pod: &PodSpec) -> bool {
    pod.ephemeral_containers
        .as_ref()
        .is_some_and(|list| !list.is_empty())
}

/// Pods, unlike templates, may not have blanks around the names of images.
fn check_images(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    for (path, container) in containers(pod, path) {
        let image = container.image.as_deref().unwrap_or_default();
        if image.trim() != image {
            let rule = "must not have leading or trailing whitespace";
            found.invalid(&path.child("image"), image, rule);
        }
    }
}

fn check_spec(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let volumes = pod.volumes.as_deref().unwrap_or_default();
    volume::check(volumes, &path.child("volumes"), found);
    let claims = pod.resource_claims.as_deref().unwrap_or_default();
    claims::check(claims, &path.child("resourceClaims"), found);
    container::check_all(pod, path, found);
    resources::check_pod(pod.resources.as_ref(), &path.child("resources"), found);
    let policy = pod.restart_policy.as_deref().unwrap_or("Always");
    if !policy.is_empty() && !RESTART_POLICIES.contains(&policy) {
        found.not_supported(&path.child("restartPolicy"), policy, &RESTART_POLICIES);
    }
    network::check_dns_policy(pod, &path.child("dnsPolicy"), found);
    metadata::labels(pod.node_selector.as_ref(), &path.child("nodeSelector"), found);
    network::check_ports_of_host(pod, path, found);
    security::check_pod(pod, path, found);
    if let Some(affinity) = &pod.affinity {
        affinity::check(affinity, &path.child("affinity"), found);
    }
    network::check_dns(pod, &path.child("dnsConfig"), found);
    scheduling::check_gates(pod, path, found);
    let constraints = pod.topology_spread_constraints.as_deref().unwrap_or_default();
    scheduling::check_spread(constraints, &path.child("topologySpreadConstraints"), found);
    security::check_host_users(pod, path, found);
    network::check_override(pod, &path.child("hostnameOverride"), found);
    let account = written(pod.service_account_name.as_ref());
    check_name(account, &path.child("serviceAccountName"), found);
    check_name(written(pod.node_name.as_ref()), &path.child("nodeName"), found);
    check_deadline(pod, path, found);
    network::check_host_names(pod, path, found);
    for (index, toleration) in pod.tolerations.iter().flatten().enumerate() {
        scheduling::check_toleration(toleration, &path.child("tolerations").index(index), found);
    }
    let aliases = pod.host_aliases.as_deref().unwrap_or_default();
    network::check_aliases(aliases, &path.child("hostAliases"), found);
    let class = written(pod.priority_class_name.as_ref());
    check_name(class, &path.child("priorityClassName"), found);
    let class = pod.runtime_class_name.as_deref();
    check_name(class, &path.child("runtimeClassName"), found);
    match pod.preemption_policy.as_deref() {
        Some("") => found.required(&path.child("preemptionPolicy"), ""),
        Some(policy) if !PREEMPTION_POLICIES.contains(&policy) => {
            found.not_supported(&path.child("preemptionPolicy"), policy, &PREEMPTION_POLICIES);
        }
        _ => {}
    }
    resources::check_overhead(pod.overhead.as_ref(), &path.child("overhead"), found);
    check_system(pod, path, found);
}

/// A name, if it is not as good as missing.
fn written(name: Option<&String>) -> Option<&str> {
    name.map(String::as_str).filter(|name| !name.is_empty())
}

/// The containers of the pod at `path`, with their places.
fn containers<'p>(pod: &'p PodSpec, path: &FieldPath) -> impl Iterator<Item = (FieldPath, &'p Container)> {
    let (main, init) = (path.child("containers"), path.child("initContainers"));
    let main = pod
        .containers
        .iter()
        .enumerate()
        .map(move |(index, one)| (main.index(index), one));
    let inits = pod.init_containers.iter().flatten().enumerate();
    main.chain(inits.map(move |(index, one)| (init.index(index), one)))
}

/// The name of an object that a pod speaks of.
fn check_name(name: Option<&str>, path: &FieldPath, found: &mut Findings) {
    for rule in name.into_iter().flat_map(names::dns_subdomain) {
        let error = found.invalid(path, name, rule);
        error.hint(metadata::name_hint(name.unwrap_or_default()));
    }
}

fn check_deadline(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    if let Some(seconds) = pod.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let rule = format!("must be between 1 and {}, inclusive", i32::MAX);
        found.invalid(&path.child("activeDeadlineSeconds"), seconds, rule);
    }
}

/// The operating system, which decides what else may be said.
fn check_system(pod: &PodSpec, path_of_pod: &FieldPath, found: &mut Findings) {
    let Some(system) = &pod.os else { return };
    let path = &path_of_pod.child("os");
    match system.name.as_str() {
        "" => found.required(&path.child("name"), ""),
        name if !SYSTEMS.contains(&name) => {
            found.placed(path, &path.child("name"), |found| {
                found.not_supported(path, name, &SYSTEMS);
            });
        }
        "linux" => security::check_linux(pod, path_of_pod, found),
        _ => {}
    }
}
