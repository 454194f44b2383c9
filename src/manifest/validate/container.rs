//! Containers: name, image, ports, mounts.

use k8s_openapi::api::core::v1::{Container, ContainerPort, VolumeMount};

use super::{Findings, Hint, environment, metadata, names, paths, probe, resources, security};
use crate::manifest::path::FieldPath;

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: [&str; 2] = ["FallbackToLogsOnError", "File"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// Checks one container; `volumes` are the names of the pod's volumes.
pub(super) fn check(container: &Container, volumes: &[&str], path: &FieldPath, found: &mut Findings) {
    let name = &path.child("name");
    if container.name.is_empty() {
        found.required(name, "");
    } else {
        for rule in names::dns_label(&container.name) {
            found
                .invalid(name, &container.name, rule)
                .hint(metadata::name_hint(&container.name));
        }
    }
    let image = &path.child("image");
    match container.image.as_deref().unwrap_or_default() {
        "" => found.required(image, ""),
        text if text.trim() != text => {
            found.invalid(image, text, "must not have leading or trailing whitespace");
        }
        _ => {}
    }
    if let Some(policy) = container
        .image_pull_policy
        .as_deref()
        .filter(|policy| !policy.is_empty())
        && !PULL_POLICIES.contains(&policy)
    {
        found.not_supported(&path.child("imagePullPolicy"), policy, &PULL_POLICIES);
    }
    environment::check(container, path, found);
    for (index, port) in container.ports.iter().flatten().enumerate() {
        check_port(port, &path.child("ports").index(index), found);
    }
    port_names(
        container.ports.as_deref().unwrap_or_default(),
        &path.child("ports"),
        found,
    );
    resources::check(container.resources.as_ref(), &path.child("resources"), found);
    security::check_container(
        container.security_context.as_ref(),
        &path.child("securityContext"),
        found,
    );
    probe::check(container, path, found);
    let policy = container
        .termination_message_policy
        .as_deref()
        .unwrap_or_default();
    if !policy.is_empty() && !MESSAGE_POLICIES.contains(&policy) {
        found.not_supported(&path.child("terminationMessagePolicy"), policy, &MESSAGE_POLICIES);
    }
    mounts(
        container.volume_mounts.as_deref().unwrap_or_default(),
        volumes,
        &path.child("volumeMounts"),
        found,
    );
}

fn check_port(port: &ContainerPort, path: &FieldPath, found: &mut Findings) {
    let number = &path.child("containerPort");
    match port.container_port {
        0 => found.required(number, ""),
        1..=65_535 => {}
        other => {
            found.invalid(number, other, "must be between 1 and 65535, inclusive");
        }
    }
    if let Some(protocol) = port
        .protocol
        .as_deref()
        .filter(|protocol| !PROTOCOLS.contains(protocol))
    {
        found.not_supported(&path.child("protocol"), protocol, &PROTOCOLS);
    }
}

/// Names of ports: short, and each once.
fn port_names(ports: &[ContainerPort], path: &FieldPath, found: &mut Findings) {
    for (index, port) in ports.iter().enumerate() {
        let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) else {
            continue;
        };
        let path = path.index(index).child("name");
        for rule in names::port(name) {
            found.invalid(&path, name, rule);
        }
        if ports[..index]
            .iter()
            .any(|earlier| earlier.name.as_deref() == Some(name))
        {
            found.duplicate(&path, name);
        }
    }
}

fn mounts(mounts: &[VolumeMount], volumes: &[&str], path: &FieldPath, found: &mut Findings) {
    for (index, mount) in mounts.iter().enumerate() {
        let path = path.index(index);
        if mount.name.is_empty() {
            found.required(&path.child("name"), "");
        } else if !volumes.contains(&mount.name.as_str()) {
            found.not_found(&path.child("name"), &mount.name).hint(Hint {
                message: format!("there is no volume `{}` in this pod", mount.name),
                help: Some(match volumes {
                    [] => "write it into `volumes`, beside `containers`".to_owned(),
                    _ => format!(
                        "write it into `volumes`, or name one of these: {}",
                        volumes.join(", ")
                    ),
                }),
                ..Hint::default()
            });
        }
        if mount.mount_path.is_empty() {
            found.required(&path.child("mountPath"), "");
        } else if mounts[..index]
            .iter()
            .any(|earlier| earlier.mount_path == mount.mount_path)
        {
            found.invalid(&path.child("mountPath"), &mount.mount_path, "must be unique");
        }
        sub_paths(mount, &path, found);
    }
}

/// Where in a volume a mount begins.
fn sub_paths(mount: &VolumeMount, path: &FieldPath, found: &mut Findings) {
    let (plain, expression) = (
        mount.sub_path.as_deref().unwrap_or_default(),
        mount.sub_path_expr.as_deref().unwrap_or_default(),
    );
    if !plain.is_empty() && !expression.is_empty() {
        let rule = "subPathExpr and subPath are mutually exclusive";
        found.invalid(&path.child("subPathExpr"), expression, rule);
    }
    for (field, value) in [("subPath", plain), ("subPathExpr", expression)] {
        paths::check_descending(value, &path.child(field), found);
    }
}
