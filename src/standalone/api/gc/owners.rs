//! Owners and dependents: background, foreground and orphaning deletion.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::index::{Owner, Seen};
use super::{Collector, settled};
use crate::standalone::api::error::ApiError;
use crate::standalone::api::meta;
use crate::standalone::api::registry::{Deletion, Mode, ORPHAN, Owners, Part};
use crate::standalone::api::resource::Resource;
use crate::standalone::api::strategy::Propagation;
use crate::standalone::api::together::each;
use crate::standalone::store::Key;

/// What has become of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is there, or it is of a kind that is not served here, which nobody can know.
    Present,
    /// It is there, and waits for its dependents to go first.
    Waiting,
    /// It is gone.
    Absent,
}

impl Collector {
    /// Makes the dependents of owners forget them, and lets the owners go.
    pub(super) async fn orphan_dependents(
        &self,
        mut owners: BTreeSet<(Key, String)>,
    ) -> Result<(), ApiError> {
        // Each is written once, of however many it is a dependent: the writes would be in each other's way.
        let mut dependents: BTreeMap<Key, Vec<(Key, String)>> = BTreeMap::new();
        for owner in &owners {
            for dependent in self.known.index.dependents(&owner.1) {
                let owners = dependents.entry(dependent.key.clone()).or_default();
                owners.push(owner.clone());
            }
        }
        let stay = Mutex::new(BTreeSet::new());
        each(dependents, async |(dependent, owners)| {
            let uids: Vec<&str> = owners.iter().map(|(_, uid)| uid.as_str()).collect();
            match self.drop_references(&dependent, &uids).await {
                Ok(()) | Err(ApiError::NotFound { .. }) => {}
                // As long as it is owned it would be deleted after its owner, so the owner stays.
                Err(error @ (ApiError::Conflict { .. } | ApiError::Internal { .. })) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(%error, "an object can't be orphaned, and its owner stays");
                    stay.lock().unwrap_or_else(PoisonError::into_inner).extend(owners);
                }
            }
            Ok(())
        })
        .await?;
        let stay = stay.into_inner().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|owner| !stay.contains(owner));
        each(owners, async |(owner, uid)| {
            self.let_go(&owner, &uid, ORPHAN).await
        })
        .await
    }

    /// Deletes an object whose owners have all gone, or wait for it to go.
    pub(super) async fn collect_unowned(&self, key: &Key) -> Result<(), ApiError> {
        let Some(resource) = resource_of(key) else {
            return Ok(());
        };
        let Some(seen) = self.look(key).await? else {
            return Ok(());
        };
        let (mut lost, mut waiting, mut present) = (Vec::new(), false, false);
        for owner in &seen.owners {
            match self.standing(owner, &key.place.namespace).await? {
                Standing::Present => present = true,
                Standing::Waiting => {
                    waiting = true;
                    lost.push(owner.uid.as_str());
                }
                Standing::Absent => lost.push(owner.uid.as_str()),
            }
        }
        if lost.is_empty() {
            return Ok(());
        }
        if present {
            // Somebody still owns it: only the references to those who do not are dropped.
            return settled(self.drop_references(key, &lost).await);
        }
        if waiting {
            let in_circle = self.known.owners_in_circle(&seen);
            if !in_circle.is_empty() {
                settled(self.unblock_owners(key, &in_circle).await)?;
            }
        }
        if seen.is_deleting {
            return Ok(());
        }
        let has_dependents = self.known.index.dependents(&seen.uid).next().is_some();
        let propagation = match seen.propagation {
            Some(own) => own,
            None if waiting && has_dependents => Propagation::Foreground,
            None => Propagation::Background,
        };
        let deletion = Deletion {
            propagation: Some(propagation),
            uid: Some(seen.uid),
            // Somebody may take it away from them meanwhile, or give it another; of that is heard, and it is looked at again.
            owner_uids: Some(seen.owners.into_iter().map(|owner| owner.uid).collect()),
            ..Deletion::default()
        };
        settled(self.registry.delete(resource, key, &deletion, Mode::Real).await)
    }

    /// An object as it is now, which may be newer than what the watch has told.
    pub(super) async fn look(&self, key: &Key) -> Result<Option<Seen>, ApiError> {
        let Some(resource) = resource_of(key) else {
            return Ok(None);
        };
        match self
            .registry
            .get(resource, &key.place.namespace, &key.place.name)
            .await
        {
            Ok(object) => Seen::read(resource, &object).map(Some),
            Err(ApiError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn standing(&self, owner: &Owner, namespace: &str) -> Result<Standing, ApiError> {
        let Some(resource) = Resource::of(&owner.api_version, &owner.kind) else {
            return Ok(Standing::Present);
        };
        // What is in no namespace can't be owned from within one, and is never collected for that ("Owner references in
        // object specifications" of the documentation of garbage collection).
        if resource.namespaced && namespace.is_empty() {
            return Ok(Standing::Present);
        }
        let namespace = if resource.namespaced { namespace } else { "" };
        let found = self
            .look(&Key::new(resource.stored_as, namespace, &owner.name))
            .await?;
        Ok(match found {
            Some(seen) if seen.uid != owner.uid => Standing::Absent,
            // One that is not known to wait yet will be heard of, and then all that depends on it is known, too.
            Some(seen)
                if seen.is_deleting
                    && seen.propagation == Some(Propagation::Foreground)
                    && self.known.waits(&seen.uid) =>
            {
                Standing::Waiting
            }
            Some(_) => Standing::Present,
            None => Standing::Absent,
        })
    }

    /// Removes the references to some owners from a dependent.
    async fn drop_references(&self, key: &Key, owner_uids: &[&str]) -> Result<(), ApiError> {
        self.change_references(key, |references| {
            references.retain(|reference| !is_to(reference, owner_uids));
        })
        .await
    }

    /// Makes these owners wait no longer for a dependent. DIFFERENCE: Kubernetes makes none of them wait any longer, those
    /// outside of the circle included, which so go before what they were told to go after.
    async fn unblock_owners(&self, key: &Key, owner_uids: &[&str]) -> Result<(), ApiError> {
        self.change_references(key, |references| {
            for reference in references
                .iter_mut()
                .filter(|reference| is_to(reference, owner_uids))
            {
                reference["blockOwnerDeletion"] = false.into();
            }
        })
        .await
    }

    async fn change_references(
        &self,
        key: &Key,
        change: impl Fn(&mut Vec<Value>) + Send + Sync,
    ) -> Result<(), ApiError> {
        let Some(resource) = resource_of(key) else {
            return Ok(());
        };
        let change = |current: &Value| {
            let references = meta::get(current, "ownerReferences").and_then(Value::as_array);
            let mut references = references.cloned().unwrap_or_default();
            change(&mut references);
            let mut changed = current.clone();
            if references.is_empty() {
                meta::remove(&mut changed, "ownerReferences");
            } else {
                meta::set(&mut changed, "ownerReferences", references);
            }
            Ok(changed)
        };
        let written = self
            .registry
            .update(resource, key, Part::Any, Mode::Real, Owners::AsBefore, change);
        written.await.map(drop)
    }

    /// Removes a finalizer of ours from an owner, and not from another that has been made under its name.
    pub(super) async fn let_go(&self, owner: &Key, uid: &str, finalizer: &str) -> Result<(), ApiError> {
        let Some(resource) = resource_of(owner) else {
            return Ok(());
        };
        let change = |current: &Value| {
            let mut changed = current.clone();
            let mut finalizers = meta::finalizers(current);
            finalizers.retain(|name| name != finalizer);
            meta::set_finalizers(&mut changed, finalizers);
            meta::set(&mut changed, "uid", uid);
            Ok(changed)
        };
        let written = self
            .registry
            .update(resource, owner, Part::Any, Mode::Real, Owners::AsBefore, change);
        settled(written.await)
    }
}

/// Whether a reference is to one of these owners.
fn is_to(reference: &Value, owner_uids: &[&str]) -> bool {
    let uid = reference["uid"].as_str();
    uid.is_some_and(|uid| owner_uids.contains(&uid))
}

/// The resource that a key is of.
pub(super) fn resource_of(key: &Key) -> Option<&'static Resource> {
    super::stored_resources().find(|resource| resource.stored_as == key.resource)
}
