//! How containers are looked after: probes, and hooks at the beginning and the end.

use k8s_openapi::api::core::v1::{Container, PodSpec, Probe};

use super::super::Findings;
use super::handler::Handler;
use crate::manifest::path::FieldPath;

/// How long pods that do not say otherwise have for their end.
const GRACE_SECONDS: i64 = 30;

/// Checks the probes of a container, and what is done at its beginning and end.
pub(super) fn check(container: &Container, pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let grace_seconds = pod.termination_grace_period_seconds.unwrap_or(GRACE_SECONDS);
    check_lifecycle(container, grace_seconds, path, found);
    for (field, probe) in probes(container) {
        let path = path.child(field);
        numbers(probe, &path, found);
        Handler::from(probe).check(grace_seconds, &path, found);
        check_grace(field, probe, &path.child("terminationGracePeriodSeconds"), found);
        // One success has to be enough where a container that fails is started again.
        let success = probe.success_threshold.filter(|threshold| *threshold > 1);
        if let Some(threshold) = success.filter(|_| field != "readinessProbe") {
            found.invalid(&path.child("successThreshold"), threshold, "must be 1");
        }
    }
}

/// What a container that fails its probe has for its end; one that is only not ready does not end.
fn check_grace(field: &str, probe: &Probe, path: &FieldPath, found: &mut Findings) {
    let Some(seconds) = probe.termination_grace_period_seconds else {
        return;
    };
    if field == "readinessProbe" {
        found.invalid(path, seconds, "must not be set for readinessProbes");
    } else if seconds <= 0 {
        found.invalid(path, seconds, "must be greater than 0");
    }
}

/// Checks what is done at the beginning and the end of a container.
fn check_lifecycle(container: &Container, grace_seconds: i64, path: &FieldPath, found: &mut Findings) {
    let Some(lifecycle) = &container.lifecycle else {
        return;
    };
    for (field, handler) in [
        ("postStart", &lifecycle.post_start),
        ("preStop", &lifecycle.pre_stop),
    ] {
        if let Some(handler) = handler {
            Handler::from(handler).check(grace_seconds, &path.child("lifecycle").child(field), found);
        }
    }
}

/// Containers that run before the others and end have nothing to be probed for.
pub(super) fn check_init(container: &Container, path: &FieldPath, found: &mut Findings) {
    if container.restart_policy.as_deref() == Some("Always") {
        return;
    }
    let rule = "may not be set for init containers without restartPolicy=Always";
    if container.lifecycle.is_some() {
        found.forbidden(&path.child("lifecycle"), rule);
    }
    for (field, _) in probes(container) {
        found.forbidden(&path.child(field), rule);
    }
}

fn probes(container: &Container) -> impl Iterator<Item = (&'static str, &Probe)> {
    let probes = [
        ("livenessProbe", &container.liveness_probe),
        ("readinessProbe", &container.readiness_probe),
        ("startupProbe", &container.startup_probe),
    ];
    probes
        .into_iter()
        .filter_map(|(field, probe)| Some((field, probe.as_ref()?)))
}

fn numbers(probe: &Probe, path: &FieldPath, found: &mut Findings) {
    for (field, number) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        found.not_negative(&path.child(field), number);
    }
}
