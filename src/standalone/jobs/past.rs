//! What is known of pods that a Job had and has no more.
//!
//! Their names are not given again, and how they ended goes on counting for the back-off, as it does in the memory of
//! Kubernetes' controller (`backoff_utils.go`): a pod that somebody deletes is gone as soon as it is counted.
//!
//! DIFFERENCE: a pod that the Job lost in another way, as by its labels, counts as well. So whatever takes a Job's pods away
//! as soon as they are made, they are made ever more seldom, and not without end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::backoff::{End, ended};
use super::conditions::sealed;
use super::objects::Uid;
use super::pods::uid;
use super::wanted::Wanted;

/// How many names of pods that are gone are kept of one Job, the latest. Most pods are counted, and then their names don't
/// come again anyway.
const NAMES_MAX: usize = 64;

/// How many ends are kept of one Job, the latest. The wait is at its longest after seven failures in a row.
const ENDS_MAX: usize = 16;

/// What is left of pods that a Job had: names, and how the latest ended.
#[derive(Debug, Default)]
pub struct Past {
    /// Names that the Job's pods can't have, for pods of others have them.
    avoided: BTreeSet<String>,
    /// Names that pods had that are gone, the latest last.
    spent: VecDeque<String>,
    ends: BTreeMap<Uid, End>,
}

impl Past {
    /// Keeps the name of a pod that is gone from the next one: who waits for it to be gone would take that for it.
    pub(super) fn spend(&mut self, name: String) {
        if self.spent.len() == NAMES_MAX {
            self.spent.pop_front();
        }
        self.spent.push_back(name);
    }

    /// Keeps a name from the next pod that a pod of somebody else has.
    pub(super) fn avoid(&mut self, name: String) {
        self.avoided.insert(name);
    }

    /// The names that no new pod can have.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.avoided.iter().chain(&self.spent).map(String::as_str)
    }

    /// Keeps in mind how pods of a Job have ended, before they are let go.
    pub(super) fn remember<'p>(&mut self, job: &Job, pods: impl Iterator<Item = &'p Pod>) {
        let Some(spec) = job.spec.as_ref().filter(|_| makes_pods(job)) else {
            return;
        };
        let wanted = Wanted::of(spec);
        for pod in pods.filter(|pod| ended(pod, &wanted)) {
            self.note(pod, End::of(pod));
        }
    }

    /// Keeps in mind that the Job has lost a pod, which may not have ended.
    pub(super) fn lose(&mut self, pod: &Pod) {
        self.note(pod, End::of_lost(pod));
    }

    /// The first end that a pod is known to have had counts, and so it does in Kubernetes.
    fn note(&mut self, pod: &Pod, end: End) {
        if self.ends.len() == ENDS_MAX && !self.ends.contains_key(uid(pod)) {
            let earliest = self.ends.iter().min_by_key(|(_, end)| **end);
            let Some((earliest, _)) = earliest.filter(|(_, earliest)| **earliest < end) else {
                return;
            };
            let earliest = earliest.clone();
            self.ends.remove(&earliest);
        }
        self.ends.entry(uid(pod).to_owned()).or_insert(end);
    }

    /// How pods have ended: those that are remembered, and these, each once.
    pub(super) fn ends<'p>(&self, wanted: &Wanted, pods: impl Iterator<Item = &'p Pod>) -> Vec<End> {
        let new = pods.filter(|pod| ended(pod, wanted) && !self.ends.contains_key(uid(pod)));
        let new: Vec<End> = new.map(End::of).collect();
        self.ends.values().copied().chain(new).collect()
    }
}

/// Whether more pods may be made for a Job.
pub(super) fn makes_pods(job: &Job) -> bool {
    job.status.as_ref().and_then(sealed).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_names_are_kept_of_pods_that_are_gone_and_all_of_others() {
        let mut past = Past::default();
        past.avoid("other".to_owned());
        for number in 0..NAMES_MAX + 2 {
            past.spend(number.to_string());
        }
        let spent = (2..NAMES_MAX + 2).map(|number| number.to_string());
        assert!(past.names().eq(["other".to_owned()].into_iter().chain(spent)));
    }
}
