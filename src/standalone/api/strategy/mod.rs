//! The rules that belong to one resource: its defaults, what a write may change, how it is deleted.
//!
//! A strategy is what `pkg/registry/*/strategy.go` is to kube-apiserver. The [`Registry`](super::registry::Registry) holds
//! the rules that are the same for all, and asks the strategy at fixed points. Objects stay JSON throughout.

mod batch;
mod core;
mod events;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use batch::{CronJobs, Jobs};
pub use core::{ConfigMaps, Leases, Namespaces, Nodes, Plain, Pods, Secrets, ServiceAccounts};
pub use events::{Events, EventsV1};

use super::error::Cause;

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
    /// Fails when the object does not have the types of its kind; says which field has not.
    ///
    /// # Errors
    ///
    /// A sentence that names the field.
    fn check_types(&self, object: &Value) -> Result<(), String>;

    /// Fills in defaults and resets what is not the client's to write. The uid is known by then.
    fn prepare_create(&self, _object: &mut Value) {}

    /// Carries over what an update of the main resource may not change.
    fn prepare_update(&self, _object: &mut Value, _old: &Value) {}

    /// The rules that a new object breaks.
    fn validate(&self, _object: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// The rules that an update breaks, beside those of [`validate`](Self::validate).
    fn validate_update(&self, _object: &Value, _old: &Value) -> Vec<Cause> {
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

    /// Turns an object of this resource into the form that is stored.
    fn stored(&self, object: Value) -> Value {
        object
    }

    /// Turns a stored object into the form of this resource; `None` when that is the same form.
    fn shown(&self, _stored: &Value) -> Option<Value> {
        None
    }
}

/// Reads the object as `T` and forgets it: what is kept is what was written, unknown fields included.
fn check_as<T: DeserializeOwned>(object: &Value) -> Result<(), String> {
    serde_path_to_error::deserialize::<_, T>(object)
        .map(drop)
        .map_err(|error| error.to_string())
}
