//! Volumes: a name of its own, and one source each. Checked are the sources that are to be had on one machine; what others
//! say is taken as it is written.

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, HostPathVolumeSource, KeyToPath, ProjectedVolumeSource,
    ServiceAccountTokenProjection, Volume, VolumeProjection,
};

use super::super::{Findings, Hint, metadata, names};
use super::{environment, paths, resources};
use crate::manifest::path::FieldPath;
use crate::manifest::quantity::Quantity;

/// Checks the volumes of a pod.
pub(super) fn check(volumes: &[Volume], path: &FieldPath, found: &mut Findings) {
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        match sources(volume).as_slice() {
            [] => found.required(&path, "must specify a volume type"),
            [_] => check_source(volume, &path, found),
            [first, more @ ..] => {
                check_source(volume, &path, found);
                for source in more {
                    let rule = "may not specify more than 1 volume type";
                    let hint = Hint {
                        message: format!(
                            "a volume has one source, and this one has `{first}` and `{source}`"
                        ),
                        help: Some("keep one of them, or write two volumes".to_owned()),
                        ..Hint::default()
                    };
                    found.forbidden_hinting(&path.child(source), rule, hint);
                }
            }
        }
        let name = &path.child("name");
        if volume.name.is_empty() {
            found.required(name, "");
            continue;
        }
        for rule in names::dns_label(&volume.name) {
            found
                .invalid(name, &volume.name, rule)
                .hint(metadata::name_hint(&volume.name));
        }
        if volumes[..index].iter().any(|earlier| earlier.name == volume.name) {
            found.duplicate(name, &volume.name);
        }
    }
}

/// Sources in the order in which Kubernetes looks for them; all others come after these.
const COMMON: [&str; 4] = ["emptyDir", "hostPath", "gitRepo", "secret"];

/// The sources that a volume names. There are thirty kinds of them, each a field beside the name, so they are
/// looked for in the volume's JSON.
fn sources(volume: &Volume) -> Vec<String> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(volume) else {
        return Vec::new();
    };
    let mut sources: Vec<String> = fields.into_iter().map(|(field, _)| field).collect();
    sources.retain(|field| field != "name");
    let rank = |source: &String| COMMON.iter().position(|common| common == source);
    sources.sort_by_key(|source| rank(source).unwrap_or(COMMON.len()));
    sources
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

/// The shortest life of a token, in seconds.
const TOKEN_SECONDS_MIN: i64 = 600;

/// What the life of a token has to be shorter than, in seconds, and by one.
const TOKEN_SECONDS_MAX: i64 = (1 << 32) + 1;

/// Kubernetes' words for the mode of a file that is none.
const MODE_RULE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

