//! The variables of a container: `env`, `envFrom`, and what they refer to.
//!
//! As in Kubernetes: `envFrom` comes first and `env` is laid over it; a value's `$(NAME)` sees the `env` entries
//! above it; a missing config map, secret or key is an error unless the reference is `optional`. Values that come from
//! elsewhere are taken as they are.
//!
//! Resolving is a pure function over [`Sources`], which the caller has fetched: see [`references`].

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvFromSource, EnvVarSource, Pod, Secret};
use thiserror::Error;

use super::expansion::expand;

/// The address of a pod that is a process: it shares this machine's network, and loopback always answers.
const ADDRESS: &str = "127.0.0.1";

/// Why a container's variables can't be told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvironmentError {
    /// A config map or secret that is not there.
    #[error(
        "{kind} {name:?} does not exist, and container {container:?} takes variables from it; create it, or mark the reference `optional: true`"
    )]
    MissingObject {
        /// The container that needs it.
        container: String,
        /// What is missing.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// A key that is not in its config map or secret.
    #[error(
        "{kind} {name:?} has no key {key:?}, which variable {variable} of container {container:?} is taken from; add the key, or mark the reference `optional: true`"
    )]
    MissingKey {
        /// The container that needs it.
        container: String,
        /// The variable that needs it.
        variable: String,
        /// Where the key is missing.
        kind: Kind,
        /// The object's name.
        name: String,
        /// The missing key.
        key: String,
    },
    /// A field of the pod that can't be a variable.
    #[error(
        "variable {variable} of container {container:?} refers to field {path:?}, which can't be told here; known are metadata.name, .namespace, .uid, .labels['…'], .annotations['…'], spec.nodeName, spec.serviceAccountName and status.podIP"
    )]
    UnknownField {
        /// The container that needs it.
        container: String,
        /// The variable that needs it.
        variable: String,
        /// The field path as written.
        path: String,
    },
    /// A source that only containers have.
    #[error(
        "variable {variable} of container {container:?} is taken from `{source_name}`, which a process does not have; write its `value` instead"
    )]
    UnsupportedSource {
        /// The container that needs it.
        container: String,
        /// The variable that needs it.
        variable: String,
        /// The field under `valueFrom`.
        source_name: &'static str,
    },
}

/// What a variable can be taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A `ConfigMap`.
    ConfigMap,
    /// A `Secret`.
    Secret,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ConfigMap => "config map",
            Self::Secret => "secret",
        })
    }
}

/// The data of the config maps and secrets that exist, by kind and name.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<(Kind, String), BTreeMap<String, String>>);

impl Sources {
    /// Adds a config map.
    pub fn add_config_map(&mut self, name: &str, object: ConfigMap) {
        self.0.insert(
            (Kind::ConfigMap, name.to_owned()),
            object.data.unwrap_or_default(),
        );
    }

    /// Adds a secret. Bytes that are not UTF-8 can't be a variable's value on every system; they are replaced.
    pub fn add_secret(&mut self, name: &str, object: Secret) {
        let encoded = object.data.unwrap_or_default().into_iter();
        let mut data: BTreeMap<_, _> = encoded
            .map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned()))
            .collect();
        data.extend(object.string_data.unwrap_or_default());
        self.0.insert((Kind::Secret, name.to_owned()), data);
    }

    fn get(&self, kind: Kind, name: &str) -> Option<&BTreeMap<String, String>> {
        self.0.get(&(kind, name.to_owned()))
    }
}

/// The config maps and secrets that a container's variables refer to.
pub fn references(container: &Container) -> Vec<(Kind, String)> {
    let from = container
        .env_from
        .iter()
        .flatten()
        .filter_map(bulk_reference)
        .map(|(kind, name, _)| (kind, name));
    let single = container
        .env
        .iter()
        .flatten()
        .filter_map(|variable| variable.value_from.as_ref());
    let single = single.filter_map(|source| key_reference(source).map(|key| (key.kind, key.name)));
    let mut references: Vec<_> = from.chain(single).collect();
    references.sort();
    references.dedup();
    references
}

/// The variables of a container, in order, each name once.
///
/// # Errors
/// A reference that leads nowhere, and is not optional.
pub fn resolve(
    pod: &Pod,
    container: &Container,
    sources: &Sources,
) -> Result<BTreeMap<String, String>, EnvironmentError> {
    let mut variables = bulk(container, sources)?;
    let mut above = BTreeMap::new();
    for variable in container.env.iter().flatten() {
        let value = if let Some(source) = &variable.value_from {
            taken(pod, container, &variable.name, source, sources)?
        } else {
            let written = variable.value.as_deref().unwrap_or_default();
            Some(expand(written, |name| above.get(name).map(String::as_str)))
        };
        if let Some(value) = value {
            above.insert(variable.name.clone(), value);
        }
    }
    variables.extend(above);
    Ok(variables)
}

