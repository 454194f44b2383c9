//! The nouns of a store: where an object is, which version of it, and what happened to it.

use std::fmt;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::StoreError;

/// The count of writes to the whole store: Kubernetes' `resourceVersion`.
///
/// A store begins at 1, so that 0 stays free for its special meaning in the Kubernetes API ("any version").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision of the write after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An object's place within its resource: namespace, then name. Lists are in this order.
///
/// Objects that belong to no namespace have an empty one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The namespace, or an empty string.
    pub namespace: String,
    /// The name, unique within resource and namespace.
    pub name: String,
}

/// What an object is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The resource that the object is kept under, such as `jobs.batch`.
    pub resource: &'static str,
    /// Where it is within the resource.
    pub place: Place,
}

impl Key {
    /// The key of an object; `namespace` is empty where the resource has none.
    pub fn new(resource: &'static str, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            resource,
            place: Place {
                namespace: namespace.into(),
                name: name.into(),
            },
        }
    }
}

/// What a list or a watch looks at: one resource, in one namespace or in all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The resource, such as `jobs.batch`.
    pub resource: &'static str,
    /// One namespace, or all of them.
    pub namespace: Option<String>,
}

impl Scope {
    /// Every object of a resource.
    pub fn all(resource: &'static str) -> Self {
        Self {
            resource,
            namespace: None,
        }
    }

    /// The objects of a resource in one namespace.
    pub fn namespace(resource: &'static str, namespace: impl Into<String>) -> Self {
        Self {
            resource,
            namespace: Some(namespace.into()),
        }
    }

    /// Whether the place lies within the scope.
    pub fn holds(&self, place: &Place) -> bool {
        self.namespace
            .as_ref()
            .is_none_or(|namespace| *namespace == place.namespace)
    }
}

/// One version of an object, as JSON text. Cloning it copies a pointer.
///
/// The text carries the revision as `metadata.resourceVersion`. It is kept as text because nearly every reader wants it
/// so: an answer to a list of thousands is then a concatenation. Equality is that of the text.
#[derive(Debug, Clone)]
pub struct Object {
    revision: Revision,
    json: Arc<RawValue>,
}

impl Object {
    /// Writes `revision` into the document and makes it an object. Revision 0 is none: nothing was written yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the document cannot be written as JSON.
    pub fn stamp(mut document: Value, revision: Revision) -> Result<Self, StoreError> {
        if let Some(root) = document.as_object_mut() {
            let metadata = root
                .entry("metadata")
                .or_insert_with(|| Value::Object(serde_json::Map::new()));
            if let Some(metadata) = metadata.as_object_mut() {
                if revision == Revision::default() {
                    metadata.remove("resourceVersion");
                } else {
                    metadata.insert("resourceVersion".to_owned(), Value::String(revision.to_string()));
                }
            }
        }
        let json = serde_json::value::to_raw_value(&document).map_err(StoreError::unavailable)?;
        Ok(Self {
            revision,
            json: json.into(),
        })
    }

    /// Reads back an object that was [stamped](Self::stamp) and written somewhere.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the text is not JSON: what was kept is damaged.
    pub fn from_text(text: String, revision: Revision) -> Result<Self, StoreError> {
        serde_json::from_str::<IgnoredAny>(&text).map_err(StoreError::unavailable)?;
        let json = RawValue::from_string(text).map_err(StoreError::unavailable)?;
        Ok(Self {
            revision,
            json: json.into(),
        })
    }

    /// The write that made this version.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The JSON text.
    pub fn text(&self) -> &str {
        self.json.get()
    }

    /// Reads the whole object, or only the fields that `T` names.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the text does not have the shape of `T`.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, StoreError> {
        serde_json::from_str(self.json.get()).map_err(StoreError::unavailable)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.as_ref().serialize(serializer)
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The object is new.
    Added,
    /// The object has a new version.
    Modified,
    /// The object is gone. The event carries its last version, under the revision of the deletion.
    Deleted,
}

/// One write, as watchers are told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What happened.
    pub change: Change,
    /// Where.
    pub place: Place,
    /// The object after the write; when it was deleted, as it last was.
    pub object: Object,
    /// The object before the write. A watch with a selector needs it: an object that stops matching counts as deleted.
    pub previous: Option<Object>,
}
