//! Everything in memory, gone with the process: the store of tests and of `punctual up --ephemeral`.

use std::borrow::Cow;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::state::{SharedState, State, Write, may_follow};
use super::{Answer, Change, Key, Object, Page, Range, Revision, Scope, Store, StoreError, Watch};

/// How many events a store keeps for each resource.
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
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    state: SharedState,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that remembers so many events of each resource: few, to see what happens to those that lag.
    pub fn with_window(window_events: usize) -> Self {
        Self {
            state: SharedState::new(State::new(Revision(1), window_events)),
        }
    }

    fn write_now(
        &self,
        change: Change,
        key: &Key,
        document: Value,
        expected: Option<Revision>,
    ) -> Result<Object, StoreError> {
        let mut state = self.state.write();
        let found = state.existing(key).ok().map(Object::revision);
        may_follow(expected, found)?;
        let object = Object::stamp(document, state.revision().next())?;
        state.apply(Write {
            change,
            resource: Cow::Borrowed(key.resource),
            place: key.place.clone(),
            object: object.clone(),
        });
        Ok(object)
    }
}

impl Store for MemoryStore {
    fn revision(&self) -> Answer<'_, Revision> {
        async { Ok(self.state.read().revision()) }.boxed()
    }

    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Object> {
        async { self.state.get(key) }.boxed()
    }

    fn list<'a>(&'a self, scope: &'a Scope, range: Range) -> Answer<'a, Page> {
        async move { self.state.list(scope, &range) }.boxed()
    }

    fn create<'a>(&'a self, key: &'a Key, document: Value) -> Answer<'a, Object> {
        async { self.write_now(Change::Added, key, document, None) }.boxed()
    }

    fn update<'a>(&'a self, key: &'a Key, document: Value, expected: Revision) -> Answer<'a, Object> {
        async move { self.write_now(Change::Modified, key, document, Some(expected)) }.boxed()
    }

    fn delete<'a>(&'a self, key: &'a Key, last: Value, expected: Revision) -> Answer<'a, Object> {
        async move { self.write_now(Change::Deleted, key, last, Some(expected)) }.boxed()
    }

    fn watch<'a>(&'a self, scope: &'a Scope, after: Revision) -> Answer<'a, Box<dyn Watch>> {
        async move { self.state.watch(scope, after) }.boxed()
    }

    fn close(&self) -> Answer<'_, ()> {
        async { Ok(()) }.boxed()
    }

    fn closed(&self) -> BoxFuture<'_, ()> {
        std::future::pending().boxed()
    }
}
