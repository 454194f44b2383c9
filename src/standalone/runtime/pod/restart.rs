//! When a container is started again in its pod.
//!
//! The kubelet's rules: the container's `restartPolicyRules`, else its own `restartPolicy`, else the pod's say after which
//! exits (`ContainerShouldRestart` in `pkg/api/v1/pod/util.go`), and the wait before the n-th restart in a row is nothing,
//! 10 s, 20 s, 40 s … up to five minutes (`CrashLoopBackOff`). A run of ten minutes starts the row anew.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, ContainerRestartRule};

/// Of all containers only the one whose rule it is is restarted here, and a warning says so (`not_enforced`).
pub(super) const RESTART_ALL: &str = "RestartAllContainers";
/// What a rule may ask for.
const RESTART_ACTIONS: [&str; 2] = ["Restart", RESTART_ALL];

/// The wait before the second restart in a row.
pub(super) const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
/// The longest wait.
pub(super) const LONGEST_BACK_OFF: Duration = Duration::from_mins(5);
/// A run of this length ends a row of failures.
pub(super) const LONG_RUN: Duration = Duration::from_mins(10);

/// After which ends a container is started again.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct Restarts {
    rules: Vec<ContainerRestartRule>,
    policy: RestartPolicy,
    is_init: bool,
}

impl Restarts {
    /// Those of a container in a pod with this `restartPolicy`.
    pub(in crate::standalone::runtime) fn of(
        container: &Container,
        of_pod: Option<&str>,
        is_init: bool,
    ) -> Self {
        let own = container.restart_policy.as_deref();
        let own = own.filter(|policy| !policy.is_empty());
        // Without a policy of its own a container has no rules.
        let rules = own.and(container.restart_policy_rules.clone());
        Self {
            rules: rules.unwrap_or_default(),
            policy: RestartPolicy::read(own.or(of_pod)),
            is_init: is_init && own != Some("Always"),
        }
    }

    /// Whether the container is started again after this exit code. An init container that has succeeded is not, whatever
    /// is asked for.
    pub(super) fn are_after(&self, exit_code: i32) -> bool {
        if self.is_init && exit_code == 0 {
            return false;
        }
        let mut rules = self.rules.iter();
        match rules.find(|rule| fits(rule, exit_code)) {
            Some(rule) if RESTART_ACTIONS.contains(&rule.action.as_str()) => true,
            _ => self.policy.restarts_after(exit_code),
        }
    }
}

/// Whether a rule is for this exit code.
fn fits(rule: &ContainerRestartRule, exit_code: i32) -> bool {
    let Some(codes) = &rule.exit_codes else {
        return false;
    };
    let is_listed = codes.values.iter().flatten().any(|code| *code == exit_code);
    match codes.operator.as_str() {
        "In" => is_listed,
        "NotIn" => !is_listed,
        _ => false,
    }
}

/// A `restartPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RestartPolicy {
    /// After every exit.
    Always,
    /// After an exit code other than 0.
    OnFailure,
    /// Never.
    Never,
}

impl RestartPolicy {
    /// Reads the policy; Kubernetes takes an absent one as `Always`.
    fn read(written: Option<&str>) -> Self {
        match written {
            Some("Never") => Self::Never,
            Some("OnFailure") => Self::OnFailure,
            _ => Self::Always,
        }
    }

    /// Whether a container that ended with this exit code is started again.
    fn restarts_after(self, exit_code: i32) -> bool {
        match self {
            Self::Always => true,
            Self::OnFailure => exit_code != 0,
            Self::Never => false,
        }
    }
}

/// What is left of a wait of which so much is over, in whole seconds: that a moment of it is over nobody has to be told.
pub(super) fn left(wait: Duration, over: Duration) -> Duration {
    let left = wait.saturating_sub(over);
    Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0))
}

/// The row of restarts of one container.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    in_a_row: u32,
}

impl BackOff {
    /// After so many restarts.
    pub(super) fn after(in_a_row: u32) -> Self {
        Self { in_a_row }
    }

