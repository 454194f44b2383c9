//! What the controller knows of the API: Jobs, and pods by the Job that owns them.
//!
//! A watch tells of a write only after a while. A controller that decides on what it saw before its own last write
//! would make pods twice; Kubernetes keeps a book of "expectations" against that. Here every answer to a write of our
//! own is put into the view at once, so the view is never older than what we did ourselves; and should it be (an answer
//! that was lost), the name of the next pod is known beforehand and the API refuses to make it twice (`names`).
//!
//! An answer may also come later than the watch. Revisions tell: an answer that is not newer than the newest thing
//! the watch has told is known already, or has been overtaken.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::runtime::watcher::Event;

use super::claim::may_adopt;
use super::conditions::sealed;
use super::key::JobKey;
use super::objects::{Heard, Objects, Uid, uid};

/// How many names of pods that are gone are kept of one Job. Most pods are counted, and then their names don't come again
/// anyway.
const NAMES_SPENT: usize = 64;

/// The Jobs and pods that there are, as far as the controller knows.
#[derive(Debug, Default)]
pub(super) struct View {
    jobs: Objects<Job>,
    pods: Objects<Pod>,
    /// The pods of each Job, and of nobody, by name.
    by_owner: HashMap<JobKey, BTreeMap<String, Uid>>,
    /// Names that a Job's pods can't have: pods of others have them, or its own had them that are gone.
    spent: HashMap<JobKey, BTreeSet<String>>,
}

impl View {
    /// Whether both kinds have been listed: before that, what is missing is not known to be missing.
    pub(super) fn is_complete(&self) -> bool {
        self.jobs.complete && self.pods.complete
    }

    /// Takes an event on a Job in. The Jobs to look at.
    pub(super) fn hear_job(&mut self, event: Event<Job>) -> Vec<JobKey> {
        let done = matches!(event, Event::InitDone);
        let heard = self.jobs.hear(event);
        let mut dirty = self.note_jobs(heard);
        if done {
            dirty.extend(self.everyone());
        }
        dirty
    }

    /// Takes an event on a pod in. The Jobs to look at.
    pub(super) fn hear_pod(&mut self, event: Event<Pod>) -> Vec<JobKey> {
        let done = matches!(event, Event::InitDone);
        let heard = self.pods.hear(event);
        let mut dirty = self.note_pods(heard);
        if done {
            dirty.extend(self.everyone());
        }
        dirty
    }

    /// Takes a Job in that a write of our own has answered with.
    pub(super) fn answer_job(&mut self, job: Job) -> Vec<JobKey> {
        let heard = self.jobs.answer(job);
        self.note_jobs(heard)
    }

    /// Takes a pod in that a write of our own has answered with.
    pub(super) fn answer_pod(&mut self, pod: Pod) -> Vec<JobKey> {
        let heard = self.pods.answer(pod);
        self.note_pods(heard)
    }

    /// Notes that a name for a pod of this Job is taken by another's.
    pub(super) fn name_taken(&mut self, job: &JobKey, pod: &Pod) {
        let spent = self.spent.entry(job.clone()).or_default();
        spent.insert(pod.name_any());
    }

