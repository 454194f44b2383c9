//! Pods: labels of nodes that are called otherwise now, selectors that select nothing, what is said twice.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use k8s_openapi::api::core::v1::{NodeSelectorTerm, PodAffinityTerm, PodSpec, WeightedPodAffinityTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{Warnings, containers, volumes};
use crate::manifest::path::FieldPath;

/// Labels of nodes as they were once called, since when they are not, and their new names.
const RENAMED_LABELS: [(&str, &str, &str); 5] = [
    ("beta.kubernetes.io/arch", "1.14", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "1.14", "kubernetes.io/os"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "1.17",
        "topology.kubernetes.io/region",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "1.17",
        "topology.kubernetes.io/zone",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "1.17",
        "node.kubernetes.io/instance-type",
    ),
];

const NO_POD: &str = "a null labelSelector results in matching no pod";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Checks the pod that is at `path` with its metadata.
pub(super) fn check(
    pod: &PodSpec,
    annotations: Option<&BTreeMap<String, String>>,
    path: &FieldPath,
    warnings: &mut Warnings,
) {
    let metadata = path.child("metadata.annotations");
    let path = path.child("spec");
    for (label, _) in pod.node_selector.iter().flatten() {
        if let Some(what) = renamed(label) {
            warnings.add(&path.child("nodeSelector").key(label), what);
        }
    }
    check_nodes(pod, &path.child("affinity.nodeAffinity"), warnings);
    for (index, constraint) in pod.topology_spread_constraints.iter().flatten().enumerate() {
        let path = path.child("topologySpreadConstraints").index(index);
        check_key(&constraint.topology_key, &path.child("topologyKey"), warnings);
        check_selector(constraint.label_selector.as_ref(), &path, warnings);
    }
    volumes::check(pod, &path.child("volumes"), warnings);
    check_repeats(pod, &path, warnings);
    for (name, amount) in pod.overhead.iter().flatten() {
        containers::check_amount(name, amount, &path.child("overhead").key(name), warnings);
    }
    let seccomp = "seccomp.security.alpha.kubernetes.io/pod";
    if annotations.is_some_and(|annotations| annotations.contains_key(seccomp)) {
        warnings.add(&metadata.key(seccomp), containers::SECCOMP);
    }
    containers::check(pod, annotations, &path, &metadata, warnings);
    if pod
        .termination_grace_period_seconds
        .is_some_and(|seconds| seconds < 0)
    {
        let what = "must be >= 0; negative values are invalid and will be treated as 1";
        warnings.add(&path.child("terminationGracePeriodSeconds"), what);
    }
    check_neighbours(pod, &path.child("affinity"), warnings);
    check_addresses(pod, &path, warnings);
}

/// What to say of a label of nodes that is called otherwise now.
fn renamed(label: &str) -> Option<String> {
    let (_, since, now) = RENAMED_LABELS.iter().find(|(old, ..)| *old == label)?;
    Some(format!("deprecated since v{since}; use \"{now}\" instead"))
}

fn check_key(label: &str, path: &FieldPath, warnings: &mut Warnings) {
    if let Some(what) = renamed(label) {
        warnings.add(path, format!("{label} is {what}"));
    }
}

fn check_nodes(pod: &PodSpec, path: &FieldPath, warnings: &mut Warnings) {
    let affinity = pod
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref());
    let Some(affinity) = affinity else { return };
    let required = affinity
        .required_during_scheduling_ignored_during_execution
        .iter();
    let required = required.flat_map(|required| &required.node_selector_terms);
    let preferred = affinity
        .preferred_during_scheduling_ignored_during_execution
        .iter()
        .flatten();
    for (index, term) in required.enumerate() {
        let path = path.child(REQUIRED).child("nodeSelectorTerms").index(index);
        check_term(term, &path, warnings);
    }
    for (index, preferred) in preferred.enumerate() {
        let path = path.child(PREFERRED).index(index).child("preference");
        check_term(&preferred.preference, &path, warnings);
    }
}

