//! What it came to: the counts that are shown at the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::up::happening::Happening;
use crate::cronjob::{Key, Outcome};
use crate::policy::{Note, Ruling, SkipReason};
use crate::schedule::Timestamp;
use crate::telemetry::Told;

/// The counts of one `up`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) started: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    /// Runs that were due and will not start, by reason.
    passed: BTreeMap<&'static str, u64>,
    /// Runs that are due and wait for an active one.
    waiting: BTreeMap<Key, BTreeSet<Timestamp>>,
}

impl Tally {
    /// Counts what happened.
    pub(super) fn count(&mut self, happening: &Happening) {
        match happening {
            Happening::JobEnded(ended) => match ended.outcome {
                Outcome::Succeeded => self.succeeded += 1,
                Outcome::Failed => self.failed += 1,
            },
            Happening::Decision(told) => self.count_decision(told),
            Happening::Process(_) | Happening::Followed(_) => {}
        }
    }

    fn count_decision(&mut self, told: &Told) {
        let waiting = self.waiting.entry(told.cronjob.clone()).or_default();
        let (why, count) = match &told.note {
            Note::Started { .. } => {
                self.started += 1;
                // Those that waited have started with it, or were told as passed over before it.
                waiting.clear();
                return;
            }
            Note::Blocked { scheduled, .. } => {
                waiting.insert(*scheduled);
                return;
            }
            Note::DeadlinePassed { count, newest } => {
                waiting.retain(|due| due > newest);
                ("the starting deadline passed", *count)
            }
            Note::PassedOver { count, .. } => ("a newer run took their place", *count),
            Note::NameTaken { .. } => ("another job has the name", 1),
            Note::Ruled(Ruling::Skipped { count, why, .. }) => {
                let why = match why {
                    SkipReason::Asked => "asked for (skip)",
                    SkipReason::Missed => "missed (missed-runs: Skip)",
                    SkipReason::BeyondLimit(_) => "missed, beyond missed-runs-limit",
                    SkipReason::Active(_) => "an earlier run was active (overlap: Skip)",
                    SkipReason::QueueFull(_) => "the queue was full (queue-limit)",
                };
                (why, *count)
            }
            _ => return,
        };
        *self.passed.entry(why).or_default() += count;
    }

    /// The runs that were due and did not start, by reason.
    pub(super) fn skipped(&self) -> BTreeMap<&'static str, u64> {
        let mut skipped = self.passed.clone();
        let waiting: usize = self.waiting.values().map(BTreeSet::len).sum();
        if waiting > 0 {
            let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
            skipped.insert(
                "an earlier run was still active (concurrencyPolicy: Forbid)",
                waiting,
            );
        }
        skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_waits_is_skipped_unless_it_starts() {
        let mut tally = Tally::default();
        let mut skipped_after = |notes: Vec<Note>| {
            for note in notes {
                tally.count(&Happening::Decision(told(note)));
            }
            tally.skipped().into_values().sum::<u64>()
        };
        assert_eq!(skipped_after(vec![blocked(5), blocked(5), blocked(10)]), 2);
        let passed_over = Note::PassedOver {
            count: 1,
            oldest: at(5),
            newest_runs: at(10),
        };
        assert_eq!(skipped_after(vec![passed_over, started(10)]), 1);
        let passed = Note::DeadlinePassed {
            count: 1,
            newest: at(15),
        };
        assert_eq!(skipped_after(vec![blocked(15), passed, blocked(20)]), 3);
    }

    fn blocked(second: i64) -> Note {
        Note::Blocked {
            scheduled: at(second),
            behind: vec!["earlier".into()],
        }
    }

    fn started(second: i64) -> Note {
        Note::Started {
            job: "later".into(),
            scheduled: at(second),
            lateness: chrono::TimeDelta::zero(),
            held_back: chrono::TimeDelta::zero(),
            waited: false,
        }
    }

    fn told(note: Note) -> Told {
        let cronjob = Key {
            namespace: "default".into(),
            name: "slow".into(),
        };
        Told {
            at: at(0),
            cronjob,
            uid: String::new(),
            note,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).expect("a small number")
    }
}
