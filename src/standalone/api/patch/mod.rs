//! Patches: a change of an object that says only what changes, in one of three languages.
//!
//! | media type | language |
//! |---|---|
//! | `application/merge-patch+json` | JSON Merge Patch, RFC 7386 |
//! | `application/json-patch+json` | JSON Patch, RFC 6902 |
//! | `application/strategic-merge-patch+json` | Kubernetes' own, which merges lists by key: [`strategic`] |
//!
//! A fourth media type says what somebody wants rather than what changes; the `ownership` of fields knows what to make of it.

mod json;
pub mod strategic;

use serde_json::Value;

use super::error::ApiError;
use crate::manifest::schema::Schema;

/// The media type of a configuration that is applied.
pub(super) const APPLY: &str = "application/apply-patch+yaml";

/// The patches that are understood.
const ACCEPTED: &str = "application/json-patch+json, application/merge-patch+json, \
     application/strategic-merge-patch+json, application/apply-patch+yaml";

/// A change that was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// RFC 7386.
    Merge(Value),
    /// RFC 6902.
    Json(json_patch::Patch),
    /// Kubernetes' own.
    Strategic(Value),
}

impl Patch {
    /// Reads a patch.
    ///
    /// # Errors
    ///
    /// [`ApiError::UnsupportedMediaType`] for another language, [`ApiError::BadRequest`] for
    /// a text that is not of the language, or that asks for more operations than are carried out, and
    /// [`ApiError::Unprocessable`] for an operation that there is not.
    pub fn parse(media_type: &str, bytes: &[u8]) -> Result<Self, ApiError> {
        let malformed =
            |error: serde_json::Error| ApiError::bad_request(format!("the patch cannot be read: {error}"));
        match media_type {
            "application/merge-patch+json" => Ok(Self::Merge(object(
                serde_json::from_slice(bytes).map_err(malformed)?,
            )?)),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic(object(
                serde_json::from_slice(bytes).map_err(malformed)?,
            )?)),
            "application/json-patch+json" => json::parse(bytes).map(Self::Json),
            _ => Err(ApiError::UnsupportedMediaType { accepted: ACCEPTED }),
        }
    }

    /// The object, which is of the type `schema`, after the change.
    ///
    /// # Errors
    ///
    /// [`ApiError::Unprocessable`] when the change does not fit the object.
    pub(crate) fn apply(&self, mut object: Value, schema: Schema) -> Result<Value, ApiError> {
        let applied = match self {
            Self::Merge(patch) => {
                json_patch::merge(&mut object, patch);
                Ok(())
            }
            Self::Json(patch) => json::apply(&mut object, patch),
            Self::Strategic(patch) => {
                strategic::merge(&mut object, patch, schema).map_err(|error| error.to_string())
            }
        };
        applied
            .map(|()| object)
            .map_err(|message| ApiError::Unprocessable { message })
    }
}

fn object(patch: Value) -> Result<Value, ApiError> {
    if patch.is_object() {
        Ok(patch)
    } else {
        Err(ApiError::bad_request("the patch is not a JSON object"))
    }
}
