//! Containers: name, image, environment, ports, mounts.

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvFromSource, EnvVar, EnvVarSource, VolumeMount,
};

use super::{Findings, Hint, metadata, names, probe, resources, security};
use crate::manifest::path::FieldPath;

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
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
    for (index, variable) in container.env.iter().flatten().enumerate() {
        environment(variable, &path.child("env").index(index), found);
    }
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        environment_source(source, &path.child("envFrom").index(index), found);
    }
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
    mounts(
        container.volume_mounts.as_deref().unwrap_or_default(),
        volumes,
        &path.child("volumeMounts"),
        found,
    );
}

fn environment(variable: &EnvVar, path: &FieldPath, found: &mut Findings) {
    if variable.name.is_empty() {
        found.required(&path.child("name"), "");
    } else {
        for rule in names::environment_variable(&variable.name) {
            found.invalid(&path.child("name"), &variable.name, rule);
        }
    }
    let Some(source) = &variable.value_from else {
        return;
    };
    let path = path.child("valueFrom");
    let sources = count_sources(source);
    if sources == 0 {
        let rule = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or \
                    `fileKeyRef`";
        found.invalid(&path, "", rule);
    } else if variable.value.as_deref().is_some_and(|value| !value.is_empty()) {
        found.invalid(&path, "", "may not be specified when `value` is not empty");
    } else if sources > 1 {
        found.invalid(&path, "", "may not have more than one field specified at a time");
    }
}

/// A whole set of variables, out of a config map or a secret.
fn environment_source(source: &EnvFromSource, path: &FieldPath, found: &mut Findings) {
    match (&source.config_map_ref, &source.secret_ref) {
        (None, None) => {
            found.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
        }
        (Some(_), Some(_)) => {
            found.invalid(path, "", "may not have more than one field specified at a time");
        }
        _ => {}
    }
}

fn count_sources(source: &EnvVarSource) -> usize {
    let sources = [
        source.config_map_key_ref.is_some(),
        source.field_ref.is_some(),
        source.file_key_ref.is_some(),
        source.resource_field_ref.is_some(),
        source.secret_key_ref.is_some(),
    ];
    sources.into_iter().filter(|set| *set).count()
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

/// The longest name of a port (RFC 6335), in characters.
const PORT_NAME_MAX: usize = 15;

/// Names of ports: short, and each once.
fn port_names(ports: &[ContainerPort], path: &FieldPath, found: &mut Findings) {
    for (index, port) in ports.iter().enumerate() {
        let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) else {
            continue;
        };
        let path = path.index(index).child("name");
        if name.len() > PORT_NAME_MAX {
            found.invalid(
                &path,
                name,
                format!("must be no more than {PORT_NAME_MAX} characters"),
            );
        }
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            found.invalid(
                &path,
                name,
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
            );
        } else if !name.bytes().any(|byte| byte.is_ascii_lowercase()) {
            found.invalid(&path, name, "must contain at least one letter (a-z)");
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
    }
}
