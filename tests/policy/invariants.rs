//! What holds whatever happens: random histories of one CronJob, played against [`decide`] and [`settle`].
//!
//! A history is a list of steps; in each, time passes, a run may finish, the controller may restart (and lose its
//! memory), the write of the status may be lost, and then a decision is taken and carried out.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;
use punctual::cronjob::{Concurrency, CronJob, JobRef, Outcome, Run, RunState};
use punctual::policy::{
    Decision, DeletionOutcome, DeletionResult, Memory, Note, Situation, StartResult, decide, settle,
};
use punctual::schedule::Timestamp;

use crate::world::{cronjob, instant, run};

#[derive(Debug, Clone)]
struct Step {
    seconds: i64,
    finish: Option<(usize, Outcome)>,
    restart: bool,
    lose_status: bool,
    toggle_suspend: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![Just(Outcome::Succeeded), Just(Outcome::Failed)];
    let finish = proptest::option::of((0_usize..4, outcome));
    let seconds = prop_oneof![3 => 0_i64..120, 2 => 0_i64..7_200, 1 => 0_i64..400_000];
    (
        seconds,
        finish,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.05),
    )
        .prop_map(|(seconds, finish, restart, lose_status, toggle_suspend)| Step {
            seconds,
            finish,
            restart,
            lose_status,
            toggle_suspend,
        })
}

fn setting() -> impl Strategy<Value = CronJob> {
    let schedule = prop_oneof![
        Just("* * * * *"),
        Just("*/5 * * * *"),
        Just("30 10,11,12 * * 1-5"),
        Just("0 0 29 2 *"),
        Just("@every 7s"),
        Just("@every 1h"),
        Just("0 * * * 1"),
    ];
    let concurrency = prop_oneof![
        Just(Concurrency::Allow),
        Just(Concurrency::Forbid),
        Just(Concurrency::Replace)
    ];
    let deadline = proptest::option::of(0_i64..10_000);
    let limits = (proptest::option::of(0_usize..3), proptest::option::of(0_usize..3));
    (schedule, concurrency, deadline, limits).prop_map(|(schedule, concurrency, deadline, limits)| {
        let mut cronjob = cronjob(schedule, None);
        cronjob.spec.concurrency = concurrency;
        cronjob.spec.starting_deadline = deadline.map(TimeDelta::seconds);
        (cronjob.spec.history.successful, cronjob.spec.history.failed) = limits;
        cronjob
    })
}

/// One CronJob, its Jobs, and everything that ever happened to them.
struct World {
    cronjob: CronJob,
    runs: Vec<Run>,
    memory: Memory,
    now: Timestamp,
    started: BTreeSet<Timestamp>,
}

impl World {
    fn play(&mut self, step: &Step) -> Option<Timestamp> {
        self.now += TimeDelta::seconds(step.seconds);
        if let Some((index, outcome)) = step.finish
            && let Some(run) = self.runs.iter_mut().filter(|run| run.is_active()).nth(index)
        {
            let completed = (outcome == Outcome::Succeeded).then_some(self.now);
            run.state = RunState::Finished { outcome, completed };
        }
        if step.restart {
            self.memory = Memory::default();
        }
        self.cronjob.spec.suspend ^= step.toggle_suspend;
        let decision = decide(
            Situation {
                cronjob: &self.cronjob,
                runs: &self.runs,
                memory: &self.memory,
            },
            self.now,
        );
        self.check(&decision);
        self.carry_out(&decision, step.lose_status);
        decision.wake
    }

    /// What must hold of every decision.
    fn check(&self, decision: &Decision) {
        assert!(
            decision.wake.is_none_or(|wake| wake > self.now),
            "the wake-up lies in the future"
        );
        for pruned in &decision.prune.jobs {
            let run = self
                .runs
                .iter()
                .find(|run| run.uid == pruned.uid)
                .expect("an observed run");
            assert!(!run.is_active(), "the history never deletes an unfinished run");
        }
        let Some(start) = &decision.start else { return };
        assert!(!self.cronjob.spec.suspend, "a suspended CronJob starts nothing");
        assert!(start.scheduled <= self.now, "nothing starts before its time");
        assert!(
            start.scheduled > self.cronjob.created,
            "nothing is due before the CronJob existed"
        );
        assert!(
            !self.started.contains(&start.scheduled),
            "{} starts twice",
            start.scheduled
        );
        if let Some(deadline) = self.cronjob.spec.starting_deadline {
            assert!(
                self.now - start.scheduled < deadline,
                "nothing starts past its deadline"
            );
        }
        let active = self.runs.iter().filter(|run| run.is_active()).count();
        match self.cronjob.spec.concurrency {
            Concurrency::Allow => assert_eq!(decision.replace, []),
            Concurrency::Forbid => assert_eq!(active, 0, "Forbid starts beside an active run"),
            Concurrency::Replace => assert_eq!(decision.replace.len(), active, "Replace leaves at most one"),
        }
    }

