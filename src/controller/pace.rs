//! How herds are released: so many starts a second, the oldest due first, and no namespace more than its share.
//!
//! A run that has to wait for its turn keeps its due instant, and with it its name and its starting deadline. What is
//! kept of it is only that it waits: when its turn has come it is decided on anew, so that a CronJob that was suspended,
//! edited or deleted meanwhile starts nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::TimeDelta;

use crate::cronjob::Key;
use crate::schedule::Timestamp;

/// How far releases may catch up with their rate after a wake-up that came late: timers are good to a few milliseconds.
const CATCH_UP: TimeDelta = TimeDelta::milliseconds(20);

/// How fast runs may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The time between two starts.
    interval: TimeDelta,
    /// The time between two starts of one namespace, while others wait.
    namespace_interval: TimeDelta,
}

impl Pace {
    /// So many starts a second, of which one namespace has at most `namespace_share` (between 0 and 1) while others wait.
    /// `None` for numbers that make no pace.
    pub fn new(starts_per_second: f64, namespace_share: f64) -> Option<Self> {
        Some(Pace {
            interval: interval(starts_per_second)?,
            namespace_interval: interval(starts_per_second * namespace_share.min(1.0))?,
        })
    }
}

/// The time between two of so many a second.
fn interval(per_second: f64) -> Option<TimeDelta> {
    let seconds = std::time::Duration::try_from_secs_f64(1.0 / per_second).ok()?;
    TimeDelta::from_std(seconds).ok()
}

/// A run that waits for its turn.
#[derive(Debug, Clone, Copy)]
struct Ticket {
    scheduled: Timestamp,
    since: Timestamp,
}

/// The runs of one namespace that wait, the oldest due first, and when the next is within the namespace's share.
#[derive(Debug)]
struct Lane {
    waiting: BTreeSet<(Timestamp, Key)>,
    within_share_at: Timestamp,
}

impl Lane {
    fn first(&self, ready: impl Fn(&Key) -> bool) -> Option<&(Timestamp, Key)> {
        self.waiting.iter().find(|(_, key)| ready(key))
    }
}

/// Who waits, and whose turn it is.
#[derive(Debug)]
pub(super) struct Pacer {
    pace: Pace,
    /// When the next start may be released.
    free_at: Timestamp,
    tickets: HashMap<Key, Ticket>,
    lanes: BTreeMap<String, Lane>,
}

impl Pacer {
    pub(super) fn new(pace: Pace) -> Self {
        Pacer {
            pace,
            free_at: Timestamp::UNIX_EPOCH,
            tickets: HashMap::new(),
            lanes: BTreeMap::new(),
        }
    }

    /// A run of `key` is to start for the instant `scheduled`. Asked again, it keeps its place.
    pub(super) fn ask(&mut self, key: &Key, scheduled: Timestamp, now: Timestamp) {
        let known = self.tickets.get(key).copied();
        if known.is_some_and(|ticket| ticket.scheduled == scheduled) {
            return;
        }
        self.withdraw(key);
        let ticket = Ticket {
            scheduled,
            since: now,
        };
        self.tickets.insert(key.clone(), ticket);
        let lane = self.lanes.entry(key.namespace.clone()).or_insert(Lane {
            waiting: BTreeSet::new(),
            within_share_at: now,
        });
        lane.waiting.insert((scheduled, key.clone()));
    }

    /// Whether a run of `key` waits.
    pub(super) fn holds(&self, key: &Key) -> bool {
        self.tickets.contains_key(key)
    }

    /// Nothing of `key` is to start.
    pub(super) fn withdraw(&mut self, key: &Key) {
        self.take(key);
    }

    fn take(&mut self, key: &Key) -> Option<Ticket> {
        let ticket = self.tickets.remove(key)?;
        if let Some(lane) = self.lanes.get_mut(&key.namespace) {
            lane.waiting.remove(&(ticket.scheduled, key.clone()));
        }
        Some(ticket)
    }

    /// Nobody waits any more.
    pub(super) fn clear(&mut self) {
        self.tickets.clear();
        self.lanes.clear();
    }

    /// Whose turn it is at `now`, and how long it was held back. Those that are not `ready` wait on.
    pub(super) fn release(
        &mut self,
        now: Timestamp,
        ready: impl Fn(&Key) -> bool,
    ) -> Option<(Key, TimeDelta)> {
        // A clock that was put back must not hold anybody up.
        self.free_at = self.free_at.min(now + self.pace.interval);
        if now < self.free_at {
            return None;
        }
        let key = self.first(now, ready)?.clone();
        let ticket = self.take(&key)?;
        let behind = now - self.free_at;
        let from = if behind <= CATCH_UP { self.free_at } else { now };
        self.free_at = from + self.pace.interval;
        if let Some(lane) = self.lanes.get_mut(&key.namespace) {
            lane.within_share_at = now + self.pace.namespace_interval;
        }
        self.lanes
            .retain(|_, lane| !lane.waiting.is_empty() || now < lane.within_share_at);
        Some((key, now - ticket.since))
    }

