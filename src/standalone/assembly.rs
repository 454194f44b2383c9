//! All of it together: an API over a store, the CronJob controller, the Job controller and the node.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::clock::SharedClock;
use crate::controller::{Controller, ControllerOptions};
use crate::cronjob::Key;
use crate::policy::SeenSchedule;
use crate::schedule::TimeZones;
use crate::standalone::api::{self, error::ApiError};
use crate::standalone::data_dir::DataDir;
use crate::standalone::jobs::JobController;
use crate::standalone::part::{EndedPart, Part};
use crate::standalone::runtime::{Node, Options, Outlet, Runtimes, Shutdown, output, register};
use crate::standalone::store::SharedStore;
use crate::submit::{EventWriting, write_events};
use crate::telemetry::{Teller, Told, metrics_router};

/// The name that pods carry in `spec.nodeName`.
const NODE_NAME: &str = "localhost";

/// How long a stop waits for what the CronJob controller has told and is not written yet.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// The API over a store. Nothing runs yet: what is written now is there before anything is decided.
pub struct Standalone {
    store: SharedStore,
    api: api::Api,
    clock: SharedClock,
    zones: Arc<TimeZones>,
}

/// A machine that runs CronJobs and Jobs.
pub struct Running {
    store: SharedStore,
    client: Client,
    api: api::Api,
    /// `/metrics`, as the controller of a cluster serves them.
    metrics: axum::Router,
    controller: Stoppable<bool>,
    jobs: Stoppable<Shutdown>,
    node: Stoppable<Shutdown>,
    /// Writes what the CronJob controller tells, until that is gone.
    events: JoinHandle<()>,
}

/// A part, and how it is told to stop.
struct Stoppable<S> {
    stop: watch::Sender<S>,
    part: Part,
}

impl<S: Default> Stoppable<S> {
    fn start<F: Future<Output = ()> + Send + 'static>(
        name: &'static str,
        run: impl FnOnce(watch::Receiver<S>) -> F,
    ) -> Self {
        let (stop, stopped) = watch::channel(S::default());
        let part = Part::start(name, run(stopped));
        Self { stop, part }
    }
}

/// What can be heard of a machine.
pub struct Hearing {
    /// Every decision about a CronJob.
    pub told: mpsc::Receiver<Told>,
    /// Everything that processes write, and what becomes of them.
    pub processes: Outlet,
}

impl Standalone {
    /// Opens the API over what is in a store. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the embedded API cannot be started.
    pub async fn open(
        store: SharedStore,
        clock: SharedClock,
        zones: Arc<TimeZones>,
    ) -> Result<Standalone, ApiError> {
        let api = api::Api::start(Arc::clone(&store), Arc::clone(&clock), Arc::clone(&zones)).await?;
        Ok(Standalone {
            store,
            api: api.with_node(NODE_NAME),
            clock,
            zones,
        })
    }

    /// The client that everything on this machine speaks through.
    pub fn client(&self) -> Client {
        self.api.client()
    }

    /// Runs what there is and what comes, as what `runtimes` says, with the files of pods in `data`. `seen` are the schedules that were in force
    /// when the machine ran last, where it did.
    pub fn start(
        self,
        data: DataDir,
        runtimes: Runtimes,
        seen: Vec<(Key, SeenSchedule)>,
    ) -> (Running, Hearing) {
        let Standalone {
            store,
            api,
            clock,
            zones,
        } = self;
        let api = api.with_logs_in(data.clone());
        let client = api.client();
        let (mut teller, told) = Teller::with_listener();
        let (output, processes) = output::channel();

        let events = teller.listen("events");
        // It ends when the controller, which tells it, is gone.
        let metrics = teller.metrics().clone();
        let events = tokio::spawn(write_events(
            client.clone(),
            events,
            metrics,
            EventWriting::TOGETHER,
        ));
        // Nobody else decides here.
        teller.metrics().set_leader(true);
        let metrics = metrics_router(teller.metrics().clone(), Arc::clone(&clock), Arc::clone(&zones));
        let (upcoming_in, upcoming) = watch::channel(None);
        let options = ControllerOptions {
            seen,
            upcoming: Some(upcoming_in),
            ..ControllerOptions::new(client.clone(), Arc::clone(&clock), zones, teller)
        };
        let jobs = JobController::new(client.clone(), Arc::clone(&clock));
        tokio::spawn(register(client.clone(), NODE_NAME, runtimes.clone(), clock.now()));
        let on_node = Options {
            runtimes,
            upcoming: Some(upcoming),
            turns: api.turns(),
            ..Options::new(NODE_NAME, data)
        };
        let node = Node::new(client.clone(), clock, output, on_node);
        let running = Running {
            store,
            client,
            api,
            metrics,
            controller: Stoppable::start("the CronJob controller", |stop| {
                Controller::new(options).run(stop)
            }),
            jobs: Stoppable::start("the Job controller", |stop| jobs.run(stop)),
            node: Stoppable::start("the node", |stop| node.run(stop)),
            events,
        };
        (running, Hearing { told, processes })
    }

