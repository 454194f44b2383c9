//! A small world: pods succeed, fail and are deleted at random, the controller crashes between any two of its writes,
//! and the rules must hold all the same.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, PodStatus};
use proptest::prelude::*;

use super::super::conditions::{Fate, sealed};
use super::super::decide;
use super::super::pods::{is_active, is_over, is_tracked, name, uid};
use super::*;
use crate::manifest::validate::job::update_status;
use crate::standalone::instants::to_time;

/// What chance may do.
#[derive(Debug, Clone)]
enum Chance {
    /// The controller decides and carries out, but crashes after this many writes.
    Sync(usize),
    /// A pod that is at work ends.
    End { pod: usize, succeeds: bool },
    /// Somebody deletes a pod.
    Delete { pod: usize },
    /// The node finishes a pod that is being deleted.
    Finish { pod: usize },
    /// Time passes.
    Wait { seconds: i64 },
    /// Somebody suspends the Job or resumes it.
    Suspend(bool),
    /// Somebody makes a Job whose parallelism follows its completions smaller or larger.
    Scale(i32),
}

fn parallelism(spec: &Value) -> i32 {
    let parallelism = spec["parallelism"].as_i64().unwrap_or(1);
    parallelism.try_into().unwrap()
}

#[derive(Debug)]
pub(super) struct World {
    job: Job,
    pods: BTreeMap<String, Pod>,
    past: Past,
    pub(super) now: Timestamp,
    pub(super) made: usize,
    /// How the pods ended, by what the world saw: the ledger that the counters must agree with.
    succeeded: i32,
    /// How many pods may be at work: the largest parallelism since the controller last got through.
    at_once: i32,
}

impl World {
    pub(super) fn new(spec: &Value) -> Self {
        Self {
            job: job(spec),
            pods: BTreeMap::new(),
            past: Past::default(),
            now: noon(),
            made: 0,
            succeeded: 0,
            at_once: parallelism(spec),
        }
    }

    fn pods(&self) -> Vec<Pod> {
        self.pods.values().cloned().collect()
    }

    fn pick(&mut self, number: usize, fits: impl Fn(&Pod) -> bool) -> Option<&mut Pod> {
        let mut fitting: Vec<_> = self.pods.values_mut().filter(|pod| fits(pod)).collect();
        let count = fitting.len();
        (count > 0).then(|| fitting.swap_remove(number % count))
    }

    /// Decides, and carries out until `writes` are done. Whether there was anything to do.
    pub(super) fn sync(&mut self, mut writes: usize) -> bool {
        let gets_through = writes == usize::MAX;
        self.past.remember(&self.job, self.pods.values());
        let decision = decide(&self.job, &self.pods(), &self.past, self.now);
        let something =
            decision.status.is_some() || !decision.release.is_empty() || !decision.create.is_empty();
        let mut may_write = || {
            let may = writes > 0;
            writes = writes.saturating_sub(1);
            may
        };
        for pod in decision.create {
            if may_write() {
                self.create(pod);
            }
        }
        if let Some(status) = decision.status.filter(|_| may_write()) {
            self.check_status(&status);
            self.job.status = Some(status);
        }
        // What follows is only right when the status has been written.
        for released in decision.release {
            if may_write()
                && let Some(pod) = self.pods.values_mut().find(|pod| uid(pod) == released)
            {
                pod.metadata.finalizers = None;
                let name = name(pod).to_owned();
                self.collect(&name);
            }
        }
        for deleted in decision.delete {
            if may_write()
                && let Some(pod) = self.pods.values().find(|pod| uid(pod) == deleted)
            {
                let name = name(pod).to_owned();
                self.delete(&name);
            }
        }
        if gets_through {
            self.at_once = parallelism(&json!(self.job.spec));
        }
        something
    }

