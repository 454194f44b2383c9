//! What the collector knows of the store, and what follows from what it hears. Nothing is done here.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::index::{Index, Owner, Seen};
use crate::standalone::api::resource::{NAMESPACES, PODS, Resource};
use crate::standalone::api::strategy::Propagation;
use crate::standalone::store::{Change, Key};

/// What is to be done. Each object is looked at again before it is written, for it may have changed since.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Objects to delete if their owners have all gone, or wait for them to go.
    pub(super) unowned: BTreeSet<Key>,
    /// Objects to delete if their namespace goes, or has gone.
    pub(super) stray: BTreeSet<Key>,
    /// Owners to let go, which have waited for their dependents; with their uids.
    pub(super) released: BTreeSet<(Key, String)>,
    /// Owners that their dependents are to forget, which then may go; with their uids.
    pub(super) orphaning: BTreeSet<(Key, String)>,
    /// Namespaces to empty.
    pub(super) emptied: BTreeSet<String>,
    /// Namespaces to empty of all else if their pods have gone.
    pub(super) podless: BTreeSet<String>,
    /// Namespaces to let go if nothing is in them any more.
    pub(super) finished: BTreeSet<String>,
}

/// An owner that waits for its dependents to go first.
#[derive(Debug)]
struct Waiting {
    key: Key,
    /// Whether it was let go, and is to be heard of.
    is_released: bool,
}

/// The collector's view of the store.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) index: Index,
    /// Those that wait, by uid.
    waiting: HashMap<String, Waiting>,
    /// The namespaces that there are, and whether they wait for their contents to go.
    namespaces: HashMap<String, bool>,
    /// Those that wait, and in which something has happened that they have not told of.
    untold: BTreeSet<String>,
    /// What is to be done for what was heard.
    steps: Steps,
}

impl Known {
    /// Takes out what is to be done.
    pub(super) fn take_steps(&mut self) -> Steps {
        std::mem::take(&mut self.steps)
    }

    /// Whether no namespace has to tell anew what it waits for.
    pub(super) fn is_told(&self) -> bool {
        self.untold.is_empty()
    }

