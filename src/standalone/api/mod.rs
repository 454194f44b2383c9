//! The Kubernetes API over a store: the part of it that CronJobs, Jobs and pods need.
//!
//! ```text
//!  kube::Client ──▶ handlers ──▶ registry ──▶ store
//!  kubectl           HTTP in,     what a        objects,
//!                    Status out   write means   revisions
//!                                    ▲
//!                                collector: owners, namespaces, old events
//! ```
//!
//! | module | what is in it |
//! |---|---|
//! | [`resource`] | the table of what is served |
//! | `absent` | the table of what a cluster has besides, and this API has none of |
//! | [`strategy`] | the rules of each resource |
//! | [`registry`] | the rules of all: create, update, delete |
//! | [`selector`] | which objects are meant |
//! | [`patch`] | merge, JSON and strategic merge patches |
//! | `ownership` | who wrote which field, and server-side apply |
//! | `gc` | what follows from a write: dependents go with their owners, contents with their namespace |
//! | `service` | the API as an object in itself |
//! | [`error`] | every way to say no |
//! | [`cause`] | what is wrong with an object, field by field |
//! | `zero` | what of an object says nothing, and is not kept |
//! | `unknown` | fields that its kind does not have |
//! | `protobuf` | bodies in the binary form of what is served |
//! | `together` | many writes at the same time, which share the syncs of the disk |
//! | `table` | objects as rows, for `kubectl get` |
//! | `handlers` | HTTP: paths, queries, bodies, watch streams, discovery |
//!
//! What it serves, it serves as kube-apiserver 1.36 does: the tests in `tests/api` are written to run against both.

mod absent;
pub mod cause;
pub mod error;
mod gc;
mod handlers;
mod limits;
mod meta;
mod ownership;
pub mod patch;
mod protobuf;
pub mod registry;
pub mod resource;
pub mod selector;
mod service;
pub mod strategy;
mod table;
mod together;
mod unknown;
mod zero;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use serde_json::json;
use tokio::task::AbortHandle;

use crate::clock::SharedClock;
use crate::schedule::TimeZones;
use crate::standalone::data_dir::DataDir;
use crate::standalone::store::SharedStore;
use crate::standalone::turns::Turns;
use error::ApiError;
use registry::{Mode, Owners, Registry};
use resource::NAMESPACES;

/// The namespaces that are there from the start.
const FIRST_NAMESPACES: [&str; 3] = ["default", "kube-system", "kube-node-lease"];

/// An API that is running: its registry, and the collector behind it. Clones share it; it ends with the last one.
#[derive(Debug, Clone)]
pub struct Api {
    registry: Registry,
    /// Where the logs of pods are.
    logs: Option<DataDir>,
    _collector: Arc<Collector>,
}

/// The task that collects. It ends when nobody can write any more.
#[derive(Debug)]
struct Collector(AbortHandle);

impl Drop for Collector {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Api {
    /// Starts an API over a store, with the namespaces that every cluster has: objects are dated by
    /// `clock`, and CronJobs may name these `zones`. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ApiError::Internal`] when the store fails.
    pub async fn start(
        store: SharedStore,
        clock: SharedClock,
        zones: Arc<TimeZones>,
    ) -> Result<Self, ApiError> {
        let registry = Registry::new(store, clock, zones);
        for name in FIRST_NAMESPACES {
            // Where one is there already, a disk without room for another is no reason not to start.
            if registry.get(NAMESPACES, "", name).await.is_ok() {
                continue;
            }
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            registry
                .create(NAMESPACES, "", namespace, Mode::Real, Owners::AsBefore)
                .await?;
        }
        let collector = tokio::spawn(gc::run(registry.clone())).abort_handle();
        Ok(Self {
            registry,
            logs: None,
            _collector: Arc::new(Collector(collector)),
        })
    }

    /// The same API, which shows the logs that pods have in this folder. Without one there are none to be had.
    #[must_use]
    pub fn with_logs_in(mut self, data: DataDir) -> Self {
        self.logs = Some(data);
        self
    }

    /// The same API, which gives every new pod to this node, as a scheduler would that has no other.
    #[must_use]
    pub fn with_node(mut self, name: &'static str) -> Self {
        self.registry.node = Some(name);
        self
    }

    /// Who goes next, of those who write here and of those who start what is written.
    pub fn turns(&self) -> Turns {
        self.registry.turns.clone()
    }

    /// Tells clients that the API is at this address, as they look for it in a cluster.
    ///
    /// # Errors
    ///
    /// [`ApiError::Internal`] when the store fails.
    pub async fn publish(&self, address: SocketAddr) -> Result<(), ApiError> {
        service::publish(&self.registry, address).await
    }

    /// The API as a service for HTTP requests.
    pub fn router(&self) -> Router {
        handlers::router(self)
    }

    /// A client in this process: requests reach the API by a function call, and watch events flow as they happen.
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.router(), "default")
    }
}
