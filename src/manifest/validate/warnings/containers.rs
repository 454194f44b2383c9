//! Containers: parts of bytes, variables that hide others, ports that are told of twice.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, ContainerPort, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use super::Warnings;
use crate::manifest::path::FieldPath;
use crate::manifest::quantity::Quantity;

/// What is said of profiles as annotations.
pub(super) const SECCOMP: &str = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
const APP_ARMOR: &str = "deprecated since v1.30; use the \"appArmorProfile\" field instead";

/// What there are only whole bytes of.
const OF_BYTES: [&str; 2] = ["ephemeral-storage", "memory"];

/// Checks the containers of a pod at `path`, which has its annotations at `metadata`.
pub(super) fn check(
    pod: &PodSpec,
    annotations: Option<&BTreeMap<String, String>>,
    path: &FieldPath,
    metadata: &FieldPath,
    warnings: &mut Warnings,
) {
    let mut ports: Vec<(FieldPath, &ContainerPort)> = Vec::new();
    let init = pod.init_containers.as_deref().unwrap_or_default();
    for (list, containers) in [
        ("initContainers", init),
        ("containers", pod.containers.as_slice()),
    ] {
        for (index, container) in containers.iter().enumerate() {
            let path = path.child(list).index(index);
            for (prefix, what) in [
                ("container.seccomp.security.alpha.kubernetes.io/", SECCOMP),
                ("container.apparmor.security.beta.kubernetes.io/", APP_ARMOR),
            ] {
                let key = format!("{prefix}{}", container.name);
                if annotations.is_some_and(|annotations| annotations.contains_key(&key)) {
                    warnings.add(&metadata.key(&key), what);
                }
            }
            check_amounts(container, &path.child("resources"), warnings);
            check_variables(container, &path.child("env"), warnings);
            check_ports(container, &path.child("ports"), &mut ports, warnings);
        }
    }
}

fn check_amounts(container: &Container, path: &FieldPath, warnings: &mut Warnings) {
    let Some(resources) = &container.resources else {
        return;
    };
    for (field, amounts) in [("limits", &resources.limits), ("requests", &resources.requests)] {
        for (name, amount) in amounts.iter().flatten() {
            check_amount(name, amount, &path.child(field).key(name), warnings);
        }
    }
}

/// Checks that an amount of bytes is a whole number of them.
pub(super) fn check_amount(name: &str, written: &Written, path: &FieldPath, warnings: &mut Warnings) {
    let is_whole = |amount: &Quantity| amount.is_multiple_of(Quantity::whole(1));
    let amount = Quantity::parse(&written.0).filter(|amount| !is_whole(amount));
    if let Some(amount) = amount.filter(|_| OF_BYTES.contains(&name)) {
        let shown = amount.in_thousandths();
        let what = format!("fractional byte value {shown:?} is invalid, must be an integer");
        warnings.add(path, what);
    }
}

fn check_variables(container: &Container, path: &FieldPath, warnings: &mut Warnings) {
    let variables = container.env.as_deref().unwrap_or_default();
    for (index, variable) in variables.iter().enumerate() {
        let is_repeated = variables[..index]
            .iter()
            .any(|earlier| earlier.name == variable.name);
        // A variable may be made of what it was before.
        let before = format!("$({})", variable.name);
        let builds_on_it = variable
            .value
            .as_deref()
            .is_some_and(|value| value.contains(&before));
        if is_repeated && !builds_on_it {
            let name = &variable.name;
            let what =
                format!("hides previous definition of {name:?}, which may be dropped when using apply");
            warnings.add(&path.index(index), what);
        }
    }
}

fn check_ports<'a>(
    container: &'a Container,
    path: &FieldPath,
    seen: &mut Vec<(FieldPath, &'a ContainerPort)>,
    warnings: &mut Warnings,
) {
    for (index, port) in container.ports.iter().flatten().enumerate() {
        let path = path.index(index);
        let host = |port: &ContainerPort| {
            (
                port.host_port.unwrap_or_default(),
                port.host_ip.clone().unwrap_or_default(),
            )
        };
        let protocol = |port: &ContainerPort| port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
        let (host_port, host_ip) = host(port);
        if host_port == 0 && !host_ip.is_empty() {
            let what = format!(
                "hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{} HostIP:{host_ip}}}",
                port.name.as_deref().unwrap_or_default(),
                port.container_port,
                protocol(port),
            );
            warnings.add(&path, what);
        }
        for (other_path, other) in seen.iter() {
            if port.container_port != other.container_port || protocol(port) != protocol(other) {
                continue;
            }
            let how = if host(port) == host(other) {
                "duplicate"
            } else {
                "overlapping"
            };
            warnings.add(&path, format!("{how} port definition with {other_path}"));
        }
        seen.push((path, port));
    }
}
