//! What happened goes in, tasks come out. No I/O, no clock: everything here can be tested by calling it.

mod calendars;
mod groups;
mod leadership;
mod observe;
mod pacing;
mod shadowing;
mod standing;
mod task;
mod under_way;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::controller::cache::Cache;
use crate::controller::charge::Charge;
use crate::controller::early::EarlyJobs;
use crate::controller::listing::Listings;
use crate::controller::pace::Pacer;
use crate::controller::queue::DueQueue;
use crate::controller::state::shadowing::Shadowing;
use crate::controller::upcoming::Upcoming;
use crate::controller::{retry, rival};
use crate::cronjob::extension::ExtensionError;
use crate::cronjob::{Calendars, JobRef, Key};
use crate::manifest::Adoption;
use crate::policy::{CLOCK_SLACK, Note, Pods, SeenSchedule, Situation, Unrecorded, decide_in_group};
use crate::schedule::{TimeZones, Timestamp};
use crate::submit::{Carried, JobView, Retry};
use crate::telemetry::Wellbeing;

use standing::{Attempt, Standing};
pub use task::{News, Task};
use under_way::Busy;

/// Everything the controller knows, and what it is to do next.
pub struct State {
    zones: Arc<TimeZones>,
    adoption: Adoption,
    cache: Cache,
    standing: HashMap<Key, Standing>,
    wakes: DueQueue,
    /// Starts that wait for their turn, where there is a limit on them.
    pacer: Option<Pacer>,
    /// Where others act and this controller only looks on.
    shadowing: Option<Shadowing>,
    /// CronJobs to decide on at once.
    dirty: BTreeSet<Key>,
    /// CronJobs with a task under way.
    busy: HashMap<Key, Busy>,
    /// When decisions were last asked for.
    asked: Option<Timestamp>,
    /// Jobs that were shown before their CronJobs.
    early: EarlyJobs,
    /// What the watches showed and is to be told.
    noticed: Vec<News>,
    /// What is wrong with annotations and was told.
    mistakes: HashMap<Key, Vec<ExtensionError>>,
    /// How CronJobs are doing that have changed.
    wellbeing: BTreeMap<Key, Option<Wellbeing>>,
    cronjobs_listed: Listings<Key>,
    jobs_listed: Listings<String>,
    calendars_listed: Listings<Key>,
}

impl State {
    /// Nothing known, nothing to do.
    pub fn new(zones: Arc<TimeZones>, charge: &Charge) -> Self {
        let scopes = charge.scopes();
        State {
            zones,
            adoption: charge.adoption,
            cache: Cache::new(Calendars::new(charge.calendars, charge.calendars_in.clone())),
            standing: HashMap::new(),
            wakes: DueQueue::default(),
            pacer: None,
            shadowing: None,
            dirty: BTreeSet::new(),
            busy: HashMap::new(),
            asked: None,
            early: EarlyJobs::default(),
            noticed: Vec::new(),
            mistakes: HashMap::new(),
            wellbeing: BTreeMap::new(),
            cronjobs_listed: Listings::new(&scopes),
            jobs_listed: Listings::new(&scopes),
            calendars_listed: Listings::new(&charge.calendar_scopes()),
        }
    }

    /// Takes over which schedules an earlier controller saw.
    pub fn remember(&mut self, seen: impl IntoIterator<Item = (Key, SeenSchedule)>) {
        for (key, schedule) in seen {
            self.standing.entry(key).or_default().memory.schedule = Some(schedule);
        }
    }

    /// Whether everything that is watched has been listed once. Nothing is decided before.
    pub fn is_synced(&self) -> bool {
        self.cronjobs_listed.are_complete() && self.jobs_listed.are_complete()
    }

    /// Takes in a Job that the answer to a task shows, unless it may be gone since: then it is looked up first.
    fn answered_job(&mut self, key: &Key, job: &JobView) {
        let relisted = self.busy.get(key).is_some_and(|busy| busy.relisted);
        let is_gone = |standing: &Standing| standing.gone.contains(job.uid());
        let doubtful = relisted && !self.cache.knows_job(job.uid());
        if !doubtful && !self.standing.get(key).is_some_and(is_gone) {
            self.saw_job(job);
        }
    }

    /// What came of [`Task::Submit`] about the CronJob with the UID `uid`, at the time `now`.
    pub fn carried(&mut self, key: &Key, uid: &str, carried: Carried, now: Timestamp) {
        if let Some(job) = &carried.job {
            self.answered_job(key, job);
        }
        self.end_task(key);
        if self
            .cache
            .entry(key)
            .is_some_and(|entry| entry.cronjob.uid != uid)
        {
            // Another CronJob has the name by now, about which this says nothing.
            return self.mark(key.clone());
        }
        if let Some(job) = &carried.job {
            if let Some(standing) = self.standing.get_mut(key) {
                standing.attempt = None;
            }
            if carried.cronjob.is_none() {
                self.could_not_record(key, job);
            }
        }
        self.cache.deleted_jobs(carried.deleted);
        if let Some(object) = carried.cronjob.or(carried.outrun_by) {
            self.cache.wrote_cronjob(key, object, &self.zones);
        }
        if carried.gone {
            // Its Jobs are collected as soon as they are created, and their instants would be due again and again.
            self.forget(key);
        }
        self.settle(key, carried.trouble.map(|trouble| trouble.retry), now);
    }