    /// How long to wait before the next restart, after a run of this length.
    pub(super) fn next(&mut self, run: Duration) -> Duration {
        if run >= LONG_RUN {
            self.in_a_row = 0;
        }
        let wait = match self.in_a_row {
            0 => Duration::ZERO,
            restarts => FIRST_BACK_OFF
                .saturating_mul(2_u32.saturating_pow(restarts - 1))
                .min(LONGEST_BACK_OFF),
        };
        self.in_a_row = self.in_a_row.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let mut back_off = BackOff::default();
        let waits: Vec<u64> = (0..9)
            .map(|_| back_off.next(Duration::from_secs(1)).as_secs())
            .collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn a_long_run_starts_the_row_anew() {
        let mut back_off = BackOff::default();
        let runs = [1, 1, 1, 600, 1].map(|seconds| back_off.next(Duration::from_secs(seconds)).as_secs());
        assert_eq!(runs, [0, 10, 20, 0, 10]);
    }

    /// After which of the exit codes 0, 1, 42 and 137 a container is started again.
    fn after(of_pod: Option<&str>, container: &serde_json::Value, is_init: bool) -> String {
        let container = serde_json::from_value(container.clone()).unwrap();
        let restarts = Restarts::of(&container, of_pod, is_init);
        let codes = [0, 1, 42, 137]
            .into_iter()
            .filter(|code| restarts.are_after(*code));
        codes.map(|code| code.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rules_come_before_the_own_policy_and_that_before_the_pods() {
        let rule = |action: &str, operator: &str, values: &[i32]| json!({"action": action, "exitCodes": {"operator": operator, "values": values}});
        let own = |policy: &str| json!({"name": "main", "restartPolicy": policy});
        let ruled = |policy: &str, rules: &[serde_json::Value]| json!({"name": "main", "restartPolicy": policy, "restartPolicyRules": rules});
        let of_never = |container: &serde_json::Value| after(Some("Never"), container, false);
        let plain = json!({"name": "main"});
        let on_42 = rule("Restart", "In", &[42]);
        let rows = [
            ("Never", of_never(&plain)),
            ("OnFailure", after(Some("OnFailure"), &plain, false)),
            ("Always", after(Some("Always"), &plain, false)),
            ("no policy", after(None, &plain, false)),
            ("own, of Never", of_never(&own("OnFailure"))),
            ("own, of Always", after(Some("Always"), &own("Never"), false)),
            ("an empty one is none", of_never(&own(""))),
            ("a code", of_never(&ruled("Never", std::slice::from_ref(&on_42)))),
            (
                "all but codes",
                of_never(&ruled("Never", &[rule("Restart", "NotIn", &[0, 137])])),
            ),
            (
                "all containers",
                of_never(&ruled("Never", &[rule(RESTART_ALL, "In", &[42])])),
            ),
            (
                "other codes",
                of_never(&ruled("OnFailure", std::slice::from_ref(&on_42))),
            ),
            (
                "unknown words",
                of_never(&ruled(
                    "Never",
                    &[rule("Stop", "In", &[42]), rule("Restart", "Like", &[1])],
                )),
            ),
            (
                "the first that fits",
                of_never(&ruled("Never", &[rule("Stop", "In", &[42]), on_42.clone()])),
            ),
            (
                "rules alone",
                of_never(&json!({"name": "main", "restartPolicyRules": [on_42]})),
            ),
            ("init, of Always", after(Some("Always"), &plain, true)),
            ("init, of Never", after(Some("Never"), &plain, true)),
            (
                "init, a success",
                after(
                    Some("Never"),
                    &ruled("Never", &[rule("Restart", "In", &[0, 42])]),
                    true,
                ),
            ),
            ("sidecar", after(Some("Never"), &own("Always"), true)),
        ];
        let rows = rows.map(|(what, codes)| format!("{what}: {codes}"));
        insta::assert_snapshot!(rows.join("\n"), @r"
        Never: 
        OnFailure: 1 42 137
        Always: 0 1 42 137
        no policy: 0 1 42 137
        own, of Never: 1 42 137
        own, of Always: 
        an empty one is none: 
        a code: 42
        all but codes: 1 42
        all containers: 42
        other codes: 1 42 137
        unknown words: 
        the first that fits: 
        rules alone: 
        init, of Always: 1 42 137
        init, of Never: 
        init, a success: 42
        sidecar: 0 1 42 137
        ");
    }
}
