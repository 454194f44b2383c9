//! Counting the pods of a Job, each exactly once.
//!
//! A pod may be deleted by anybody at any time, and counting it and letting it go are two writes. So, as in
//! Kubernetes ("Job termination and cleanup", KEP-2307), a pod carries a finalizer until it is counted:
//!
//! 1. the uid of an ended pod is written to `status.uncountedTerminatedPods`;
//! 2. its finalizer is removed: the pod is *released*;
//! 3. seeing the pod without its finalizer, or gone, the uid is moved into the counters.
//!
//! A crash between any two of these loses nothing and counts nothing twice. The completions of an indexed Job need no
//! uids: `status.completedIndexes` is a set, and adding to it twice does no harm.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::JobStatus;
use k8s_openapi::api::core::v1::Pod;

use super::failure_policy::{Judge, Judgement};
use super::indexed::{fails_index, index_of};
use super::indexes::Indexes;
use super::pods::{is_active, is_ready, is_succeeded, is_terminating, is_tracked, phase, uid};
use super::wanted::Wanted;

/// The pods of a Job, sorted by what they mean for it.
#[derive(Debug)]
pub(super) struct Tally<'p> {
    /// By what those are judged that have failed.
    judge: Judge<'p>,
    /// All of them.
    pub(super) all: Vec<&'p Pod>,
    /// At work, or waiting for it.
    pub(super) active: Vec<&'p Pod>,
    /// Being deleted, and not ended.
    pub(super) terminating: i32,
    /// Active and ready.
    pub(super) ready: i32,
    /// Failed, counted or not.
    pub(super) failed_pods: Vec<&'p Pod>,
    /// How many pods (or indexes) have succeeded in all.
    pub(super) succeeded: i32,
    /// How many pods have failed in all, without the ignored.
    pub(super) failed: i32,
    /// The indexes that have succeeded.
    pub(super) completed_indexes: Indexes,
    /// The indexes that have failed.
    pub(super) failed_indexes: Indexes,
}

impl<'p> Tally<'p> {
    /// Counts. `status` has been settled (see [`settle`]).
    pub(super) fn of(pods: Vec<&'p Pod>, wanted: &Wanted, judge: Judge<'p>, status: &JobStatus) -> Self {
        let active: Vec<&Pod> = pods.iter().copied().filter(|pod| is_active(pod)).collect();
        let ready = count(active.iter().filter(|pod| is_ready(pod)));
        let terminating = count(pods.iter().filter(|pod| is_terminating(pod)));
        let failed_pods: Vec<&Pod> = pods
            .iter()
            .copied()
            .filter(|pod| is_failed(pod, wanted))
            .collect();
        let mut tally = Self {
            judge,
            all: pods,
            active,
            terminating,
            ready,
            failed_pods,
            succeeded: 0,
            failed: 0,
            completed_indexes: Indexes::default(),
            failed_indexes: Indexes::default(),
        };
        tally.count_ended(status, wanted);
        tally
    }

    /// What it means that a pod has failed.
    pub(super) fn judge(&self, pod: &Pod) -> Judgement {
        self.judge.judge(pod)
    }

    fn count_ended(&mut self, status: &JobStatus, wanted: &Wanted) {
        let waiting = Uncounted::of(status);
        let is_new = |pod: &&&Pod| is_tracked(pod) && !waiting.contains(uid(pod)) && valid(pod, wanted);
        let new_succeeded = count(self.all.iter().filter(|pod| is_succeeded(pod)).filter(is_new));
        let counting = |pod: &&&Pod| self.judge(pod) != Judgement::Ignored;
        let new_failed = count(self.failed_pods.iter().filter(is_new).filter(counting));
        self.succeeded = status.succeeded.unwrap_or_default() + size(&waiting.succeeded) + new_succeeded;
        self.failed = status.failed.unwrap_or_default() + size(&waiting.failed) + new_failed;
        if let Some(completions) = wanted.completions.filter(|_| wanted.indexed) {
            self.count_indexes(status, wanted, completions);
            self.succeeded = self.completed_indexes.count();
        }
    }

