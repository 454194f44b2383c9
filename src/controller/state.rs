//! What happened goes in, tasks come out. No I/O, no clock: everything here can be tested by calling it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use kube::runtime::watcher::Event;

use crate::controller::cache::Cache;
use crate::controller::queue::DueQueue;
use crate::controller::retry;
use crate::cronjob::{JobRef, Key};
use crate::manifest;
use crate::policy::{CLOCK_SLACK, Decision, Memory, Note, Situation, decide};
use crate::schedule::{TimeZones, Timestamp};
use crate::submit::{Carried, JobView};

/// Something to do outside. There is never more than one task of the same CronJob under way.
#[derive(Debug)]
pub enum Task {
    /// Carry a decision out, then call [`State::carried`].
    Submit {
        /// The CronJob.
        key: Key,
        /// As it was when the decision was taken.
        object: Arc<manifest::CronJob>,
        /// What to do.
        decision: Box<Decision>,
    },
    /// Look up Jobs that the status records as active and no watch has shown, then call [`State::looked_up`].
    LookUp {
        /// The CronJob.
        key: Key,
        /// Its missing Jobs.
        jobs: Vec<JobRef>,
    },
}

/// What is known of one CronJob beside the objects themselves.
#[derive(Default)]
struct Standing {
    memory: Memory,
    /// The notes of the last decision: what is said again at once is not told again.
    told: Vec<Note>,
    failures: u32,
    /// Active Jobs that are gone for certain, whatever an answer still says: they were looked up, or the watch showed
    /// it while a task was under way.
    gone: HashSet<String>,
}

/// Everything the controller knows, and what it is to do next.
pub struct State {
    zones: Arc<TimeZones>,
    cache: Cache,
    standing: HashMap<Key, Standing>,
    wakes: DueQueue,
    /// CronJobs to decide on at once.
    dirty: BTreeSet<Key>,
    /// CronJobs with a task under way.
    busy: HashSet<Key>,
    /// When decisions were last asked for.
    asked: Option<Timestamp>,
    cronjobs_listed: Listing<Key>,
    jobs_listed: Listing<String>,
}

/// How far the (re)listing of a watch has come: what was known before and has not been listed is gone.
struct Listing<K> {
    complete: bool,
    unseen: HashSet<K>,
}

impl<K> Default for Listing<K> {
    fn default() -> Self {
        Listing {
            complete: false,
            unseen: HashSet::new(),
        }
    }
}

impl State {
    /// Nothing known, nothing to do.
    pub fn new(zones: Arc<TimeZones>) -> Self {
        State {
            zones,
            cache: Cache::default(),
            standing: HashMap::new(),
            wakes: DueQueue::default(),
            dirty: BTreeSet::new(),
            busy: HashSet::new(),
            asked: None,
            cronjobs_listed: Listing::default(),
            jobs_listed: Listing::default(),
        }
    }

    /// The CronJob watch reports.
    pub fn cronjob_event(&mut self, event: Event<manifest::CronJob>) {
        match event {
            Event::Init => self.cronjobs_listed.unseen = self.cache.keys().cloned().collect(),
            Event::InitApply(object) | Event::Apply(object) => {
                let key = object.key();
                self.cronjobs_listed.unseen.remove(&key);
                if self
                    .cache
                    .entry(&key)
                    .is_some_and(|known| known.object.metadata.uid != object.metadata.uid)
                {
                    self.forget(&key);
                }
                if self.cache.watched_cronjob(&key, object, &self.zones) {
                    self.dirty.insert(key);
                }
            }
            Event::Delete(object) => self.forget(&object.key()),
            Event::InitDone => {
                for key in std::mem::take(&mut self.cronjobs_listed.unseen) {
                    self.forget(&key);
                }
                self.cronjobs_listed.complete = true;
            }
        }
    }

    /// The Job watch reports.
    pub fn job_event(&mut self, event: Event<JobView>) {
        let concerned = match event {
            Event::Init => {
                self.jobs_listed.unseen = self.cache.job_uids().cloned().collect();
                vec![]
            }
            Event::InitApply(job) | Event::Apply(job) => {
                self.jobs_listed.unseen.remove(job.uid());
                self.cache.insert_job(&job)
            }
            Event::Delete(job) => self.lose_job(job.uid()),
            Event::InitDone => {
                self.jobs_listed.complete = true;
                let unseen = std::mem::take(&mut self.jobs_listed.unseen);
                unseen.iter().flat_map(|uid| self.lose_job(uid)).collect()
            }
        };
        self.dirty.extend(
            concerned
                .iter()
                .filter_map(|owner| self.cache.key_of(owner))
                .cloned(),
        );
    }

    /// A Job is gone. The answer to a task that is under way may show it once more, and is not to be believed then.
    fn lose_job(&mut self, uid: &str) -> Vec<String> {
        let owners = self.cache.gone_job(uid);
        for key in owners.iter().filter_map(|owner| self.cache.key_of(owner)) {
            if let Some(standing) = self.standing.get_mut(key)
                && self.busy.contains(key)
            {
                standing.gone.insert(uid.to_owned());
            }
        }
        owners
    }

