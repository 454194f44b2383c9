//! What it came to: the counts that are shown at the end. What waits still is in `waits`.

#[cfg(test)]
mod tests;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::up::happening::{Ended, Happening};
use crate::cronjob::{Key, Outcome};
use crate::policy::{Note, Ruling, SkipReason};
use crate::standalone::runtime::{self, What, Work, WorkKind};
use crate::telemetry::Told;
use waits::{BLOCKED, PASSED_OVER, Wait, Waits, what_for};

/// The counts of one `up`. What was [`started`](Self::started) or [carried over](Self::carried_over) is in one of the others:
/// it has succeeded or failed, was deleted or [stopped](Self::stopped), or is [pending](Self::pending).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) started: u64,
    /// What an earlier `up` had started, and something was heard of.
    pub(super) carried_over: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    /// What was deleted before its end, by somebody or to be replaced.
    pub(super) deleted: u64,
    /// What an earlier `up` had started, and nothing was heard of yet.
    before: BTreeSet<Work>,
    /// What was started and has not ended, and whether it has had a process: a run is when it is decided, what nobody
    /// decided when the first of its processes is there, or fails to be.
    begun: BTreeMap<Work, bool>,
    /// Runs that were due and will not start, by reason.
    passed: BTreeMap<&'static str, u64>,
    /// Runs that are due and have not started.
    waits: BTreeMap<Key, Waits>,
}

impl Tally {
    /// The counts of an `up` that finds this work, which has not ended.
    pub(super) fn after(before: BTreeSet<Work>) -> Self {
        Tally {
            before,
            ..Tally::default()
        }
    }

    /// Counts what happened.
    pub(super) fn count(&mut self, happening: &Happening) {
        match happening {
            Happening::Ended(ended) => self.count_end(ended),
            Happening::Decision(told) => self.count_decision(told),
            Happening::Process(event) => self.count_process(event),
            Happening::Followed(_) => {}
        }
    }

    fn count_end(&mut self, ended: &Ended) {
        let Some(outcome) = ended.outcome else {
            // What never began was not started.
            self.before.remove(&ended.work);
            self.deleted += u64::from(self.begun.remove(&ended.work).is_some());
            return;
        };
        // One that asks for no pod ends without a process.
        self.begin(ended.work.clone());
        self.begun.remove(&ended.work);
        match outcome {
            Outcome::Succeeded => self.succeeded += 1,
            Outcome::Failed => self.failed += 1,
        }
    }

    fn count_process(&mut self, event: &runtime::Event) {
        // What is to be restarted had no process if it never could be started.
        let has_process = match event.what {
            What::NotStarted { .. } => false,
            What::Started { .. } | What::Line { .. } | What::Ended { .. } | What::Unseen { .. } => true,
            What::LeftOut { .. } | What::Unread { .. } | What::RestartsAfter { .. } => return,
        };
        *self.begin(event.origin.work()) |= has_process;
    }

    /// Whether this work, which has begun, has had a process.
    fn begin(&mut self, work: Work) -> &mut bool {
        let (before, started, carried_over) = (&mut self.before, &mut self.started, &mut self.carried_over);
        self.begun.entry(work).or_insert_with_key(|work| {
            let count = if before.remove(work) {
                carried_over
            } else {
                started
            };
            *count += 1;
            false
        })
    }

    /// How much has had a process, and has not ended.
    pub(super) fn stopped(&self) -> u64 {
        counted(self.begun.values().filter(|has_process| **has_process).count())
    }

    /// How much was started, and has had no process: none could be started, or none yet.
    pub(super) fn pending(&self) -> u64 {
        counted(self.begun.values().filter(|has_process| !**has_process).count())
    }

    fn count_decision(&mut self, told: &Told) {
        let waits = self.waits.entry(told.cronjob.clone()).or_default();
        let (why, count) = match &told.note {
            Note::Started { job, .. } => {
                // Those that were told have started with it, or were told as passed over before it.
                waits.pass_on();
                self.begin(Work {
                    kind: WorkKind::Job,
                    namespace: told.cronjob.namespace.clone(),
                    name: job.clone(),
                });
                return;
            }
            Note::AlreadyStarted { .. } => {
                waits.pass_on();
                return;
            }
            Note::Blocked { scheduled, .. } => {
                waits.told.insert(*scheduled, Wait::For(BLOCKED));
                return;
            }
            Note::Ruled(Ruling::Waiting {
                scheduled,
                waiting,
                why,
                ..
            }) => {
                waits.told.insert(*scheduled, Wait::For(what_for(*why)));
                waits.behind = counted(waiting.saturating_sub(1));
                return;
            }
            Note::StartFailed { scheduled, .. } => {
                waits.told.insert(*scheduled, Wait::Failed);
                return;
            }
            Note::DeadlinePassed { count, newest } => {
                waits.retain(|due| due > *newest);
                ("the starting deadline passed", *count)
            }
            Note::PassedOver {
                count, newest_runs, ..
            } => {
                waits.retain(|due| due >= *newest_runs);
                (PASSED_OVER, *count)
            }
            Note::NameTaken { .. } => {
                waits.pass_on();
                ("another job has the name", 1)
            }
            Note::Ruled(Ruling::Skipped { count, newest, why }) => {
                let why = match why {
                    SkipReason::Asked => {
                        waits.retain(|due| due != *newest);
                        "asked for (skip)"
                    }
                    SkipReason::Missed => "missed (missed-runs: Skip)",
                    SkipReason::BeyondLimit(_) => {
                        waits.retain(|due| due > *newest);
                        "missed, beyond missed-runs-limit"
                    }
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
        for why in self.waits.values().flat_map(Waits::skipped) {
            *skipped.entry(why).or_default() += 1;
        }
        skipped
    }

    /// How many runs are due and start later, by what they wait for.
    pub(super) fn waiting(&self) -> BTreeMap<&'static str, u64> {
        let mut waiting = BTreeMap::new();
        for (what, count) in self.waits.values().filter_map(Waits::waiting) {
            *waiting.entry(what).or_default() += count;
        }
        waiting
    }
}

fn counted(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
