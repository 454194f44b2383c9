//! What is in each volume, made out without touching a disk.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, KeyToPath, Pod, Volume, VolumeProjection};

use super::{PROJECTED, VolumeError, versions};
use crate::standalone::runtime::all_containers;
use crate::standalone::runtime::variables::fields::{field_as_file, resource};
use crate::standalone::runtime::variables::sources::{Kind, References, Sources};

/// The mode of a file that asks for none: Kubernetes' default.
const FILE_MODE: i32 = 0o644;

/// The kinds of volumes that are to be had.
const KINDS: [&str; 6] = [
    "emptyDir",
    "configMap",
    "secret",
    "downwardAPI",
    "projected",
    "hostPath",
];

/// What a projected volume can be made of.
const PROJECTIONS: [&str; 3] = ["configMap", "secret", "downwardAPI"];

/// What a volume holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Content {
    /// Nothing at first; containers write to it.
    Empty,
    /// These files, by their path in the volume; containers can't write to it.
    Files(BTreeMap<PathBuf, File>),
    /// A path of this machine.
    Host { path: PathBuf, kind: String },
}

/// A file of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct File {
    pub(super) bytes: Vec<u8>,
    /// Its permissions, as `chmod` takes them.
    pub(super) mode: u32,
}

/// The volumes of a pod, by name.
pub(in super::super) type Contents = BTreeMap<String, Content>;

/// The config maps and secrets that a pod's volumes refer to.
pub(in super::super) fn references(pod: &Pod) -> References {
    let mut references = References::new();
    for volume in volumes(pod) {
        references.extend(parts(volume).iter().filter_map(|part| part.object().cloned()));
    }
    references
}

/// The first volume of a kind that is not to be had here.
pub(in super::super) fn unsupported(pod: &Pod) -> Option<VolumeError> {
    volumes(pod).find_map(|volume| {
        kind_not_had(volume).map(|kind| VolumeError::Unsupported {
            volume: volume.name.clone(),
            kind,
        })
    })
}

/// Makes out what each volume of a pod holds.
///
/// # Errors
///
/// A reference that leads nowhere and is not optional, a file outside its volume, a kind that is not to be had.
pub(in super::super) fn contents(pod: &Pod, sources: &Sources) -> Result<Contents, VolumeError> {
    volumes(pod)
        .map(|volume| Ok((volume.name.clone(), content(pod, volume, sources)?)))
        .collect()
}

fn volumes(pod: &Pod) -> impl Iterator<Item = &Volume> {
    let spec = pod.spec.as_ref();
    spec.and_then(|spec| spec.volumes.as_ref()).into_iter().flatten()
}

fn content(pod: &Pod, volume: &Volume, sources: &Sources) -> Result<Content, VolumeError> {
    if let Some(kind) = kind_not_had(volume) {
        return Err(VolumeError::Unsupported {
            volume: volume.name.clone(),
            kind,
        });
    }
    if let Some(host) = &volume.host_path {
        return Ok(Content::Host {
            path: PathBuf::from(&host.path),
            kind: host.type_.clone().unwrap_or_default(),
        });
    }
    let parts = parts(volume);
    if parts.is_empty() && volume.projected.is_none() {
        return Ok(Content::Empty);
    }
    let mut files = BTreeMap::new();
    for part in parts {
        for (path, bytes, mode) in part.files(pod, volume, sources)? {
            let file = File {
                bytes,
                mode: u32::try_from(mode).unwrap_or_default() & 0o777,
            };
            files.insert(inside(volume, &path)?, file);
        }
    }
    Ok(Content::Files(files))
}

/// The name of a volume's kind, when it is not to be had. There are thirty kinds of volumes, each a field beside the
/// name, so the name is read from the volume's JSON.
fn kind_not_had(volume: &Volume) -> Option<String> {
    let tokens = volume
        .projected
        .iter()
        .flat_map(|projected| projected.sources.iter().flatten());
    if let Some(kind) = tokens.clone().find_map(projection_not_had) {
        return Some(kind);
    }
    let json = serde_json::to_value(volume).ok()?;
    let mut kinds = json.as_object()?.keys().filter(|key| *key != "name");
    kinds.find(|kind| !KINDS.contains(&kind.as_str())).cloned()
}

fn projection_not_had(projection: &VolumeProjection) -> Option<String> {
    let json = serde_json::to_value(projection).ok()?;
    let kind = json
        .as_object()?
        .keys()
        .find(|kind| !PROJECTIONS.contains(&kind.as_str()))?;
    Some(format!("{PROJECTED}{kind}"))
}

/// One source of a volume's files.
enum Part {
    /// A config map's or a secret's keys.
    Keys {
        object: (Kind, String),
        items: Option<Vec<KeyToPath>>,
        optional: bool,
        mode: i32,
    },
    /// The pod's own fields.
    Fields {
        items: Vec<DownwardAPIVolumeFile>,
        mode: i32,
    },
}