    /// Takes out the namespaces that have to.
    pub(super) fn take_untold(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.untold)
    }

    /// Whether an owner is known to wait for its dependents, or to have done so until it was let go.
    pub(super) fn waits(&self, uid: &str) -> bool {
        self.waiting.contains_key(uid)
    }

    /// The owners of an object that are in a circle with it: each waits, or would wait, for the other, and so none could go
    /// before the other.
    pub(super) fn owners_in_circle<'a>(&self, seen: &'a Seen) -> Vec<&'a str> {
        // Whom it waits for in the end.
        let (mut awaited, mut left) = (HashSet::new(), vec![seen.uid.as_str()]);
        while let Some(owner) = left.pop() {
            for dependent in self.index.dependents(owner).filter(|dependent| dependent.blocks) {
                let waits = dependent.uid == seen.uid || self.waits(&dependent.uid);
                if waits && awaited.insert(dependent.uid.as_str()) {
                    left.push(&dependent.uid);
                }
            }
        }
        let in_circle = |owner: &&Owner| owner.blocks && awaited.contains(owner.uid.as_str());
        seen.owners
            .iter()
            .filter(in_circle)
            .map(|owner| owner.uid.as_str())
            .collect()
    }

    /// Takes note of an object that is there; gives the owners that it had before.
    pub(super) fn learn(&mut self, seen: &Seen) -> Vec<Owner> {
        if seen.key.resource == NAMESPACES.stored_as {
            self.namespaces.entry(seen.key.place.name.clone()).or_default();
        }
        self.index.put(seen)
    }

    /// Takes in what has happened to an object.
    pub(super) fn hear(&mut self, resource: &'static Resource, change: Change, seen: &Seen) {
        if change == Change::Deleted {
            return self.hear_of_end(seen);
        }
        let former = self.learn(seen);
        let is_new = change == Change::Added || former != seen.owners;
        self.look_at(resource, seen, is_new);
        for owner in former.iter().filter(|owner| !seen.owners.contains(owner)) {
            self.recheck_owner(&owner.uid);
        }
    }

    /// Looks at an object that is there, more closely when it or its owners are new.
    pub(super) fn look_at(&mut self, resource: &'static Resource, seen: &Seen, is_new: bool) {
        if seen.is_deleting {
            self.look_at_deleting(seen);
        }
        // One that should have gone, and was written to at the same time, is tried again by that.
        let is_late = !seen.is_deleting && seen.owners.iter().any(|owner| self.waits(&owner.uid));
        if !seen.owners.is_empty() && (is_new || is_late) {
            self.steps.unowned.insert(seen.key.clone());
        }
        // What comes in order is there only in a namespace that is. When one begins to go, all that is in it is looked for.
        let is_open = self.namespaces.get(&seen.key.place.namespace) == Some(&false);
        if resource.namespaced && !is_open && !seen.is_deleting {
            self.steps.stray.insert(seen.key.clone());
        }
        self.leave_untold(&seen.key.place.namespace);
    }

    /// Something has happened in a namespace.
    fn leave_untold(&mut self, namespace: &str) {
        if self.namespaces.get(namespace) == Some(&true) {
            self.untold.insert(namespace.to_owned());
        }
    }

    /// Goes on with a deletion that waits for something of ours.
    fn look_at_deleting(&mut self, seen: &Seen) {
        let (key, uid) = (seen.key.clone(), seen.uid.clone());
        match seen.propagation {
            Some(Propagation::Orphan) => {
                self.steps.orphaning.insert((key, uid));
            }
            Some(Propagation::Foreground) => {
                let is_released = false;
                if self.waiting.insert(uid, Waiting { key, is_released }).is_none() {
                    self.look_at_dependents(&seen.uid);
                }
                self.recheck_owner(&seen.uid);
            }
            // What is let go may be held by others.
            Some(Propagation::Background) | None => drop(self.waiting.remove(&uid)),
        }
        if seen.key.resource == NAMESPACES.stored_as {
            let name = seen.key.place.name.clone();
            self.untold.insert(name.clone());
            if self.namespaces.insert(name.clone(), true) == Some(true) {
                self.steps.finished.insert(name);
            } else {
                self.steps.emptied.insert(name);
            }
        }
    }

    /// An object has gone: somebody may have depended on it, or waited for it.
    fn hear_of_end(&mut self, seen: &Seen) {
        let owners = self.index.remove(&seen.key);
        self.waiting.remove(&seen.uid);
        self.look_at_dependents(&seen.uid);
        for owner in owners {
            self.recheck_owner(&owner.uid);
        }
        if seen.key.resource == NAMESPACES.stored_as {
            let name = &seen.key.place.name;
            self.untold.remove(name);
            // Somebody may have let it go before its contents went, or before it was deleted at all. In a cluster they are then
            // left to the next one of its name.
            self.namespaces.remove(name);
            self.steps.emptied.insert(name.clone());
        }
        let namespace = &seen.key.place.namespace;
        self.leave_untold(namespace);
        if self.namespaces.get(namespace) == Some(&true) {
            let is_pod = seen.key.resource == PODS.stored_as;
            let (podless, finished) = (&mut self.steps.podless, &mut self.steps.finished);
            let step = if is_pod { podless } else { finished };
            step.insert(namespace.clone());
        }
    }

    fn look_at_dependents(&mut self, owner_uid: &str) {
        let dependents = self.index.dependents(owner_uid);
        self.steps
            .unowned
            .extend(dependents.map(|dependent| dependent.key.clone()));
    }

    /// Lets an owner go that waits for its dependents, once none is left that blocks it.
    fn recheck_owner(&mut self, uid: &str) {
        let is_blocked = self.index.dependents(uid).any(|dependent| dependent.blocks);
        let owner = self.waiting.get_mut(uid).filter(|owner| !owner.is_released);
        if !is_blocked && let Some(owner) = owner {
            owner.is_released = true;
            self.steps.released.insert((owner.key.clone(), uid.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::standalone::store::{Object, Revision};

    /// Hears of config maps of namespace `shop` (or of the namespace itself) and tells what is to be done.
    struct Heard(Known);

    impl Heard {
        fn of(&mut self, change: Change, kind: &str, metadata: &serde_json::Value) -> Steps {
            let resource = Resource::of("v1", kind).unwrap();
            let object = Object::stamp(json!({ "metadata": metadata }), Revision(2)).unwrap();
            let seen = Seen::read(resource, &object).unwrap();
            self.0.hear(resource, change, &seen);
            self.0.take_steps()
        }

        fn of_map(&mut self, change: Change, name: &str, blocks: bool) -> Steps {
            let owner = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "owner", "blockOwnerDeletion": blocks,
            });
            let metadata =
                json!({ "namespace": "shop", "name": name, "uid": name, "ownerReferences": [owner] });
            self.of(change, "ConfigMap", &metadata)
        }
    }

    fn maps<const N: usize>(names: [&str; N]) -> BTreeSet<Key> {
        names.map(|name| Key::new("configmaps", "shop", name)).into()
    }

    /// Or the work would grow with the square of what there is.
    #[test]
    fn what_is_in_a_namespace_that_goes_is_looked_at_once() {
        let mut heard = Heard(Known::default());
        heard.of_map(Change::Added, "one", false);
        let going = json!({ "name": "shop", "uid": "shop", "deletionTimestamp": "2026-11-23T10:00:00Z" });
        let shop = BTreeSet::from(["shop".to_owned()]);
        let steps = heard.of(Change::Modified, "Namespace", &going);
        assert_eq!((steps.emptied, steps.finished), (shop.clone(), BTreeSet::new()));
        let steps = heard.of(Change::Modified, "Namespace", &going);
        assert_eq!((steps.emptied, steps.finished), (BTreeSet::new(), shop.clone()));
        let steps = heard.of_map(Change::Modified, "one", false);
        assert_eq!(
            steps.stray,
            maps(["one"]),
            "it should have gone, and is tried again"
        );
        let steps = heard.of_map(Change::Deleted, "one", false);
        assert_eq!((steps.emptied, steps.finished), (BTreeSet::new(), shop));
    }

    /// The same.
    #[test]
    fn the_dependents_of_an_owner_that_waits_are_looked_at_once() {
        let mut heard = Heard(Known::default());
        heard.of_map(Change::Added, "one", true);
        heard.of_map(Change::Added, "two", true);
        heard.of_map(Change::Added, "loose", false);
        let going = json!({
            "namespace": "shop", "name": "owner", "uid": "owner",
            "deletionTimestamp": "2026-11-23T10:00:00Z", "finalizers": ["foregroundDeletion"],
        });
        let steps = heard.of(Change::Modified, "ConfigMap", &going);
        assert_eq!(steps.unowned, maps(["loose", "one", "two"]));
        let steps = heard.of(Change::Modified, "ConfigMap", &going);
        assert_eq!((steps.unowned, steps.released), (maps([]), BTreeSet::new()));
        let steps = heard.of_map(Change::Modified, "one", true);
        assert_eq!(
            steps.unowned,
            maps(["one"]),
            "it should have gone, and is tried again"
        );
        let steps = heard.of_map(Change::Deleted, "one", true);
        assert_eq!((steps.unowned, steps.released), (maps([]), BTreeSet::new()));
        let steps = heard.of_map(Change::Deleted, "two", true);
        let owner = (Key::new("configmaps", "shop", "owner"), "owner".to_owned());
        assert_eq!(steps.released, [owner].into(), "none is left that blocks it");
    }
}