    /// What came of a task is not known.
    pub fn gave_up(&mut self, key: &Key, now: Timestamp) {
        self.end_task(key);
        self.settle(key, Some(Retry::Backoff), now);
    }

    /// What became of a decision, for its slot in a group and for when it is tried again.
    fn settle(&mut self, key: &Key, failed: Option<Retry>, now: Timestamp) {
        if let Some(standing) = self.standing.get_mut(key) {
            standing.settle_claim(failed.is_some(), now);
        }
        self.mark_waiting(key);
        self.settle_failure(key, failed, now);
    }

    /// How often in a row a CronJob could not be dealt with.
    pub fn failures(&self, key: &Key) -> u32 {
        self.standing.get(key).map_or(0, |standing| standing.failures)
    }

    /// The run was started or found, and the write that would say so failed.
    fn could_not_record(&mut self, key: &Key, job: &JobView) {
        if let Some(standing) = self.standing.get_mut(key)
            && let Some(scheduled) = job.scheduled(&key.name)
        {
            standing.memory.remember_start(Unrecorded {
                job: job.uid().to_owned(),
                scheduled,
            });
        }
    }

    /// What came of [`Task::LookUp`]: the Jobs of `asked` that exist, or `None` when the API server could not be asked.
    pub fn looked_up(&mut self, key: &Key, asked: &[JobRef], found: Option<Vec<JobView>>, now: Timestamp) {
        let failed = found.is_none().then_some(Retry::Backoff);
        for job in found.iter().flatten() {
            self.answered_job(key, job);
        }
        self.end_task(key);
        if let Some(found) = found {
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
            self.mark(key.clone());
        }
        self.settle_failure(key, failed, now);
    }

    /// What came of [`Task::LookAt`]; `None` when the API server could not be asked.
    pub fn looked_at(&mut self, key: &Key, pods: Option<Vec<Pods>>, now: Timestamp) {
        self.end_task(key);
        let failed = pods.is_none().then_some(Retry::Backoff);
        if let (Some(pods), Some(standing)) = (pods, self.standing.get_mut(key)) {
            standing.memory.pods.extend(pods);
            self.mark(key.clone());
        }
        self.settle_failure(key, failed, now);
    }

    fn settle_failure(&mut self, key: &Key, failed: Option<Retry>, now: Timestamp) {
        let Some(standing) = self.standing.get_mut(key) else {
            return;
        };
        let Some(retry) = failed else {
            standing.recover();
            return;
        };
        standing.failures += 1;
        let again = now + retry::pause(retry, standing.failures, key);
        let deadline = standing.attempt.and_then(|attempt| attempt.deadline);
        let again = retry::not_too_late(again, deadline, now);
        standing.failed(again, retry != Retry::Backoff);
        self.wakes.set_at_latest(key, again);
    }

