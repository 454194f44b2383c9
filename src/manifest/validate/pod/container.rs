//! Containers: name, image, ports, mounts, and all that they have beside.

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, ContainerRestartRule, PodSpec, Volume, VolumeDevice, VolumeMount,
};

use super::super::{Findings, Hint, metadata, names};
use super::{environment, network, paths, probe, resources, security};
use crate::manifest::path::FieldPath;

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: [&str; 2] = ["File", "FallbackToLogsOnError"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const PROPAGATIONS: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE_READ_ONLY: [&str; 3] = ["Disabled", "Enabled", "IfPossible"];
const RESTART_ACTIONS: [&str; 2] = ["Restart", "RestartAllContainers"];
const RESTART_OPERATORS: [&str; 2] = ["In", "NotIn"];
const RESTART_POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];

/// Checks all containers of a pod: each, and that they do not get in each other's way.
pub(super) fn check_all(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    if pod.containers.is_empty() {
        found.required(&path.child("containers"), "");
    }
    let init = pod.init_containers.as_deref().unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for (list, containers) in [
        ("containers", pod.containers.as_slice()),
        ("initContainers", init),
    ] {
        let path = path.child(list);
        for (index, container) in containers.iter().enumerate() {
            let path = path.index(index);
            check(container, pod, &path, found);
            if names.contains(&container.name.as_str()) {
                found.duplicate(&path.child("name"), &container.name);
            } else if !container.name.is_empty() {
                names.push(&container.name);
            }
            if list == "initContainers" {
                probe::check_init(container, &path, found);
            }
            check_end(container, pod, &path, found);
        }
        if list == "containers" {
            network::check_shared_ports(containers, &path, found);
        }
    }
}

fn check(container: &Container, pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
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
    if container.image.as_deref().unwrap_or_default().is_empty() {
        found.required(&path.child("image"), "");
    }
    let policy = container.termination_message_policy.as_deref();
    one_of(
        policy,
        &MESSAGE_POLICIES,
        &path.child("terminationMessagePolicy"),
        found,
    );
    check_ports(container, &path.child("ports"), found);
    let volumes = pod.volumes.as_deref().unwrap_or_default();
    environment::check(container, volumes, path, found);
    check_mounts(container, volumes, &path.child("volumeMounts"), found);
    check_devices(container, volumes, &path.child("volumeDevices"), found);
    let policy = container.image_pull_policy.as_deref();
    one_of(policy, &PULL_POLICIES, &path.child("imagePullPolicy"), found);
    resources::check(container.resources.as_ref(), pod, &path.child("resources"), found);
    resources::check_resize(container, pod, &path.child("resizePolicy"), found);
    security::check_container(
        container.security_context.as_ref(),
        pod,
        &path.child("securityContext"),
        found,
    );
}

/// What is checked of a container once its name is known to be its own.
fn check_end(container: &Container, pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    probe::check(container, pod, path, found);
    let policy = container.restart_policy.as_deref();
    one_of(policy, &RESTART_POLICIES, &path.child("restartPolicy"), found);
    let rules = container.restart_policy_rules.as_deref().unwrap_or_default();
    if !rules.is_empty() && policy.is_none() {
        let rule = "must specify restartPolicy when restart rules are used";
        found.required(&path.child("restartPolicy"), rule);
    }
    for (index, rule) in rules.iter().enumerate() {
        check_restart_rule(rule, &path.child("restartPolicyRules").index(index), found);
    }
}

/// When a container that ended is started again.
fn check_restart_rule(rule: &ContainerRestartRule, path: &FieldPath, found: &mut Findings) {
    if !RESTART_ACTIONS.contains(&rule.action.as_str()) {
        found.not_supported(&path.child("action"), &rule.action, &RESTART_ACTIONS);
    }
    let path = path.child("exitCodes");
    match &rule.exit_codes {
        None => found.required(&path, "must be specified"),
        Some(codes) if !RESTART_OPERATORS.contains(&codes.operator.as_str()) => {
            found.not_supported(&path.child("operator"), &codes.operator, &RESTART_OPERATORS);
        }
        Some(_) => {}
    }
}

/// A field that may be left out or empty, and else has one of a few values.
fn one_of(value: Option<&str>, known: &[&str], path: &FieldPath, found: &mut Findings) {
    if let Some(value) = value.filter(|value| !value.is_empty() && !known.contains(value)) {
        found.not_supported(path, value, known);
    }
}

fn check_ports(container: &Container, path: &FieldPath, found: &mut Findings) {
    let ports = container.ports.as_deref().unwrap_or_default();
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        check_port_name(port, &ports[..index], &path.child("name"), found);
        let number = &path.child("containerPort");
        match port.container_port {
            0 => found.required(number, ""),
            other => check_port_number(other, number, found),
        }
        if let Some(host) = port.host_port.filter(|host| *host != 0) {
            check_port_number(host, &path.child("hostPort"), found);
        }
        one_of(
            port.protocol.as_deref(),
            &PROTOCOLS,
            &path.child("protocol"),
            found,
        );
    }
}

fn check_port_number(number: i32, path: &FieldPath, found: &mut Findings) {
    if !(1..=65_535).contains(&number) {
        found.invalid(path, number, "must be between 1 and 65535, inclusive");
    }
}