    fn create(&mut self, mut pod: Pod) {
        self.made += 1;
        pod.metadata.uid = Some(format!("u{}", self.made));
        pod.metadata.creation_timestamp = Some(to_time(self.now));
        let taken = self.pods.insert(name(&pod).to_owned(), pod);
        assert!(taken.is_none(), "a name was given twice");
    }

    fn delete(&mut self, name: &str) {
        if let Some(pod) = self.pods.get_mut(name) {
            pod.metadata.deletion_timestamp.get_or_insert(to_time(self.now));
            self.collect(name);
        }
    }

    /// The API removes what is deleted, ended, and held by nobody.
    fn collect(&mut self, name: &str) {
        let gone = |pod: &Pod| pod.metadata.deletion_timestamp.is_some() && is_over(pod) && !is_tracked(pod);
        if self.pods.get(name).is_some_and(gone) {
            self.pods.remove(name);
        }
    }

    fn end(&mut self, number: usize, succeeds: bool, fits: impl Fn(&Pod) -> bool) {
        let now = self.now;
        let Some(pod) = self.pick(number, fits) else {
            return;
        };
        let terminated = ContainerStateTerminated {
            exit_code: i32::from(!succeeds),
            finished_at: Some(to_time(now)),
            ..ContainerStateTerminated::default()
        };
        let state = Some(ContainerState {
            terminated: Some(terminated),
            ..ContainerState::default()
        });
        pod.status = Some(PodStatus {
            phase: Some(if succeeds { "Succeeded" } else { "Failed" }.to_owned()),
            container_statuses: Some(vec![ContainerStatus {
                state,
                ..ContainerStatus::default()
            }]),
            ..PodStatus::default()
        });
        let (name, counts) = (name(pod).to_owned(), is_tracked(pod));
        if succeeds && counts {
            self.succeeded += 1;
        }
        self.collect(&name);
    }

    /// All pods are deleted, and end at once.
    pub(super) fn delete_all(&mut self) {
        let names: Vec<String> = self.pods.keys().cloned().collect();
        for name in names {
            self.delete(&name);
            self.end(0, false, |pod| {
                super::super::pods::name(pod) == name && !is_over(pod)
            });
        }
    }

    /// All pods become somebody else's.
    pub(super) fn lose_all(&mut self) {
        for pod in std::mem::take(&mut self.pods).into_values() {
            self.past.lose(&pod);
        }
    }

    fn happen(&mut self, chance: &Chance) {
        match *chance {
            Chance::Sync(writes) => {
                self.sync(writes);
            }
            Chance::End { pod, succeeds } => self.end(pod, succeeds, is_active),
            Chance::Finish { pod } => {
                let stopping = |pod: &Pod| pod.metadata.deletion_timestamp.is_some() && !is_over(pod);
                self.end(pod, false, stopping);
            }
            Chance::Delete { pod } => {
                if let Some(name) = self.pick(pod, |_| true).map(|pod| name(pod).to_owned()) {
                    self.delete(&name);
                }
            }
            Chance::Wait { seconds } => self.now += TimeDelta::seconds(seconds),
            Chance::Scale(to) => self.scale(to),
            Chance::Suspend(suspend) => {
                if let Some(spec) = &mut self.job.spec {
                    spec.suspend = Some(suspend);
                }
            }
        }
        self.check();
    }

    fn scale(&mut self, to: i32) {
        let status = self.job.status.clone().unwrap_or_default();
        let spec = self.job.spec.as_mut().unwrap();
        let is_elastic = spec.completion_mode.is_some() && spec.completions == spec.parallelism;
        if is_elastic && Fate::written(&status).is_none() {
            (spec.completions, spec.parallelism) = (Some(to), Some(to));
            self.at_once = self.at_once.max(to);
        }
    }

    /// What always holds.
    fn check(&self) {
        let active = self.pods.values().filter(|pod| is_active(pod)).count();
        let at_once = usize::try_from(self.at_once).unwrap();
        assert!(active <= at_once, "{active} pods at work, {at_once} allowed");
        if self
            .job
            .status
            .as_ref()
            .is_some_and(|status| sealed(status).is_some())
        {
            assert_eq!(active, 0, "a finished Job has pods at work");
        }
    }

