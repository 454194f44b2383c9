//! What can be done to objects, apart from HTTP: read, create, update, delete.
//!
//! These are the rules that are the same for every resource (`apiserver/pkg/registry/rest`); the
//! [strategies](super::strategy) hold the others. The collector and the request handlers both work through here, so
//! there is one place that decides what a write means.
//!
//! | file | one idea |
//! |---|---|
//! | `create`, `update`, `delete`, `apply` | a kind of write each |
//! | `name` | how a name is made up |
//! | `scheduling` | which node a pod is given to |

mod apply;
mod create;
mod delete;
mod name;
mod scheduling;
mod update;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub(super) use apply::{Application, Applied};
pub(super) use delete::check_preconditions;
pub use delete::{Deleted, Deletion};
pub use update::Part;

use super::error::ApiError;
use super::meta;
use super::ownership::Author;
use super::resource::{NAMESPACES, Resource};
use crate::clock::SharedClock;
use crate::manifest::schema::Schema;
use crate::schedule::{TimeZones, Timestamp};
use crate::standalone::store::{Key, Object, SharedStore, StoreError};
use crate::standalone::turns::{Rank, Turns};

/// How often a write that is not based on a certain version is tried again when another one got in between.
///
/// Each time somebody else's write has gone through, so this many in a row means that the object is written to without
/// pause; the client is then told of the conflict.
const CONFLICT_RETRIES: usize = 20;

/// The finalizer that keeps an owner until its dependents are gone.
pub(super) const FOREGROUND: &str = "foregroundDeletion";

/// The finalizer that keeps an owner until its dependents have forgotten it.
pub(super) const ORPHAN: &str = "orphan";

/// Whether a write is carried out, or only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is carried out.
    Real,
    /// `dryRun=All`: everything is checked and answered, and nothing is kept.
    DryRun,
}

/// What a write means for those who own fields.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owners<'a> {
    /// Nothing: it is the API's own housekeeping.
    AsBefore,
    /// What is changed belongs to its author.
    Author(&'a Author),
    /// What the document says: it was applied.
    AsWritten,
}

/// Objects in a store, under the rules of Kubernetes.
#[derive(Clone)]
pub struct Registry {
    store: SharedStore,
    clock: SharedClock,
    zones: Arc<TimeZones>,
    pub(super) turns: Turns,
    /// The node that runs every pod, if there is one.
    pub(super) node: Option<&'static str>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// A registry over a store, that dates objects by a clock and knows these time zones.
    pub fn new(store: SharedStore, clock: SharedClock, zones: Arc<TimeZones>) -> Self {
        Self {
            store,
            clock,
            zones,
            turns: Turns::default(),
            node: None,
        }
    }

    /// The store below.
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    /// One object.
    ///
    /// # Errors
    ///
    /// [`ApiError::NotFound`], or [`ApiError::Internal`] when the store failed.
    pub async fn get(
        &self,
        resource: &'static Resource,
        namespace: &str,
        name: &str,
    ) -> Result<Object, ApiError> {
        let key = Key::new(resource.stored_as, namespace, name);
        self.store
            .get(&key)
            .await
            .map_err(|error| ApiError::of_object(error, resource, name))
    }

    /// Fails unless the namespace is there and takes new objects.
    async fn open_namespace(
        &self,
        resource: &'static Resource,
        namespace: &str,
        name: &str,
    ) -> Result<(), ApiError> {
        let found = self.get(NAMESPACES, "", namespace).await?;
        if meta::is_deleting(&read(&found)?) {
            let (name, namespace) = (name.to_owned(), namespace.to_owned());
            return Err(ApiError::NamespaceTerminating {
                resource,
                name,
                namespace,
            });
        }
        Ok(())
    }

    /// The time by which objects are dated.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The rank of making an object.
fn rank_of_new(resource: &Resource) -> Rank {
    match resource.stored_as {
        "pods" => Rank::Process,
        "jobs.batch" => Rank::Run,
        _ => Rank::Record,
    }
}

/// The whole of an object.
pub(super) fn read(object: &Object) -> Result<Value, ApiError> {
    Ok(object.read()?)
}

/// Makes an object of a document that is shown and not kept.
fn shown(document: Value, like: &Object) -> Result<Object, ApiError> {
    Ok(Object::stamp(document, like.revision())?)
}

/// The part of a store's answers that means "somebody else was first".
fn lost_the_race(error: &StoreError) -> bool {
    matches!(error, StoreError::Conflict { .. })
}

/// The type of the documents that a resource is stored as.
fn schema(resource: &Resource) -> Schema {
    resource.stored_form().schema()
}

/// The refusal of a document that does not have the types of its kind.
fn mistyped(resource: &Resource, mistake: &str) -> ApiError {
    let (kind, version) = (resource.kind, resource.version);
    ApiError::unfit(format!(
        "{kind} in version \"{version}\" cannot be handled as a {kind}: {mistake}"
    ))
}
