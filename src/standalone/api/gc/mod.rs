//! What follows from a write: dependents go with their owners, contents with their namespace, events with time.
//!
//! In a cluster the garbage collector, the namespace controller and etcd's leases do this. Here one task reads
//! the store's own watches, keeps an index from owners to dependents, and works through the
//! registry, so that finalizers and grace periods hold for its deletes as they do for everybody's.
//!
//! It keeps nothing that it cannot rebuild. When anything fails it starts anew from a list of everything, which is also how
//! it picks up what was left behind by a crash between an owner's deletion and its dependents'.
//!
//! Source: "Garbage Collection" of the Kubernetes documentation, `pkg/controller/garbagecollector`.

mod events;
mod index;
mod merged;
mod namespaces;
mod owners;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use self::index::{Index, Seen};
use self::merged::Merged;
use super::error::ApiError;
use super::registry::Registry;
use super::resource::{NAMESPACES, RESOURCES, Resource};
use crate::standalone::store::{Change, Event, Key, Range, Scope};

/// How long the collector waits before it starts anew after a failure of the store.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// How often old events are looked for.
const EVENT_SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// Collects for as long as it is polled.
pub(super) async fn run(registry: Registry) {
    loop {
        if let Err(error) = collect(registry.clone()).await {
            tracing::warn!(error = %error, "the collector of the embedded API starts anew");
        }
        sleep(RESTART_DELAY).await;
    }
}

async fn collect(registry: Registry) -> Result<(), ApiError> {
    let mut collector = Collector {
        registry,
        index: Index::default(),
        waiting: HashMap::new(),
        terminating: BTreeSet::new(),
    };
    let mut happening = collector.begin().await?;
    let mut sweep = interval_at(Instant::now() + EVENT_SWEEP_INTERVAL, EVENT_SWEEP_INTERVAL);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            told = happening.next() => {
                for (resource, event) in told? {
                    collector.on_event(resource, &event).await?;
                }
            }
            _ = sweep.tick() => events::sweep(&collector.registry).await?,
        }
    }
}

/// The collector's view of the store.
struct Collector {
    registry: Registry,
    index: Index,
    /// Owners that wait for their dependents to go first, by uid.
    waiting: HashMap<String, Key>,
    /// Namespaces that wait for their contents to go.
    terminating: BTreeSet<String>,
}

impl Collector {
    /// Takes in what there is at one revision, and watches from there on.
    async fn begin(&mut self) -> Result<Merged, ApiError> {
        let store = self.registry.store().clone();
        let now = store.revision().await?;
        let mut found = Vec::new();
        let mut happening = Merged::new();
        for resource in stored_resources() {
            let scope = Scope::all(resource.stored_as);
            let page = store
                .list(
                    &scope,
                    Range {
                        at: Some(now),
                        ..Range::default()
                    },
                )
                .await?;
            happening.add(resource, store.watch(&scope, now).await?, now);
            for object in page.objects {
                let seen = Seen::read(resource, &object)?;
                self.index.put(&seen.key, &seen.owners);
                found.push((resource, seen));
            }
        }
        // Only now, for an owner may be listed after its dependents.
        for (resource, seen) in found {
            self.on_present(resource, &seen, true).await?;
        }
        Ok(happening)
    }

    async fn on_event(&mut self, resource: &'static Resource, event: &Event) -> Result<(), ApiError> {
        let seen = Seen::read(resource, &event.object)?;
        if event.change == Change::Deleted {
            return self.on_gone(&seen).await;
        }
        let former = self.index.put(&seen.key, &seen.owners);
        let is_new = event.change == Change::Added || former != seen.owners;
        self.on_present(resource, &seen, is_new).await?;
        for owner in former.iter().filter(|owner| !seen.owners.contains(owner)) {
            self.recheck_owner(&owner.uid).await?;
        }
        Ok(())
    }

    /// Looks at an object that is there, more closely when it or its owners are new.
    async fn on_present(
        &mut self,
        resource: &'static Resource,
        seen: &Seen,
        is_new: bool,
    ) -> Result<(), ApiError> {
        if seen.is_deleting {
            self.on_deleting(seen).await?;
        }
        if is_new && !seen.owners.is_empty() {
            self.collect_unowned(&seen.key).await?;
        }
        if is_new && resource.namespaced {
            self.collect_stray(seen).await?;
        }
        Ok(())
    }

    /// Looks at an object that has just gone: who depended on it, and who waited for it.
    async fn on_gone(&mut self, seen: &Seen) -> Result<(), ApiError> {
        let owners = self.index.remove(&seen.key);
        self.waiting.remove(&seen.uid);
        for dependent in self.index.dependents(&seen.uid) {
            self.collect_unowned(&dependent.key).await?;
        }
        for owner in owners {
            self.recheck_owner(&owner.uid).await?;
        }
        if seen.key.resource == NAMESPACES.stored_as {
            self.terminating.remove(&seen.key.place.name);
        }
        if self.terminating.contains(&seen.key.place.namespace) {
            self.empty_namespace(&seen.key.place.namespace).await?;
        }
        Ok(())
    }
}

/// The resources whose objects are stored as they are: each collection once.
fn stored_resources() -> impl Iterator<Item = &'static Resource> {
    RESOURCES
        .iter()
        .filter(|resource| resource.strategy.is_stored_form())
}

/// What came of a write to one object. One that is gone already is as good as one that was deleted, and one that may not
/// be deleted is no reason to leave the others; only a store that fails is.
fn settled<T>(outcome: Result<T, ApiError>) -> Result<(), ApiError> {
    match outcome {
        Ok(_) | Err(ApiError::NotFound { .. } | ApiError::Conflict { .. }) => Ok(()),
        Err(error @ ApiError::Internal { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "an object can't be collected, and stays");
            Ok(())
        }
    }
}
