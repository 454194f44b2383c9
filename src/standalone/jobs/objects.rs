//! The objects of one kind, as the watch and the answers to our own writes tell of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kube::Resource;
use kube::runtime::watcher::Event;

/// The uid of an object.
pub(super) type Uid = String;

/// The objects of one kind.
#[derive(Debug)]
pub(super) struct Objects<K> {
    pub(super) by_uid: HashMap<Uid, Arc<K>>,
    /// The newest revision that the watch has told.
    newest: u64,
    /// The uids of a list that is coming in.
    listed: HashSet<Uid>,
    /// How many lists have come in whole.
    pub(super) lists: u64,
}

impl<K> Default for Objects<K> {
    fn default() -> Self {
        Self {
            by_uid: HashMap::new(),
            newest: 0,
            listed: HashSet::new(),
            lists: 0,
        }
    }
}

/// What became of an object.
pub(super) enum Heard<K> {
    /// It is so now, and was so before, if it was known.
    Known {
        now: Arc<K>,
        before: Option<Arc<K>>,
    },
    Gone(Arc<K>),
}

impl<K: Resource + Clone> Objects<K> {
    /// Takes an event in. What has changed.
    pub(super) fn hear(&mut self, event: Event<K>) -> Vec<Heard<K>> {
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(object) => {
                self.listed.insert(uid(&object));
                return self.see(object);
            }
            Event::InitDone => {
                self.lists += 1;
                let listed = std::mem::take(&mut self.listed);
                let vanished: Vec<Uid> = self
                    .by_uid
                    .keys()
                    .filter(|uid| !listed.contains(*uid))
                    .cloned()
                    .collect();
                return vanished
                    .iter()
                    .filter_map(|uid| self.by_uid.remove(uid))
                    .map(Heard::Gone)
                    .collect();
            }
            Event::Apply(object) => return self.see(object),
            Event::Delete(object) => {
                self.newest = self.newest.max(revision(&object));
                let known = self.by_uid.remove(&uid(&object));
                return vec![Heard::Gone(known.unwrap_or_else(|| Arc::new(object)))];
            }
        }
        Vec::new()
    }

    fn see(&mut self, object: K) -> Vec<Heard<K>> {
        self.newest = self.newest.max(revision(&object));
        self.put(object)
    }

    /// Takes the answer to a write of our own in, which was asked for when so many lists had come in. One that has come in
    /// since and does not have the object is either newer, and the object is gone, or the watch will tell of it.
    pub(super) fn answer(&mut self, object: K, lists: u64) -> Vec<Heard<K>> {
        let is_missing = lists < self.lists && !self.by_uid.contains_key(&uid(&object));
        if is_missing || revision(&object) <= self.newest {
            return Vec::new();
        }
        // A list that is under way may have been made before it.
        self.listed.insert(uid(&object));
        self.put(object)
    }

    /// Takes an object in. The same version again is no news: it was answered before the watch told of it.
    fn put(&mut self, object: K) -> Vec<Heard<K>> {
        let uid = uid(&object);
        if self
            .by_uid
            .get(&uid)
            .is_some_and(|known| revision(&**known) >= revision(&object))
        {
            return Vec::new();
        }
        let now = Arc::new(object);
        let before = self.by_uid.insert(uid, now.clone());
        vec![Heard::Known { now, before }]
    }
}

pub(super) fn uid(object: &impl Resource) -> Uid {
    object.meta().uid.clone().unwrap_or_default()
}

pub(super) fn revision(object: &impl Resource) -> u64 {
    object
        .meta()
        .resource_version
        .as_deref()
        .and_then(|revision| revision.parse().ok())
        .unwrap_or_default()
}