fn check_source(volume: &Volume, path: &FieldPath, found: &mut Findings) {
    if let Some(empty) = &volume.empty_dir {
        let path = path.child("emptyDir.sizeLimit");
        let limit = empty
            .size_limit
            .as_ref()
            .and_then(|limit| resources::amount(limit, &path, found));
        if limit.is_some_and(|limit| limit < Quantity::default()) {
            found.forbidden(&path, "SizeLimit field must be a valid resource quantity");
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
        check_projections(projected, &path, found);
    } else if let Some(claim) = &volume.persistent_volume_claim
        && claim.claim_name.is_empty()
    {
        found.required(&path.child("persistentVolumeClaim.claimName"), "");
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

/// Several sources in one folder, where each file has one.
fn check_projections(projected: &ProjectedVolumeSource, path: &FieldPath, found: &mut Findings) {
    let mut taken: Vec<&str> = Vec::new();
    for (index, source) in projected.sources.iter().flatten().enumerate() {
        let place = path.child("sources").index(index);
        check_projection(source, path, &place, found);
        for (file, shown) in files(source) {
            if taken.contains(&file) {
                let error = found.invalid(path, shown, "conflicting duplicate paths");
                error.at(place.clone());
            } else {
                taken.push(file);
            }
        }
    }
}

/// The files that a source says it becomes, each with what Kubernetes calls it by when it is one too many.
fn files(source: &VolumeProjection) -> Vec<(&str, &str)> {
    let (name, keys) = match (&source.secret, &source.config_map) {
        (Some(secret), _) => (secret.name.as_str(), secret.items.as_deref()),
        (None, Some(map)) => (map.name.as_str(), map.items.as_deref()),
        (None, None) => ("", None),
    };
    let keys = keys.into_iter().flatten().map(|key| (key.path.as_str(), name));
    let fields = source
        .downward_api
        .iter()
        .flat_map(|fields| fields.items.iter().flatten());
    let fields = fields.map(|field| field.path.as_str());
    let token = source
        .service_account_token
        .iter()
        .map(|token| token.path.as_str());
    let own = fields.chain(token).map(|path| (path, path));
    keys.chain(own).filter(|(path, _)| !path.is_empty()).collect()
}

/// One source of several, at `place` of the volume at `path`.
fn check_projection(source: &VolumeProjection, path: &FieldPath, place: &FieldPath, found: &mut Findings) {
    let given = [
        source.secret.is_some(),
        source.config_map.is_some(),
        source.downward_api.is_some(),
        source.service_account_token.is_some(),
    ];
    if let Some(secret) = &source.secret {
        let what = (secret.items.as_deref(), None);
        check_keys("name", Some(&secret.name), what, &place.child("secret"), found);
    } else if let Some(map) = &source.config_map {
        let what = (map.items.as_deref(), None);
        check_keys("name", Some(&map.name), what, &place.child("configMap"), found);
    } else if let Some(downward) = &source.downward_api {
        check_fields(downward.items.as_deref(), &place.child("downwardAPI"), found);
    } else if let Some(token) = &source.service_account_token {
        check_token(token, path, &place.child("serviceAccountToken"), found);
    }
    for _ in given.into_iter().filter(|given| *given).skip(1) {
        found.forbidden(place, "may not specify more than 1 volume type per source");
    }
}

/// The token of a service account, at `place`.
fn check_token(
    token: &ServiceAccountTokenProjection,
    path: &FieldPath,
    place: &FieldPath,
    found: &mut Findings,
) {
    let rule = match token.expiration_seconds {
        Some(..TOKEN_SECONDS_MIN) => "may not specify a duration less than 10 minutes",
        Some(TOKEN_SECONDS_MAX..) => "may not specify a duration larger than 2^32 seconds",
        _ => "",
    };
    if !rule.is_empty() {
        let place = place.child("expirationSeconds");
        found.invalid(&place, token.expiration_seconds, rule);
    }
    let path = &path.child("path");
    found.placed(path, &place.child("path"), |found| {
        paths::check_file(&token.path, path, found);
    });
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

/// Fields of the pod, and the files that they become. Kubernetes does not say which of them is wrong.
fn check_fields(items: Option<&[DownwardAPIVolumeFile]>, path: &FieldPath, found: &mut Findings) {
    for (index, item) in items.into_iter().flatten().enumerate() {
        let place = path.child("items").index(index);
        found.placed(path, &place, |found| check_field_file(item, path, found));
    }
}

fn check_field_file(item: &DownwardAPIVolumeFile, path: &FieldPath, found: &mut Findings) {
    paths::check_file(&item.path, &path.child("path"), found);
    match (&item.field_ref, &item.resource_field_ref) {
        (Some(field), other) => {
            environment::check_field(field, &FIELDS, &path.child("fieldRef"), found);
            if other.is_some() {
                let rule = "fieldRef and resourceFieldRef can not be specified simultaneously";
                found.invalid(path, "resource", rule);
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
        (None, None) => found.required(path, "one of fieldRef and resourceFieldRef is required"),
    }
    check_mode(item.mode, &path.child("mode"), found);
}

fn check_mode(mode: Option<i32>, path: &FieldPath, found: &mut Findings) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        found.invalid(path, mode, MODE_RULE);
    }
}
