//! Which CronJobs are due for a decision, and when.
//!
//! DIFFERENCE (D8): Kubernetes adds 100 ms to every wake-up; here it is the due instant itself.

use std::collections::{BTreeSet, HashMap};

use crate::controller::upcoming::{COUNTED_MOST, Upcoming};
use crate::cronjob::Key;
use crate::schedule::Timestamp;

/// One wake-up for each CronJob, ordered by time. Bounded by the number of CronJobs.
#[derive(Debug, Default)]
pub(super) struct DueQueue {
    ordered: BTreeSet<(Timestamp, Key)>,
    by_key: HashMap<Key, Timestamp>,
}

impl DueQueue {
    /// Sets the wake-up of `key`, in place of an earlier one; `None` takes it off the queue.
    pub(super) fn set(&mut self, key: &Key, at: Option<Timestamp>) {
        if let Some(before) = self.by_key.remove(key) {
            self.ordered.remove(&(before, key.clone()));
        }
        if let Some(at) = at {
            self.by_key.insert(key.clone(), at);
            self.ordered.insert((at, key.clone()));
        }
    }

    /// Wakes `key` at `at` unless it wakes earlier anyway.
    pub(super) fn set_at_latest(&mut self, key: &Key, at: Timestamp) {
        if self.by_key.get(key).is_none_or(|before| at < *before) {
            self.set(key, Some(at));
        }
    }

    /// The next wake-up of all.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.ordered.first().map(|(at, _)| *at)
    }

    /// The next wake-up of all, and how many there are at that instant.
    pub(super) fn upcoming(&self) -> Option<Upcoming> {
        let at = self.next()?;
        let together = self.ordered.iter().take_while(|(due, _)| *due == at);
        let count = together.take(COUNTED_MOST).count();
        Some(Upcoming { at, count })
    }

    /// Takes one CronJob that is due at `now` off the queue, the longest due first.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Key> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.ordered.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_due_comes_first_and_the_future_waits() {
        let mut queue = DueQueue::default();
        queue.set(&key("late"), Some(at(30)));
        queue.set(&key("early"), Some(at(10)));
        queue.set(&key("future"), Some(at(99)));
        queue.set(&key("as early"), Some(at(10)));
        let upcoming = Upcoming { at: at(10), count: 2 };
        assert_eq!(queue.upcoming(), Some(upcoming));
        assert_eq!(drain(&mut queue, 50), ["as early", "early", "late"]);
        assert_eq!(queue.next(), Some(at(99)));
    }

    #[test]
    fn a_key_has_one_wake_up() {
        let mut queue = DueQueue::default();
        queue.set(&key("a"), Some(at(10)));
        queue.set(&key("a"), Some(at(20)));
        queue.set_at_latest(&key("a"), at(30));
        assert_eq!(queue.next(), Some(at(20)));
        queue.set_at_latest(&key("a"), at(5));
        assert_eq!(drain(&mut queue, 50), ["a"]);
        assert_eq!(queue.next(), None);
    }

    #[test]
    fn a_key_can_be_taken_off() {
        let mut queue = DueQueue::default();
        queue.set(&key("a"), Some(at(10)));
        queue.set(&key("a"), None);
        assert_eq!(queue.next(), None);
    }

    fn drain(queue: &mut DueQueue, now: i64) -> Vec<String> {
        std::iter::from_fn(|| queue.pop(at(now)))
            .map(|key| key.name)
            .collect()
    }

    fn key(name: &str) -> Key {
        Key {
            namespace: "default".into(),
            name: name.into(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("a small number")
    }
}
