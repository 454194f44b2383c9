//! How far the (re)listing of the watches has come: what was known before and has not been listed again is gone.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::controller::charge::Scope;

/// The listings of one kind of object, one for each scope that is watched.
pub(super) struct Listings<K> {
    /// Scopes that have never been listed to the end.
    awaited: HashSet<Scope>,
    /// Of the listings under way: what was known before and has not come up again.
    unseen: HashMap<Scope, HashSet<K>>,
}

impl<K: Hash + Eq> Listings<K> {
    /// Nothing is listed yet.
    pub(super) fn new(scopes: &[Scope]) -> Self {
        Listings {
            awaited: scopes.iter().cloned().collect(),
            unseen: HashMap::new(),
        }
    }

    /// Whether everything has been listed once.
    pub(super) fn are_complete(&self) -> bool {
        self.awaited.is_empty()
    }

    /// Whether a scope has been listed once.
    pub(super) fn have(&self, scope: &Scope) -> bool {
        !self.awaited.contains(scope)
    }

    /// Whether what is in a namespace has been listed once.
    pub(super) fn cover(&self, namespace: &str) -> bool {
        !self.awaited.iter().any(|scope| scope.covers(namespace))
    }

    /// A listing begins, while `known` is what is known of its scope.
    pub(super) fn begin(&mut self, scope: &Scope, known: HashSet<K>) {
        self.unseen.insert(scope.clone(), known);
    }

    /// An object came up.
    pub(super) fn saw(&mut self, scope: &Scope, key: &K) {
        if let Some(unseen) = self.unseen.get_mut(scope) {
            unseen.remove(key);
        }
    }

    /// A listing has come to its end; returns what is gone.
    pub(super) fn end(&mut self, scope: &Scope) -> HashSet<K> {
        self.awaited.remove(scope);
        self.unseen.remove(scope).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_listing_does_not_bring_up_again_is_gone_in_its_scope_only() {
        let (a, b) = (Scope(Some("a".into())), Scope(Some("b".into())));
        let mut listings = Listings::new(&[a.clone(), b.clone()]);
        listings.begin(&a, HashSet::from([1, 2]));
        listings.begin(&b, HashSet::from([8, 9]));
        listings.saw(&a, &1);
        assert_eq!(listings.end(&a), HashSet::from([2]));
        assert!(!listings.are_complete(), "b has not come to its end");
        assert!(listings.have(&a) && listings.cover("a"));
        assert!(!listings.have(&b) && !listings.cover("b"));
        assert_eq!(listings.end(&b), HashSet::from([8, 9]));
        assert!(listings.are_complete());
    }
}
