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

use serde_json::{Value, json};

use self::strategic::StrategicError;
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
    /// [`ApiError::UnsupportedMediaType`] for another language, [`ApiError::BadRequest`] for a text that is not of the
    /// language, [`ApiError::TooManyOperations`] for one that asks for more than is carried out, and
    /// [`ApiError::Unprocessable`] for an operation that there is not, or that does not say where.
    pub fn parse(media_type: &str, bytes: &[u8]) -> Result<Self, ApiError> {
        let malformed =
            |error: serde_json::Error| ApiError::bad_request(format!("the patch cannot be read: {error}"));
        match media_type {
            "application/merge-patch+json" => Ok(Self::Merge(object(
                serde_json::from_slice(bytes).map_err(malformed)?,
            )?)),
            "application/strategic-merge-patch+json" => {
                let patch: Option<Value> = serde_json::from_slice(bytes).map_err(malformed)?;
                // As kube-apiserver has it, which takes no other `null` for a patch of nothing but this and a JSON patch's.
                object(patch.unwrap_or_else(|| json!({}))).map(Self::Strategic)
            }
            "application/json-patch+json" => json::parse(bytes).map(Self::Json),
            _ => Err(ApiError::UnsupportedMediaType { accepted: ACCEPTED }),
        }
    }

    /// The object, which is of the type `schema`, after the change.
    ///
    /// # Errors
    ///
    /// When the change does not fit the object.
    pub(crate) fn apply(&self, mut object: Value, schema: Schema) -> Result<Value, ApiError> {
        match self {
            Self::Merge(patch) => json_patch::merge(&mut object, patch),
            Self::Json(patch) => {
                json::apply(&mut object, patch).map_err(|message| ApiError::Unprocessable { message })?;
            }
            Self::Strategic(patch) => strategic::merge(&mut object, patch, schema)?,
        }
        Ok(object)
    }
}

impl From<StrategicError> for ApiError {
    fn from(error: StrategicError) -> Self {
        let message = error.to_string();
        match error {
            StrategicError::RetainKeys => ApiError::BadRequest { message },
            _ => ApiError::Strategic { message },
        }
    }
}

fn object(patch: Value) -> Result<Value, ApiError> {
    if patch.is_object() {
        Ok(patch)
    } else {
        Err(ApiError::bad_request("the patch is not a JSON object"))
    }
}