    fn count_indexes(&mut self, status: &JobStatus, wanted: &Wanted, completions: i32) {
        let read =
            |written: &Option<String>| Indexes::read(written.as_deref().unwrap_or_default(), completions);
        self.completed_indexes = read(&status.completed_indexes);
        for pod in self.all.iter().filter(|pod| is_succeeded(pod) && is_tracked(pod)) {
            if let Some(index) = index_of(pod, completions) {
                self.completed_indexes.insert(index);
            }
        }
        let Some(limit) = wanted.backoff_limit_per_index else {
            return;
        };
        self.failed_indexes = read(&status.failed_indexes);
        for pod in self.failed_pods.iter().filter(|pod| is_tracked(pod)) {
            if let Some(index) =
                index_of(pod, completions).filter(|_| fails_index(pod, &self.judge(pod), limit))
            {
                self.failed_indexes.insert(index);
            }
        }
    }

    /// The indexes that need no new pod: they have an active one, or have succeeded or failed.
    pub(super) fn settled_indexes(&self, completions: i32) -> Indexes {
        let mut settled = self.completed_indexes.clone();
        settled.include(&self.failed_indexes);
        settled.extend(self.active.iter().filter_map(|pod| index_of(pod, completions)));
        settled
    }
}

/// Whether a pod counts as failed. One that is being deleted does, before it has ended, unless the Job replaces only
/// pods that have.
pub(super) fn is_failed(pod: &Pod, wanted: &Wanted) -> bool {
    let deleted = pod.metadata.deletion_timestamp.is_some() && !is_succeeded(pod);
    phase(pod) == "Failed" || (deleted && !wanted.replaces_ended_only)
}

/// Whether the pod can count: one of an indexed Job needs a valid index.
pub(super) fn valid(pod: &Pod, wanted: &Wanted) -> bool {
    match wanted.completions {
        Some(completions) if wanted.indexed => index_of(pod, completions).is_some(),
        _ => true,
    }
}

/// The uids in `status.uncountedTerminatedPods`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Uncounted {
    pub(super) succeeded: Vec<String>,
    pub(super) failed: Vec<String>,
}

impl Uncounted {
    pub(super) fn of(status: &JobStatus) -> Self {
        let lists = status.uncounted_terminated_pods.clone().unwrap_or_default();
        Self {
            succeeded: lists.succeeded.unwrap_or_default(),
            failed: lists.failed.unwrap_or_default(),
        }
    }

    pub(super) fn contains(&self, uid: &str) -> bool {
        self.succeeded
            .iter()
            .chain(&self.failed)
            .any(|listed| listed == uid)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.succeeded.is_empty() && self.failed.is_empty()
    }

    /// How many uids there are.
    pub(super) fn len(&self) -> usize {
        self.succeeded.len() + self.failed.len()
    }

    /// Writes the lists.
    pub(super) fn write(self, status: &mut JobStatus) {
        let list = |uids: Vec<String>| Some(uids).filter(|uids| !uids.is_empty());
        let lists = status.uncounted_terminated_pods.get_or_insert_default();
        lists.succeeded = list(self.succeeded);
        lists.failed = list(self.failed);
    }
}

/// Moves the uids of released pods into the counters: the third step.
pub(super) fn settle(status: &mut JobStatus, pods: &[&Pod]) {
    let tracked: BTreeSet<&str> = pods
        .iter()
        .filter(|pod| is_tracked(pod))
        .map(|pod| uid(pod))
        .collect();
    let mut waiting = Uncounted::of(status);
    let count_released = |uids: &mut Vec<String>, counter: &mut Option<i32>| {
        let before = uids.len();
        uids.retain(|uid| tracked.contains(uid.as_str()));
        add(counter, before - uids.len());
    };
    count_released(&mut waiting.succeeded, &mut status.succeeded);
    count_released(&mut waiting.failed, &mut status.failed);
    waiting.write(status);
}

fn add(counter: &mut Option<i32>, more: usize) {
    if more > 0 {
        let more = i32::try_from(more).unwrap_or(i32::MAX);
        *counter = Some(counter.unwrap_or_default().saturating_add(more));
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}

fn size<T>(items: &[T]) -> i32 {
    count(items.iter())
}
