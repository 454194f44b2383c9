//! What it came to: the counts that are shown at the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::up::happening::{Ended, Happening};
use crate::cronjob::{Key, Outcome};
use crate::policy::{Note, Ruling, SkipReason, WaitReason};
use crate::schedule::Timestamp;
use crate::standalone::runtime::{self, What, Work, WorkKind};
use crate::telemetry::Told;

/// Why runs were due and will not start: where one of several that waited starts, it is the newest.
const PASSED_OVER: &str = "a newer run took their place";

/// Why runs are due and have not started, when it was tried.
const FAILED: &str = "could not be started";

/// What runs wait for that are due and will start.
const BLOCKED: &str = "for an earlier run to end (concurrencyPolicy: Forbid)";
const TURN: &str = "for earlier runs to end (overlap: Queue, or max-active)";
const GROUP: &str = "for a slot of their group";
const STOPPING: &str = "for the run that they replace to be gone (overlap: ReplaceWhenStopped)";

/// Why a run is due and has not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// It is to start when something has happened.
    For(&'static str),
    /// It was tried.
    Failed,
}

/// The runs of a CronJob that are due and have not started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Waits {
    /// Those that were told, and why.
    told: BTreeMap<Timestamp, Wait>,
    /// How many are in line behind the newest of them, each of which has its turn.
    behind: u64,
}

impl Waits {
    /// A run is not due any more, as it has started or is to have no other turn; whoever is in line behind it is next.
    fn pass_on(&mut self) {
        if self.told.is_empty() {
            self.behind = self.behind.saturating_sub(1);
        }
        self.told.clear();
    }

    /// Only these are due still. Where nobody is left, it is told anew who is first in line.
    fn retain(&mut self, is_due: impl Fn(Timestamp) -> bool) {
        self.told.retain(|due, _| is_due(*due));
        if self.told.is_empty() {
            self.behind = 0;
        }
    }

    /// How many start when something has happened, and what.
    fn waiting(&self) -> Option<(&'static str, u64)> {
        match self.told.last_key_value() {
            Some((_, Wait::For(what))) => Some((what, self.behind + 1)),
            _ => (self.behind > 0).then_some((TURN, self.behind)),
        }
    }

    /// The runs that were due and did not start, by reason.
    fn skipped(&self) -> impl Iterator<Item = &'static str> {
        let newest = self.told.last_key_value().map(|(newest, _)| newest);
        self.told.iter().filter_map(move |(due, wait)| match wait {
            Wait::Failed => Some(FAILED),
            Wait::For(_) if newest == Some(due) => None,
            Wait::For(_) => Some(PASSED_OVER),
        })
    }
}

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

fn what_for(why: WaitReason) -> &'static str {
    match why {
        WaitReason::Forbid => BLOCKED,
        WaitReason::MaxActive(_) => TURN,
        WaitReason::Group { .. } => GROUP,
        WaitReason::Stopping => STOPPING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let waits: u64 = tally.waiting().into_values().sum();
            assert_eq!((sum, waits), (skipped, waiting));
        }
        insta::assert_snapshot!(text::summary(&tally), @r"
        1 started, 0 succeeded, 0 failed, 2 skipped, 1 pending, 1 waiting
          1 skipped: a newer run took their place
          1 skipped: the starting deadline passed
          1 pending: no process has started
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
        let kept = Work {
            kind: WorkKind::Job,
            namespace: "default".into(),
            name: "kept".into(),
        };
        let mut tally = Tally::after([kept].into());
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
        assert_eq!((tally.started, tally.carried_over), (3, 1));
        assert_eq!((tally.stopped(), tally.pending()), (3, 1));
        insta::assert_snapshot!(text::summary(&tally), @r"
        3 started, 0 succeeded, 0 failed, 0 skipped, 1 carried over from before, 3 stopped before the end, 1 pending
          1 pending: no process has started
        ");
    }

    /// One row a step: what is decided, and how many are skipped and wait after it.
    #[test]
    fn all_in_a_line_wait() {
        let in_line = |second, waiting, why| {
            Note::Ruled(Ruling::Waiting {
                scheduled: at(second),
                waiting,
                behind: vec!["earlier".into()],
                why,
            })
        };
        let turn = |second, waiting| in_line(second, waiting, WaitReason::MaxActive(1));
        let full = Note::Ruled(Ruling::Skipped {
            count: 1,
            newest: at(20),
            why: SkipReason::QueueFull(2),
        });
        let passed = Note::DeadlinePassed {
            count: 2,
            newest: at(15),
        };
        let group = |second| in_line(second, 1, WaitReason::Group { slots: 1, ahead: 0 });
        let mut tally = Tally::default();
        for (notes, skipped, waiting) in [
            (vec![turn(5, 1)], 0, 1),
            (vec![turn(5, 2)], 0, 2),
            (vec![turn(5, 3)], 0, 3),
            (vec![full], 1, 3),
            (vec![started(5)], 1, 2),
            (vec![turn(10, 2)], 1, 2),
            (vec![started(10)], 1, 1),
            (vec![started(15)], 1, 0),
            (vec![turn(15, 3)], 1, 3),
            (vec![passed, turn(25, 1)], 3, 1),
            (vec![started(25), group(30), group(35)], 4, 1),
        ] {
            for note in notes {
                tally.count(&Happening::Decision(told(note)));
            }
            let sum: u64 = tally.skipped().into_values().sum();
            let waits: u64 = tally.waiting().into_values().sum();
            assert_eq!((sum, waits), (skipped, waiting));
        }
        insta::assert_snapshot!(text::summary(&tally), @r"
        1 started, 0 succeeded, 0 failed, 4 skipped, 1 pending, 1 waiting
          1 skipped: a newer run took their place
          1 skipped: the queue was full (queue-limit)
          2 skipped: the starting deadline passed
          1 pending: no process has started
          1 waiting for a slot of their group
        ");
    }

    /// What is given twice counts once, and what an earlier `up` had started is not started by this one.
    #[test]
    fn every_job_that_was_started_is_in_one_other_count() {
        let work = |name: &str| Work {
            kind: WorkKind::Job,
            namespace: "default".into(),
            name: name.into(),
        };
        let ends = |name: &str, outcome| {
            Happening::Ended(Ended {
                at: at(2),
                work: work(name),
                outcome,
                took: chrono::TimeDelta::seconds(1),
                why: None,
            })
        };
        let mut tally = Tally::after(["goes-on", "ended-meanwhile", "suspended"].map(work).into());
        let starts = process("goes-on", What::Started { pid: 7 });
        let succeeded = Some(Outcome::Succeeded);
        for happening in [
            starts,
            ends("ended-meanwhile", succeeded),
            ends("without-pods", succeeded),
            ends("never-began", None),
            Happening::Decision(told(started(5))),
        ] {
            tally.count(&happening);
        }
        let (began, ended) = (tally.started + tally.carried_over, tally.succeeded);
        assert_eq!((began, ended + tally.stopped() + tally.pending()), (4, 4));
        insta::assert_snapshot!(text::summary(&tally), @r"
        2 started, 2 succeeded, 0 failed, 0 skipped, 2 carried over from before, 1 stopped before the end, 1 pending
          1 pending: no process has started
        ");
    }

    fn process(job: &str, what: What) -> Happening {
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