    /// Takes in a Job that the answer to a task shows.
    fn answered_job(&mut self, key: &Key, job: &JobView) {
        let standing = self.standing.get(key);
        if !standing.is_some_and(|standing| standing.gone.contains(job.uid())) {
            self.cache.insert_job(job);
        }
    }

    /// What came of [`Task::Submit`], at the time `now`.
    pub fn carried(&mut self, key: &Key, carried: Carried, now: Timestamp) {
        self.busy.remove(key);
        if let Some(job) = &carried.job {
            self.answered_job(key, job);
        }
        self.cache.deleted_jobs(carried.deleted);
        if let Some(object) = carried.cronjob {
            self.cache.wrote_cronjob(key, object, &self.zones);
        }
        if carried.gone {
            // Its Jobs are collected as soon as they are created, and their instants would be due again and again.
            self.forget(key);
        }
        self.settle_failure(key, carried.failure.is_some(), now);
    }

    /// What came of [`Task::LookUp`]: the Jobs of `asked` that exist, or `None` when the API server could not be asked.
    pub fn looked_up(&mut self, key: &Key, asked: &[JobRef], found: Option<Vec<JobView>>, now: Timestamp) {
        self.busy.remove(key);
        let failed = found.is_none();
        if let Some(found) = found {
            for job in &found {
                self.answered_job(key, job);
            }
            // A Job that belongs to nobody or to somebody else by now is as good as gone.
            let owner = self.cache.entry(key).map(|entry| entry.cronjob.uid.as_str());
            let is_ours = |job: &JobRef| {
                found
                    .iter()
                    .any(|view| view.uid() == job.uid && view.owner() == owner)
            };
            let missing = asked.iter().filter(|job| !is_ours(job));
            let gone: Vec<String> = missing.map(|job| job.uid.clone()).collect();
            if let Some(standing) = self.standing.get_mut(key) {
                standing.gone.extend(gone);
            }
            self.dirty.insert(key.clone());
        }
        self.settle_failure(key, failed, now);
    }

    fn settle_failure(&mut self, key: &Key, failed: bool, now: Timestamp) {
        let Some(standing) = self.standing.get_mut(key) else {
            return;
        };
        if failed {
            standing.failures += 1;
            self.wakes
                .set_at_latest(key, now + retry::pause(standing.failures));
        } else {
            standing.failures = 0;
        }
    }

    /// When something is to be done although nothing happens.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.next()
    }

    /// The tasks to start at `now`, and what there is to tell. Every decision of the moment is taken before the first
    /// task is started.
    pub fn ready(&mut self, now: Timestamp) -> (Vec<Task>, Vec<(Key, Note)>) {
        let mut news = Vec::new();
        if !(self.cronjobs_listed.complete && self.jobs_listed.complete) {
            return (vec![], news);
        }
        // DIFFERENCE (D11): wake-ups that were computed by a clock that was ahead would come late by as much.
        let before = self.asked.replace(now);
        if before.is_some_and(|before| now + CLOCK_SLACK < before) {
            self.dirty.extend(self.cache.keys().cloned());
        }
        while let Some(key) = self.wakes.pop(now) {
            self.dirty.insert(key);
        }
        let ready: Vec<Key> = self
            .dirty
            .iter()
            .filter(|key| !self.busy.contains(*key))
            .cloned()
            .collect();
        let mut tasks = Vec::new();
        for key in ready {
            self.dirty.remove(&key);
            tasks.extend(self.decide(&key, now, &mut news));
        }
        (tasks, news)
    }

    fn decide(&mut self, key: &Key, now: Timestamp, news: &mut Vec<(Key, Note)>) -> Option<Task> {
        let entry = self.cache.entry(key)?;
        let runs = self.cache.runs(&entry.cronjob.uid);
        let standing = self.standing.entry(key.clone()).or_default();

        let unknown =
            |job: &&JobRef| !standing.gone.contains(&job.uid) && !runs.iter().any(|run| run.uid == job.uid);
        let missing: Vec<JobRef> = entry
            .cronjob
            .status
            .active
            .iter()
            .filter(unknown)
            .cloned()
            .collect();
        if !missing.is_empty() {
            self.busy.insert(key.clone());
            return Some(Task::LookUp {
                key: key.clone(),
                jobs: missing,
            });
        }

        let situation = Situation {
            cronjob: &entry.cronjob,
            runs: &runs,
            memory: &standing.memory,
        };
        let decision = decide(situation, now);
        let fresh = decision.notes.iter().filter(|note| !standing.told.contains(note));
        news.extend(fresh.map(|note| (key.clone(), note.clone())));
        standing.told.clone_from(&decision.notes);
        standing.memory = decision.memory.clone();
        standing.gone.retain(|uid| entry.cronjob.status.is_active(uid));
        self.wakes.set(key, decision.wake);
        if decision.is_nothing(&entry.cronjob.status) {
            standing.failures = 0;
            return None;
        }
        self.busy.insert(key.clone());
        Some(Task::Submit {
            key: key.clone(),
            object: Arc::clone(&entry.object),
            decision: Box::new(decision),
        })
    }

    fn forget(&mut self, key: &Key) {
        self.cache.remove_cronjob(key);
        self.standing.remove(key);
        self.wakes.set(key, None);
        self.dirty.remove(key);
    }
}
