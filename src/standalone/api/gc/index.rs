//! Who depends on whom.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::standalone::api::error::ApiError;
use crate::standalone::api::registry::{FOREGROUND, ORPHAN};
use crate::standalone::api::resource::Resource;
use crate::standalone::api::strategy::Propagation;
use crate::standalone::store::{Key, Object, Place};

/// What the collector wants to know of an object.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) key: Key,
    pub(super) uid: String,
    pub(super) owners: Vec<Owner>,
    pub(super) is_deleting: bool,
    pub(super) finalizers: Vec<String>,
    /// What they say of its dependents.
    pub(super) propagation: Option<Propagation>,
}

/// An owner reference.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// Whether a foreground deletion of the owner waits for this dependent.
    #[serde(default, rename = "blockOwnerDeletion")]
    pub(super) blocks: bool,
}

/// A dependent of some owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependent {
    pub(super) key: Key,
    pub(super) uid: String,
    pub(super) blocks: bool,
}

/// The part of an object that is read; the rest is skipped over.
#[derive(Deserialize)]
struct Document {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    deletion_timestamp: Option<String>,
    finalizers: Vec<String>,
    owner_references: Vec<Owner>,
}

impl Seen {
    pub(super) fn read(resource: &Resource, object: &Object) -> Result<Self, ApiError> {
        let Document { metadata } = object.read()?;
        let has = |wanted: &str| metadata.finalizers.iter().any(|name| name == wanted);
        let propagation = match () {
            () if has(ORPHAN) => Some(Propagation::Orphan),
            () if has(FOREGROUND) => Some(Propagation::Foreground),
            () => None,
        };
        Ok(Self {
            key: Key {
                resource: resource.stored_as,
                place: Place {
                    namespace: metadata.namespace,
                    name: metadata.name,
                },
            },
            uid: metadata.uid,
            owners: metadata.owner_references,
            is_deleting: metadata.deletion_timestamp.is_some(),
            finalizers: metadata.finalizers,
            propagation,
        })
    }
}

/// The owners of each object, and the objects of each owner. Holds only objects that have owners.
#[derive(Debug, Default)]
pub(super) struct Index {
    owners: HashMap<Key, Vec<Owner>>,
    /// By the owner's uid, in the order of places, so that what is collected is collected in the same order every time.
    dependents: HashMap<String, BTreeMap<Place, Vec<Dependent>>>,
}

impl Index {
    /// Takes note of an object; gives the owners that it had before.
    pub(super) fn put(&mut self, seen: &Seen) -> Vec<Owner> {
        let former = self.remove(&seen.key);
        for owner in &seen.owners {
            let dependent = Dependent {
                key: seen.key.clone(),
                uid: seen.uid.clone(),
                blocks: owner.blocks,
            };
            let places = self.dependents.entry(owner.uid.clone()).or_default();
            places.entry(seen.key.place.clone()).or_default().push(dependent);
        }
        if !seen.owners.is_empty() {
            self.owners.insert(seen.key.clone(), seen.owners.clone());
        }
        former
    }

    /// Forgets an object; gives the owners that it had.
    pub(super) fn remove(&mut self, key: &Key) -> Vec<Owner> {
        let owners = self.owners.remove(key).unwrap_or_default();
        for owner in &owners {
            let Some(places) = self.dependents.get_mut(&owner.uid) else {
                continue;
            };
            if let Some(dependents) = places.get_mut(&key.place) {
                dependents.retain(|dependent| dependent.key != *key);
                if dependents.is_empty() {
                    places.remove(&key.place);
                }
            }
            if places.is_empty() {
                self.dependents.remove(&owner.uid);
            }
        }
        owners
    }

    /// The objects that name this owner.
    pub(super) fn dependents(&self, owner_uid: &str) -> impl Iterator<Item = &Dependent> {
        let places = self.dependents.get(owner_uid).into_iter();
        places.flat_map(BTreeMap::values).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: &str) -> Owner {
        let text = |text: &str| text.to_owned();
        Owner {
            api_version: text("batch/v1"),
            kind: text("Job"),
            name: text("j"),
            uid: text(uid),
            blocks: true,
        }
    }

    fn owned(resource: &'static str, name: &str, owners: &[Owner]) -> Seen {
        Seen {
            key: Key::new(resource, "default", name),
            uid: name.to_owned(),
            owners: owners.to_vec(),
            is_deleting: false,
            finalizers: Vec::new(),
            propagation: None,
        }
    }

    #[test]
    fn an_owner_is_forgotten_with_its_last_dependent() {
        let mut index = Index::default();
        let pod = |owners: &[Owner]| owned("pods", "p", owners);
        assert_eq!(index.put(&pod(&[owner("a"), owner("b")])), []);
        assert_eq!(index.dependents("a").count(), 1);
        assert_eq!(index.put(&pod(&[owner("b")])), [owner("a"), owner("b")]);
        assert_eq!(index.dependents("a").count(), 0);
        assert_eq!(index.dependents("b").count(), 1);
        assert_eq!(index.remove(&pod(&[]).key), [owner("b")]);
        assert!(index.owners.is_empty() && index.dependents.is_empty());
    }

    #[test]
    fn objects_of_one_name_and_several_kinds_are_told_apart() {
        let mut index = Index::default();
        index.put(&owned("pods", "same", &[owner("a")]));
        index.put(&owned("configmaps", "same", &[owner("a")]));
        index.remove(&Key::new("pods", "default", "same"));
        let left = index.dependents("a").map(|dependent| dependent.key.resource);
        assert!(left.eq(["configmaps"]));
    }
}