    /// When something is to be done although nothing happens.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let wakes = [self.wakes.next(), self.next_release(), self.next_comparison()];
        wakes.into_iter().flatten().min()
    }

    /// What will be due next.
    pub fn upcoming(&self) -> Option<Upcoming> {
        self.wakes.upcoming()
    }

    /// The tasks to start at `now`, the oldest due first, and what there is to tell. Every decision of the moment is taken
    /// before the first task is started.
    pub fn ready(&mut self, now: Timestamp) -> (Vec<Task>, Vec<News>) {
        if !self.is_synced() {
            return (vec![], vec![]);
        }
        let mut news = self.what_was_noticed(now);
        // DIFFERENCE (D11): wake-ups that were computed by a clock that was ahead would come late by as much.
        let before = self.asked.replace(now);
        if before.is_some_and(|before| now + CLOCK_SLACK < before) {
            let everybody: Vec<Key> = self.cache.keys().cloned().collect();
            for key in everybody {
                self.mark(key);
            }
            for standing in self.standing.values_mut() {
                standing.recover();
            }
        }
        while let Some(key) = self.wakes.pop(now) {
            self.mark(key);
        }
        let mut tasks = Vec::new();
        let dirty = std::mem::take(&mut self.dirty).into_iter().collect();
        for key in self.in_order(dirty, now) {
            match self.patient_until(&key).filter(|until| *until > now) {
                Some(until) => self.wakes.set_at_latest(&key, until),
                None => tasks.extend(self.decide(&key, now, None, &mut news)),
            }
        }
        tasks.extend(self.release(now, &mut news));
        tasks.sort_by_key(Task::scheduled);
        self.compare(now);
        (tasks, news)
    }

    fn patient_until(&self, key: &Key) -> Option<Timestamp> {
        self.standing.get(key)?.patient_until
    }

    /// What the watches showed. A rival is told of once in a while only, and nothing of Jobs whose CronJob is none of ours.
    fn what_was_noticed(&mut self, now: Timestamp) -> Vec<News> {
        let mut noticed = std::mem::take(&mut self.noticed);
        noticed.retain(|news| match news.note {
            Note::MalformedJob { .. } => {
                let owner = self
                    .cache
                    .entry(&news.cronjob)
                    .map(|entry| &entry.object.metadata);
                owner.is_some_and(|owner| owner.uid.as_ref() == Some(&news.uid))
            }
            Note::OtherController { .. } => {
                let Some(standing) = self.standing.get_mut(&news.cronjob) else {
                    return true;
                };
                let told = standing.rival_told.filter(|told| now - *told < rival::TELL_EVERY);
                standing.rival_told = told.or(Some(now));
                told.is_none()
            }
            _ => true,
        });
        noticed
    }

    /// How those CronJobs are doing that were decided on since the last call; `None` for those that are gone.
    pub fn take_wellbeing(&mut self) -> BTreeMap<Key, Option<Wellbeing>> {
        std::mem::take(&mut self.wellbeing)
    }

    /// How many CronJobs wait for what was decided to be carried out.
    pub fn backlog(&self) -> usize {
        self.busy.len()
    }

    /// How many CronJobs wait for their turn, where there is a limit on the rate of starts.
    pub fn held_back(&self) -> usize {
        self.pacer.as_ref().map_or(0, Pacer::len)
    }

    /// How many CronJobs wait for a success that is overdue.
    pub fn overdue(&self) -> usize {
        let standings = self.standing.values();
        standings
            .filter(|standing| standing.memory.overdue.is_some())
            .count()
    }

    /// Decides on one CronJob. Its start is held back where there is a pace, unless its turn has come: then `turn` says
    /// how long it waited.
    fn decide(
        &mut self,
        key: &Key,
        now: Timestamp,
        turn: Option<TimeDelta>,
        news: &mut Vec<News>,
    ) -> Option<Task> {
        let group = self.group_of(key, now);
        let entry = self.cache.entry(key)?;
        if entry.names_calendars() && !self.calendars_listed.are_complete() {
            return None;
        }
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
            self.busy.insert(key.clone(), Busy::default());
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
        let mut decision = decide_in_group(situation, &group, now);
        if !decision.look_at.is_empty() && self.shadowing.is_none() {
            self.busy.insert(key.clone(), Busy::default());
            return Some(Task::LookAt {
                key: key.clone(),
                jobs: decision.look_at,
            });
        }
        standing.claim(&decision);
        let wellbeing = Wellbeing {
            suspended: entry.cronjob.spec.is_suspended(now),
            held: decision.notes.iter().any(Note::is_about_unusable),
            failing: standing.streak.observe(&entry.cronjob, &runs),
            expected_success: decision.expected_success,
            last_success: entry.cronjob.status.last_successful_time,
            next_due: entry.cronjob.next_due(now),
        };
        self.wellbeing.insert(key.clone(), Some(wellbeing));
        let is_fresh = |note: &&Note| !standing.told.iter().any(|before| note.repeats(before));
        let fresh = decision.notes.iter().filter(is_fresh);
        news.extend(fresh.map(|note| News {
            cronjob: key.clone(),
            uid: entry.cronjob.uid.clone(),
            note: note.clone(),
        }));
        standing.told.clone_from(&decision.notes);
        standing.memory = decision.memory.clone();
        standing.gone.retain(|uid| entry.cronjob.status.is_active(uid));
        let (object, recorded) = (Arc::clone(&entry.object), entry.cronjob.status.clone());
        self.wakes.set(key, decision.wake);
        if self.only_look_on(key, &decision, now) {
            return None;
        }
        let waits = self.holds_back(key, &mut decision, turn, now);
        if decision.is_nothing(&recorded) {
            if !waits && let Some(standing) = self.standing.get_mut(key) {
                standing.recover();
            }
            return None;
        }
        if let (Some(start), Some(standing)) = (&decision.start, self.standing.get_mut(key)) {
            standing.attempt = Some(Attempt {
                scheduled: start.scheduled,
                deadline: start.deadline,
                again_at: None,
            });
        }
        let busy = self.busy.entry(key.clone()).insert_entry(Busy::default());
        Some(Task::Submit {
            key: key.clone(),
            object,
            decision: Box::new(decision),
            overtaken: busy.get().overtaken.clone(),
        })
    }
}
