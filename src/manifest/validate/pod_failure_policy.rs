//! `podFailurePolicy`: what the failure of a pod means to its Job.

use k8s_openapi::api::batch::v1::{
    JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule,
};

use super::{Findings, names};
use crate::manifest::path::FieldPath;

/// The limits of Kubernetes, which keep the evaluation of a policy short.
const RULES_MAX: usize = 20;
const EXIT_CODES_MAX: usize = 255;
const CONDITIONS_MAX: usize = 20;

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS: [&str; 2] = ["In", "NotIn"];
const STATUSES: [&str; 3] = ["False", "True", "Unknown"];

/// Checks the policy, if there is one.
pub(super) fn check(spec: &JobSpec, path: &FieldPath, found: &mut Findings) {
    let Some(policy) = &spec.pod_failure_policy else {
        return;
    };
    let path = path.child("rules");
    if policy.rules.len() > RULES_MAX {
        found.too_many(&path, policy.rules.len(), RULES_MAX);
    }
    for (index, rule) in policy.rules.iter().enumerate() {
        check_rule(spec, rule, &path.index(index), found);
    }
}

fn check_rule(spec: &JobSpec, rule: &PodFailurePolicyRule, path: &FieldPath, found: &mut Findings) {
    one_of(&rule.action, &ACTIONS, &path.child("action"), found);
    if rule.action == "FailIndex" && spec.backoff_limit_per_index.is_none() {
        found.invalid(
            &path.child("action"),
            &rule.action,
            "requires the backoffLimitPerIndex to be set",
        );
    }
    if let Some(codes) = &rule.on_exit_codes {
        exit_codes(spec, codes, &path.child("onExitCodes"), found);
    }
    let conditions = rule.on_pod_conditions.as_deref().unwrap_or_default();
    pod_conditions(conditions, &path.child("onPodConditions"), found);
    match (&rule.on_exit_codes, conditions.is_empty()) {
        (Some(_), false) => found.invalid_as_a_whole(
            path,
            "specifying both OnExitCodes and OnPodConditions is not supported",
        ),
        (None, true) => {
            found.invalid_as_a_whole(
                path,
                "specifying one of OnExitCodes and OnPodConditions is required",
            );
        }
        _ => {}
    }
}

fn exit_codes(
    spec: &JobSpec,
    codes: &PodFailurePolicyOnExitCodesRequirement,
    path: &FieldPath,
    found: &mut Findings,
) {
    one_of(&codes.operator, &OPERATORS, &path.child("operator"), found);
    if let Some(name) = &codes.container_name
        && !has_container(spec, name)
    {
        let rule = "must be one of the container or initContainer names in the pod template";
        found.invalid(&path.child("containerName"), name, rule);
    }
    let path = path.child("values");
    let values = &codes.values;
    if values.is_empty() {
        found.invalid(&path, values, "at least one value is required");
    } else if values.len() > EXIT_CODES_MAX {
        found.too_many(&path, values.len(), EXIT_CODES_MAX);
    }
    for (index, value) in values.iter().enumerate() {
        if codes.operator == "In" && *value == 0 {
            found.invalid(&path.index(index), value, "must not be 0 for the In operator");
        }
        if values[..index].contains(value) {
            found.duplicate(&path.index(index), value);
        }
    }
    if !values.is_sorted() {
        found.invalid(&path, values, "must be ordered");
    }
}

fn pod_conditions(
    patterns: &[PodFailurePolicyOnPodConditionsPattern],
    path: &FieldPath,
    found: &mut Findings,
) {
    if patterns.len() > CONDITIONS_MAX {
        found.too_many(path, patterns.len(), CONDITIONS_MAX);
    }
    for (index, pattern) in patterns.iter().enumerate() {
        let path = path.index(index);
        for rule in names::qualified(&pattern.type_) {
            found.invalid(&path.child("type"), &pattern.type_, rule);
        }
        // A status that is not written is True by default.
        if let Some(status) = &pattern.status {
            one_of(status, &STATUSES, &path.child("status"), found);
        }
    }
}

/// A required value out of a few.
fn one_of(value: &str, supported: &[&str], path: &FieldPath, found: &mut Findings) {
    if value.is_empty() {
        let quoted: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
        found.required(path, format!("valid values: [{}]", quoted.join(" ")));
    } else if !supported.contains(&value) {
        found.not_supported(path, value, supported);
    }
}

fn has_container(spec: &JobSpec, name: &str) -> bool {
    let Some(pod) = &spec.template.spec else {
        return false;
    };
    pod.containers
        .iter()
        .chain(pod.init_containers.iter().flatten())
        .any(|container| container.name == name)
}