    /// The names that no pod of this Job can have, beside those of its pods.
    pub(super) fn spent(&self, job: &JobKey) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.spent.get(job).unwrap_or(&NONE)
    }

    /// This Job.
    pub(super) fn job(&self, key: &JobKey) -> Option<&Arc<Job>> {
        let job = self.jobs.by_uid.get(key.uid.as_ref()?);
        job.filter(|job| job.metadata.namespace.as_deref().unwrap_or_default() == key.namespace)
    }

    /// The pods that concern this Job: its own, and those that it could take over.
    pub(super) fn pods(&self, key: &JobKey) -> Vec<&Pod> {
        let mut pods: Vec<&Pod> = self.of(key).collect();
        if let Some(job) = self.job(key) {
            pods.extend(self.of(&key.nobody()).filter(|pod| may_adopt(job, pod)));
        }
        pods
    }

    /// The pods that have this owner.
    fn of(&self, owner: &JobKey) -> impl Iterator<Item = &Pod> {
        let pods = self.by_owner.get(owner).into_iter().flat_map(BTreeMap::values);
        pods.filter_map(|pod| self.pods.by_uid.get(pod)).map(|pod| &**pod)
    }

    /// The Jobs that could take a pod over.
    fn selecting(&self, pod: &Pod) -> impl Iterator<Item = JobKey> {
        let jobs = self.jobs.by_uid.values();
        jobs.filter(move |job| may_adopt(job, pod))
            .map(|job| JobKey::of(job))
    }

    /// Whether there is a Job that could take a pod over.
    pub(super) fn is_selected(&self, pod: &Pod) -> bool {
        self.selecting(pod).next().is_some()
    }

    /// All Jobs, and all that pods say they belong to.
    fn everyone(&self) -> Vec<JobKey> {
        let jobs = self.jobs.by_uid.values().map(|job| JobKey::of(job));
        jobs.chain(self.by_owner.keys().cloned()).collect()
    }

    fn note_jobs(&mut self, heard: Vec<Heard<Job>>) -> Vec<JobKey> {
        let mut dirty = Vec::new();
        for heard in heard {
            match heard {
                Heard::Known { now, .. } => dirty.push(JobKey::of(&now)),
                Heard::Gone(job) => {
                    let job = JobKey::of(&job);
                    self.spent.remove(&job);
                    dirty.push(job);
                }
            }
        }
        dirty
    }

    fn note_pods(&mut self, heard: Vec<Heard<Pod>>) -> Vec<JobKey> {
        let mut dirty = Vec::new();
        for heard in heard {
            match heard {
                Heard::Known { now, before } => {
                    let owner = JobKey::owner_of(&now);
                    if let Some(before) = before.filter(|before| JobKey::owner_of(before) != owner) {
                        dirty.push(self.part(&before));
                    }
                    if owner.is_nobody() {
                        dirty.extend(self.selecting(&now));
                    }
                    self.by_owner
                        .entry(owner.clone())
                        .or_default()
                        .insert(now.name_any(), uid(&*now));
                    dirty.push(owner);
                }
                Heard::Gone(pod) => {
                    let owner = self.part(&pod);
                    self.spend(&owner, &pod);
                    dirty.push(owner);
                }
            }
        }
        dirty
    }

    /// Keeps the name of a pod that is gone from the next one: who waits for it to be gone would take that for it.
    fn spend(&mut self, job: &JobKey, pod: &Pod) {
        let status = self.job(job).map(|job| job.status.as_ref());
        let makes_more = status.is_some_and(|status| status.and_then(sealed).is_none());
        if makes_more && self.spent(job).len() < NAMES_SPENT {
            self.name_taken(job, pod);
        }
    }

    /// Takes a pod from the Job that it was known under, and tells which that is.
    fn part(&mut self, pod: &Pod) -> JobKey {
        let (owner, name) = (JobKey::owner_of(pod), pod.name_any());
        if let Some(pods) = self.by_owner.get_mut(&owner) {
            // A pod of the same name may have come after it.
            if pods.get(&name) == Some(&uid(pod)) {
                pods.remove(&name);
            }
            if pods.is_empty() {
                self.by_owner.remove(&owner);
            }
        }
        owner
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::objects::revision;
    use super::*;

    fn job() -> Job {
        serde_json::from_value(json!({"metadata": {"name": "report", "uid": "j", "resourceVersion": "1"}}))
            .unwrap()
    }

    fn key() -> JobKey {
        JobKey::of(&job())
    }

    fn pod(uid: &str, name: &str, revision: u64) -> Pod {
        let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": "report", "uid": "j", "controller": true});
        let metadata = json!({
            "name": name, "uid": uid, "resourceVersion": revision.to_string(), "ownerReferences": [owner],
        });
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    }

    /// A view of one Job and these pods.
    fn view(pods: &[Pod]) -> View {
        let mut view = View::default();
        view.hear_job(Event::Init);
        view.hear_job(Event::InitApply(job()));
        view.hear_job(Event::InitDone);
        view.hear_pod(Event::Init);
        for pod in pods {
            view.hear_pod(Event::InitApply(pod.clone()));
        }
        view.hear_pod(Event::InitDone);
        view
    }

    /// The pods of the Job: uid and revision.
    fn seen(view: &View) -> String {
        let told = view
            .pods(&key())
            .into_iter()
            .map(|pod| format!("{}@{}", uid(pod), revision(pod)));
        told.collect::<Vec<_>>().join(" ")
    }

    /// The names that the Job's pods have, or can't have.
    fn names(view: &View) -> Vec<String> {
        let of_pods = view.pods(&key()).into_iter().map(ResourceExt::name_any);
        of_pods.chain(view.spent(&key()).iter().cloned()).collect()
    }

    #[test]
    fn an_answer_is_seen_before_the_watch_tells_of_it() {
        let mut view = view(&[]);
        assert_eq!(view.answer_pod(pod("a", "p-1", 5)), [key()]);
        assert_eq!(seen(&view), "a@5");
        view.hear_pod(Event::Apply(pod("a", "p-1", 5)));
        assert_eq!(seen(&view), "a@5");
    }

    #[test]
    fn an_answer_that_the_watch_has_overtaken_changes_nothing() {
        let mut view = view(&[]);
        view.hear_pod(Event::Apply(pod("a", "p-1", 5)));
        view.hear_pod(Event::Delete(pod("a", "p-1", 6)));
        assert!(view.answer_pod(pod("a", "p-1", 5)).is_empty());
        assert_eq!(seen(&view), "");
    }

    #[test]
    fn the_watch_does_not_take_back_what_we_did_since() {
        let mut view = view(&[pod("a", "p-1", 3)]);
        view.answer_pod(pod("a", "p-1", 9));
        view.hear_pod(Event::Apply(pod("a", "p-1", 7)));
        assert_eq!(seen(&view), "a@9");
    }

    #[test]
    fn a_pod_that_is_missing_from_a_new_list_is_gone() {
        let mut view = view(&[pod("a", "p-1", 3), pod("b", "p-2", 4)]);
        view.hear_pod(Event::Init);
        view.hear_pod(Event::InitApply(pod("b", "p-2", 4)));
        assert_eq!(
            seen(&view),
            "a@3 b@4",
            "a list that is not whole says nothing of what is missing"
        );
        view.hear_pod(Event::InitDone);
        assert_eq!(seen(&view), "b@4");
    }

    #[test]
    fn a_pod_of_the_same_name_may_come_before_the_first_is_known_to_be_gone() {
        let mut view = view(&[pod("a", "p-1", 3)]);
        view.answer_pod(pod("b", "p-1", 8));
        view.hear_pod(Event::Delete(pod("a", "p-1", 7)));
        assert_eq!(seen(&view), "b@8");
    }

    #[test]
    fn a_pod_that_names_a_job_of_another_namespace_is_not_its_own() {
        let mut copy = pod("b", "p-1", 4);
        copy.metadata.namespace = Some("elsewhere".to_owned());
        let elsewhere = JobKey::owner_of(&copy);
        let view = view(&[pod("a", "p-1", 3), copy]);
        assert_eq!(seen(&view), "a@3");
        assert!(view.job(&elsewhere).is_none());
        assert_eq!(view.pods(&elsewhere).len(), 1, "it is known, and let go");
    }

    #[test]
    fn the_name_of_a_pod_that_is_gone_is_not_given_again() {
        let mut view = view(&[pod("a", "p-1", 3)]);
        view.hear_pod(Event::Delete(pod("a", "p-1", 4)));
        assert_eq!(names(&view), ["p-1"]);
        assert_eq!(seen(&view), "", "nothing but the name counts of it");
        view.hear_job(Event::Delete(job()));
        assert!(names(&view).is_empty());
    }

    #[test]
    fn nothing_is_decided_before_both_kinds_are_known() {
        let mut view = View::default();
        view.hear_job(Event::InitDone);
        assert!(!view.is_complete());
        view.hear_pod(Event::InitDone);
        assert!(view.is_complete());
    }

    #[test]
    fn a_name_that_another_has_is_kept_from_the_job() {
        let mut view = view(&[pod("a", "p-1", 3)]);
        view.name_taken(&key(), &pod("x", "p-2", 1));
        assert_eq!(names(&view), ["p-1", "p-2"]);
        assert_eq!(seen(&view), "a@3", "nothing but the name counts of the other");
        view.hear_job(Event::Delete(job()));
        assert_eq!(names(&view), ["p-1"]);
    }

    #[test]
    fn a_job_hears_of_the_pods_that_its_selector_means_and_of_those_it_lost() {
        let mut view = view(&[]);
        let mut job = job();
        job.metadata.resource_version = Some("2".to_owned());
        job.spec =
            serde_json::from_value(json!({"selector": {"matchLabels": {"job": "report"}}, "template": {}}))
                .unwrap();
        view.hear_job(Event::Apply(job));
        let mut free = pod("a", "p-1", 5);
        free.metadata.owner_references = None;
        free.metadata.labels = Some([("job".to_owned(), "report".to_owned())].into());
        assert_eq!(view.hear_pod(Event::Apply(free.clone())), [key(), key().nobody()]);
        assert_eq!(seen(&view), "a@5");
        assert!(view.is_selected(&free));
        assert_eq!(view.answer_pod(pod("a", "p-1", 6)), [key().nobody(), key()]);
        assert_eq!(seen(&view), "a@6");
        free.metadata.resource_version = Some("7".to_owned());
        free.metadata.labels = None;
        assert_eq!(view.hear_pod(Event::Apply(free)), [key(), key().nobody()]);
        assert_eq!(seen(&view), "");
    }
}
