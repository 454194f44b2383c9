//! The loop: watch Jobs and pods, decide, carry out, and wake when a decision says so.
//!
//! Decisions are made here, one after the other, on the newest view; carrying one out takes time, and is done by a
//! task. A Job has one such task at most, so its writes never race each other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::TimeDelta;
use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use kube::api::ListParams;
use kube::runtime::watcher::{Config, Event};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::carry_out::{Outcome, carry_out, these};
use super::decide::decide;
use super::decision::JobDecision;
use super::key::JobKey;
use super::past::Past;
use super::pods::{is_tracked, uid};
use super::view::{Asked, View};
use super::wakes::Wakes;
use crate::clock::SharedClock;
use crate::schedule::Timestamp;
use crate::standalone::recorder::Recorder;
use crate::standalone::runtime::Shutdown;
use crate::telemetry::chain;

/// How many Jobs are written for at one time. Their statuses wait until no run is to be started, and must not keep the pods
/// of others from being made meanwhile.
const JOBS_AT_ONCE: usize = 512;

/// The wait after a write that did not succeed, doubling with each further one in a row, and the longest wait.
/// Kubernetes waits as long.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(1);
const LONGEST_RETRY: TimeDelta = TimeDelta::minutes(1);

/// Makes pods of Jobs.
#[derive(Debug)]
pub struct JobController {
    client: ClientOf,
    clock: SharedClock,
    recorder: Recorder,
    view: View,
    /// The Jobs to look at, in the order in which they asked.
    queue: VecDeque<JobKey>,
    queued: HashSet<JobKey>,
    /// The Jobs that are being written for.
    busy: HashSet<JobKey>,
    tasks: JoinSet<(JobKey, Asked, Outcome)>,
    /// The Jobs that asked again while they were being written for.
    again: HashSet<JobKey>,
    wakes: Wakes,
    /// How many times in a row writing for a Job did not succeed.
    failures: HashMap<JobKey, i32>,
    shutdown: Shutdown,
}

/// A client that can be part of something printable.
struct ClientOf(Client);

impl std::fmt::Debug for ClientOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl JobController {
    /// A controller that is not running yet. Must be called on a tokio runtime.
    pub fn new(client: Client, clock: SharedClock) -> Self {
        Self {
            recorder: Recorder::start(client.clone(), clock.clone(), "job-controller"),
            client: ClientOf(client),
            clock,
            view: View::default(),
            queue: VecDeque::new(),
            queued: HashSet::new(),
            busy: HashSet::new(),
            tasks: JoinSet::new(),
            again: HashSet::new(),
            wakes: Wakes::default(),
            failures: HashMap::new(),
            shutdown: Shutdown::No,
        }
    }

    /// Runs. On [`Shutdown::Drain`] no pods are made any more, but what happens to those there are is recorded; on
    /// [`Shutdown::Kill`] what is known is recorded, and it returns.
    ///
    /// So to stop a machine: drain the controller, stop the node and wait for it, then kill the controller and wait.
    pub async fn run(mut self, mut shutdown: watch::Receiver<Shutdown>) {
        let jobs = watcher(Api::<Job>::all(self.client.0.clone()), Config::default()).default_backoff();
        let pods = watcher(Api::<Pod>::all(self.client.0.clone()), Config::default()).default_backoff();
        let (mut jobs, mut pods) = (std::pin::pin!(jobs), std::pin::pin!(pods));
        let wanted = *shutdown.borrow_and_update();
        self.turn(wanted).await;
        self.decide_queued();
        while !self.finished() {
            let wake = self.wakes.next();
            tokio::select! {
                Some(event) = jobs.next(), if self.shutdown < Shutdown::Kill => match event {
                    Ok(event) => { let dirty = self.view.hear_job(event); self.enqueue(dirty); }
                    Err(error) => tracing::warn!(error = chain(&error), "the Jobs can't be watched at the moment"),
                },
                Some(event) = pods.next(), if self.shutdown < Shutdown::Kill => match event {
                    Ok(event) => { let dirty = self.view.hear_pod(event); self.enqueue(dirty); }
                    Err(error) => tracing::warn!(error = chain(&error), "the pods can't be watched at the moment"),
                },
                Some(Ok((job, asked, outcome))) = self.tasks.join_next() => self.learn(&job, asked, outcome),
                Ok(()) = shutdown.changed() => {
                    let wanted = *shutdown.borrow_and_update();
                    self.turn(wanted).await;
                }
                () = until(&self.clock, wake) => {
                    let due = self.wakes.take_due(self.clock.now());
                    self.enqueue(due);
                }
            }
            self.decide_queued();
        }
        self.recorder.settle().await;
    }

    /// Turns to stopping. Before the end, what the watches have not told yet is asked for.
    async fn turn(&mut self, shutdown: Shutdown) {
        self.shutdown = self.shutdown.max(shutdown);
        if self.shutdown < Shutdown::Kill {
            return;
        }
        let (jobs, pods) = (
            Api::<Job>::all(self.client.0.clone()),
            Api::<Pod>::all(self.client.0.clone()),
        );
        let everything = ListParams::default();
        match tokio::try_join!(jobs.list(&everything), pods.list(&everything)) {
            Ok((jobs, pods)) => {
                for event in as_events(jobs.items) {
                    let dirty = self.view.hear_job(event);
                    self.enqueue(dirty);
                }
                for event in as_events(pods.items) {
                    let dirty = self.view.hear_pod(event);
                    self.enqueue(dirty);
                }
            }
            Err(error) => tracing::warn!(
                error = chain(&error),
                "what became of the last pods may not be recorded"
            ),
        }
    }

