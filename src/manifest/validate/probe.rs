//! How containers are looked after: probes.

use k8s_openapi::api::core::v1::{Container, Probe};

use super::Findings;
use crate::manifest::path::FieldPath;

/// Checks the probes of a container.
pub(super) fn check(container: &Container, path: &FieldPath, found: &mut Findings) {
    for (field, probe) in probes(container) {
        let path = path.child(field);
        numbers(probe, &path, found);
        handler(probe, &path, found);
        // One success has to be enough where a container that fails is started again.
        let success = probe.success_threshold.filter(|threshold| *threshold > 1);
        if let Some(threshold) = success.filter(|_| field != "readinessProbe") {
            found.invalid(&path.child("successThreshold"), threshold, "must be 1");
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

/// A probe does one thing.
fn handler(probe: &Probe, path: &FieldPath, found: &mut Findings) {
    let handlers = [
        ("exec", probe.exec.is_some()),
        ("grpc", probe.grpc.is_some()),
        ("httpGet", probe.http_get.is_some()),
        ("tcpSocket", probe.tcp_socket.is_some()),
    ];
    let mut written = handlers.into_iter().filter(|(_, is_written)| *is_written);
    if written.next().is_none() {
        found.required(path, "must specify a handler type");
    }
    for (field, _) in written {
        found.forbidden(&path.child(field), "may not specify more than 1 handler type");
    }
}
