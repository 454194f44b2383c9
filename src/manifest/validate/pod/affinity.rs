//! Which nodes and which neighbours a pod wants: affinity to nodes and to other pods.

use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm,
    WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::super::{Findings, names, selector};
use crate::manifest::path::FieldPath;

pub(super) const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Checks which nodes and which neighbours are wanted.
pub(super) fn check(affinity: &Affinity, path: &FieldPath, found: &mut Findings) {
    if let Some(nodes) = &affinity.node_affinity {
        check_nodes(nodes, &path.child("nodeAffinity"), found);
    }
    if let Some(pods) = &affinity.pod_affinity {
        let (required, preferred) = (
            pods.required_during_scheduling_ignored_during_execution
                .as_deref(),
            pods.preferred_during_scheduling_ignored_during_execution
                .as_deref(),
        );
        check_pods(required, preferred, &path.child("podAffinity"), found);
    }
    if let Some(pods) = &affinity.pod_anti_affinity {
        let (required, preferred) = (
            pods.required_during_scheduling_ignored_during_execution
                .as_deref(),
            pods.preferred_during_scheduling_ignored_during_execution
                .as_deref(),
        );
        check_pods(required, preferred, &path.child("podAntiAffinity"), found);
    }
}

fn check_nodes(affinity: &NodeAffinity, path: &FieldPath, found: &mut Findings) {
    if let Some(required) = &affinity.required_during_scheduling_ignored_during_execution {
        let path = path.child(REQUIRED).child("nodeSelectorTerms");
        if required.node_selector_terms.is_empty() {
            found.required(&path, "must have at least one node selector term");
        }
        for (index, term) in required.node_selector_terms.iter().enumerate() {
            check_term(term, &path.index(index), found);
        }
    }
    let preferred = affinity
        .preferred_during_scheduling_ignored_during_execution
        .iter();
    for (index, preferred) in preferred.flatten().enumerate() {
        let path = path.child(PREFERRED).index(index);
        check_weight(preferred.weight, &path, found);
        check_term(&preferred.preference, &path.child("preference"), found);
    }
}

fn check_weight(weight: i32, path: &FieldPath, found: &mut Findings) {
    if !(1..=100).contains(&weight) {
        found.invalid(&path.child("weight"), weight, "must be in the range 1-100");
    }
}

fn check_term(term: &NodeSelectorTerm, path: &FieldPath, found: &mut Findings) {
    for (index, requirement) in term.match_expressions.iter().flatten().enumerate() {
        check_label(requirement, &path.child("matchExpressions").index(index), found);
    }
    for (index, requirement) in term.match_fields.iter().flatten().enumerate() {
        check_field(requirement, &path.child("matchFields").index(index), found);
    }
}

/// A requirement of a node's labels.
fn check_label(requirement: &NodeSelectorRequirement, path: &FieldPath, found: &mut Findings) {
    let values = requirement.values.as_deref().unwrap_or_default();
    match requirement.operator.as_str() {
        "Gt" | "Lt" if values.len() == 1 => {}
        "Gt" | "Lt" => {
            let rule = "must be specified single value when `operator` is 'Lt' or 'Gt'";
            found.required(&path.child("values"), rule);
        }
        operator if selector::check_count(operator, values.len(), path, found) => {}
        other => selector::not_an_operator(other, path, found),
    }
    selector::check_words(&requirement.key, values, path, found);
}

/// A requirement of a node's fields, of which its name is the only one.
fn check_field(requirement: &NodeSelectorRequirement, path: &FieldPath, found: &mut Findings) {
    let values = requirement.values.as_deref().unwrap_or_default();
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.len() == 1 => {}
        "In" | "NotIn" => {
            let rule = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            found.required(&path.child("values"), rule);
        }
        other => selector::not_an_operator(other, path, found),
    }
    if requirement.key != "metadata.name" {
        let rule = "not a valid field selector key";
        found.invalid(&path.child("key"), &requirement.key, rule);
        return;
    }
    for (index, name) in values.iter().enumerate() {
        for rule in names::dns_subdomain(name) {
            found.invalid(&path.child("values").index(index), name, rule);
        }
    }
}

fn check_pods(
    required: Option<&[PodAffinityTerm]>,
    preferred: Option<&[WeightedPodAffinityTerm]>,
    path: &FieldPath,
    found: &mut Findings,
) {
    for (index, term) in required.into_iter().flatten().enumerate() {
        check_neighbours(term, &path.child(REQUIRED).index(index), found);
    }
    for (index, preferred) in preferred.into_iter().flatten().enumerate() {
        let path = path.child(PREFERRED).index(index);
        check_weight(preferred.weight, &path, found);
        check_neighbours(
            &preferred.pod_affinity_term,
            &path.child("podAffinityTerm"),
            found,
        );
    }
}

fn check_neighbours(term: &PodAffinityTerm, path: &FieldPath, found: &mut Findings) {
    for (field, selector) in [
        ("labelSelector", &term.label_selector),
        ("namespaceSelector", &term.namespace_selector),
    ] {
        if let Some(selector) = selector {
            selector::check(selector, &path.child(field), found);
        }
    }
    for (index, namespace) in term.namespaces.iter().flatten().enumerate() {
        for rule in names::dns_label(namespace) {
            let error = found.invalid(&path.child("namespace"), namespace, rule);
            error.at(path.child("namespaces").index(index));
        }
    }
    check_label_keys(term, path, found);
    let place = &path.child("topologyKey");
    if term.topology_key.is_empty() {
        found.required(place, "can not be empty");
    }
    for rule in names::qualified(&term.topology_key) {
        found.invalid(place, &term.topology_key, rule);
    }
}

/// Labels of the pod itself, whose values its neighbours share or do not.
fn check_label_keys(term: &PodAffinityTerm, path: &FieldPath, found: &mut Findings) {
    let lists = [
        (
            "matchLabelKeys",
            term.match_label_keys.as_deref().unwrap_or_default(),
        ),
        (
            "mismatchLabelKeys",
            term.mismatch_label_keys.as_deref().unwrap_or_default(),
        ),
    ];
    for (field, keys) in lists {
        label_keys(keys, term.label_selector.as_ref(), &path.child(field), found);
    }
    let [(field, shared), (_, different)] = lists;
    for (index, key) in shared.iter().enumerate() {
        if different.contains(key) {
            let rule = "exists in both matchLabelKeys and mismatchLabelKeys";
            found.invalid(&path.child(field).index(index), key, rule);
        }
    }
}

/// Labels whose values complete a selector, so that there has to be one.
pub(super) fn label_keys(
    keys: &[String],
    selector: Option<&LabelSelector>,
    path: &FieldPath,
    found: &mut Findings,
) {
    if !keys.is_empty() && selector.is_none() {
        found.forbidden(path, "must not be specified when labelSelector is not set");
    }
    for (index, key) in keys.iter().enumerate() {
        for rule in names::qualified(key) {
            found.invalid(&path.index(index), key, rule);
        }
    }
}
