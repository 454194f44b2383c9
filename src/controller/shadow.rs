//! What would have been done differently from what is seen to happen: the report of a controller that only looks on.
//!
//! Decisions come in as they would have been carried out, Jobs as the watch shows them; out come [`Finding`]s. A run is
//! the same when it is for the same instant, whatever its name: Kubernetes' controller gives two instants of one minute
//! the same name.

use std::collections::HashMap;
use std::fmt;

use chrono::TimeDelta;

use crate::cronjob::Key;
use crate::schedule::Timestamp;

/// How long a run may stay away before it counts as one that was never started. Kubernetes' controller is minutes late
/// where thousands of CronJobs are due at once.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// How long a run that was started elsewhere may be ahead of our own decision: clocks differ.
const HEAD_START: TimeDelta = TimeDelta::seconds(10);

/// What was found about one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// The CronJob.
    pub(super) cronjob: Key,
    /// The run's due instant.
    pub(super) scheduled: Timestamp,
    /// What is the same or different about it.
    pub(super) verdict: Verdict,
}

/// How a run compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was started, as it would have been here; so much later (or, by another clock, earlier).
    Started {
        /// The time from our decision to the moment at which the Job was seen.
        later_by: TimeDelta,
    },
    /// It would have been started here, and was not.
    NeverStarted,
    /// It was started, and would not have been here.
    NotOurs,
}

impl Verdict {
    /// The label of the metric.
    pub(super) fn label(self) -> &'static str {
        match self {
            Verdict::Started { .. } => "started",
            Verdict::NeverStarted => "never_started",
            Verdict::NotOurs => "not_ours",
        }
    }

    /// How much later than here the run was started, if it was by both.
    pub(super) fn later_by(self) -> Option<TimeDelta> {
        match self {
            Verdict::Started { later_by } => Some(later_by),
            Verdict::NeverStarted | Verdict::NotOurs => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Started { later_by } => write!(
                f,
                "started {} ms after punctual would have",
                later_by.num_milliseconds()
            ),
            Verdict::NeverStarted => f.write_str("punctual would have started this run, and nobody did"),
            Verdict::NotOurs => f.write_str("this run was started, and punctual would not have started it"),
        }
    }
}

/// One side of a run, which waits for the other.
#[derive(Debug, Clone, Copy)]
struct Half {
    scheduled: Timestamp,
    at: Timestamp,
}

/// Compares what would have been done with what is done.
#[derive(Debug, Default)]
pub(super) struct Shadow {
    /// Runs that would have been started and were not seen, the newest of each CronJob.
    decided: HashMap<Key, Half>,
    /// Runs that were seen and not decided on, the newest of each CronJob.
    seen: HashMap<Key, Half>,
    /// The newest instant of each CronJob about which all is said.
    settled: HashMap<Key, Timestamp>,
}

impl Shadow {
    /// A run of `key` would be started for the instant `scheduled`. Said again, it is the same one.
    pub(super) fn decide(
        &mut self,
        key: &Key,
        scheduled: Timestamp,
        now: Timestamp,
        found: &mut Vec<Finding>,
    ) {
        let is_settled = self.settled.get(key).is_some_and(|settled| scheduled <= *settled);
        let before = self.decided.get(key).copied();
        if is_settled || before.is_some_and(|before| before.scheduled == scheduled) {
            return;
        }
        if let Some(passed_over) = before {
            self.settle(key, passed_over.scheduled, Verdict::NeverStarted, found);
        }
        match self
            .seen
            .get(key)
            .copied()
            .filter(|seen| seen.scheduled == scheduled)
        {
            Some(seen) => {
                let later_by = seen.at - now;
                self.settle(key, scheduled, Verdict::Started { later_by }, found);
            }
            None => {
                self.decided.insert(key.clone(), Half { scheduled, at: now });
            }
        }
    }

    /// A run of `key` for the instant `scheduled` was started by somebody.
    pub(super) fn see(&mut self, key: &Key, scheduled: Timestamp, now: Timestamp, found: &mut Vec<Finding>) {
        let decided = self.decided.get(key).copied();
        if let Some(decided) = decided.filter(|decided| decided.scheduled == scheduled) {
            let later_by = now - decided.at;
            return self.settle(key, scheduled, Verdict::Started { later_by }, found);
        }
        if self.settled.get(key).is_some_and(|settled| scheduled <= *settled) {
            return;
        }
        if let Some(before) = self.seen.get(key).copied() {
            self.settle(key, before.scheduled, Verdict::NotOurs, found);
        }
        self.seen.insert(key.clone(), Half { scheduled, at: now });
    }

