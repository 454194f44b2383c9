//! The objects of one resource in memory, with the window of their recent events.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use tokio::sync::watch;

use super::{
    Batch, Change, Event, Object, Page, Place, Range, Revision, Scope, StoreError, WATCH_BATCH_EVENTS,
    WATCH_WINDOW_BYTES,
};

/// One resource: what there is, and what happened lately.
#[derive(Debug)]
pub(super) struct Collection {
    objects: BTreeMap<Place, Object>,
    /// Recent events, oldest first.
    window: VecDeque<Event>,
    /// What the objects of the window take, in bytes of JSON.
    window_bytes: usize,
    /// The revision of the newest event that has left the window.
    forgotten: Revision,
    /// Tells watchers that there is something new.
    newest: watch::Sender<Revision>,
}

impl Collection {
    /// Nothing; what happened up to `began` is not known.
    pub(super) fn new(began: Revision) -> Self {
        Self {
            objects: BTreeMap::new(),
            window: VecDeque::new(),
            window_bytes: 0,
            forgotten: began,
            newest: watch::Sender::new(Revision::default()),
        }
    }

    pub(super) fn get(&self, place: &Place) -> Option<&Object> {
        self.objects.get(place)
    }

    /// A bell that rings at every write.
    pub(super) fn bell(&self) -> watch::Receiver<Revision> {
        self.newest.subscribe()
    }

    /// Carries out a write and tells the watchers.
    pub(super) fn write(&mut self, change: Change, place: Place, object: Object) {
        let previous = match change {
            Change::Added | Change::Modified => self.objects.insert(place.clone(), object.clone()),
            Change::Deleted => self.objects.remove(&place),
        };
        let revision = object.revision();
        self.window_bytes += object.text().len();
        self.window.push_back(Event {
            change,
            place,
            object,
            previous,
        });
        self.newest.send_replace(revision);
    }

    /// Takes an object in without an event.
    pub(super) fn restore(&mut self, place: Place, object: Object) {
        self.objects.insert(place, object);
    }

    /// Takes note that the events up to a revision are not there.
    pub(super) fn restore_forgotten(&mut self, until: Revision) {
        self.forgotten = self.forgotten.max(until);
    }

    /// Forgets the oldest events, those that don't fit into the window.
    pub(super) fn forget_surplus(&mut self, window_events: usize) -> Vec<Event> {
        let mut forgotten = Vec::new();
        while self.window.len() > window_events || self.window_bytes > WATCH_WINDOW_BYTES {
            forgotten.extend(self.forget_oldest());
        }
        forgotten
    }

    /// Forgets the events up to a revision.
    pub(super) fn forget_until(&mut self, until: Revision) -> Vec<Event> {
        let old = self
            .window
            .partition_point(|event| event.object.revision() <= until);
        (0..old).filter_map(|_| self.forget_oldest()).collect()
    }

    fn forget_oldest(&mut self) -> Option<Event> {
        let event = self.window.pop_front()?;
        self.window_bytes -= event.object.text().len();
        self.forgotten = event.object.revision();
        Some(event)
    }

    /// Whether everything after a revision is still in the window.
    pub(super) fn remembers(&self, after: Revision) -> Result<(), StoreError> {
        if after < self.forgotten {
            Err(StoreError::Expired {
                oldest: self.forgotten,
            })
        } else {
            Ok(())
        }
    }

    /// The events of the window after a revision.
    pub(super) fn after(&self, revision: Revision) -> impl Iterator<Item = &Event> {
        let start = self
            .window
            .partition_point(|event| event.object.revision() <= revision);
        self.window.range(start..)
    }

    /// The events of a scope after a revision; `newest` is the revision of the whole store.
    pub(super) fn since(
        &self,
        scope: &Scope,
        after: Revision,
        newest: Revision,
    ) -> Result<Batch, StoreError> {
        self.remembers(after)?;
        let events: Vec<Event> = self
            .after(after)
            .filter(|event| scope.holds(&event.place))
            .take(WATCH_BATCH_EVENTS)
            .cloned()
            .collect();
        let reached = match events.last() {
            Some(last) if events.len() == WATCH_BATCH_EVENTS => last.object.revision(),
            _ => newest,
        };
        Ok(Batch { events, reached })
    }

    /// A page of a scope as it was at `at`.
    ///
    /// The past is found by taking back the events of the window, newest first. So the pages of one list agree with
    /// each other for as long as the window reaches back, without a second copy of anything.
    pub(super) fn page(&self, scope: &Scope, range: &Range, at: Revision) -> Result<Page, StoreError> {
        self.remembers(at)?;
        let past = self.taken_back(scope, range, at);
        let start = match (&range.after, &scope.namespace) {
            (Some(after), _) => Bound::Excluded(after.clone()),
            (None, Some(namespace)) => Bound::Included(Place {
                namespace: namespace.clone(),
                name: String::new(),
            }),
            (None, None) => Bound::Unbounded,
        };
        let unchanged = self
            .objects
            .range((start, Bound::Unbounded))
            .take_while(|(place, _)| scope.holds(place))
            .filter(|(place, _)| !past.contains_key(place));
        let changed = past
            .iter()
            .filter_map(|(place, object)| object.map(|object| (*place, object)));
        let mut found: Vec<(&Place, &Object)> = unchanged.chain(changed).collect();
        if !past.is_empty() {
            found.sort_unstable_by_key(|(place, _)| *place);
        }
        let taken = range.limit.map_or(found.len(), |limit| limit.min(found.len()));
        let remaining = found.len() - taken;
        let more_after = if remaining > 0 {
            found[..taken].last().map(|(place, _)| (*place).clone())
        } else {
            None
        };
        let objects = found[..taken]
            .iter()
            .map(|(_, object)| (*object).clone())
            .collect();
        Ok(Page {
            objects,
            revision: at,
            more_after,
            remaining,
        })
    }

    /// The places that were written after `at`, each with what was there then.
    fn taken_back(&self, scope: &Scope, range: &Range, at: Revision) -> BTreeMap<&Place, Option<&Object>> {
        let in_range =
            |place: &Place| scope.holds(place) && range.after.as_ref().is_none_or(|after| place > after);
        self.window
            .iter()
            .rev()
            .take_while(|event| event.object.revision() > at)
            .filter(|event| in_range(&event.place))
            .map(|event| (&event.place, event.previous.as_ref()))
            .collect()
    }
}