    /// Closes what was never started.
    pub async fn close(self) {
        close(self.store).await;
    }
}

impl Running {
    /// The client that everything on this machine speaks through.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Tells clients that the API is at this address. What fails is told in the log: they know it already.
    pub async fn publish(&self, address: SocketAddr) {
        if let Err(error) = self.api.publish(address).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the address of the API could not be published");
        }
    }

    /// The API, and metrics beside it, to be served to others.
    pub fn router(&self) -> axum::Router {
        self.api.router().merge(self.metrics.clone())
    }

    /// Waits until a part has ended by itself: then less is done than it seems, and the machine is to be stopped or left.
    pub async fn ended(&mut self) -> EndedPart {
        tokio::select! {
            ended = self.controller.part.ended() => ended,
            ended = self.jobs.part.ended() => ended,
            ended = self.node.part.ended() => ended,
            () = self.store.closed() => EndedPart { name: "the writer of the database", panic: None },
        }
    }

    /// Leaves everything as it is, as a crash would: what runs goes on, and the next start finds it.
    pub async fn leave(self) {
        for part in [self.controller.part, self.jobs.part, self.node.part] {
            part.abort();
        }
        close(self.store).await;
    }

    /// Stops: no new runs and no new pods; running pods get SIGTERM and their grace period. When `hurried` becomes
    /// true, what still runs is killed.
    ///
    /// What ends well in its grace period has succeeded. Of the rest what may be tried again is tried again at the next
    /// start, and counts for no failure.
    pub async fn stop(self, mut hurried: watch::Receiver<bool>) {
        let Running {
            store,
            controller,
            jobs,
            node,
            events,
            ..
        } = self;
        controller.stop.send_replace(true);
        controller.part.end().await;
        jobs.stop.send_replace(Shutdown::Drain);
        node.stop.send_replace(Shutdown::Drain);
        let kill = node.stop.clone();
        let hurry = tokio::spawn(async move {
            // When nobody can hurry us any more, the grace periods bound the wait.
            if hurried.wait_for(|hurried| *hurried).await.is_ok() {
                kill.send_replace(Shutdown::Kill);
            }
        });
        node.part.end().await;
        hurry.abort();
        jobs.stop.send_replace(Shutdown::Kill);
        jobs.part.end().await;
        let _told = timeout(TOLD_WITHIN, events).await;
        close(store).await;
    }
}

async fn close(store: SharedStore) {
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "the store could not be closed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::standalone::store::{SqliteOptions, SqliteStore};

    /// Long enough that only a test that hangs takes it.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A machine that runs nothing, and its store.
    async fn machine(folder: &std::path::Path) -> (Running, SharedStore) {
        let (clock, data) = (
            SystemClock::shared(),
            DataDir::open(folder).expect("a data folder"),
        );
        let opened = SqliteStore::open(&data.database(), clock.now(), &SqliteOptions::default()).await;
        let store: SharedStore = Arc::new(opened.expect("a database").0);
        let zones = Arc::new(TimeZones::built_in());
        let machine = Standalone::open(Arc::clone(&store), clock, zones).await;
        let (running, _hearing) = machine.expect("an API").start(data, Runtimes::default(), vec![]);
        (running, store)
    }

    #[tokio::test]
    async fn a_part_that_ends_by_itself_is_noticed_and_the_others_can_be_stopped() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut running, store) = machine(folder.path()).await;
        let waited = tokio::time::timeout(Duration::from_millis(50), running.ended()).await;
        assert!(waited.is_err(), "{waited:?}");
        running.jobs.stop.send_replace(Shutdown::Kill);
        let ended = tokio::time::timeout(PATIENCE, running.ended()).await;
        assert_eq!(ended.expect("it is noticed").name, "the Job controller");
        store.close().await.expect("it is closed");
        let ended = tokio::time::timeout(PATIENCE, running.ended()).await;
        assert_eq!(ended.expect("it is noticed").name, "the writer of the database");
        let (_hurry, hurried) = watch::channel(false);
        let stopped = tokio::time::timeout(PATIENCE, running.stop(hurried)).await;
        assert!(stopped.is_ok());
    }
}
