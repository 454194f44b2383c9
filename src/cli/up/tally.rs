//! What it came to: the counts that are shown at the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::up::happening::Happening;
use crate::cronjob::{Key, Outcome};
use crate::policy::{Note, Ruling, SkipReason};
use crate::schedule::Timestamp;
use crate::standalone::runtime::{self, What, Work, WorkKind};
use crate::telemetry::Told;

/// Why runs were due and will not start: where one of several that waited starts, it is the newest.
const PASSED_OVER: &str = "a newer run took their place";

/// Why runs are due and have not started, when it was tried.
const FAILED: &str = "could not be started";

/// Why a run is due and has not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// An earlier one is active (`concurrencyPolicy: Forbid`).
    Blocked,
    /// It was tried.
    Failed,
}

/// The counts of one `up`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) started: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    /// What was deleted before its end, by somebody or to be replaced.
    pub(super) deleted: u64,
    /// What was started and has not ended: a run is when it is decided, what nobody decided when the first of its
    /// processes is there, or fails to be.
    begun: BTreeSet<Work>,
    /// What had a process, and has not ended.
    at_work: BTreeSet<Work>,
    /// Runs that were due and will not start, by reason.
    passed: BTreeMap<&'static str, u64>,
    /// Runs that are due and have not started, and why.
    waiting: BTreeMap<Key, BTreeMap<Timestamp, Wait>>,
}

impl Tally {
    /// Counts what happened.
    pub(super) fn count(&mut self, happening: &Happening) {
        match happening {
            Happening::Ended(ended) => {
                let was_begun = self.begun.remove(&ended.work);
                self.at_work.remove(&ended.work);
                match ended.outcome {
                    Some(Outcome::Succeeded) => self.succeeded += 1,
                    Some(Outcome::Failed) => self.failed += 1,
                    None => self.deleted += u64::from(was_begun),
                }
            }
            Happening::Decision(told) => self.count_decision(told),
            Happening::Process(event) => self.count_process(event),
            Happening::Followed(_) => {}
        }
    }

    fn count_process(&mut self, event: &runtime::Event) {
        let work = event.origin.work();
        if matches!(event.what, What::Started { .. } | What::NotStarted { .. }) {
            self.start(work.clone());
        }
        // What is to be restarted had no process if it never could be started.
        if matches!(
            event.what,
            What::Started { .. } | What::Line { .. } | What::Ended { .. } | What::Unseen { .. }
        ) {
            self.at_work.insert(work);
        }
    }

    fn start(&mut self, work: Work) {
        self.started += u64::from(self.begun.insert(work));
    }

    /// How much was at work and has not ended.
    pub(super) fn stopped(&self) -> usize {
        self.at_work.len()
    }

    fn count_decision(&mut self, told: &Told) {
        let waiting = self.waiting.entry(told.cronjob.clone()).or_default();
        let (why, count) = match &told.note {
            Note::Started { job, .. } => {
                // Those that waited have started with it, or were told as passed over before it.
                waiting.clear();
                self.start(Work {
                    kind: WorkKind::Job,
                    namespace: told.cronjob.namespace.clone(),
                    name: job.clone(),
                });
                return;
            }
            Note::Blocked { scheduled, .. } => {
                waiting.insert(*scheduled, Wait::Blocked);
                return;
            }
            Note::StartFailed { scheduled, .. } => {
                waiting.insert(*scheduled, Wait::Failed);
                return;
            }
            Note::DeadlinePassed { count, newest } => {
                waiting.retain(|due, _| due > newest);
                ("the starting deadline passed", *count)
            }
            Note::PassedOver {
                count, newest_runs, ..
            } => {
                waiting.retain(|due, _| due >= newest_runs);
                (PASSED_OVER, *count)
            }
            Note::NameTaken { .. } => ("another job has the name", 1),
            Note::Ruled(Ruling::Skipped { count, why, .. }) => {
                let why = match why {
                    SkipReason::Asked => "asked for (skip)",
                    SkipReason::Missed => "missed (missed-runs: Skip)",
                    SkipReason::BeyondLimit(_) => "missed, beyond missed-runs-limit",
                    SkipReason::Active(_) | SkipReason::Behind(_) => {
                        "an earlier run was active (overlap: Skip)"
                    }
                    SkipReason::ClockChange { .. } => "the clock was put forward over their time",
                    SkipReason::QueueFull(_) => "the queue was full (queue-limit)",
                };
                (why, *count)
            }
            _ => return,
        };
        *self.passed.entry(why).or_default() += count;
    }

