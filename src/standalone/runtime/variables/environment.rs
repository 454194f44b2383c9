//! The variables of a container: `env`, `envFrom`, and what they refer to.
//!
//! As in Kubernetes (`makeEnvironmentVariables` of the kubelet): `envFrom` comes first and `env` is laid over it; a value's
//! `$(NAME)` sees `envFrom` and the `env` entries above it; a missing config map, secret or key is an error unless the reference is `optional`. Values that come from
//! elsewhere are taken as they are.
//!
//! Resolving is a pure function over [`Sources`], which the caller has fetched: see [`references`].

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVarSource, Pod};
use thiserror::Error;

use super::expansion::expand;
use super::fields::{field, resource};
pub use super::sources::{Kind, References, Sources};
use crate::standalone::runtime::all_containers;

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
    /// A resource that is not known.
    #[error(
        "variable {variable} of container {container:?} refers to resource {resource:?}, which can't be told here; known are limits.cpu, limits.memory, limits.ephemeral-storage, the same of requests, and of the containers of this pod"
    )]
    UnknownResource {
        /// The container that needs it.
        container: String,
        /// The variable that needs it.
        variable: String,
        /// The resource as written.
        resource: String,
    },
    /// A source that is not to be had here.
    #[error(
        "variable {variable} of container {container:?} is taken from `{source_name}`, which is not supported here; write its `value` instead"
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

/// The config maps and secrets that a container's variables refer to.
pub fn references(container: &Container) -> References {
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
    from.chain(single).collect()
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
    for variable in container.env.iter().flatten() {
        let value = if let Some(source) = &variable.value_from {
            taken(pod, container, &variable.name, source, sources)?
        } else {
            let written = variable.value.as_deref().unwrap_or_default();
            Some(expand(written, |name| variables.get(name).map(String::as_str)))
        };
        if let Some(value) = value {
            variables.insert(variable.name.clone(), value);
        }
    }
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
                let texts = data.iter().filter(|(key, _)| sources.is_text(kind, &name, key));
                variables.extend(texts.map(|(key, value)| (format!("{prefix}{key}"), text(value))));
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
    if let Some(selector) = &source.resource_field_ref {
        let whose = whose(pod, container, selector.container_name.as_deref());
        let amount = whose.and_then(|whose| resource(whose, selector, &sources.capacity));
        let unknown = || EnvironmentError::UnknownResource {
            container: owner,
            variable: variable.to_owned(),
            resource: selector.resource.clone(),
        };
        return amount.map(|amount| Some(amount.to_string())).ok_or_else(unknown);
    }
    Err(EnvironmentError::UnsupportedSource {
        container: owner,
        variable: variable.to_owned(),
        source_name: "fileKeyRef",
    })
}

/// The container whose resources are asked for: the one that asks, unless it names another.
fn whose<'p>(pod: &'p Pod, asking: &'p Container, name: Option<&str>) -> Option<&'p Container> {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Some(asking);
    };
    let mut all = pod.spec.iter().flat_map(all_containers);
    all.find(|container| container.name == name)
}

/// Bytes that are not UTF-8 can't be a variable's value on every system; they are replaced.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
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
    let is_text = sources.is_text(kind, &name, &key);
    match data.and_then(|data| data.get(&key)).filter(|_| is_text) {
        Some(value) => Ok(Some(text(value))),
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
