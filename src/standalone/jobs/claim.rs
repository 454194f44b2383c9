//! Which pods are a Job's, as their labels and owners change (`ClaimPods` of Kubernetes' `PodControllerRefManager`).
//!
//! A pod that nobody controls and that the Job's selector means is taken over, and one of the Job's own that the selector
//! no longer means is let go: who takes the labels off a pod keeps it, and the Job makes another. Neither is done for a
//! Job that is being deleted.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference};

use super::build::owner;
use super::key::owns;
use super::objects::Uid;
use super::pods::{TRACKING_FINALIZER, uid};
use crate::manifest::validate::selector::selects;

/// What is to be done before the Job's pods can be counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) adopt: Vec<Uid>,
    pub(super) disown: Vec<Uid>,
}

impl Claim {
    /// What a Job claims of some pods.
    pub(super) fn of(job: &Job, pods: &[&Pod]) -> Self {
        let mut claim = Self::default();
        if job.metadata.deletion_timestamp.is_some() {
            return claim;
        }
        for pod in pods {
            if owns(job, pod) {
                if !keeps(job, pod) {
                    claim.disown.push(uid(pod).to_owned());
                }
            } else if may_adopt(job, pod) {
                claim.adopt.push(uid(pod).to_owned());
            }
        }
        claim
    }
}

/// Whether the Job's selector means a pod that nobody controls.
pub(super) fn may_adopt(job: &Job, pod: &Pod) -> bool {
    let is_free = pod
        .metadata
        .owner_references
        .iter()
        .flatten()
        .all(|owner| owner.controller != Some(true));
    is_free
        && pod.metadata.deletion_timestamp.is_none()
        && pod.metadata.namespace == job.metadata.namespace
        && selector(job).is_some_and(|selector| means(selector, pod))
}

/// Whether a pod is the Job's own, and stays so.
pub(super) fn is_own(job: &Job, pod: &Pod) -> bool {
    owns(job, pod) && keeps(job, pod)
}

/// Whether a pod of the Job's own stays its own. A Job without a selector, which no API server keeps, means all it made.
fn keeps(job: &Job, pod: &Pod) -> bool {
    selector(job).is_none_or(|selector| means(selector, pod))
}

/// The owners and the finalizers of a pod that the Job takes over.
pub(super) fn adopted(job: &Job, pod: &Pod) -> (Vec<OwnerReference>, Vec<String>) {
    let mut owners = pod.metadata.owner_references.clone().unwrap_or_default();
    owners.push(owner(job));
    let mut finalizers = finalizers_of_others(pod);
    finalizers.push(TRACKING_FINALIZER.to_owned());
    (owners, finalizers)
}

/// The owners and the finalizers of a pod that the Job lets go of.
pub(super) fn disowned(job: &Job, pod: &Pod) -> (Vec<OwnerReference>, Vec<String>) {
    let mut owners = pod.metadata.owner_references.clone().unwrap_or_default();
    owners.retain(|owner| Some(&owner.uid) != job.metadata.uid.as_ref());
    (owners, finalizers_of_others(pod))
}

/// The finalizers of a pod but the one that keeps it until it is counted.
pub(super) fn finalizers_of_others(pod: &Pod) -> Vec<String> {
    let all = pod.metadata.finalizers.iter().flatten();
    all.filter(|finalizer| *finalizer != TRACKING_FINALIZER)
        .cloned()
        .collect()
}

fn selector(job: &Job) -> Option<&LabelSelector> {
    job.spec.as_ref()?.selector.as_ref()
}

/// Whether a selector means a pod. One that asks for nothing means none: the Job would take every pod there is.
fn means(selector: &LabelSelector, pod: &Pod) -> bool {
    let none = BTreeMap::new();
    let labels = pod.metadata.labels.as_ref().unwrap_or(&none);
    *selector != LabelSelector::default() && selects(selector, labels)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn job(selector: &Value) -> Job {
        serde_json::from_value(json!({
            "metadata": {"name": "report", "namespace": "shop", "uid": "j-1"},
            "spec": {"selector": selector, "template": {}},
        }))
        .unwrap()
    }

    /// What a Job with this selector claims of a pod with these labels that `owner` controls.
    fn claimed(selector: &Value, labels: &Value, owner: Option<&str>) -> &'static str {
        let owners: Vec<Value> = owner
            .iter()
            .map(|uid| json!({"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": uid, "controller": true}))
            .collect();
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "p", "namespace": "shop", "labels": labels, "ownerReferences": owners},
        }))
        .unwrap();
        let claim = Claim::of(&job(selector), &[&pod]);
        match (claim.adopt.len(), claim.disown.len()) {
            (0, 0) => "as it is",
            (1, 0) => "adopt",
            (0, 1) => "disown",
            _ => "both",
        }
    }

    #[test]
    fn what_the_selector_means_is_the_jobs_if_it_is_nobodys() {
        let by_label = json!({"matchLabels": {"a": "1"}});
        let within = json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]});
        let without = json!({"matchExpressions": [
            {"key": "a", "operator": "NotIn", "values": ["1"]}, {"key": "b", "operator": "Exists"},
            {"key": "c", "operator": "DoesNotExist"},
        ]});
        for (selector, labels, owner, expected) in [
            (&by_label, json!({"a": "1", "b": "2"}), None, "adopt"),
            (&by_label, json!({"a": "1"}), Some("j-1"), "as it is"),
            (&by_label, json!({"a": "1"}), Some("j-2"), "as it is"),
            (&by_label, json!({"a": "2"}), Some("j-1"), "disown"),
            (&by_label, json!({"a": "2"}), Some("j-2"), "as it is"),
            (&by_label, json!({}), None, "as it is"),
            (&within, json!({"a": "2"}), None, "adopt"),
            (&within, json!({"a": "3"}), None, "as it is"),
            (&without, json!({"b": ""}), None, "adopt"),
            (&without, json!({"b": "", "c": ""}), None, "as it is"),
            (&without, json!({"a": "1", "b": ""}), None, "as it is"),
            (&json!({}), json!({"a": "1"}), None, "as it is"),
            (&Value::Null, json!({"a": "1"}), Some("j-1"), "as it is"),
        ] {
            assert_eq!(
                claimed(selector, &labels, owner),
                expected,
                "{selector} {labels} {owner:?}"
            );
        }
    }
}
