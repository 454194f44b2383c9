//! The environment of containers: variables, and where their values come from.

use k8s_openapi::api::core::v1::{
    Container, EnvFromSource, EnvVar, EnvVarSource, FileKeySelector, ObjectFieldSelector,
    ResourceFieldSelector, Volume,
};

use super::super::{Findings, names};
use super::resources;
use crate::manifest::path::FieldPath;
use crate::manifest::quantity::Quantity;

/// The fields of a pod that a variable can have.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// The fields of a pod that have a name, and can be had elsewhere or by parts only.
const OTHER_FIELDS: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "spec.restartPolicy",
    "spec.schedulerName",
    "status.phase",
];

/// The amounts of a container that a variable or a file can have.
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// The units that amounts of processors can be told in.
const CPU_UNITS: [&str; 2] = ["1m", "1"];

/// The units that amounts of bytes can be told in.
const BYTE_UNITS: [&str; 13] = [
    "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
];

/// Checks the environment of a container.
pub(super) fn check(container: &Container, volumes: &[Volume], path: &FieldPath, found: &mut Findings) {
    for (index, variable) in container.env.iter().flatten().enumerate() {
        check_variable(variable, volumes, &path.child("env").index(index), found);
    }
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        check_set(source, &path.child("envFrom"), index, found);
    }
}

fn check_variable(variable: &EnvVar, volumes: &[Volume], path: &FieldPath, found: &mut Findings) {
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
    check_source(source, volumes, &path, found);
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

fn check_source(source: &EnvVarSource, volumes: &[Volume], path: &FieldPath, found: &mut Findings) {
    if let Some(field) = &source.field_ref {
        check_field(field, &FIELDS, &path.child("fieldRef"), found);
    }
    if let Some(resource) = &source.resource_field_ref {
        check_resource(resource, &path.child("resourceFieldRef"), found);
    }
    if let Some(key) = &source.config_map_key_ref {
        check_key(&key.name, &key.key, &path.child("configMapKeyRef"), found);
    }
    if let Some(key) = &source.secret_key_ref {
        check_key(&key.name, &key.key, &path.child("secretKeyRef"), found);
    }
    if let Some(key) = &source.file_key_ref {
        check_file_key(key, volumes, &path.child("fileKeyRef"), found);
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

/// A field of the pod; one of `possible`, or a part of its labels or annotations.
pub(super) fn check_field(
    selector: &ObjectFieldSelector,
    possible: &[&str],
    path: &FieldPath,
    found: &mut Findings,
) {
    let field = selector.field_path.as_str();
    let place = &path.child("fieldPath");
    if let Some(version) = selector
        .api_version
        .as_deref()
        .filter(|version| !["", "v1"].contains(version))
    {
        let rule = format!("error converting fieldPath: unsupported pod version: {version}");
        found.invalid(place, field, rule);
        return;
    }
    let part = field.strip_suffix("']").and_then(|field| field.split_once("['"));
    match part {
        Some(("metadata.annotations", key)) => {
            for rule in names::qualified(&key.to_lowercase()) {
                found.invalid(path, key, rule);
            }
        }
        Some(("metadata.labels", key)) => {
            for rule in names::qualified(key) {
                found.invalid(path, key, rule);
            }
        }
        _ if field.is_empty() => found.required(place, ""),
        _ if possible.contains(&field) => {}
        None if FIELDS.contains(&field) || OTHER_FIELDS.contains(&field) => {
            found.not_supported(place, field, possible);
        }
        Some((whole, _)) if FIELDS.contains(&whole) || OTHER_FIELDS.contains(&whole) => {
            let rule = format!("error converting fieldPath: field label does not support subscript: {field}");
            found.invalid(place, field, rule);
        }
        _ => {
            let rule = format!("error converting fieldPath: field label not supported: {field}");
            found.invalid(place, field, rule);
        }
    }
}

/// An amount of a container.
pub(super) fn check_resource(selector: &ResourceFieldSelector, path: &FieldPath, found: &mut Findings) {
    let resource = selector.resource.as_str();
    let (_, amount) = resource.split_once('.').unwrap_or_default();
    let is_huge = amount.starts_with("hugepages-");
    if resource.is_empty() {
        found.required(&path.child("resource"), "");
    } else if !is_huge && !RESOURCES.contains(&resource) {
        found.not_supported(&path.child("resource"), resource, &RESOURCES);
    } else {
        check_divisor(selector, amount, &path.child("divisor"), found);
    }
}

/// The unit that an amount is told in.
fn check_divisor(selector: &ResourceFieldSelector, amount: &str, path: &FieldPath, found: &mut Findings) {
    let Some(divisor) = &selector.divisor else { return };
    let Some(unit) = resources::amount(divisor, path, found) else {
        return;
    };
    let (called, units, listed): (_, &[&str], _) = match amount {
        "cpu" => ("cpu", &CPU_UNITS, "1m and 1".to_owned()),
        "memory" => ("memory", &BYTE_UNITS, BYTE_UNITS.join(", ")),
        "ephemeral-storage" => ("local ephemeral storage", &BYTE_UNITS, BYTE_UNITS.join(", ")),
        _ => ("hugepages", &BYTE_UNITS, BYTE_UNITS.join(", ")),
    };
    let is_known = units.iter().any(|known| Quantity::parse(known) == Some(unit));
    if unit != Quantity::default() && !is_known {
        let rule = format!("only divisor's values {listed} are supported with the {called} resource");
        found.invalid(path, &selector.resource, rule);
    }
}

/// A variable out of a file that another container writes.
fn check_file_key(key: &FileKeySelector, volumes: &[Volume], path: &FieldPath, found: &mut Findings) {
    for (field, value) in [
        ("key", &key.key),
        ("volumeName", &key.volume_name),
        ("path", &key.path),
    ] {
        if value.is_empty() {
            found.required(&path.child(field), "");
        }
    }
    if !volumes.iter().any(|volume| volume.name == key.volume_name) {
        found.not_found(&path.child("volumeName"), &key.volume_name);
    }
}

/// A key of a config map or a secret.
fn check_key(name: &str, key: &str, path: &FieldPath, found: &mut Findings) {
    for rule in names::dns_subdomain(name) {
        found.invalid(&path.child("name"), name, rule);
    }
    if key.is_empty() {
        found.required(&path.child("key"), "");
        return;
    }
    for rule in names::config_key(key) {
        found.invalid(&path.child("key"), key, rule);
    }
}

/// A whole set of variables, out of a config map or a secret: the one at this place of the list.
fn check_set(source: &EnvFromSource, list: &FieldPath, index: usize, found: &mut Findings) {
    let path = &list.index(index);
    if let Some(prefix) = source.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
        for rule in names::environment_variable(prefix) {
            found.invalid(&path.child("prefix"), prefix, rule);
        }
    }
    let (map, secret) = (&source.config_map_ref, &source.secret_ref);
    let named = [
        ("configMapRef.name", map.as_ref().map(|map| &map.name)),
        ("secretRef.name", secret.as_ref().map(|secret| &secret.name)),
    ];
    for (field, name) in named {
        let Some(name) = name else { continue };
        if name.is_empty() {
            found.required(&path.child(field), "");
        } else {
            for rule in names::dns_subdomain(name) {
                found.invalid(&path.child(field), name, rule);
            }
        }
    }
    let rule = match (map, secret) {
        (None, None) => "must specify one of: `configMapRef` or `secretRef`",
        (Some(_), Some(_)) => "may not have more than one field specified at a time",
        _ => return,
    };
    found.invalid(list, "", rule).at(path.clone());
}
