//! Apply: an object is made what a configuration says, as far as it says anything, and its author owns that from then on.

use serde_json::Value;

use super::{CONFLICT_RETRIES, Mode, Owners, Part, Registry, schema};
use crate::standalone::api::error::ApiError;
use crate::standalone::api::meta;
use crate::standalone::api::ownership::{self, Author, OwnershipError};
use crate::standalone::api::resource::Resource;
use crate::standalone::store::{Key, Object};

/// What is applied, and by whom.
#[derive(Debug)]
pub(in crate::standalone::api) struct Application<'a> {
    /// The configuration, in the form that is stored.
    pub(in crate::standalone::api) config: &'a Value,
    pub(in crate::standalone::api) author: &'a Author,
    /// Whether what others own is taken from them.
    pub(in crate::standalone::api) force: bool,
}

/// What an apply did.
#[derive(Debug)]
pub(in crate::standalone::api) enum Applied {
    /// There was no such object.
    Created(Object),
    /// The object is now as the configuration says.
    Configured(Object),
}

impl Registry {
    /// Applies a configuration to an object, which is created when it is not there.
    ///
    /// # Errors
    ///
    /// [`ApiError::ApplyConflict`] when others own what is to be changed, and those of [`create`](Self::create) and
    /// [`update`](Self::update).
    pub(in crate::standalone::api) async fn apply(
        &self,
        resource: &'static Resource,
        key: &Key,
        part: Part,
        mode: Mode,
        application: &Application<'_>,
    ) -> Result<Applied, ApiError> {
        let applied = |live: Option<&Value>| {
            let Application {
                config,
                author,
                force,
            } = application;
            ownership::apply(live, config, author, *force, schema(resource), self.now()).map_err(refused)
        };
        for _ in 0..CONFLICT_RETRIES {
            let change = |live: &Value| applied(Some(live));
            let updated = self
                .update(resource, key, part, mode, Owners::AsWritten, change)
                .await;
            match updated {
                Err(ApiError::NotFound { .. }) if part == Part::Main => {}
                updated => return updated.map(Applied::Configured),
            }
            check_is_new(resource, &key.place.name, application.config)?;
            let namespace = key.place.namespace.as_str();
            let created = self
                .create(resource, namespace, applied(None)?, mode, Owners::AsWritten)
                .await;
            match created {
                // Somebody else was first; then it is an update.
                Err(ApiError::AlreadyExists { .. }) => {}
                created => return created.map(Applied::Created),
            }
        }
        Err(ApiError::modified(resource, &key.place.name))
    }
}

/// Fails for a configuration of an object that was there: it is not for another one of its name.
fn check_is_new(resource: &'static Resource, name: &str, config: &Value) -> Result<(), ApiError> {
    let uid = meta::uid(config);
    if uid.is_empty() {
        return Ok(());
    }
    Err(ApiError::Conflict {
        resource,
        name: name.to_owned(),
        why: format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        ),
    })
}

fn refused(error: OwnershipError) -> ApiError {
    match error {
        OwnershipError::Conflict { message, causes } => ApiError::ApplyConflict { message, causes },
        other => ApiError::bad_request(format!("the configuration cannot be applied: {other}")),
    }
}
