//! What a store knows now: the objects of every resource, their recent events, and the revision of the newest write.
//!
//! Every store answers its readers from here. They differ in what has to happen before a write is taken in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

use super::collection::Collection;
use super::{Answer, WATCH_WINDOW_EVENTS};
use super::{Batch, Change, Event, Key, Object, Page, Place, Range, Revision, Scope, StoreError, Watch};
use futures::FutureExt;

/// The name of a resource: of the program's own tables, or read from a file.
pub(super) type Resource = Cow<'static, str>;

/// A write that was found to be right, and has its revision.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) change: Change,
    pub(super) resource: Resource,
    pub(super) place: Place,
    /// The object after the write; when it was deleted, as it last was.
    pub(super) object: Object,
}

/// An event that has left the window of its resource.
pub(super) type Forgotten = (Resource, Event);

/// Everything that is known.
#[derive(Debug)]
pub(super) struct State {
    revision: Revision,
    /// What was before this revision is not known.
    began: Revision,
    window_events: usize,
    collections: HashMap<Resource, Collection>,
}

impl State {
    /// Nothing, at a revision; remembers so many events of each resource.
    pub(super) fn new(began: Revision, window_events: usize) -> Self {
        Self {
            revision: began,
            began,
            window_events,
            collections: HashMap::new(),
        }
    }

    /// The newest revision.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// The object under a key.
    pub(super) fn existing(&self, key: &Key) -> Result<&Object, StoreError> {
        self.collections
            .get(key.resource)
            .and_then(|collection| collection.get(&key.place))
            .ok_or(StoreError::NotFound)
    }

    /// Takes a write in, and gives the events that are forgotten for it.
    pub(super) fn apply(&mut self, write: Write) -> Vec<Forgotten> {
        self.revision = write.object.revision();
        let window_events = self.window_events;
        let resource = write.resource.clone();
        let collection = self.collection(write.resource);
        collection.write(write.change, write.place, write.object);
        let surplus = collection.forget_surplus(window_events);
        surplus
            .into_iter()
            .map(|event| (resource.clone(), event))
            .collect()
    }

    /// Takes note that nothing is known of what was before a revision.
    pub(super) fn restore_beginning(&mut self, began: Revision) {
        self.revision = self.revision.max(began);
        self.began = began;
    }

    /// What a write does, by what is there before it.
    pub(super) fn change_of(&self, resource: &str, place: &Place, deletes: bool) -> Change {
        let collection = self.collections.get(resource);
        let is_there = collection.is_some_and(|collection| collection.get(place).is_some());
        match (deletes, is_there) {
            (true, _) => Change::Deleted,
            (false, true) => Change::Modified,
            (false, false) => Change::Added,
        }
    }

    /// Takes an object in that was written so long ago that the write itself is forgotten.
    pub(super) fn restore(&mut self, resource: Resource, place: Place, object: Object) {
        self.revision = self.revision.max(object.revision());
        self.collection(resource).restore(place, object);
    }

    /// Takes note that the events of a resource are forgotten up to a revision.
    pub(super) fn restore_forgotten(&mut self, resource: Resource, until: Revision) {
        self.revision = self.revision.max(until);
        self.collection(resource).restore_forgotten(until);
    }

    /// Forgets the events up to a revision, and gives them.
    pub(super) fn forget_until(&mut self, until: Revision) -> Vec<Forgotten> {
        let mut forgotten = Vec::new();
        for (resource, collection) in &mut self.collections {
            let events = collection.forget_until(until).into_iter();
            forgotten.extend(events.map(|event| (resource.clone(), event)));
        }
        forgotten
    }

    /// The events after a revision that have not left their windows.
    pub(super) fn events_after(&self, revision: Revision) -> Vec<Forgotten> {
        let of_each = self.collections.iter();
        let events = of_each.flat_map(|(resource, collection)| {
            let events = collection.after(revision);
            events.map(|event| (resource.clone(), event.clone()))
        });
        events.collect()
    }

    fn collection(&mut self, resource: Resource) -> &mut Collection {
        let began = self.began;
        self.collections
            .entry(resource)
            .or_insert_with(|| Collection::new(began))
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

    fn page(&self, scope: &Scope, range: &Range) -> Result<Page, StoreError> {
        let at = range.at.unwrap_or(self.revision);
        self.has_happened(at)?;
        match self.collections.get(scope.resource) {
            Some(collection) => collection.page(scope, range, at),
            None => Ok(Page {
                objects: Vec::new(),
                revision: at,
                more_after: None,
                remaining: 0,
            }),
        }
    }

    fn since(&self, scope: &Scope, after: Revision) -> Result<Batch, StoreError> {
        match self.collections.get(scope.resource) {
            Some(collection) => collection.since(scope, after, self.revision),
            None => Ok(Batch {
                events: Vec::new(),
                reached: self.revision,
            }),
        }
    }
}

/// The state, shared between a store's writer and its readers.
#[derive(Debug, Clone)]
pub(super) struct SharedState(Arc<RwLock<State>>);

impl Default for SharedState {
    fn default() -> Self {
        Self::new(State::new(Revision(1), WATCH_WINDOW_EVENTS))
    }
}

impl SharedState {
    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(RwLock::new(state)))
    }

    // A panic elsewhere cannot leave the state half written: every write is one call that does not fail midway.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &Key) -> Result<Object, StoreError> {
        self.read().existing(key).cloned()
    }

    pub(super) fn list(&self, scope: &Scope, range: &Range) -> Result<Page, StoreError> {
        self.read().page(scope, range)
    }

    pub(super) fn watch(&self, scope: &Scope, after: Revision) -> Result<Box<dyn Watch>, StoreError> {
        let mut state = self.write();
        state.has_happened(after)?;
        let collection = state.collection(Cow::Borrowed(scope.resource));
        collection.remembers(after)?;
        let bell = collection.bell();
        Ok(Box::new(WindowWatch {
            state: self.clone(),
            scope: scope.clone(),
            reached: after,
            bell,
        }))
    }
}

/// A reader of the window.
struct WindowWatch {
    state: SharedState,
    scope: Scope,
    reached: Revision,
    bell: watch::Receiver<Revision>,
}

impl WindowWatch {
    fn read(&mut self) -> Result<Batch, StoreError> {
        // The bell is marked as heard before the window is read, so a write in between rings it again.
        self.bell.mark_unchanged();
        let batch = self.state.read().since(&self.scope, self.reached)?;
        self.reached = batch.reached;
        Ok(batch)
    }
}

impl Watch for WindowWatch {
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

/// Whether a write may follow the version that is there, which is at revision `found`.
///
/// A create expects nothing; every other write expects the revision that it is based on.
pub(super) fn may_follow(expected: Option<Revision>, found: Option<Revision>) -> Result<(), StoreError> {
    match (expected, found) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(StoreError::AlreadyExists),
        (Some(_), None) => Err(StoreError::NotFound),
        (Some(expected), Some(found)) if expected == found => Ok(()),
        (Some(_), Some(found)) => Err(StoreError::Conflict { found }),
    }
}
