//! All of it together: an API in memory, the CronJob controller, the Job controller and the node.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use kube::api::ListParams;
use kube::{Api, Client};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock::SharedClock;
use crate::controller::{Controller, ControllerOptions};
use crate::schedule::TimeZones;
use crate::standalone::api::{self, error::ApiError};
use crate::standalone::runtime::{Event, Node, Options, Shutdown, output};
use crate::standalone::store::MemoryStore;
use crate::telemetry::{Teller, Told};

/// The name that pods carry in `spec.nodeName`.
const NODE_NAME: &str = "localhost";

/// A machine that runs CronJobs and Jobs.
pub struct Standalone {
    client: Client,
    controllers: watch::Sender<bool>,
    node: watch::Sender<Shutdown>,
    deciding: Vec<JoinHandle<()>>,
    running: JoinHandle<()>,
}

/// What can be heard of a machine.
pub struct Hearing {
    /// Every decision about a CronJob.
    pub told: mpsc::Receiver<Told>,
    /// Everything that processes write, and what becomes of them.
    pub processes: mpsc::Receiver<Event>,
}

impl Standalone {
    /// Starts a machine with nothing to run. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the embedded API cannot be started.
    pub async fn start(clock: SharedClock, zones: Arc<TimeZones>) -> Result<(Standalone, Hearing), ApiError> {
        let api = api::Api::start(Arc::new(MemoryStore::new()), Arc::clone(&clock)).await?;
        let client = api.client();
        let (teller, told) = Teller::with_listener();
        let (output, processes) = output::channel();

        let (controllers, stop) = watch::channel(false);
        let (node, shutdown) = watch::channel(Shutdown::No);
        let options = ControllerOptions::new(client.clone(), Arc::clone(&clock), zones, teller);
        let deciding = vec![tokio::spawn(Controller::new(options).run(stop.clone()))];
        let runtime = Node::new(client.clone(), clock, output, Options::new(NODE_NAME));
        let running = tokio::spawn(runtime.run(shutdown));
        Ok((
            Standalone {
                client,
                controllers,
                node,
                deciding,
                running,
            },
            Hearing { told, processes },
        ))
    }

    /// The client that everything on this machine speaks through.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Stops: nothing new is started, running pods get SIGTERM and their grace period. When `hurried` becomes true,
    /// what still runs is killed. Returns how many Jobs have not ended.
    pub async fn stop(self, mut hurried: watch::Receiver<bool>) -> usize {
        self.controllers.send_replace(true);
        for task in self.deciding {
            if let Err(error) = task.await {
                tracing::error!(%error, "a controller ended by itself");
            }
        }
        self.node.send_replace(Shutdown::Drain);
        let mut running = self.running;
        let drained = tokio::select! {
            ended = &mut running => Some(ended),
            // When nobody can hurry us any more, the grace periods bound the wait.
            Ok(_) = hurried.wait_for(|hurried| *hurried) => None,
        };
        let ended = match drained {
            Some(ended) => ended,
            None => {
                self.node.send_replace(Shutdown::Kill);
                running.await
            }
        };
        if let Err(error) = ended {
            tracing::error!(%error, "the node ended by itself");
        }
        unfinished(&self.client).await
    }
}

/// How many Jobs have not ended.
async fn unfinished(client: &Client) -> usize {
    let jobs = Api::<Job>::all(client.clone()).list(&ListParams::default()).await;
    let ended = |job: &Job| {
        let conditions = job
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten());
        conditions.into_iter().any(|condition| {
            condition.status == "True" && matches!(condition.type_.as_str(), "Complete" | "Failed")
        })
    };
    jobs.map_or(0, |jobs| jobs.iter().filter(|job| !ended(job)).count())
}
