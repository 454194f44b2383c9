//! What may change of a pod once it exists: hardly anything of what it runs. Kubernetes: `ValidatePodUpdate`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, NodeAffinity, NodeSelectorTerm, Pod, PodSpec, Toleration};

use super::affinity::REQUIRED;
use super::{check, scheduling};
use crate::manifest::path::FieldPath;
use crate::manifest::validate::{FieldError, Findings, metadata};

/// Kubernetes' words; it adds the difference in its own types.
const UNCHANGEABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
     `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
     tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// What is wrong with a pod that is to take the place of `old`.
pub fn update(new: &Pod, old: &Pod) -> Vec<FieldError> {
    let mut found = Findings::default();
    metadata::update(&new.metadata, &old.metadata, &mut found);
    check(new, &mut found);
    if let (Some(new), Some(old)) = (&new.spec, &old.spec) {
        update_spec(new, old, &FieldPath::of("spec"), &mut found);
    }
    found.into_errors()
}

fn update_spec(new: &PodSpec, old: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let init = |pod: &PodSpec| pod.init_containers.as_deref().unwrap_or_default().len();
    for (field, counts) in [
        ("containers", (new.containers.len(), old.containers.len())),
        ("initContainers", (init(new), init(old))),
    ] {
        if counts.0 != counts.1 {
            let rule = "pod updates may not add or remove containers";
            found.forbidden(&path.child(field), rule);
            return;
        }
    }
    update_deadline(new, old, &path.child("activeDeadlineSeconds"), found);
    update_tolerations(new, old, &path.child("tolerations"), found);
    scheduling::update_gates(new, old, &path.child("schedulingGates"), found);
    let is_kept_back = scheduling::is_gated(old);
    if is_kept_back {
        update_place(new, old, path, found);
    }
    if fixed(new, old, is_kept_back) != *old {
        found.forbidden(path, UNCHANGEABLE);
    }
}

/// The deadline may come, and come nearer.
fn update_deadline(new: &PodSpec, old: &PodSpec, path: &FieldPath, found: &mut Findings) {
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            found.invalid(
                path,
                new,
                format!("must be between 0 and {}, inclusive", i32::MAX),
            );
        }
        (Some(new), Some(old)) if new > old => {
            found.invalid(path, new, "must be less than or equal to previous value");
        }
        (None, Some(_)) => {
            let rule = "must not update from a positive integer to nil value";
            found.invalid(path, None::<i64>, rule);
        }
        _ => {}
    }
}

/// Tolerations may be added, and their time may change.
fn update_tolerations(new: &PodSpec, old: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let timeless = |toleration: &Toleration| Toleration {
        toleration_seconds: None,
        ..toleration.clone()
    };
    let kept: Vec<Toleration> = new.tolerations.iter().flatten().map(timeless).collect();
    let mut before = old.tolerations.iter().flatten();
    if before.any(|toleration| !kept.contains(&timeless(toleration))) {
        let rule = "existing toleration can not be modified except its tolerationSeconds";
        found.forbidden(path, rule);
    }
}

/// As long as a pod is kept back, it may become choosier about the nodes that it runs on.
fn update_place(new: &PodSpec, old: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let nothing = BTreeMap::new();
    let [selector, before] = [new, old].map(|pod| pod.node_selector.as_ref().unwrap_or(&nothing));
    if before
        .iter()
        .any(|(label, value)| selector.get(label) != Some(value))
    {
        let rule = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        found.invalid(&path.child("nodeSelector"), &new.node_selector, rule);
    }
    let (terms, before) = (node_terms(new), node_terms(old));
    let path = path
        .child("affinity")
        .child("nodeAffinity")
        .child(REQUIRED)
        .child("nodeSelectorTerms");
    if before.is_empty() {
        return;
    }
    if terms.len() != before.len() {
        let rule = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        found.invalid(&path, Some(terms).filter(|terms| !terms.is_empty()), rule);
        return;
    }
    for (index, (term, before)) in terms.iter().zip(before).enumerate() {
        if !only_adds(term, before) {
            let rule = "only additions are allowed (no mutations or deletions)";
            found.invalid(&path.index(index), term, rule);
        }
    }
}

/// The nodes that a pod insists on.
fn node_terms(pod: &PodSpec) -> &[NodeSelectorTerm] {
    let nodes = pod
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref());
    let required = nodes.and_then(|nodes| nodes.required_during_scheduling_ignored_during_execution.as_ref());
    required.map_or(&[], |required| &required.node_selector_terms)
}

/// Whether a term asks all that it asked before. One that asked nothing matches no node, so that to ask is to widen it.
fn only_adds(term: &NodeSelectorTerm, before: &NodeSelectorTerm) -> bool {
    let parts = |term: &NodeSelectorTerm| {
        [&term.match_expressions, &term.match_fields].map(|part| part.clone().unwrap_or_default())
    };
    let (now, then) = (parts(term), parts(before));
    if then.iter().all(Vec::is_empty) {
        return now.iter().all(Vec::is_empty);
    }
    let keeps = |(now, then): (&Vec<_>, &Vec<_>)| then.iter().all(|asked| now.contains(asked));
    now.iter().zip(&then).all(keeps)
}

/// The new spec, with everything that may change as it was.
fn fixed(new: &PodSpec, old: &PodSpec, is_kept_back: bool) -> PodSpec {
    let mut spec = new.clone();
    for (container, old) in spec.containers.iter_mut().zip(&old.containers) {
        container.image.clone_from(&old.image);
    }
    let init = spec.init_containers.iter_mut().flatten();
    for (container, old) in init.zip(old.init_containers.iter().flatten()) {
        container.image.clone_from(&old.image);
    }
    spec.active_deadline_seconds = old.active_deadline_seconds;
    spec.tolerations.clone_from(&old.tolerations);
    spec.scheduling_gates.clone_from(&old.scheduling_gates);
    let grace = spec.termination_grace_period_seconds;
    if grace == Some(1)
        && old
            .termination_grace_period_seconds
            .is_some_and(|before| before < 0)
    {
        spec.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    if is_kept_back {
        spec.node_selector.clone_from(&old.node_selector);
        let nodes = old
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.node_affinity.clone());
        set_node_affinity(&mut spec, nodes);
    }
    spec
}

/// Gives a pod an affinity to nodes. One without any affinity is as one that has an empty one.
fn set_node_affinity(spec: &mut PodSpec, nodes: Option<NodeAffinity>) {
    let mut affinity = spec.affinity.take().unwrap_or_default();
    affinity.node_affinity = nodes;
    spec.affinity = Some(affinity).filter(|affinity| *affinity != Affinity::default());
}
