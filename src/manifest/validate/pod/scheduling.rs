//! Where and when pods are put on nodes: tolerations, how they are spread, what has to be true before.

use k8s_openapi::api::core::v1::{PodSchedulingGate, PodSpec, Toleration, TopologySpreadConstraint};

use super::super::{Findings, names, selector};
use super::affinity;
use crate::manifest::path::FieldPath;

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const SPREADS: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];
const SPREAD_POLICIES: [&str; 2] = ["Honor", "Ignore"];

pub(super) fn check_toleration(toleration: &Toleration, path: &FieldPath, found: &mut Findings) {
    let key = toleration.key.as_deref().unwrap_or_default();
    let operator = toleration.operator.as_deref().unwrap_or_default();
    let value = toleration.value.as_deref().unwrap_or_default();
    let effect = toleration.effect.as_deref().unwrap_or_default();
    if !key.is_empty() {
        for rule in names::qualified(key) {
            found.invalid(&path.child("key"), key, rule);
        }
    }
    let place = &path.child("operator");
    if key.is_empty() && operator != "Exists" {
        let rule =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        found.invalid(place, operator, rule);
    }
    if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
        let rule = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        found.invalid(&path.child("effect"), effect, rule);
    }
    match operator {
        "" | "Equal" => {
            for rule in names::label_value(value) {
                found.invalid(place, value, rule).at(path.child("value"));
            }
        }
        "Exists" if !value.is_empty() => {
            let rule = "value must be empty when `operator` is 'Exists'";
            found.invalid(place, value, rule);
        }
        "Exists" => {}
        other => found.not_supported(place, other, &["Equal", "Exists"]),
    }
    if !effect.is_empty() && !EFFECTS.contains(&effect) {
        found.not_supported(&path.child("effect"), effect, &EFFECTS);
    }
}

/// Checks how pods are spread over the parts of a cluster.
pub(super) fn check_spread(constraints: &[TopologySpreadConstraint], path: &FieldPath, found: &mut Findings) {
    for (index, constraint) in constraints.iter().enumerate() {
        let path = path.index(index);
        check_constraint(constraint, &path, found);
        let kind =
            |other: &TopologySpreadConstraint| (other.topology_key.clone(), other.when_unsatisfiable.clone());
        let is_repeated = |other| kind(other) == kind(constraint);
        if constraints[index + 1..].iter().any(is_repeated) {
            let value = format!(
                "{{{}, {}}}",
                constraint.topology_key, constraint.when_unsatisfiable
            );
            let both = path.child_named("{topologyKey, whenUnsatisfiable}");
            found.placed(&both, &path.child("topologyKey"), |found| {
                found.duplicate(&both, value);
            });
        }
        let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
        let selector = constraint.label_selector.as_ref();
        affinity::label_keys(keys, selector, &path.child("matchLabelKeys"), found);
        if let Some(selector) = selector {
            selector::check(selector, &path.child("labelSelector"), found);
        }
    }
}

fn check_constraint(constraint: &TopologySpreadConstraint, path: &FieldPath, found: &mut Findings) {
    let positive = "must be greater than zero";
    if constraint.max_skew <= 0 {
        found.invalid(&path.child("maxSkew"), constraint.max_skew, positive);
    }
    if constraint.topology_key.is_empty() {
        found.required(&path.child("topologyKey"), "can not be empty");
    }
    let unsatisfiable = constraint.when_unsatisfiable.as_str();
    if !SPREADS.contains(&unsatisfiable) {
        found.not_supported(&path.child("whenUnsatisfiable"), unsatisfiable, &SPREADS);
    }
    if let Some(domains) = constraint.min_domains {
        let place = &path.child("minDomains");
        if domains <= 0 {
            found.invalid(place, domains, positive);
        }
        if unsatisfiable != "DoNotSchedule" {
            let rule =
                format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {unsatisfiable}");
            found.invalid(place, domains, rule);
        }
    }
    for (field, policy) in [
        ("nodeAffinityPolicy", &constraint.node_affinity_policy),
        ("nodeTaintsPolicy", &constraint.node_taints_policy),
    ] {
        if let Some(policy) = policy
            .as_deref()
            .filter(|policy| !SPREAD_POLICIES.contains(policy))
        {
            found.not_supported(&path.child(field), policy, &SPREAD_POLICIES);
        }
    }
}

/// Checks what has to be true before a pod is ready, or given to a node.
pub(super) fn check_gates(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    for (index, gate) in pod.readiness_gates.iter().flatten().enumerate() {
        let path = path.child("readinessGates").index(index).child("conditionType");
        for rule in names::qualified(&gate.condition_type) {
            found.invalid(&path, &gate.condition_type, rule);
        }
    }
    let gates = gates(pod);
    for (index, gate) in gates.iter().enumerate() {
        let path = path.child("schedulingGates").index(index);
        for rule in names::qualified(&gate.name) {
            found.invalid(&path, &gate.name, rule).at(path.child("name"));
        }
        if gates[..index].iter().any(|earlier| earlier.name == gate.name) {
            found.duplicate(&path, &gate.name);
        }
    }
}

/// Checks a change of what keeps a pod back: it may only become less.
pub(super) fn update_gates(new: &PodSpec, old: &PodSpec, path: &FieldPath, found: &mut Findings) {
    for (index, gate) in gates(new).iter().enumerate() {
        if !gates(old).iter().any(|before| before.name == gate.name) {
            let name = &gate.name;
            let rule = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            found.forbidden(&path.index(index).child("name"), rule);
        }
    }
}

/// Whether a pod is kept back until all its gates have been taken away (`schedulingGates`).
pub(crate) fn is_gated(pod: &PodSpec) -> bool {
    !gates(pod).is_empty()
}

fn gates(pod: &PodSpec) -> &[PodSchedulingGate] {
    pod.scheduling_gates.as_deref().unwrap_or_default()
}