    /// The runs that were due and did not start, by reason. The newest of those behind an earlier run is none of them: it
    /// [waits](Self::waiting).
    pub(super) fn skipped(&self) -> BTreeMap<&'static str, u64> {
        let mut skipped = self.passed.clone();
        for waits in self.waiting.values() {
            for (due, wait) in waits {
                let is_newest = waits.last_key_value().is_some_and(|(newest, _)| newest == due);
                let why = match wait {
                    Wait::Failed => FAILED,
                    Wait::Blocked if is_newest => continue,
                    Wait::Blocked => PASSED_OVER,
                };
                *skipped.entry(why).or_default() += 1;
            }
        }
        skipped
    }

    /// How many runs start when an earlier one has ended.
    pub(super) fn waiting(&self) -> usize {
        let newest = self.waiting.values().filter_map(BTreeMap::last_key_value);
        newest.filter(|(_, wait)| **wait == Wait::Blocked).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::up::happening::Ended;
    use crate::cli::up::text;

    /// One row a step: what is decided, and how many are skipped and wait after it.
    #[test]
    fn of_the_runs_behind_an_earlier_one_the_newest_waits_and_the_others_are_skipped() {
        let passed_over = Note::PassedOver {
            count: 1,
            oldest: at(5),
            newest_runs: at(10),
        };
        let passed = Note::DeadlinePassed {
            count: 1,
            newest: at(15),
        };
        let mut tally = Tally::default();
        for (notes, skipped, waiting) in [
            (vec![blocked(5), blocked(5)], 0, 1),
            (vec![blocked(10)], 1, 1),
            (vec![passed_over, started(10)], 1, 0),
            (vec![blocked(15)], 1, 1),
            (vec![passed], 2, 0),
            (vec![blocked(20)], 2, 1),
        ] {
            for note in notes {
                tally.count(&Happening::Decision(told(note)));
            }
            let sum: u64 = tally.skipped().into_values().sum();
            assert_eq!((sum, tally.waiting()), (skipped, waiting));
        }
        insta::assert_snapshot!(text::summary(&tally), @r"
        1 started, 0 succeeded, 0 failed, 2 skipped, 1 waiting
          1 skipped: a newer run took their place
          1 skipped: the starting deadline passed
          1 waiting for an earlier run to end (concurrencyPolicy: Forbid)
        ");
    }

    #[test]
    fn a_run_that_could_not_be_started_is_counted_once_and_by_what_became_of_it() {
        let failed = |second| Note::StartFailed {
            job: format!("tick-{second}"),
            scheduled: at(second),
            error: "the disk is full".into(),
        };
        let mut tally = Tally::default();
        for note in [failed(5), failed(5), failed(10), failed(15)] {
            tally.count(&Happening::Decision(told(note)));
        }
        assert_eq!(tally.skipped(), [(FAILED, 3)].into());
        let passed_over = Note::PassedOver {
            count: 2,
            oldest: at(5),
            newest_runs: at(15),
        };
        tally.count(&Happening::Decision(told(passed_over)));
        assert_eq!(tally.skipped().into_values().sum::<u64>(), 3);
        tally.count(&Happening::Decision(told(started(15))));
        assert_eq!(tally.skipped(), [("a newer run took their place", 2)].into());
    }

    /// A pod of no Job counts as a Job does.
    #[test]
    fn a_bare_pod_is_started_and_ends() {
        let origin = runtime::Origin {
            namespace: "default".into(),
            job: None,
            index: None,
            pod: "once".into(),
            container: "main".into(),
            is_alone: true,
        };
        let work = origin.work();
        let begins = Happening::Process(runtime::Event {
            origin: std::sync::Arc::new(origin),
            at: at(1),
            what: What::Started { pid: 7 },
        });
        let ends = |outcome| {
            Happening::Ended(Ended {
                at: at(2),
                work: work.clone(),
                outcome,
                took: chrono::TimeDelta::seconds(1),
                why: None,
            })
        };
        let mut tally = Tally::default();
        tally.count(&begins);
        assert_eq!((tally.started, tally.failed, tally.stopped()), (1, 0, 1));
        tally.count(&ends(Some(Outcome::Failed)));
        assert_eq!((tally.started, tally.failed, tally.stopped()), (1, 1, 0));
        tally.count(&begins);
        tally.count(&ends(None));
        tally.count(&ends(None));
        assert_eq!(
            (tally.started, tally.deleted, tally.stopped()),
            (2, 1, 0),
            "it began once"
        );
        insta::assert_snapshot!(
            text::summary(&tally),
            @"2 started, 0 succeeded, 1 failed, 0 skipped, 1 replaced or deleted"
        );
    }

    /// A Job is counted once, by whatever is told of it first, and however many processes it has.
    #[test]
    fn a_job_that_was_given_is_started_as_a_run_is() {
        let process = |job: &str, what: What| {
            let origin = runtime::Origin {
                namespace: "default".into(),
                job: Some(job.into()),
                index: None,
                pod: format!("{job}-x7k2p"),
                container: "main".into(),
                is_alone: true,
            };
            Happening::Process(runtime::Event {
                origin: std::sync::Arc::new(origin),
                at: at(1),
                what,
            })
        };
        let begins = |job| process(job, What::Started { pid: 7 });
        let fails = process(
            "unfit",
            What::NotStarted {
                reason: "CommandRequired".into(),
                message: String::new(),
            },
        );
        let restarts = process(
            "unfit",
            What::RestartsAfter {
                delay: std::time::Duration::from_secs(10),
            },
        );
        let line = process(
            "kept",
            What::Line {
                stream: runtime::Stream::Stdout,
                text: "hello".into(),
                ends: true,
            },
        );
        let mut tally = Tally::default();
        for happening in [
            begins("given"),
            begins("given"),
            Happening::Decision(told(started(5))),
            begins("later"),
            fails,
            restarts,
            line,
        ] {
            tally.count(&happening);
        }
        assert_eq!(tally.started, 3);
        assert_eq!(tally.stopped(), 3, "`unfit` never had a process");
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
