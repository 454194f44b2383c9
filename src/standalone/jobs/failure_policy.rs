//! What a failed pod means for its Job, by its `podFailurePolicy` and by why the pod ended.
//!
//! The first rule that matches decides. Exit codes are looked for in the containers, then in the init containers; 0
//! never matches. See "Handling retriable and non-retriable pod failures with Pod failure policy" in Kubernetes'
//! documentation.
//!
//! DIFFERENCE: a pod that has ended because its node was stopped is no failure where no rule says otherwise: a node that is
//! stopped takes all pods of a Job with it, and Ctrl-C would be the end of whichever has more of them than its `backoffLimit`.
//! Where nothing of a Job may be tried again, the pod counts.

use k8s_openapi::api::batch::v1::{
    JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule,
};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::pods::ended_with_node;
use super::wanted::Wanted;

/// What a failed pod means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It counts against the limits.
    Counts,
    /// It does not count.
    Ignored,
    /// Its index has failed.
    FailsIndex,
    /// The Job has failed, for this reason.
    FailsJob(String),
}

/// By what the failed pods of a Job are judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'j> {
    policy: Option<&'j PodFailurePolicy>,
    /// Whether a pod may be made in the place of one that has failed.
    may_retry: bool,
}

impl<'j> Judge<'j> {
    pub(super) fn of(spec: &'j JobSpec, wanted: &Wanted) -> Self {
        Self {
            policy: spec.pod_failure_policy.as_ref(),
            may_retry: wanted.may_retry(),
        }
    }

    /// Judges a failed pod.
    pub(super) fn judge(self, pod: &Pod) -> Judgement {
        let rules = self.policy.iter().flat_map(|policy| &policy.rules).enumerate();
        let mut matches = rules.filter_map(|(number, rule)| Some((number, rule, matching(rule, pod)?)));
        let Some((number, rule, cause)) = matches.next() else {
            return if self.may_retry && ended_with_node(pod) {
                Judgement::Ignored
            } else {
                Judgement::Counts
            };
        };
        match rule.action.as_str() {
            "Ignore" => Judgement::Ignored,
            "FailIndex" => Judgement::FailsIndex,
            "FailJob" => Judgement::FailsJob(format!("{cause} matching FailJob rule at index {number}")),
            _ => Judgement::Counts,
        }
    }
}

/// What in the pod matches a rule, in the words of the Job's condition.
fn matching(rule: &PodFailurePolicyRule, pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    if let Some(requirement) = &rule.on_exit_codes {
        let mut containers = status
            .container_statuses
            .iter()
            .chain(&status.init_container_statuses)
            .flatten();
        let (container, code) = containers.find_map(|container| exit_code(container, requirement))?;
        return Some(format!(
            "Container {container} for pod {namespace}/{name} failed with exit code {code}"
        ));
    }
    let patterns = rule.on_pod_conditions.as_ref()?;
    let condition = status.conditions.iter().flatten().find(|condition| {
        patterns.iter().any(|pattern| {
            let wanted = pattern.status.as_deref().unwrap_or("True");
            condition.type_ == pattern.type_ && condition.status == wanted
        })
    })?;
    Some(format!(
        "Pod {namespace}/{name} has condition {}",
        condition.type_
    ))
}

fn exit_code<'c>(
    container: &'c ContainerStatus,
    requirement: &PodFailurePolicyOnExitCodesRequirement,
) -> Option<(&'c str, i32)> {
    let code = container.state.as_ref()?.terminated.as_ref()?.exit_code;
    let is_meant = requirement
        .container_name
        .as_ref()
        .is_none_or(|name| *name == container.name);
    let listed = requirement.values.contains(&code);
    let matches = match requirement.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        _ => false,
    };
    (is_meant && code != 0 && matches).then_some((container.name.as_str(), code))
}
