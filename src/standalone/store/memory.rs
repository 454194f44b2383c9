//! Everything in memory, gone with the process: the store of tests and of `punctual up --ephemeral`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures::FutureExt;
use serde_json::Value;
use tokio::sync::watch;

use super::collection::Collection;
use super::{Answer, Batch, Change, Key, Object, Page, Range, Revision, Scope, Store, StoreError, Watch};

/// How many events a [`MemoryStore`] keeps for each resource.
///
/// It decides how far a watcher may fall behind, and how long the pages of a list stay consistent, before it has to list
/// again. The watchers in this process are behind by microseconds; the burst that counts is 1,000 Jobs starting at once,
/// about five writes each, before a remote one has read its first.
pub const WATCH_WINDOW_EVENTS: usize = 5_000;

/// How much those events may take for each resource, in bytes of JSON, so that a few huge objects do not fill the memory.
///
/// 5,000 pods as they are usually written are well below it, and it holds the largest object ten times.
pub const WATCH_WINDOW_BYTES: usize = 16 * 1024 * 1024;

/// A store in memory. Clones share it.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    shared: Arc<RwLock<State>>,
    window_events: usize,
}

#[derive(Debug)]
struct State {
    revision: Revision,
    collections: HashMap<&'static str, Collection>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_window(WATCH_WINDOW_EVENTS)
    }

    /// An empty store that remembers so many events of each resource: few, to see what happens to those that lag.
    pub fn with_window(window_events: usize) -> Self {
        let state = State {
            revision: Revision(1),
            collections: HashMap::new(),
        };
        Self {
            shared: Arc::new(RwLock::new(state)),
            window_events,
        }
    }

    // A panic elsewhere cannot leave the state half written: every write is one call that does not fail midway.
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn get_now(&self, key: &Key) -> Result<Object, StoreError> {
        self.state().existing(key).cloned()
    }

    fn list_now(&self, scope: &Scope, range: &Range) -> Result<Page, StoreError> {
        let state = self.state();
        let at = range.at.unwrap_or(state.revision);
        state.has_happened(at)?;
        match state.collections.get(scope.resource) {
            Some(collection) => collection.page(scope, range, at),
            None => Ok(Page {
                objects: Vec::new(),
                revision: at,
                more_after: None,
                remaining: 0,
            }),
        }
    }

    fn create_now(&self, key: &Key, document: Value) -> Result<Object, StoreError> {
        let mut state = self.state_mut();
        match state.existing(key) {
            Ok(_) => Err(StoreError::AlreadyExists),
            Err(_) => state.write(Change::Added, key, document, self.window_events),
        }
    }

    fn replace_now(
        &self,
        change: Change,
        key: &Key,
        document: Value,
        expected: Revision,
    ) -> Result<Object, StoreError> {
        let mut state = self.state_mut();
        let found = state.existing(key)?.revision();
        if found != expected {
            return Err(StoreError::Conflict { found });
        }
        state.write(change, key, document, self.window_events)
    }

    fn watch_now(&self, scope: &Scope, after: Revision) -> Result<Box<dyn Watch>, StoreError> {
        let mut state = self.state_mut();
        state.has_happened(after)?;
        let collection = state
            .collections
            .entry(scope.resource)
            .or_insert_with(Collection::new);
        collection.remembers(after)?;
        let bell = collection.bell();
        Ok(Box::new(MemoryWatch {
            store: self.clone(),
            scope: scope.clone(),
            reached: after,
            bell,
        }))
    }
}

impl State {
    fn existing(&self, key: &Key) -> Result<&Object, StoreError> {
        self.collections
            .get(key.resource)
            .and_then(|collection| collection.get(&key.place))
            .ok_or(StoreError::NotFound)
    }

    fn has_happened(&self, revision: Revision) -> Result<(), StoreError> {
        if revision > self.revision {
            Err(StoreError::Ahead {
                newest: self.revision,
            })
        } else {
            Ok(())
        }
    }

    fn write(
        &mut self,
        change: Change,
        key: &Key,
        document: Value,
        window_events: usize,
    ) -> Result<Object, StoreError> {
        let object = Object::stamp(document, self.revision.next())?;
        self.revision = object.revision();
        let collection = self
            .collections
            .entry(key.resource)
            .or_insert_with(Collection::new);
        collection.write(change, &key.place, object.clone(), window_events);
        Ok(object)
    }
}

impl Store for MemoryStore {
    fn revision(&self) -> Answer<'_, Revision> {
        async { Ok(self.state().revision) }.boxed()
    }

    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Object> {
        async { self.get_now(key) }.boxed()
    }

    fn list<'a>(&'a self, scope: &'a Scope, range: Range) -> Answer<'a, Page> {
        async move { self.list_now(scope, &range) }.boxed()
    }

    fn create<'a>(&'a self, key: &'a Key, document: Value) -> Answer<'a, Object> {
        async { self.create_now(key, document) }.boxed()
    }

    fn update<'a>(&'a self, key: &'a Key, document: Value, expected: Revision) -> Answer<'a, Object> {
        async move { self.replace_now(Change::Modified, key, document, expected) }.boxed()
    }

    fn delete<'a>(&'a self, key: &'a Key, last: Value, expected: Revision) -> Answer<'a, Object> {
        async move { self.replace_now(Change::Deleted, key, last, expected) }.boxed()
    }

    fn watch<'a>(&'a self, scope: &'a Scope, after: Revision) -> Answer<'a, Box<dyn Watch>> {
        async move { self.watch_now(scope, after) }.boxed()
    }
}

/// A reader of the window.
struct MemoryWatch {
    store: MemoryStore,
    scope: Scope,
    reached: Revision,
    bell: watch::Receiver<Revision>,
}

impl MemoryWatch {
    fn read(&mut self) -> Result<Batch, StoreError> {
        // The bell is marked as heard before the window is read, so a write in between rings it again.
        self.bell.mark_unchanged();
        let state = self.store.state();
        let batch = match state.collections.get(self.scope.resource) {
            Some(collection) => collection.since(&self.scope, self.reached, state.revision)?,
            None => Batch {
                events: Vec::new(),
                reached: state.revision,
            },
        };
        self.reached = batch.reached;
        Ok(batch)
    }
}

impl Watch for MemoryWatch {
    fn next(&mut self) -> Answer<'_, Batch> {
        async {
            loop {
                let batch = self.read()?;
                if !batch.events.is_empty() {
                    return Ok(batch);
                }
                self.bell.changed().await.map_err(StoreError::unavailable)?;
            }
        }
        .boxed()
    }

    fn poll(&mut self) -> Answer<'_, Batch> {
        async { self.read() }.boxed()
    }
}