/// The variables of `envFrom`. A later entry wins over an earlier one.
fn bulk(container: &Container, sources: &Sources) -> Result<BTreeMap<String, String>, EnvironmentError> {
    let mut variables = BTreeMap::new();
    for entry in container.env_from.iter().flatten() {
        let Some((kind, name, optional)) = bulk_reference(entry) else {
            continue;
        };
        let prefix = entry.prefix.as_deref().unwrap_or_default();
        match sources.get(kind, &name) {
            Some(data) => {
                variables.extend(
                    data.iter()
                        .map(|(key, value)| (format!("{prefix}{key}"), value.clone())),
                );
            }
            None if optional => {}
            None => {
                return Err(EnvironmentError::MissingObject {
                    container: container.name.clone(),
                    kind,
                    name,
                });
            }
        }
    }
    Ok(variables)
}

fn bulk_reference(entry: &EnvFromSource) -> Option<(Kind, String, bool)> {
    if let Some(source) = &entry.config_map_ref {
        return Some((
            Kind::ConfigMap,
            source.name.clone(),
            source.optional.unwrap_or_default(),
        ));
    }
    let source = entry.secret_ref.as_ref()?;
    Some((
        Kind::Secret,
        source.name.clone(),
        source.optional.unwrap_or_default(),
    ))
}

/// A key in a config map or secret.
struct KeyReference {
    kind: Kind,
    name: String,
    key: String,
    optional: bool,
}

fn key_reference(source: &EnvVarSource) -> Option<KeyReference> {
    if let Some(source) = &source.config_map_key_ref {
        let (name, key) = (source.name.clone(), source.key.clone());
        return Some(KeyReference {
            kind: Kind::ConfigMap,
            name,
            key,
            optional: source.optional.unwrap_or_default(),
        });
    }
    let source = source.secret_key_ref.as_ref()?;
    let (name, key) = (source.name.clone(), source.key.clone());
    Some(KeyReference {
        kind: Kind::Secret,
        name,
        key,
        optional: source.optional.unwrap_or_default(),
    })
}

/// A value that is taken from elsewhere; nothing for an optional one that is not there.
fn taken(
    pod: &Pod,
    container: &Container,
    variable: &str,
    source: &EnvVarSource,
    sources: &Sources,
) -> Result<Option<String>, EnvironmentError> {
    let owner = container.name.clone();
    if let Some(reference) = key_reference(source) {
        return keyed(owner, variable, reference, sources);
    }
    if let Some(reference) = &source.field_ref {
        let path = reference.field_path.as_str();
        let unknown = || EnvironmentError::UnknownField {
            container: owner,
            variable: variable.to_owned(),
            path: path.to_owned(),
        };
        return field(pod, path).map(Some).ok_or_else(unknown);
    }
    let source_name = if source.resource_field_ref.is_some() {
        "resourceFieldRef"
    } else {
        "fileKeyRef"
    };
    Err(EnvironmentError::UnsupportedSource {
        container: owner,
        variable: variable.to_owned(),
        source_name,
    })
}

fn keyed(
    container: String,
    variable: &str,
    reference: KeyReference,
    sources: &Sources,
) -> Result<Option<String>, EnvironmentError> {
    let KeyReference {
        kind,
        name,
        key,
        optional,
    } = reference;
    let data = sources.get(kind, &name);
    match data.and_then(|data| data.get(&key)) {
        Some(value) => Ok(Some(value.clone())),
        None if optional => Ok(None),
        None if data.is_none() => Err(EnvironmentError::MissingObject {
            container,
            kind,
            name,
        }),
        None => Err(EnvironmentError::MissingKey {
            container,
            variable: variable.to_owned(),
            kind,
            name,
            key,
        }),
    }
}

/// A field of the pod, by the path that Kubernetes gives it. A label or annotation that is not set is empty.
fn field(pod: &Pod, path: &str) -> Option<String> {
    let spec = pod.spec.as_ref();
    match path {
        "metadata.name" => pod.metadata.name.clone(),
        "metadata.namespace" => pod.metadata.namespace.clone(),
        "metadata.uid" => pod.metadata.uid.clone(),
        "spec.nodeName" => Some(spec?.node_name.clone().unwrap_or_default()),
        "spec.serviceAccountName" => Some(
            spec?
                .service_account_name
                .clone()
                .unwrap_or_else(|| "default".to_owned()),
        ),
        "status.podIP" | "status.podIPs" | "status.hostIP" | "status.hostIPs" => Some(ADDRESS.to_owned()),
        _ => {
            let (map, key) = path.strip_suffix("']")?.split_once("['")?;
            let map = match map {
                "metadata.labels" => pod.metadata.labels.as_ref(),
                "metadata.annotations" => pod.metadata.annotations.as_ref(),
                _ => return None,
            };
            Some(map.and_then(|map| map.get(key)).cloned().unwrap_or_default())
        }
    }
}
