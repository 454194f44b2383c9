//! What the kubelet does beside a container while it runs, and nobody does here: its probes and its hooks. It runs all the
//! same, and people are told.

use k8s_openapi::api::core::v1::Container;

/// A word for programs.
const REASON: &str = "ProbesAndHooksNotRun";

/// What a container asks for beside itself: a word for programs, and a sentence; nothing, when it asks for nothing.
pub(super) fn caveat(container: &Container) -> Option<(&'static str, String)> {
    let hooks = container.lifecycle.as_ref();
    let asked = [
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
        (
            "lifecycle.postStart",
            hooks.is_some_and(|hooks| hooks.post_start.is_some()),
        ),
        (
            "lifecycle.preStop",
            hooks.is_some_and(|hooks| hooks.pre_stop.is_some()),
        ),
    ];
    let asked: Vec<&str> = asked
        .into_iter()
        .filter(|(_, is_asked)| *is_asked)
        .map(|(name, _)| name)
        .collect();
    let message = format!(
        "container {:?} runs without its {}: punctual does not carry out probes and hooks",
        container.name,
        asked.join(", ")
    );
    (!asked.is_empty()).then_some((REASON, message))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_not_carried_out_is_named() {
        let told = |mut container: Value| {
            container["name"] = json!("main");
            let told = caveat(&serde_json::from_value(container).unwrap());
            told.map_or_else(String::new, |(_, message)| message)
        };
        assert_eq!(told(json!({"command": ["true"], "lifecycle": {}})), "");
        let probe = json!({"exec": {"command": ["true"]}});
        assert_eq!(
            told(json!({"livenessProbe": probe})),
            "container \"main\" runs without its livenessProbe: punctual does not carry out probes and hooks"
        );
        let all = json!({
            "readinessProbe": probe,
            "startupProbe": probe,
            "lifecycle": {"postStart": probe, "preStop": probe},
        });
        assert_eq!(
            told(all),
            "container \"main\" runs without its readinessProbe, startupProbe, lifecycle.postStart, lifecycle.preStop: \
             punctual does not carry out probes and hooks"
        );
    }
}