    /// When the next of those that are `ready` may start.
    pub(super) fn next_release(&self, ready: impl Fn(&Key) -> bool) -> Option<Timestamp> {
        self.lanes
            .values()
            .any(|lane| lane.first(&ready).is_some())
            .then_some(self.free_at)
    }

    /// The oldest due of the namespaces that are within their share, else of all; of the same instant, namespaces take
    /// turns.
    fn first(&self, now: Timestamp, ready: impl Fn(&Key) -> bool) -> Option<&Key> {
        let first_of_each = self.lanes.values().filter_map(|lane| {
            let (scheduled, key) = lane.first(&ready)?;
            let order = (now < lane.within_share_at, *scheduled, lane.within_share_at);
            Some((order, key))
        });
        first_of_each.min_by_key(|(order, _)| *order).map(|(_, key)| key)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.tickets.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_herd_is_released_evenly_and_the_oldest_due_first() {
        let mut pacer = pacer(4.0, 1.0);
        for (name, scheduled) in [("a", 60), ("b", 0), ("c", 60), ("d", 0)] {
            pacer.ask(&key("x", name), at(scheduled), ms(60_000));
        }
        assert_eq!(
            released(&mut pacer, 60_000..62_000),
            ["60000 x/b", "60250 x/d", "60500 x/a", "60750 x/c"]
        );
        assert_eq!((pacer.len(), pacer.next_release(|_| true)), (0, None));
    }

    #[test]
    fn of_the_same_instant_namespaces_take_turns() {
        let mut pacer = pacer(1.0, 1.0);
        for (namespace, name) in [("x", "a"), ("x", "b"), ("x", "c"), ("y", "a"), ("z", "a")] {
            pacer.ask(&key(namespace, name), at(0), ms(0));
        }
        assert_eq!(
            released(&mut pacer, 0..5_000),
            ["0 x/a", "1000 y/a", "2000 z/a", "3000 x/b", "4000 x/c"]
        );
    }

    #[test]
    fn a_namespace_with_old_debts_has_its_share_and_all_of_it_only_when_it_is_alone() {
        let mut pacer = pacer(1.0, 0.25);
        for name in ["a", "b", "c", "d"] {
            pacer.ask(&key("old", name), at(0), ms(60_000));
        }
        for name in ["a", "b", "c", "d"] {
            pacer.ask(&key("new", name), at(60), ms(60_000));
        }
        assert_eq!(
            released(&mut pacer, 60_000..70_000),
            [
                "60000 old/a",
                "61000 new/a",
                "62000 old/b",
                "63000 old/c",
                "64000 old/d",
                "65000 new/b",
                "66000 new/c",
                "67000 new/d",
            ]
        );
    }

    #[test]
    fn who_is_withdrawn_or_not_ready_has_no_turn_and_who_asks_again_keeps_its_place() {
        let mut pacer = pacer(1.0, 1.0);
        for name in ["a", "b", "c"] {
            pacer.ask(&key("x", name), at(0), ms(0));
        }
        pacer.withdraw(&key("x", "a"));
        pacer.ask(&key("x", "b"), at(0), ms(500));
        let busy = |key: &Key| key.name != "c";
        assert_eq!(
            pacer.release(ms(700), busy),
            Some((key("x", "b"), TimeDelta::milliseconds(700)))
        );
        assert_eq!(pacer.next_release(busy), None);
        assert_eq!(pacer.next_release(|_| true), Some(ms(1_700)));
    }

    #[test]
    fn a_clock_that_is_put_back_holds_up_nobody() {
        let mut pacer = pacer(1.0, 1.0);
        for name in ["a", "b"] {
            pacer.ask(&key("x", name), at(0), ms(3_600_000));
        }
        assert_eq!(released(&mut pacer, 3_600_000..3_600_500), ["3600000 x/a"]);
        assert_eq!(released(&mut pacer, 0..3_000), ["1000 x/b"]);
    }

    #[test]
    fn numbers_that_make_no_pace_are_refused() {
        for (rate, share) in [
            (0.0, 0.5),
            (-1.0, 0.5),
            (f64::NAN, 0.5),
            (1.0, 0.0),
            (1e-300, 1.0),
        ] {
            assert_eq!(Pace::new(rate, share), None, "{rate} {share}");
        }
    }

    /// Who is released when, looking every millisecond.
    fn released(pacer: &mut Pacer, millis: std::ops::Range<i64>) -> Vec<String> {
        let turns = millis.filter_map(|now| {
            let (key, _) = pacer.release(ms(now), |_| true)?;
            Some(format!("{now} {key}"))
        });
        turns.collect()
    }

    fn pacer(rate: f64, share: f64) -> Pacer {
        Pacer::new(Pace::new(rate, share).expect("a pace"))
    }

    fn key(namespace: &str, name: &str) -> Key {
        Key {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    fn at(second: i64) -> Timestamp {
        ms(second * 1_000)
    }

    fn ms(millis: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(millis).expect("a small number")
    }
}
