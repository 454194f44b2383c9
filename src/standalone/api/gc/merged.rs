//! Many watches as one, in the order in which things happened.
//!
//! A store tells of each resource by itself, so an owner's deletion may be heard before its dependent's creation, although
//! it came after. Each watch also says how far it has been read, and everything up to the one that is furthest behind has
//! been heard: that much can be put in order.

use std::collections::BTreeMap;

use futures::future::select_all;

use crate::standalone::api::resource::Resource;
use crate::standalone::store::{Batch, Event, Revision, StoreError, Watch};

/// The events of several resources.
pub(super) struct Merged {
    sources: Vec<Source>,
    /// What has been heard and is not in order yet. Each write has a revision of its own.
    heard: BTreeMap<Revision, ResourceEvent>,
}

/// One event, and the resource that it is of.
pub(super) type ResourceEvent = (&'static Resource, Event);

struct Source {
    resource: &'static Resource,
    watch: Box<dyn Watch>,
    reached: Revision,
}

impl Merged {
    /// Nothing to hear yet.
    pub(super) fn new() -> Self {
        Self {
            sources: Vec::new(),
            heard: BTreeMap::new(),
        }
    }

    /// Adds the watch of a resource, which starts after a revision.
    pub(super) fn add(&mut self, resource: &'static Resource, watch: Box<dyn Watch>, after: Revision) {
        self.sources.push(Source {
            resource,
            watch,
            reached: after,
        });
    }

    /// The next events, at least one; waits for them. Who no longer waits misses nothing.
    pub(super) async fn next(&mut self) -> Result<Vec<ResourceEvent>, StoreError> {
        loop {
            if self.heard.is_empty() {
                let next = self.sources.iter_mut().map(|source| source.watch.next());
                let (batch, index, _) = select_all(next).await;
                self.hear(index, batch?);
            }
            for index in 0..self.sources.len() {
                let batch = self.sources[index].watch.poll().await?;
                self.hear(index, batch);
            }
            let complete = self
                .sources
                .iter()
                .map(|source| source.reached)
                .min()
                .unwrap_or_default();
            let later = self.heard.split_off(&complete.next());
            let in_order = std::mem::replace(&mut self.heard, later);
            if !in_order.is_empty() {
                return Ok(in_order.into_values().collect());
            }
        }
    }

    fn hear(&mut self, index: usize, batch: Batch) {
        let source = &mut self.sources[index];
        source.reached = batch.reached;
        let told = batch
            .events
            .into_iter()
            .map(|event| (event.object.revision(), (source.resource, event)));
        self.heard.extend(told);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::standalone::api::resource::RESOURCES;
    use crate::standalone::store::{Key, MemoryStore, Scope, Store};

    /// Writers of several resources at once; what is heard is every revision, one after the other.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn everything_is_heard_in_the_order_in_which_it_happened() {
        const WRITES: u64 = 400;
        let store = MemoryStore::new();
        let mut merged = Merged::new();
        for resource in &RESOURCES[..4] {
            let watch = store
                .watch(&Scope::all(resource.stored_as), Revision(1))
                .await
                .unwrap();
            merged.add(resource, watch, Revision(1));
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..WRITES {
                    let key = Key::new(resource.stored_as, "", number.to_string());
                    store.create(&key, json!({})).await.unwrap();
                    tokio::task::yield_now().await;
                }
            });
        }
        let mut expected = Revision(1);
        while expected < Revision(1 + 4 * WRITES) {
            for (_, event) in merged.next().await.unwrap() {
                expected = expected.next();
                assert_eq!(event.object.revision(), expected);
            }
        }
    }
}
