//! What an edit leaves of the time before it: up to an instant, nothing is due but some instants of then.

use std::sync::Arc;

use super::super::{Schedule, Timestamp};

#[derive(Clone, Debug)]
pub(super) struct Edited {
    /// From here on everything is due.
    pub(super) since: Timestamp,
    /// What is due up to there, in order.
    pub(super) before: Arc<[Timestamp]>,
}

impl Edited {
    pub(super) fn next(&self, base: &Schedule, after: Timestamp) -> Option<Timestamp> {
        let before = || self.before.iter().find(|due| **due > after).copied();
        let early = (after < self.since).then(before).flatten();
        early.or_else(|| base.next(after.max(self.since)))
    }

    pub(super) fn previous(&self, base: &Schedule, at: Timestamp) -> Option<Timestamp> {
        let late = (at > self.since).then(|| base.previous(at)).flatten();
        late.filter(|due| *due > self.since)
            .or_else(|| self.before.iter().rfind(|due| **due <= at).copied())
    }
}