/// A file before its path has been looked at: path, bytes, mode.
type RawFile = (String, Vec<u8>, i32);

fn parts(volume: &Volume) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(source) = volume.config_map.clone() {
        parts.push(Part::Keys {
            object: (Kind::ConfigMap, source.name),
            items: source.items,
            optional: source.optional.unwrap_or_default(),
            mode: source.default_mode.unwrap_or(FILE_MODE),
        });
    }
    if let Some(source) = volume.secret.clone() {
        parts.push(Part::Keys {
            object: (Kind::Secret, source.secret_name.unwrap_or_default()),
            items: source.items,
            optional: source.optional.unwrap_or_default(),
            mode: source.default_mode.unwrap_or(FILE_MODE),
        });
    }
    if let Some(source) = volume.downward_api.clone() {
        parts.push(Part::Fields {
            items: source.items.unwrap_or_default(),
            mode: source.default_mode.unwrap_or(FILE_MODE),
        });
    }
    if let Some(projected) = &volume.projected {
        let mode = projected.default_mode.unwrap_or(FILE_MODE);
        let sources = projected.sources.iter().flatten().cloned();
        parts.extend(sources.filter_map(|source| projection(source, mode)));
    }
    parts
}

fn projection(source: VolumeProjection, mode: i32) -> Option<Part> {
    if let Some(source) = source.config_map {
        return Some(Part::Keys {
            object: (Kind::ConfigMap, source.name),
            items: source.items,
            optional: source.optional.unwrap_or_default(),
            mode,
        });
    }
    if let Some(source) = source.secret {
        return Some(Part::Keys {
            object: (Kind::Secret, source.name),
            items: source.items,
            optional: source.optional.unwrap_or_default(),
            mode,
        });
    }
    let source = source.downward_api?;
    Some(Part::Fields {
        items: source.items.unwrap_or_default(),
        mode,
    })
}

impl Part {
    fn object(&self) -> Option<&(Kind, String)> {
        match self {
            Self::Keys { object, .. } => Some(object),
            Self::Fields { .. } => None,
        }
    }

    fn files(self, pod: &Pod, volume: &Volume, sources: &Sources) -> Result<Vec<RawFile>, VolumeError> {
        match self {
            Self::Keys {
                object: (kind, name),
                items,
                optional,
                mode,
            } => {
                let volume = volume.name.clone();
                let Some(data) = sources.get(kind, &name) else {
                    return if optional {
                        Ok(Vec::new())
                    } else {
                        Err(VolumeError::MissingObject { volume, kind, name })
                    };
                };
                let Some(items) = items.filter(|items| !items.is_empty()) else {
                    let all = data.iter().map(|(key, bytes)| (key.clone(), bytes.clone(), mode));
                    return Ok(all.collect());
                };
                let mut files = Vec::new();
                for item in items {
                    match data.get(&item.key) {
                        Some(bytes) => files.push((item.path, bytes.clone(), item.mode.unwrap_or(mode))),
                        None if optional => {}
                        None => {
                            return Err(VolumeError::MissingKey {
                                volume,
                                kind,
                                name,
                                key: item.key,
                            });
                        }
                    }
                }
                Ok(files)
            }
            Self::Fields { items, mode } => items
                .into_iter()
                .map(|item| {
                    let text = downward(pod, volume, &item, sources)?;
                    Ok((item.path, text.into_bytes(), item.mode.unwrap_or(mode)))
                })
                .collect(),
        }
    }
}

fn downward(
    pod: &Pod,
    volume: &Volume,
    item: &DownwardAPIVolumeFile,
    sources: &Sources,
) -> Result<String, VolumeError> {
    let unknown = |what: &str| VolumeError::UnknownField {
        volume: volume.name.clone(),
        what: what.to_owned(),
    };
    if let Some(reference) = &item.field_ref {
        let path = &reference.field_path;
        return field_as_file(pod, path).ok_or_else(|| unknown(path));
    }
    let Some(selector) = &item.resource_field_ref else {
        return Err(unknown(&item.path));
    };
    let named = selector.container_name.as_deref().unwrap_or_default();
    let containers = pod.spec.iter().flat_map(all_containers);
    let amount = containers
        .filter(|container| container.name == named)
        .find_map(|container| resource(container, selector, &sources.capacity));
    amount
        .map(|amount| amount.to_string())
        .ok_or_else(|| unknown(&selector.resource))
}

/// The path of a file in its volume. What leads out of it would be a way to write anywhere on this machine.
fn inside(volume: &Volume, path: &str) -> Result<PathBuf, VolumeError> {
    stays_inside(path)
        .filter(|inside| !inside.as_os_str().is_empty())
        .filter(|inside| !versions::is_reserved(inside))
        .ok_or_else(|| VolumeError::BadPath {
            volume: volume.name.clone(),
            path: path.to_owned(),
        })
}

/// A relative path without `..`, and without the dots that mean nothing.
pub(in super::super) fn stays_inside(path: &str) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}
