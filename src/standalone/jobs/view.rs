//! What the controller knows of the API: Jobs, and pods by the Job that owns them.
//!
//! A watch tells of a write only after a while. A controller that decides on what it saw before its own last write
//! would make pods twice; Kubernetes keeps a book of "expectations" against that. Here every answer to a write of our
//! own is put into the view at once, so the view is never older than what we did ourselves; and should it be (an answer
//! that was lost), the name of the next pod is known beforehand and the API refuses to make it twice (`names`).
//!
//! An answer may also come later than the watch. Revisions tell: an answer that is not newer than the newest thing
//! the watch has told is known already, or has been overtaken.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::runtime::watcher::Event;

use super::claim::may_adopt;
use super::key::JobKey;
use super::objects::{Heard, Objects, Uid, uid};
use super::past::{Past, makes_pods};

/// The Jobs and pods that there are, as far as the controller knows.
#[derive(Debug, Default)]
pub(super) struct View {
    jobs: Objects<Job>,
    pods: Objects<Pod>,
    /// The pods of each Job, and of nobody, by name.
    by_owner: HashMap<JobKey, BTreeMap<String, Uid>>,
    /// What is known of the pods that a Job had, while it may make more.
    past: HashMap<JobKey, Past>,
}

/// When something was asked of the API: after how many lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    jobs: u64,
    pods: u64,
}

impl View {
    /// When something is asked for now.
    pub(super) fn asked(&self) -> Asked {
        Asked {
            jobs: self.jobs.lists,
            pods: self.pods.lists,
        }
    }

    /// Whether both kinds have been listed: before that, what is missing is not known to be missing.
    pub(super) fn is_complete(&self) -> bool {
        self.jobs.lists > 0 && self.pods.lists > 0
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
    pub(super) fn answer_job(&mut self, job: Job, asked: Asked) -> Vec<JobKey> {
        let heard = self.jobs.answer(job, asked.jobs);
        self.note_jobs(heard)
    }

    /// Takes a pod in that a write of our own has answered with.
    pub(super) fn answer_pod(&mut self, pod: Pod, asked: Asked) -> Vec<JobKey> {
        let heard = self.pods.answer(pod, asked.pods);
        self.note_pods(heard)
    }

    /// Notes that a name for a pod of this Job is taken by another's.
    pub(super) fn name_taken(&mut self, job: &JobKey, pod: &Pod) {
        if let Some(past) = self.past_of(job) {
            past.avoid(pod.name_any());
        }
    }

    /// Keeps in mind how the pods of a Job have ended, if it may make more.
    pub(super) fn remember(&mut self, job: &Job) {
        if !makes_pods(job) {
            return;
        }
        let key = JobKey::of(job);
        let mut past = self.past.remove(&key).unwrap_or_default();
        past.remember(job, self.of(&key));
        self.past.insert(key, past);
    }

    /// What is known of the pods that this Job had.
    pub(super) fn past(&self, job: &JobKey) -> Option<&Past> {
        self.past.get(job)
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
                Heard::Known { now, .. } => {
                    if !makes_pods(&now) {
                        self.past.remove(&JobKey::of(&now));
                    }
                    dirty.push(JobKey::of(&now));
                }
                Heard::Gone(job) => {
                    let job = JobKey::of(&job);
                    self.past.remove(&job);
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
                        let owner = self.part(&before);
                        if let Some(past) = self.past_of(&owner) {
                            past.lose(&before);
                        }
                        dirty.push(owner);
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
                    if let Some(past) = self.past_of(&owner) {
                        past.spend(pod.name_any());
                    }
                    dirty.push(owner);
                }
            }
        }
        dirty
    }

    /// What is known of the pods that a Job had, if it may make more.
    fn past_of(&mut self, key: &JobKey) -> Option<&mut Past> {
        let makes_more = self.job(key).is_some_and(|job| makes_pods(job));
        makes_more.then(|| self.past.entry(key.clone()).or_default())
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
