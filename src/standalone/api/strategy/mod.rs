//! The rules that belong to one resource: its defaults, what a write may change, how it is deleted.
//!
//! A strategy is what `pkg/registry/*/strategy.go` is to kube-apiserver. The [`Registry`](super::registry::Registry) holds
//! the rules that are the same for all, and asks the strategy at fixed points. Objects stay JSON throughout.
//!
//! | file | resources |
//! |---|---|
//! | `batch` | CronJobs, Jobs |
//! | `pods` | pods; `qos` is how sure they can be of what they use |
//! | `configuration` | config maps, secrets |
//! | `namespaces`, `nodes`, `leases` | one each |
//! | `events` | events, in both their forms |
//! | `plain` | those that have no rules of their own |
//! | `object_type` | the type of a resource's objects, for code that can't name it |

mod batch;
mod configuration;
mod events;
mod leases;
mod namespaces;
mod nodes;
mod object_type;
mod plain;
mod pods;
mod qos;

use std::collections::HashSet;

use k8s_openapi::Metadata;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use batch::{CronJobs, Jobs};
pub use configuration::{ConfigMaps, Secrets};
pub use events::{Events, EventsV1};
pub use leases::Leases;
pub use namespaces::Namespaces;
pub(super) use namespaces::OF_CONTENTS;
pub use nodes::Nodes;
pub use object_type::ObjectType;
pub use plain::{Absent, ServiceAccounts, Services};
pub use pods::Pods;
pub(super) use pods::is_gated;

use super::cause::Cause;
use crate::manifest::validate::{FieldError, Findings, Reason, metadata};
use crate::schedule::TimeZones;
use object_type::{read_as, warnings_of};

/// What becomes of an object's dependents when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted once it is gone.
    Background,
    /// They are deleted first; it waits for those that block it.
    Foreground,
    /// They stay, and forget their owner.
    Orphan,
}

/// The rules of one resource. Every method has the answer that most resources give.
pub trait Strategy: Sync + std::fmt::Debug {
    /// The type that its objects have.
    fn object_type(&self) -> ObjectType;

    /// Moves what is written and never read to where it is read.
    fn normalize(&self, _object: &mut Value) {}

    /// Fills in what a client may leave out. Whoever writes the object owns it, as what kube-apiserver fills in when it decodes
    /// one.
    fn default(&self, _object: &mut Value) {}

    /// Resets what is not the client's to write in a new object, makes up what belongs to nobody, and fills in the rest. The uid
    /// is known by then.
    fn prepare_create(&self, _object: &mut Value) {}

    /// Carries over what an update of the main resource may not change.
    fn prepare_update(&self, _object: &mut Value, _old: &Value) {}

    /// The same for a new version of its status.
    fn prepare_status(&self, _object: &mut Value, _old: &Value) {}

    /// The same for a new version of the finalizers in its spec, which only a namespace has.
    fn prepare_finalize(&self, _object: &mut Value) {}

    /// The rules that an object breaks: a new one, or one that is to take the place of `old`.
    ///
    /// # Errors
    ///
    /// As [`ObjectType::check`], which it implies.
    fn check(&self, object: &Value, old: Option<&Value>, zones: &TimeZones) -> Result<Vec<Cause>, String>;

    /// The rules that the status of an object breaks, which is to take the place of that of `old`.
    ///
    /// # Errors
    ///
    /// As [`ObjectType::check`], which it implies.
    fn check_status(&self, object: &Value, _old: &Value) -> Result<Vec<Cause>, String> {
        self.object_type().check(object).map(|()| Vec::new())
    }

    /// What is right in an object that was written, and likely not meant: sentences for the client.
    fn warnings(&self, _object: &Value) -> Vec<String> {
        Vec::new()
    }

    /// Whether `metadata.generation` counts the changes of its spec.
    fn counts_generations(&self) -> bool {
        false
    }

    /// Whether an update must say which version it is based on.
    fn update_needs_revision(&self) -> bool {
        false
    }

    /// Why an object of this name is never deleted, if it is not.
    fn forbids_deletion(&self, _name: &str) -> Option<&'static str> {
        None
    }

    /// What becomes of dependents when a delete does not say.
    fn default_propagation(&self) -> Propagation {
        Propagation::Background
    }

    /// How many seconds an object is given to end before it is removed, when a delete does not say; zero removes at once.
    fn grace_seconds(&self, _object: &Value, _asked: Option<i64>) -> i64 {
        0
    }

    /// Marks an object whose deletion begins.
    fn begin_deletion(&self, _object: &mut Value) {}

    /// Whether something other than `metadata.finalizers` keeps an object that is being deleted.
    fn is_held(&self, _object: &Value) -> bool {
        false
    }

    /// The fields that it can be selected by, beside its name and namespace.
    fn selectable_fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether its objects are stored as they are; else the next two methods convert.
    fn is_stored_form(&self) -> bool {
        true
    }

    /// Turns an object of this resource into the form that is stored.
    fn stored(&self, object: Value) -> Value {
        object
    }

    /// Turns a stored object into the form of this resource.
    fn shown(&self, stored: Value) -> Value {
        stored
    }
}

/// An object as it was kept, with the defaults of today: one that has come since is no change of it.
fn with_defaults(old: &Value, fill_in: fn(&mut Value)) -> Value {
    let mut old = old.clone();
    fill_in(&mut old);
    old
}

/// Checks the types of a `T`, and the metadata that every object has.
fn check_metadata<T>(object: &Value, old: Option<&Value>) -> Result<Vec<Cause>, String>
where
    T: DeserializeOwned + Metadata<Ty = ObjectMeta>,
{
    let mut found = Findings::default();
    let new: T = read_as(object)?;
    match old {
        None => metadata::create(new.metadata(), &mut found),
        Some(old) => metadata::update(new.metadata(), read_as::<T>(old)?.metadata(), &mut found),
    }
    causes(found.into_errors())
}

/// What manifests are told as diagnostics, clients are told as causes, each once; and of what can't be read, as of a wrong
/// type.
fn causes(errors: Vec<FieldError>) -> Result<Vec<Cause>, String> {
    let cause = |error: FieldError| match error.reason {
        Reason::Malformed => Err(format!("{}: {}", error.path, error.detail)),
        reason => Ok(Cause {
            reason: reason.cause(),
            message: error.body(),
            field: error.path.to_string(),
        }),
    };
    let mut causes = errors
        .into_iter()
        .map(cause)
        .collect::<Result<Vec<Cause>, String>>()?;
    let mut told = HashSet::new();
    causes.retain(|cause| told.insert((cause.field.clone(), cause.message.clone())));
    Ok(causes)
}
