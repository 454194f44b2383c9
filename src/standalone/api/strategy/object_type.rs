//! The type of a resource's objects, for code that can't name it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::manifest::misfit;
use crate::manifest::path::FieldPath;
use crate::standalone::api::unknown;

/// One of Kubernetes' own types. Objects are not kept in it, for what is newer than it must survive; they are compared
/// with it.
#[derive(Debug, Clone, Copy)]
pub struct ObjectType {
    check: fn(&Value) -> Result<(), String>,
    unknown_fields: fn(&Value) -> Vec<FieldPath>,
}

impl ObjectType {
    pub(super) fn of<T: DeserializeOwned + Serialize>() -> Self {
        Self {
            check: |object| read_as::<T>(object).map(drop),
            unknown_fields: unknown_to::<T>,
        }
    }

    /// The type of what is not known: everything is of it.
    pub(super) fn any() -> Self {
        Self {
            check: |_| Ok(()),
            unknown_fields: |_| Vec::new(),
        }
    }

    /// Fails when a field of the object has another type.
    ///
    /// # Errors
    ///
    /// A sentence that names the field.
    pub fn check(self, object: &Value) -> Result<(), String> {
        (self.check)(object)
    }

    /// The fields that the object has and its type does not; none when [`check`](Self::check) fails.
    pub fn unknown_fields(self, object: &Value) -> Vec<FieldPath> {
        (self.unknown_fields)(object)
    }
}

/// Reads the object as `T`. What is kept is what was written, unknown fields included; this is only looked at.
pub(super) fn read_as<T: DeserializeOwned>(object: &Value) -> Result<T, String> {
    misfit::read(object).map_err(|misfit| misfit.to_string())
}

/// What there is to warn of in an object of the type `T`; one that has other types was refused.
pub(super) fn warnings_of<T: DeserializeOwned>(
    object: &Value,
    warnings: impl Fn(&T) -> Vec<String>,
) -> Vec<String> {
    read_as(object)
        .map(|object| warnings(&object))
        .unwrap_or_default()
}

fn unknown_to<T: DeserializeOwned + Serialize>(object: &Value) -> Vec<FieldPath> {
    let understood = read_as::<T>(object)
        .ok()
        .and_then(|typed| serde_json::to_value(typed).ok());
    understood
        .map(|understood| unknown::fields(object, &understood))
        .unwrap_or_default()
}
