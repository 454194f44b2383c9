//! Owners and dependents: background, foreground and orphaning deletion.

use serde_json::Value;

use super::index::{Owner, Seen};
use super::{Collector, settled};
use crate::standalone::api::error::ApiError;
use crate::standalone::api::meta;
use crate::standalone::api::registry::{Deletion, FOREGROUND, Mode, ORPHAN, Owners, Part, Registry};
use crate::standalone::api::resource::{NAMESPACES, Resource};
use crate::standalone::api::strategy::Propagation;
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
    /// Goes on with a deletion that waits for something of ours.
    pub(super) async fn on_deleting(&mut self, seen: &Seen) -> Result<(), ApiError> {
        match seen.propagation {
            Some(Propagation::Orphan) => self.orphan_dependents(seen).await?,
            Some(Propagation::Foreground) => {
                self.waiting.insert(seen.uid.clone(), seen.key.clone());
                for dependent in self.index.dependents(&seen.uid) {
                    self.collect_unowned(&dependent.key).await?;
                }
                self.recheck_owner(&seen.uid).await?;
            }
            Some(Propagation::Background) | None => {}
        }
        if seen.key.resource == NAMESPACES.stored_as {
            self.terminating.insert(seen.key.place.name.clone());
            self.empty_namespace(&seen.key.place.name).await?;
        }
        Ok(())
    }

    /// Lets an owner go that waits for its dependents, once none is left that blocks it.
    pub(super) async fn recheck_owner(&mut self, uid: &str) -> Result<(), ApiError> {
        let Some(key) = self.waiting.get(uid) else {
            return Ok(());
        };
        if self
            .index
            .dependents(uid)
            .iter()
            .any(|dependent| dependent.blocks)
        {
            return Ok(());
        }
        let key = key.clone();
        self.waiting.remove(uid);
        remove_finalizer(&self.registry, &key, FOREGROUND).await
    }

    /// Makes the dependents forget their owner, and lets the owner go.
    async fn orphan_dependents(&mut self, seen: &Seen) -> Result<(), ApiError> {
        for dependent in self.index.dependents(&seen.uid) {
            self.drop_references(&dependent.key, &[seen.uid.as_str()]).await?;
        }
        remove_finalizer(&self.registry, &seen.key, ORPHAN).await
    }

    /// Deletes an object whose owners have all gone, or wait for it to go.
    pub(super) async fn collect_unowned(&mut self, key: &Key) -> Result<(), ApiError> {
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
            return self.drop_references(key, &lost).await;
        }
        if seen.is_deleting {
            return Ok(());
        }
        let own_dependents = !self.index.dependents(&seen.uid).is_empty();
        let propagation = match seen.propagation {
            Some(own) => own,
            None if waiting && own_dependents => Propagation::Foreground,
            None => Propagation::Background,
        };
        let deletion = Deletion {
            propagation: Some(propagation),
            uid: Some(seen.uid),
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
        let namespace = if resource.namespaced { namespace } else { "" };
        let found = self
            .look(&Key::new(resource.stored_as, namespace, &owner.name))
            .await?;
        Ok(match found {
            Some(seen) if seen.uid != owner.uid => Standing::Absent,
            Some(seen) if seen.is_deleting && seen.propagation == Some(Propagation::Foreground) => {
                Standing::Waiting
            }
            Some(_) => Standing::Present,
            None => Standing::Absent,
        })
    }

    /// Removes the references to some owners from a dependent.
    async fn drop_references(&self, key: &Key, owner_uids: &[&str]) -> Result<(), ApiError> {
        let Some(resource) = resource_of(key) else {
            return Ok(());
        };
        let change = |current: &Value| {
            let mut changed = current.clone();
            let references = meta::get(current, "ownerReferences").and_then(Value::as_array);
            let kept = |reference: &&Value| {
                !reference["uid"]
                    .as_str()
                    .is_some_and(|uid| owner_uids.contains(&uid))
            };
            let kept: Vec<Value> = references.into_iter().flatten().filter(kept).cloned().collect();
            if kept.is_empty() {
                meta::remove(&mut changed, "ownerReferences");
            } else {
                meta::set(&mut changed, "ownerReferences", kept);
            }
            Ok(changed)
        };
        settled(
            self.registry
                .update(resource, key, Part::Any, Mode::Real, Owners::AsBefore, change)
                .await,
        )
    }
}

async fn remove_finalizer(registry: &Registry, key: &Key, finalizer: &str) -> Result<(), ApiError> {
    let Some(resource) = resource_of(key) else {
        return Ok(());
    };
    let change = |current: &Value| {
        let mut changed = current.clone();
        let mut finalizers = meta::finalizers(current);
        finalizers.retain(|name| name != finalizer);
        meta::set_finalizers(&mut changed, finalizers);
        Ok(changed)
    };
    settled(
        registry
            .update(resource, key, Part::Any, Mode::Real, Owners::AsBefore, change)
            .await,
    )
}

/// The resource that a key is of.
fn resource_of(key: &Key) -> Option<&'static Resource> {
    super::stored_resources().find(|resource| resource.stored_as == key.resource)
}