/// Names of ports: short, and each once.
fn check_port_name(port: &ContainerPort, earlier: &[ContainerPort], path: &FieldPath, found: &mut Findings) {
    let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) else {
        return;
    };
    for rule in names::port(name) {
        found.invalid(path, name, rule);
    }
    if earlier
        .iter()
        .any(|earlier| earlier.name.as_deref() == Some(name))
    {
        found.duplicate(path, name);
    }
}

fn check_mounts(container: &Container, volumes: &[Volume], list: &FieldPath, found: &mut Findings) {
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    for (index, mount) in mounts.iter().enumerate() {
        let path = list.index(index);
        let (name, target) = (&path.child("name"), &path.child("mountPath"));
        if mount.name.is_empty() {
            found.required(name, "");
        }
        if !volumes.iter().any(|volume| volume.name == mount.name) {
            found
                .not_found(name, &mount.name)
                .hint(no_such_volume(&mount.name, volumes));
        }
        if mount.mount_path.is_empty() {
            found.required(target, "");
        }
        if mounts[..index]
            .iter()
            .any(|earlier| earlier.mount_path == mount.mount_path)
        {
            found.invalid(target, &mount.mount_path, "must be unique");
        }
        if devices.iter().any(|device| device.name == mount.name) {
            found.invalid(name, &mount.name, "must not already exist in volumeDevices");
        }
        if devices
            .iter()
            .any(|device| device.device_path == mount.mount_path)
        {
            let rule = "must not already exist as a path in volumeDevices";
            found.invalid(target, &mount.mount_path, rule);
        }
        let (plain, expression) = (mount.sub_path.as_deref(), mount.sub_path_expr.as_deref());
        let is_written = |path: Option<&str>| path.is_some_and(|path| !path.is_empty());
        if is_written(plain) && is_written(expression) {
            let rule = "subPathExpr and subPath are mutually exclusive";
            found.invalid(&path.child("subPathExpr"), expression, rule);
        }
        // Kubernetes names these fields without saying of which mount.
        found.placed(list, &path, |found| check_mount(mount, container, list, found));
    }
}

fn no_such_volume(name: &str, volumes: &[Volume]) -> Hint {
    let names: Vec<&str> = volumes.iter().map(|volume| volume.name.as_str()).collect();
    Hint {
        message: format!("there is no volume `{name}` in this pod"),
        help: Some(match names.as_slice() {
            [] => "write it into `volumes`, beside `containers`".to_owned(),
            _ => format!(
                "write it into `volumes`, or name one of these: {}",
                names.join(", ")
            ),
        }),
        ..Hint::default()
    }
}

/// Where in a volume a mount begins, and how it is mounted.
fn check_mount(mount: &VolumeMount, container: &Container, path: &FieldPath, found: &mut Findings) {
    for (field, below) in [
        ("subPath", &mount.sub_path),
        ("subPathExpr", &mount.sub_path_expr),
    ] {
        paths::check_descending(below.as_deref().unwrap_or_default(), &path.child(field), found);
    }
    let propagation = mount.mount_propagation.as_deref();
    let place = &path.child("mountPropagation");
    one_of(propagation, &PROPAGATIONS, place, found);
    let context = container.security_context.as_ref();
    if propagation == Some("Bidirectional") && context.and_then(|context| context.privileged) != Some(true) {
        let rule = "Bidirectional mount propagation is available only to privileged containers";
        found.forbidden(place, rule);
    }
    let place = &path.child("recursiveReadOnly");
    one_of(
        mount.recursive_read_only.as_deref(),
        &RECURSIVE_READ_ONLY,
        place,
        found,
    );
    let is_recursive = matches!(
        mount.recursive_read_only.as_deref(),
        Some("Enabled" | "IfPossible")
    );
    if is_recursive && mount.read_only != Some(true) {
        found.forbidden(place, "may only be specified when readOnly is true");
    }
}

fn check_devices(container: &Container, volumes: &[Volume], list: &FieldPath, found: &mut Findings) {
    let devices: &[VolumeDevice] = container.volume_devices.as_deref().unwrap_or_default();
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    for (index, device) in devices.iter().enumerate() {
        let path = list.index(index);
        let (name, target) = (&path.child("name"), &path.child("devicePath"));
        if device.name.is_empty() {
            found.required(name, "");
        }
        if devices[..index].iter().any(|earlier| earlier.name == device.name) {
            found.invalid(name, &device.name, "must be unique");
        }
        match volumes.iter().find(|volume| volume.name == device.name) {
            None => {
                found
                    .not_found(name, &device.name)
                    .hint(no_such_volume(&device.name, volumes));
            }
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => {
                let rule =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                found.invalid(name, &device.name, rule);
            }
            Some(_) => {}
        }
        if device.device_path.is_empty() {
            found.required(target, "");
        } else if device.device_path.split('/').any(|part| part == "..") {
            found.invalid(target, &device.device_path, "can not contain backsteps ('..')");
        } else if devices[..index]
            .iter()
            .any(|earlier| earlier.device_path == device.device_path)
        {
            found.invalid(target, &device.device_path, "must be unique");
        }
        if mounts.iter().any(|mount| mount.name == device.name) {
            found.invalid(name, &device.name, "must not already exist in volumeMounts");
        }
        if mounts.iter().any(|mount| mount.mount_path == device.device_path) {
            let rule = "must not already exist as a path in volumeMounts";
            found.invalid(target, &device.device_path, rule);
        }
    }
}