    /// Whether nothing is left to do. What there is may not be known, and then nothing is decided.
    fn finished(&self) -> bool {
        let is_decided = self.queue.is_empty() || !self.view.is_complete();
        self.shutdown == Shutdown::Kill && is_decided && self.tasks.is_empty()
    }

    fn enqueue(&mut self, jobs: impl IntoIterator<Item = JobKey>) {
        for job in jobs {
            if self.busy.contains(&job) {
                self.again.insert(job);
            } else if self.queued.insert(job.clone()) {
                self.queue.push_back(job);
            }
        }
    }

    /// Decides for the Jobs that ask for it.
    fn decide_queued(&mut self) {
        while self.view.is_complete() && self.tasks.len() < JOBS_AT_ONCE {
            let Some(job) = self.queue.pop_front() else { return };
            self.queued.remove(&job);
            self.decide_one(job);
        }
    }

    fn decide_one(&mut self, key: JobKey) {
        let Some(job) = self.view.job(&key).cloned() else {
            return self.let_go(key);
        };
        self.view.remember(&job);
        let (pods, nothing) = (self.view.pods(&key), Past::default());
        let past = self.view.past(&key).unwrap_or(&nothing);
        let decided = catch_unwind(AssertUnwindSafe(|| decide(&job, &pods, past, self.clock.now())));
        let Ok(mut decision) = decided else {
            tell_fault(&job);
            return self.retry(&key);
        };
        if self.shutdown > Shutdown::No {
            decision = decision.without_new_pods(&job);
        }
        self.wakes.set(&key, decision.wake);
        if !decision.is_idle() {
            let touched = these(pods, decision.touched());
            self.carry_out(key, job, decision, touched);
        }
    }

    /// There is no such Job, or not any more: nobody will count its pods, and nothing is to hold them.
    fn let_go(&mut self, key: JobKey) {
        self.wakes.set(&key, None);
        self.failures.remove(&key);
        let held: Vec<Pod> = self
            .view
            .pods(&key)
            .into_iter()
            .filter(|pod| is_tracked(pod) && !self.view.is_selected(pod))
            .cloned()
            .collect();
        if held.is_empty() {
            return;
        }
        let release = held.iter().map(|pod| uid(pod).to_owned()).collect();
        let mut nobody = Job::default();
        nobody.metadata.namespace = Some(key.namespace.clone());
        self.carry_out(
            key,
            Arc::new(nobody),
            JobDecision {
                release,
                ..JobDecision::default()
            },
            held,
        );
    }

    fn carry_out(&mut self, key: JobKey, job: Arc<Job>, decision: JobDecision, pods: Vec<Pod>) {
        self.busy.insert(key.clone());
        let (client, asked) = (self.client.0.clone(), self.view.asked());
        let work = carry_out(client, Arc::clone(&job), decision, pods);
        self.tasks
            .spawn(AssertUnwindSafe(work).catch_unwind().map(move |outcome| {
                let outcome = outcome.unwrap_or_else(|_panic| {
                    tell_fault(&job);
                    Outcome {
                        failed: true,
                        ..Outcome::default()
                    }
                });
                (key, asked, outcome)
            }));
    }

    /// Takes in what came of a decision.
    fn learn(&mut self, key: &JobKey, asked: Asked, outcome: Outcome) {
        self.busy.remove(key);
        let again = self.again.take(key);
        self.enqueue(again);
        if let Some(job) = self.view.job(key) {
            let object = ObjectReference {
                resource_version: None,
                ..job.object_ref(&())
            };
            for event in &outcome.events {
                self.recorder
                    .tell(object.clone(), event.warning, &event.reason, &event.message);
            }
        }
        let mut dirty: Vec<JobKey> = outcome
            .job
            .into_iter()
            .flat_map(|job| self.view.answer_job(job, asked))
            .collect();
        let pods = outcome.pods.into_iter();
        dirty.extend(pods.flat_map(|pod| self.view.answer_pod(pod, asked)));
        for pod in outcome.foreign {
            self.view.name_taken(key, &pod);
            dirty.push(key.clone());
        }
        self.enqueue(dirty);
        if outcome.failed {
            self.retry(key);
        } else {
            self.failures.remove(key);
        }
    }

    fn retry(&mut self, key: &JobKey) {
        let failures = self.failures.entry(key.clone()).or_default();
        let wait = (FIRST_RETRY * 2_i32.saturating_pow(u32::try_from(*failures).unwrap_or(0).min(6)))
            .min(LONGEST_RETRY);
        *failures = failures.saturating_add(1);
        self.wakes.set_at_latest(key, self.clock.now() + wait);
    }
}

/// Says that there was a panic, whose message is on standard error.
fn tell_fault(job: &Job) {
    let (namespace, name) = (&job.metadata.namespace, &job.metadata.name);
    tracing::error!(
        namespace = namespace.as_deref().unwrap_or_default(),
        job = name.as_deref().unwrap_or_default(),
        "a fault of punctual's; the Job is looked at again"
    );
}

/// A list as a watch would tell it.
fn as_events<K>(objects: Vec<K>) -> impl Iterator<Item = Event<K>> {
    let objects = objects.into_iter().map(Event::InitApply);
    std::iter::once(Event::Init)
        .chain(objects)
        .chain([Event::InitDone])
}

/// Waits for a moment; for ever, when there is none.
async fn until(clock: &SharedClock, moment: Option<Timestamp>) {
    match moment {
        Some(moment) => clock.sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
