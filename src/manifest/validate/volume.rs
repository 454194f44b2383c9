//! Volumes: a name of its own, and one source each. Checked are the sources that are to be had on one machine; what others
//! say is taken as it is written.

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, HostPathVolumeSource, KeyToPath, Volume, VolumeProjection,
};

use super::{Findings, environment, metadata, names, paths};
use crate::manifest::path::FieldPath;
use crate::manifest::quantity::Quantity;

/// Checks the volumes of a pod and returns their names.
pub(super) fn check<'v>(volumes: &'v [Volume], path: &FieldPath, found: &mut Findings) -> Vec<&'v str> {
    let mut seen: Vec<&str> = Vec::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        let name = &path.child("name");
        if volume.name.is_empty() {
            found.required(name, "");
        } else if seen.contains(&volume.name.as_str()) {
            found.duplicate(name, &volume.name);
        }
        if !volume.name.is_empty() {
            for rule in names::dns_label(&volume.name) {
                found
                    .invalid(name, &volume.name, rule)
                    .hint(metadata::name_hint(&volume.name));
            }
        }
        match count_sources(volume) {
            0 => found.required(&path, "must specify a volume type"),
            1 => check_source(volume, &path, found),
            _ => found.forbidden(&path, "may not specify more than 1 volume type"),
        }
        seen.push(&volume.name);
    }
    seen
}

/// How many sources a volume names. There are thirty kinds of them, each a field beside the name, so they are
/// counted in the volume's JSON.
fn count_sources(volume: &Volume) -> usize {
    match serde_json::to_value(volume) {
        Ok(serde_json::Value::Object(fields)) => fields.keys().filter(|key| *key != "name").count(),
        _ => 0,
    }
}

/// The kinds of things that a `hostPath` may ask for; nothing means whatever is there.
const HOST_PATH_TYPES: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// The fields of a pod that a file can have.
const FIELDS: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

/// Kubernetes' words for the mode of a file that is none.
const MODE_RULE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

fn check_source(volume: &Volume, path: &FieldPath, found: &mut Findings) {
    if let Some(empty) = &volume.empty_dir {
        let limit = empty
            .size_limit
            .as_ref()
            .and_then(|limit| Quantity::parse(&limit.0));
        if limit.is_some_and(|limit| limit < Quantity::default()) {
            let rule = "SizeLimit field must be a valid resource quantity";
            found.forbidden(&path.child("emptyDir.sizeLimit"), rule);
        }
    } else if let Some(host) = &volume.host_path {
        check_host_path(host, &path.child("hostPath"), found);
    } else if let Some(map) = &volume.config_map {
        let path = path.child("configMap");
        check_keys(
            "name",
            Some(&map.name),
            (map.items.as_deref(), map.default_mode),
            &path,
            found,
        );
    } else if let Some(secret) = &volume.secret {
        let path = path.child("secret");
        let name = secret.secret_name.as_ref();
        check_keys(
            "secretName",
            name,
            (secret.items.as_deref(), secret.default_mode),
            &path,
            found,
        );
    } else if let Some(downward) = &volume.downward_api {
        let path = path.child("downwardAPI");
        check_mode(downward.default_mode, &path.child("defaultMode"), found);
        check_fields(downward.items.as_deref(), &path, found);
    } else if let Some(projected) = &volume.projected {
        let path = path.child("projected");
        check_mode(projected.default_mode, &path.child("defaultMode"), found);
        for (index, source) in projected.sources.iter().flatten().enumerate() {
            check_projection(source, &path.child("sources").index(index), found);
        }
    }
}

fn check_host_path(host: &HostPathVolumeSource, path: &FieldPath, found: &mut Findings) {
    if host.path.is_empty() {
        return found.required(&path.child("path"), "");
    }
    paths::check_no_steps_back(&host.path, &path.child("path"), found);
    let wanted = host.type_.as_deref().unwrap_or_default();
    if !HOST_PATH_TYPES.contains(&wanted) {
        found.not_supported(&path.child("type"), wanted, &HOST_PATH_TYPES);
    }
}

fn check_projection(source: &VolumeProjection, path: &FieldPath, found: &mut Findings) {
    if let Some(map) = &source.config_map {
        check_keys(
            "name",
            Some(&map.name),
            (map.items.as_deref(), None),
            &path.child("configMap"),
            found,
        );
    }
    if let Some(secret) = &source.secret {
        check_keys(
            "name",
            Some(&secret.name),
            (secret.items.as_deref(), None),
            &path.child("secret"),
            found,
        );
    }
    if let Some(downward) = &source.downward_api {
        check_fields(downward.items.as_deref(), &path.child("downwardAPI"), found);
    }
}

/// The keys of a config map or a secret, and the files that they become.
fn check_keys(
    name_field: &str,
    name: Option<&String>,
    (items, mode): (Option<&[KeyToPath]>, Option<i32>),
    path: &FieldPath,
    found: &mut Findings,
) {
    if name.is_none_or(String::is_empty) {
        found.required(&path.child(name_field), "");
    }
    check_mode(mode, &path.child("defaultMode"), found);
    for (index, item) in items.into_iter().flatten().enumerate() {
        let path = path.child("items").index(index);
        if item.key.is_empty() {
            found.required(&path.child("key"), "");
        }
        paths::check_file(&item.path, &path.child("path"), found);
        check_mode(item.mode, &path.child("mode"), found);
    }
}

/// Fields of the pod, and the files that they become.
fn check_fields(items: Option<&[DownwardAPIVolumeFile]>, path: &FieldPath, found: &mut Findings) {
    for (index, item) in items.into_iter().flatten().enumerate() {
        let path = path.child("items").index(index);
        paths::check_file(&item.path, &path.child("path"), found);
        match (&item.field_ref, &item.resource_field_ref) {
            (Some(field), other) => {
                environment::check_field(field, &FIELDS, &path.child("fieldRef"), found);
                if other.is_some() {
                    let rule = "fieldRef and resourceFieldRef can not be specified simultaneously";
                    found.invalid(&path, "resource", rule);
                }
            }
            (None, Some(resource)) => {
                let path = path.child("resourceFieldRef");
                if resource.container_name.as_deref().unwrap_or_default().is_empty() {
                    found.required(&path.child("containerName"), "");
                } else {
                    environment::check_resource(resource, &path, found);
                }
            }
            (None, None) => found.required(&path, "one of fieldRef and resourceFieldRef is required"),
        }
        check_mode(item.mode, &path.child("mode"), found);
    }
}

fn check_mode(mode: Option<i32>, path: &FieldPath, found: &mut Findings) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        found.invalid(path, mode, MODE_RULE);
    }
}