    fn carry_out(&mut self, decision: &Decision, lose_status: bool) {
        // What the history has no room for goes when the status is recorded.
        let prune = if lose_status {
            &[][..]
        } else {
            &decision.prune.jobs
        };
        let ended = prune.iter().chain(&decision.replace);
        let gone = |run: &Run| ended.clone().any(|deletion| deletion.uid == run.uid);
        self.runs.retain(|run| !gone(run));
        let result = decision.start.as_ref().map(|start| {
            self.started.insert(start.scheduled);
            let job = run(start.scheduled, RunState::Active);
            self.runs.push(job.clone());
            StartResult::Started {
                job: JobRef::from(&job),
                at: self.now,
            }
        });
        let deleted = |deletion: &_| DeletionResult {
            deletion: Clone::clone(deletion),
            outcome: DeletionOutcome::Deleted,
        };
        let deletions: Vec<_> = decision.replace.iter().map(deleted).collect();
        let (status, _) = settle(decision, &deletions, result);
        if !lose_status {
            self.cronjob.status = status;
        }
        self.memory = decision.memory.clone();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_keeps_the_invariants(cronjob in setting(), steps in prop::collection::vec(step(), 1..60)) {
        let mut world = world(cronjob);
        for step in &steps {
            world.play(step);
            // The run whose status was lost may end, and the next write may be lost as well; the one after is not.
            for lose_status in [true, false] {
                if step.lose_status {
                    let finish = Some((0, Outcome::Succeeded));
                    world.play(&Step { seconds: 0, finish, restart: true, lose_status, toggle_suspend: false });
                }
            }
        }
    }

    /// With `Allow`, no deadline and somebody awake at every wake-up, each due instant runs exactly once, and nothing
    /// else does.
    #[test]
    fn whoever_wakes_when_told_misses_nothing(mut cronjob in setting(), wakes in 1_usize..200) {
        cronjob.spec.concurrency = Concurrency::Allow;
        cronjob.spec.starting_deadline = None;
        let schedule = cronjob.spec.schedule.clone().expect("a good schedule").anchored(cronjob.created);
        let (created, mut world) = (cronjob.created, world(cronjob));
        let idle = Step { seconds: 0, finish: Some((0, Outcome::Succeeded)), restart: false, lose_status: false, toggle_suspend: false };
        for _ in 0..wakes {
            let Some(wake) = world.play(&idle) else { break };
            world.now = wake;
        }
        world.play(&idle);
        let due: BTreeSet<_> = schedule.due(created, world.now).collect();
        prop_assert_eq!(&world.started, &due);
    }

    /// The same situation at the same time is decided the same way, and once carried out leaves nothing to do.
    #[test]
    fn a_decision_that_was_carried_out_is_not_taken_again(cronjob in setting(), steps in prop::collection::vec(step(), 1..20)) {
        let mut world = world(cronjob);
        for step in &steps {
            world.play(&Step { lose_status: false, ..step.clone() });
            let again = decide(
                Situation { cronjob: &world.cronjob, runs: &world.runs, memory: &world.memory },
                world.now,
            );
            prop_assert_eq!(again.start, None);
            prop_assert_eq!(&again.prune.jobs, &vec![]);
            prop_assert_eq!(&again.status, &world.cronjob.status);
            let standing = |note: &Note| matches!(note, Note::Blocked { .. } | Note::Suspended | Note::NeverFires { .. });
            prop_assert!(again.notes.iter().all(standing), "{:?}", again.notes);
        }
    }
}

fn world(cronjob: CronJob) -> World {
    World {
        cronjob,
        runs: vec![],
        memory: Memory::default(),
        now: instant("A"),
        started: BTreeSet::new(),
    }
}
