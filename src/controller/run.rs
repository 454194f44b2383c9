//! The watches, the clock and the tasks, around the state machine.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_objects};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::SharedClock;
use crate::controller::state::{State, Task};
use crate::cronjob::{JobRef, Key};
use crate::manifest::CronJob;
use crate::policy::Note;
use crate::schedule::TimeZones;
use crate::submit::{Carried, JobView, Submitter};
use crate::telemetry::Teller;

/// What a controller is made of.
pub struct ControllerOptions {
    /// The API server.
    pub client: Client,
    /// The time.
    pub clock: SharedClock,
    /// The rules of time zones.
    pub zones: Arc<TimeZones>,
    /// Who is told about decisions.
    pub teller: Teller,
}

/// Runs all CronJobs of an API server.
pub struct Controller {
    options: ControllerOptions,
    submitter: Submitter,
    state: State,
    tasks: JoinSet<Done>,
}

/// A task that has ended.
enum Done {
    Submitted {
        key: Key,
        carried: Box<Carried>,
    },
    LookedUp {
        key: Key,
        asked: Vec<JobRef>,
        found: Option<Vec<JobView>>,
    },
}

impl Controller {
    /// A controller that has not started yet.
    pub fn new(options: ControllerOptions) -> Self {
        let ControllerOptions {
            client, clock, zones, ..
        } = &options;
        let submitter = Submitter::new(client.clone(), Arc::clone(clock), Arc::clone(zones));
        let state = State::new(Arc::clone(zones));
        Controller {
            options,
            submitter,
            state,
            tasks: JoinSet::new(),
        }
    }

    /// Runs until `stop` becomes true or is dropped; then nothing new is decided, and what is under way is finished.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut cronjobs: BoxStream<'_, _> = watch_all::<CronJob>(&self.options.client);
        let mut jobs: BoxStream<'_, _> = watch_all::<JobView>(&self.options.client);
        while !*stop.borrow() {
            self.start_ready();
            let wake = self.state.next_wake();
            let sleep = wake.map(|at| self.options.clock.sleep_until(at));
            tokio::select! {
                // In a fixed order, so that the same history has the same end. Nobody starves: whatever happens,
                // what is due and whether to stop is looked at in every turn.
                biased;
                Some(done) = self.tasks.join_next() => self.finish(done),
                Some(event) = cronjobs.next() => self.observe(event, State::cronjob_event),
                Some(event) = jobs.next() => self.observe(event, State::job_event),
                () = async { if let Some(sleep) = sleep { sleep.await } }, if wake.is_some() => {}
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        while let Some(done) = self.tasks.join_next().await {
            self.finish(done);
        }
    }

    fn observe<K>(&mut self, event: watcher::Result<Event<K>>, apply: fn(&mut State, Event<K>)) {
        match event {
            Ok(event) => apply(&mut self.state, event),
            // The stream recovers by itself, by listing again after a pause.
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "watch failed"),
        }
    }

    /// Takes all decisions that are due, then starts the tasks that carry them out.
    fn start_ready(&mut self) {
        let now = self.options.clock.now();
        let (tasks, news) = self.state.ready(now);
        for task in tasks {
            let submitter = self.submitter.clone();
            self.tasks.spawn(perform(submitter, task));
        }
        for (key, note) in news {
            self.options.teller.tell(now, &key, note);
        }
    }

    fn finish(&mut self, done: Result<Done, tokio::task::JoinError>) {
        let now = self.options.clock.now();
        match done {
            Ok(Done::Submitted { key, mut carried }) => {
                for note in std::mem::take(&mut carried.notes) {
                    self.tell_outcome(&key, note);
                }
                self.state.carried(&key, *carried, now);
            }
            Ok(Done::LookedUp { key, asked, found }) => self.state.looked_up(&key, &asked, found, now),
            Err(error) => tracing::error!(%error, "a task of the controller ended by itself"),
        }
    }

    fn tell_outcome(&self, key: &Key, note: Note) {
        self.options.teller.tell(self.options.clock.now(), key, note);
    }
}

/// Everything of one kind, from a list and then from a watch, for ever.
fn watch_all<K>(client: &Client) -> BoxStream<'static, watcher::Result<Event<K>>>
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    watch_objects(Api::<K>::all(client.clone()), watcher::Config::default())
        .default_backoff()
        .boxed()
}

async fn perform(submitter: Submitter, task: Task) -> Done {
    match task {
        Task::Submit {
            key,
            object,
            decision,
        } => {
            let carried = submitter.carry_out(&object, &decision).await;
            if let Some(failure) = &carried.failure {
                tracing::debug!(cronjob = %key, failure, "to be tried again");
            }
            Done::Submitted {
                key,
                carried: Box::new(carried),
            }
        }
        Task::LookUp { key, jobs } => {
            let found = submitter.look_up(&key.namespace, &jobs).await;
            if let Err(error) = &found {
                tracing::warn!(cronjob = %key, error = error as &dyn std::error::Error, "look-up failed");
            }
            Done::LookedUp {
                key,
                asked: jobs,
                found: found.ok(),
            }
        }
    }
}
