//! The CronJobs for which something is under way: one thing at a time, and what has to follow it.

use crate::controller::state::State;
use crate::cronjob::Key;
use crate::policy::Pruning;
use crate::submit::Overtaken;

/// A task that is under way.
#[derive(Debug, Default)]
pub(super) struct Busy {
    /// Whether to decide again when it has ended.
    again: bool,
    /// Whether all Jobs were listed meanwhile: one that no watch shows may be gone then, whatever the answer to the task
    /// says.
    pub(super) relisted: bool,
    /// Whether the CronJob is still as it was when it was decided on.
    overtaken: Overtaken,
    /// What the history has no room for, once it is recorded how that ended.
    pub(super) prune: Pruning,
}

impl State {
    /// What is under way for `key` was decided on a CronJob that is not like that any more.
    pub(super) fn overtake(&self, key: &Key) {
        if let Some(busy) = self.busy.get(key) {
            busy.overtaken.set();
        }
        if let Some(standing) = self.standing.get(key) {
            standing.tidying.overtake();
        }
    }

    /// A decision is to be taken on `key`, as soon as nothing is under way for it.
    pub(super) fn mark(&mut self, key: Key) {
        match self.busy.get_mut(&key) {
            Some(busy) => busy.again = true,
            None => {
                self.dirty.insert(key);
            }
        }
    }

    /// A task of `key` is under way from now on, and when it is recorded `prune` may go. Returns what says whether it has been
    /// overtaken.
    pub(super) fn begin_task(&mut self, key: &Key, prune: Pruning) -> Overtaken {
        let busy = Busy {
            prune,
            ..Busy::default()
        };
        let overtaken = busy.overtaken.clone();
        self.busy.insert(key.clone(), busy);
        overtaken
    }

    /// The task of `key` has ended. Returns what may go if it is recorded, and whether that was overtaken meanwhile.
    pub(super) fn end_task(&mut self, key: &Key) -> (Pruning, Overtaken) {
        let busy = self.busy.remove(key).unwrap_or_default();
        if busy.again {
            self.dirty.insert(key.clone());
        }
        (busy.prune, busy.overtaken)
    }
}
