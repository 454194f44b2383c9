//! The interface of a store. A database implements it as well as memory does: no closures, no locks, no lifetimes of
//! stored things, and errors that say what happened.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

use super::{Event, Key, Object, Place, Revision, Scope, StoreError};

/// What a store answers, in a while.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// A store that is shared between tasks.
pub type SharedStore = Arc<dyn Store>;

/// The most events that a watch hands out at once.
///
/// It bounds what one slow watcher holds in memory, beside the window that the store keeps for all of them.
pub const WATCH_BATCH_EVENTS: usize = 500;

/// Keeps objects. The promises that hold for every store are in the part's tour.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// The newest revision.
    fn revision(&self) -> Answer<'_, Revision>;

    /// The object under a key, or [`StoreError::NotFound`].
    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Object>;

    /// The objects of a scope in the order of their places, as they were at one revision.
    ///
    /// Fails with [`StoreError::Expired`] or [`StoreError::Ahead`] when that revision cannot be answered.
    fn list<'a>(&'a self, scope: &'a Scope, range: Range) -> Answer<'a, Page>;

    /// Keeps a new object, or fails with [`StoreError::AlreadyExists`].
    fn create<'a>(&'a self, key: &'a Key, document: Value) -> Answer<'a, Object>;

    /// Replaces the object, provided that it is still at revision `expected`.
    ///
    /// Fails with [`StoreError::NotFound`] or [`StoreError::Conflict`].
    fn update<'a>(&'a self, key: &'a Key, document: Value, expected: Revision) -> Answer<'a, Object>;

    /// Removes the object, provided that it is still at revision `expected`; `last` is what watchers are shown, and what
    /// is returned, under the revision of the deletion.
    ///
    /// Fails with [`StoreError::NotFound`] or [`StoreError::Conflict`].
    fn delete<'a>(&'a self, key: &'a Key, last: Value, expected: Revision) -> Answer<'a, Object>;

    /// Every write to the scope after a revision, in order.
    ///
    /// Fails with [`StoreError::Expired`] or [`StoreError::Ahead`] when that revision cannot be continued.
    fn watch<'a>(&'a self, scope: &'a Scope, after: Revision) -> Answer<'a, Box<dyn Watch>>;

    /// Lets go of what the store holds, such as its files. Writes fail afterwards.
    ///
    /// Nothing is lost without it: a store is as whole when its process is killed.
    fn close(&self) -> Answer<'_, ()>;

    /// Waits until writes can only fail: when it was closed, or has lost what it takes to write.
    fn closed(&self) -> BoxFuture<'_, ()>;
}

/// The writes to a scope, as they come.
///
/// A watch has no queue of its own. It reads the store's window of recent events at its own pace, so it costs nothing
/// while nobody reads it, and a watcher that is so slow that the window has moved past it is told
/// [`StoreError::Expired`]: it has to list again. Both methods may be dropped half-way without losing an event.
pub trait Watch: Send {
    /// The next events, at least one; waits for them.
    fn next(&mut self) -> Answer<'_, Batch>;

    /// The events that are there already, perhaps none.
    fn poll(&mut self) -> Answer<'_, Batch>;
}

/// Some events, and how far they reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The events, oldest first; at most [`WATCH_BATCH_EVENTS`].
    pub events: Vec<Event>,
    /// Every event of the scope up to this revision has now been handed out.
    pub reached: Revision,
}

/// Which part of a list, and at which revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    /// Begin after this place: the last one of the page before.
    pub after: Option<Place>,
    /// At most so many objects.
    pub limit: Option<usize>,
    /// As of this revision; the newest when there is none.
    pub at: Option<Revision>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The objects.
    pub objects: Vec<Object>,
    /// The revision that the list is of.
    pub revision: Revision,
    /// The place of the last object, when there are more.
    pub more_after: Option<Place>,
    /// How many objects follow.
    pub remaining: usize,
}