    /// Gives up on what has been waited for long enough.
    pub(super) fn give_up(&mut self, now: Timestamp, found: &mut Vec<Finding>) {
        let overdue = |halves: &HashMap<Key, Half>, time: TimeDelta| -> Vec<(Key, Timestamp)> {
            let overdue = halves.iter().filter(|(_, half)| half.at + time <= now);
            let mut overdue: Vec<_> = overdue.map(|(key, half)| (key.clone(), half.scheduled)).collect();
            overdue.sort();
            overdue
        };
        for (key, scheduled) in overdue(&self.decided, PATIENCE) {
            self.settle(&key, scheduled, Verdict::NeverStarted, found);
        }
        for (key, scheduled) in overdue(&self.seen, HEAD_START) {
            self.settle(&key, scheduled, Verdict::NotOurs, found);
        }
    }

    /// When there is something to give up on.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let decided = self.decided.values().map(|half| half.at + PATIENCE);
        decided
            .chain(self.seen.values().map(|half| half.at + HEAD_START))
            .min()
    }

    /// The CronJob is gone.
    pub(super) fn forget(&mut self, key: &Key) {
        self.decided.remove(key);
        self.seen.remove(key);
        self.settled.remove(key);
    }

    fn settle(&mut self, key: &Key, scheduled: Timestamp, verdict: Verdict, found: &mut Vec<Finding>) {
        for halves in [&mut self.decided, &mut self.seen] {
            if halves.get(key).is_some_and(|half| half.scheduled == scheduled) {
                halves.remove(key);
            }
        }
        let settled = self.settled.entry(key.clone()).or_insert(scheduled);
        *settled = scheduled.max(*settled);
        found.push(Finding {
            cronjob: key.clone(),
            scheduled,
            verdict,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{NeverStarted, NotOurs};

    /// What happens to the run of an instant at a second: it is decided on (`d`) or seen (`s`); and what is found by the
    /// end of ten minutes.
    #[test]
    fn each_run_is_told_of_once_whatever_comes_first() {
        let later = |seconds| Verdict::Started {
            later_by: TimeDelta::seconds(seconds),
        };
        for (history, found) in [
            (vec![('d', 60, 60), ('s', 60, 67)], vec![(60, later(7))]),
            (vec![('s', 60, 60), ('d', 60, 61)], vec![(60, later(-1))]),
            (
                vec![('d', 60, 60), ('d', 60, 61), ('s', 60, 62)],
                vec![(60, later(2))],
            ),
            (
                vec![('d', 60, 60), ('s', 60, 62), ('d', 60, 63)],
                vec![(60, later(2))],
            ),
            (vec![('d', 60, 60)], vec![(60, NeverStarted)]),
            (vec![('d', 60, 60), ('s', 60, 359)], vec![(60, later(299))]),
            (vec![('d', 60, 60), ('s', 60, 361)], vec![(60, NeverStarted)]),
            (vec![('s', 60, 60)], vec![(60, NotOurs)]),
            (
                vec![('d', 60, 60), ('d', 120, 120), ('s', 120, 125)],
                vec![(60, NeverStarted), (120, later(5))],
            ),
            (
                vec![('s', 61, 61), ('d', 60, 62), ('s', 60, 63)],
                vec![(60, later(1)), (61, NotOurs)],
            ),
        ] {
            assert_eq!(play(&history), found, "{history:?}");
        }
    }

    #[test]
    fn it_wakes_to_give_up_and_forgets_what_is_gone() {
        let mut shadow = Shadow::default();
        let mut found = vec![];
        assert_eq!(shadow.next(), None);
        shadow.decide(&key(), at(60), at(60), &mut found);
        assert_eq!(shadow.next(), Some(at(360)));
        shadow.see(&key(), at(61), at(62), &mut found);
        assert_eq!(shadow.next(), Some(at(72)));
        shadow.forget(&key());
        assert_eq!((shadow.next(), found), (None, vec![]));
    }

    fn play(history: &[(char, i64, i64)]) -> Vec<(i64, Verdict)> {
        let mut shadow = Shadow::default();
        let mut found = vec![];
        for second in 0..600 {
            for (what, scheduled, _) in history.iter().filter(|(_, _, when)| *when == second) {
                match what {
                    'd' => shadow.decide(&key(), at(*scheduled), at(second), &mut found),
                    _ => shadow.see(&key(), at(*scheduled), at(second), &mut found),
                }
            }
            shadow.give_up(at(second), &mut found);
        }
        found
            .iter()
            .map(|finding| (finding.scheduled.timestamp(), finding.verdict))
            .collect()
    }

    fn key() -> Key {
        Key {
            namespace: "default".into(),
            name: "tick".into(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).expect("a small number")
    }
}