fn check_term(term: &NodeSelectorTerm, path: &FieldPath, warnings: &mut Warnings) {
    for (index, requirement) in term.match_expressions.iter().flatten().enumerate() {
        let path = path.child("matchExpressions").index(index).child("key");
        check_key(&requirement.key, &path, warnings);
    }
}

fn check_selector(selector: Option<&LabelSelector>, path: &FieldPath, warnings: &mut Warnings) {
    if selector.is_none() {
        warnings.add(&path.child("labelSelector"), NO_POD);
    }
}

/// Neighbours that are wanted, or not wanted, and are no pods at all.
fn check_neighbours(pod: &PodSpec, path: &FieldPath, warnings: &mut Warnings) {
    let Some(affinity) = &pod.affinity else { return };
    let near = affinity.pod_affinity.as_ref().map(|pods| {
        (
            &pods.required_during_scheduling_ignored_during_execution,
            &pods.preferred_during_scheduling_ignored_during_execution,
        )
    });
    let far = affinity.pod_anti_affinity.as_ref().map(|pods| {
        (
            &pods.required_during_scheduling_ignored_during_execution,
            &pods.preferred_during_scheduling_ignored_during_execution,
        )
    });
    for (field, terms) in [("podAffinity", near), ("podAntiAffinity", far)] {
        let Some((required, preferred)) = terms else {
            continue;
        };
        let required: &[PodAffinityTerm] = required.as_deref().unwrap_or_default();
        let preferred: &[WeightedPodAffinityTerm] = preferred.as_deref().unwrap_or_default();
        for (index, term) in required.iter().enumerate() {
            let path = path.child(field).child(REQUIRED).index(index);
            check_selector(term.label_selector.as_ref(), &path, warnings);
        }
        for (index, term) in preferred.iter().enumerate() {
            let path = path
                .child(field)
                .child(PREFERRED)
                .index(index)
                .child("podAffinityTerm");
            check_selector(term.pod_affinity_term.label_selector.as_ref(), &path, warnings);
        }
    }
}

/// What is there twice, or has no name.
fn check_repeats(pod: &PodSpec, path: &FieldPath, warnings: &mut Warnings) {
    let aliases = pod.host_aliases.as_deref().unwrap_or_default();
    for (index, alias) in aliases.iter().enumerate() {
        if aliases[..index].iter().any(|earlier| earlier.ip == alias.ip) {
            let path = path.child("hostAliases").index(index).child("ip");
            warnings.add(&path, format!("duplicate ip {:?}", alias.ip));
        }
    }
    let secrets = pod.image_pull_secrets.as_deref().unwrap_or_default();
    for (index, secret) in secrets.iter().enumerate() {
        let path = path.child("imagePullSecrets").index(index).child("name");
        if secret.name.is_empty() {
            warnings.add(&path, "invalid empty name \"\"");
        } else if secrets[..index].iter().any(|earlier| earlier.name == secret.name) {
            warnings.add(&path, format!("duplicate name {:?}", secret.name));
        }
    }
}

/// Addresses that can be written in several ways, and are not in the usual one.
fn check_addresses(pod: &PodSpec, path: &FieldPath, warnings: &mut Warnings) {
    let servers = pod
        .dns_config
        .iter()
        .flat_map(|config| config.nameservers.iter().flatten());
    for (index, server) in servers.enumerate() {
        let path = path.child("dnsConfig.nameservers").index(index);
        check_address(server, &path, warnings);
    }
    for (index, alias) in pod.host_aliases.iter().flatten().enumerate() {
        let path = path.child("hostAliases").index(index).child("ip");
        check_address(&alias.ip, &path, warnings);
    }
}

fn check_address(text: &str, path: &FieldPath, warnings: &mut Warnings) {
    let usual = text
        .parse::<Ipv6Addr>()
        .map(|address| IpAddr::V6(address).to_string());
    if let Some(usual) = usual.ok().filter(|usual| usual != text) {
        let what = format!("IPv6 address {text:?} should be in RFC 5952 canonical format ({usual:?})");
        warnings.add(path, what);
    }
}
