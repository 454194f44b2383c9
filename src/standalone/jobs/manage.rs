//! How many pods a Job has at work: which to make, which to discard.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::backoff::{self, How};
use super::build::{self, Place};
use super::indexed::{failures_with, last_failed, split_duplicates};
use super::names::Names;
use super::past::Past;
use super::pods::{ended_with_node, finish_time, is_ready, is_terminating, is_tracked, phase, uid};
use super::tally::Tally;
use super::wanted::Wanted;
use crate::schedule::Timestamp;

/// How many pods are made or discarded in one go, so that one Job does not keep the others waiting. Kubernetes has the
/// same limit.
pub(super) const PODS_AT_ONCE: usize = 500;

/// What is to be done about a Job's pods.
#[derive(Debug, Default)]
pub(super) struct Plan<'p> {
    /// To be made.
    pub(super) create: Vec<Pod>,
    /// To be ended without counting: they are too many.
    pub(super) discard: Vec<&'p Pod>,
    /// To be ended because the Job has ended.
    pub(super) end: Vec<&'p Pod>,
    /// The uids of pods to be kept until their index has a new pod.
    pub(super) keep: BTreeSet<String>,
    /// When a back-off has passed.
    pub(super) wake: Option<Timestamp>,
}

/// Makes a plan for a Job whose fate is open; no new pod gets a name that is taken.
pub(super) fn plan<'p>(
    job: &Job,
    wanted: &Wanted,
    tally: &Tally<'p>,
    past: &Past,
    taken: BTreeSet<&str>,
    now: Timestamp,
) -> Plan<'p> {
    let last_failed = kept(wanted, tally);
    let keep = last_failed.values().map(|pod| uid(pod).to_owned()).collect();
    let discard = surplus(wanted, tally);
    if !discard.is_empty() || wanted.suspended {
        return Plan {
            discard,
            keep,
            ..Plan::default()
        };
    }
    let active = i32::try_from(tally.active.len()).unwrap_or(i32::MAX);
    let terminating = if wanted.replaces_ended_only {
        tally.terminating
    } else {
        0
    };
    let missing = wanted
        .active(tally.succeeded, active)
        .saturating_sub(active)
        .saturating_sub(terminating);
    let missing = usize::try_from(missing).unwrap_or(0).min(PODS_AT_ONCE);
    if missing == 0 {
        return Plan {
            keep,
            ..Plan::default()
        };
    }
    let (places, wake) = places(wanted, tally, past, missing, &last_failed, now);
    let counted = u64::try_from(i64::from(tally.succeeded) + i64::from(tally.failed)).unwrap_or_default();
    let (job_name, job_uid) = (job.metadata.name.as_deref(), job.metadata.uid.as_deref());
    let mut names = Names::new(
        job_name.unwrap_or_default(),
        job_uid.unwrap_or_default(),
        taken,
        counted,
    );
    let create = places
        .into_iter()
        .map(|place| build::pod(job, names.deal(place.map(|place| place.index)), place))
        .collect();
    // A pod that is replaced now has handed its count over, and need not be kept once its successor is seen.
    Plan {
        create,
        keep,
        wake,
        ..Plan::default()
    }
}

type LastFailed<'p> = std::collections::BTreeMap<i32, &'p Pod>;

/// With back-off by index: the failed pods whose indexes have no new pod yet.
fn kept<'p>(wanted: &Wanted, tally: &Tally<'p>) -> LastFailed<'p> {
    let Some(completions) = wanted
        .completions
        .filter(|_| wanted.indexed && wanted.backoff_limit_per_index.is_some())
    else {
        return LastFailed::new();
    };
    let tracked = tally.failed_pods.iter().copied().filter(|pod| is_tracked(pod));
    last_failed(tracked, completions, &tally.settled_indexes(completions))
}

/// The pods that are too many: those that have come the least far first.
fn surplus<'p>(wanted: &Wanted, tally: &Tally<'p>) -> Vec<&'p Pod> {
    let mut active = tally.active.clone();
    active.sort_by_key(|pod| {
        let age = pod
            .metadata
            .creation_timestamp
            .as_ref()
            .map(|created| std::cmp::Reverse(created.0));
        (phase(pod) == "Running", is_ready(pod), age)
    });
    if wanted.suspended {
        return active;
    }
    let count = i32::try_from(active.len()).unwrap_or(i32::MAX);
    let too_many = count.saturating_sub(wanted.active(tally.succeeded, count));
    let too_many = usize::try_from(too_many).unwrap_or(0);
    let (mut kept, mut surplus) = match wanted.completions {
        Some(completions) if wanted.indexed => split_duplicates(active, completions),
        _ => (active, Vec::new()),
    };
    let more = too_many.saturating_sub(surplus.len()).min(kept.len());
    surplus.extend(kept.drain(..more));
    surplus.truncate(PODS_AT_ONCE);
    surplus
}

/// Where the missing pods go, and when to look again if a back-off has not passed.
fn places(
    wanted: &Wanted,
    tally: &Tally<'_>,
    past: &Past,
    missing: usize,
    last_failed: &LastFailed<'_>,
    now: Timestamp,
) -> (Vec<Option<Place>>, Option<Timestamp>) {
    let mut ends = past.ends(wanted, tally.all.iter().copied());
    if wanted.backoff_limit_per_index.is_some() {
        // A failure holds up its own index only.
        ends.retain(|end| end.how != How::Failed);
    }
    if let Some(wake) = backoff::next_start(ends).filter(|wake| *wake > now) {
        return (Vec::new(), Some(wake));
    }
    let Some(completions) = wanted.completions.filter(|_| wanted.indexed) else {
        return (vec![None; missing], None);
    };
    let mut wake: Option<Timestamp> = None;
    let mut places = Vec::new();
    for index in free_indexes(wanted, tally, missing, completions) {
        let predecessor = last_failed.get(&index).copied();
        let ready = predecessor.map(|pod| ready_again(tally, pod));
        if let Some(ready) = ready.filter(|ready| *ready > now) {
            wake = wake.into_iter().chain([ready]).min();
            continue;
        }
        let failures = wanted
            .backoff_limit_per_index
            .map(|_| predecessor.map_or((0, 0), |pod| failures_with(pod, &tally.judge(pod))));
        places.push(Some(Place { index, failures }));
    }
    (places, wake)
}

/// The lowest indexes that need a pod: at most so many of them.
fn free_indexes(wanted: &Wanted, tally: &Tally<'_>, missing: usize, completions: i32) -> Vec<i32> {
    let mut taken = tally.settled_indexes(completions);
    if wanted.replaces_ended_only {
        let terminating = tally.all.iter().filter(|pod| is_terminating(pod));
        taken.extend(terminating.filter_map(|pod| super::indexed::index_of(pod, completions)));
    }
    taken.missing(completions).take(missing).collect()
}

/// When the successor of a failed pod may be made, where back-offs are counted by index.
fn ready_again(tally: &Tally<'_>, pod: &Pod) -> Timestamp {
    if ended_with_node(pod) {
        return finish_time(pod);
    }
    let (counting, ignored) = failures_with(pod, &tally.judge(pod));
    let failures = u32::try_from(counting.saturating_add(ignored)).unwrap_or_default();
    finish_time(pod) + backoff::wait(failures)
}