    /// What a new status may not do. Least of all may it be one that the API refuses, since nothing goes on then.
    fn check_status(&self, status: &JobStatus) {
        let written = Job {
            status: Some(status.clone()),
            ..self.job.clone()
        };
        let refused = update_status(&written, &self.job);
        assert!(refused.is_empty(), "{refused:#?}");
        let spec = self.job.spec.as_ref().unwrap();
        if let (Some(completions), Some(succeeded)) = (spec.completions, status.succeeded) {
            assert!(succeeded <= completions, "{succeeded} of {completions} succeeded");
        }
        assert!(
            status.succeeded.unwrap_or(0) <= self.succeeded,
            "a success was counted twice"
        );
    }

    /// Lets everything that is at work succeed, and time pass, until nothing is left to do.
    fn settle(&mut self) {
        if let Some(spec) = &mut self.job.spec {
            spec.suspend = Some(false);
        }
        for _ in 0..200 {
            while self.sync(usize::MAX) {
                self.check();
            }
            self.happen(&Chance::Finish { pod: 0 });
            self.happen(&Chance::End {
                pod: 0,
                succeeds: true,
            });
            self.happen(&Chance::Wait { seconds: 601 });
            if self
                .job
                .status
                .as_ref()
                .is_some_and(|status| sealed(status).is_some())
                && self.pods.values().all(|pod| !is_tracked(pod))
            {
                return;
            }
        }
        panic!("the Job never finishes: {self:#?}");
    }
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        6 => prop_oneof![Just(usize::MAX), 0..4_usize].prop_map(Chance::Sync),
        4 => (0..9_usize, any::<bool>()).prop_map(|(pod, succeeds)| Chance::End { pod, succeeds }),
        1 => (0..9_usize).prop_map(|pod| Chance::Delete { pod }),
        2 => (0..9_usize).prop_map(|pod| Chance::Finish { pod }),
        2 => (0..100_i64).prop_map(|seconds| Chance::Wait { seconds }),
        1 => any::<bool>().prop_map(Chance::Suspend),
        1 => (1..6_i32).prop_map(Chance::Scale),
    ]
}

fn spec() -> impl Strategy<Value = Value> {
    let limits = (1..4_i32, 1..6_i32, 0..8_i32);
    (limits, 0..6_u8).prop_map(|((parallelism, completions, backoff_limit), kind)| match kind {
        0 => json!({"parallelism": parallelism, "backoffLimit": backoff_limit}),
        1 => json!({"parallelism": parallelism, "completions": completions, "completionMode": "Indexed", "backoffLimit": backoff_limit}),
        2 => json!({"parallelism": parallelism, "completions": completions, "completionMode": "Indexed", "backoffLimitPerIndex": backoff_limit % 3}),
        3 => json!({"parallelism": completions, "completions": completions, "completionMode": "Indexed", "backoffLimit": backoff_limit}),
        4 => json!({"parallelism": parallelism, "completions": completions, "podReplacementPolicy": "Failed", "backoffLimit": backoff_limit}),
        _ => json!({"parallelism": parallelism, "completions": completions, "backoffLimit": backoff_limit}),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_whatever_happens(spec in spec(), chances in prop::collection::vec(chance(), 0..60)) {
        let mut world = World::new(&spec);
        for chance in &chances {
            world.happen(chance);
        }
        world.settle();
        let status = world.job.status.clone().unwrap();
        let completions = world.job.spec.as_ref().unwrap().completions;
        let complete = status.conditions.iter().flatten().any(|condition| condition.type_ == "Complete");
        if complete && completions.is_some() {
            prop_assert_eq!(status.succeeded, completions);
        }
        prop_assert_eq!(status.active, None);
        prop_assert!(!world.sync(usize::MAX), "a finished Job still has something to do");
    }
}
