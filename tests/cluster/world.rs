//! What the cases share: an API, controllers on it, and clients that go wrong on purpose.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Namespace};
use kube::api::{ListParams, PostParams};
use kube::client::Body;
use kube::{Api, Client, ResourceExt};
use punctual::clock::SystemClock;
use punctual::controller::{Charge, Controller, ControllerOptions, Leadership};
use punctual::schedule::TimeZones;
use punctual::standalone::api;
use punctual::standalone::store::MemoryStore;
use punctual::submit::{EventWriting, write_events};
use punctual::telemetry::{Health, Teller};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::request::request;

/// An embedded API.
pub(crate) struct World {
    pub(crate) client: Client,
    _server: api::Api,
}

/// A controller that runs until it is dropped, which kills it.
pub(crate) struct Running {
    pub(crate) teller: Teller,
    pub(crate) health: Health,
    pub(crate) stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Lets it finish what is under way.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        let controller = self.tasks.remove(0);
        controller.await.expect("the controller ends");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let zones = Arc::new(TimeZones::built_in());
        let server = api::Api::start(Arc::new(MemoryStore::new()), SystemClock::shared(), zones);
        let server = server.await.expect("the API starts");
        World {
            client: server.client(),
            _server: server,
        }
    }

    /// Starts a controller in charge of everything.
    pub(crate) fn controller(&self) -> Running {
        start(self.client.clone(), Charge::default(), Leadership::always())
    }

    pub(crate) async fn namespace(&self, name: &str) {
        let namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).expect("a namespace");
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces
            .create(&PostParams::default(), &namespace)
            .await
            .expect("created");
    }

    /// Creates a CronJob that is due every second; `extra` is merged into it.
    pub(crate) async fn every_second(&self, namespace: &str, name: &str, extra: Value) -> Value {
        let mut object = json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": { "name": name, "namespace": namespace },
            "spec": {
                "schedule": "@every 1s",
                "jobTemplate": { "spec": { "template": { "spec": {
                    "restartPolicy": "Never",
                    "containers": [{ "name": "main", "image": "busybox", "command": ["true"] }],
                } } } },
            },
        });
        json_patch::merge(&mut object, &extra);
        let path = format!("/apis/batch/v1/namespaces/{namespace}/cronjobs");
        self.send("POST", &path, &object).await
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        self.client
            .request(request(method, path, body))
            .await
            .expect("an answer")
    }

    /// The names of the Jobs of a namespace.
    pub(crate) async fn jobs(&self, namespace: &str) -> Vec<String> {
        let jobs: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        let jobs = jobs.list(&ListParams::default()).await.expect("a list");
        jobs.items.iter().map(ResourceExt::name_any).collect()
    }

    /// The Events of a namespace with a reason.
    pub(crate) async fn events(&self, namespace: &str, reason: &str) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let fields = ListParams::default().fields(&format!("reason={reason}"));
        events.list(&fields).await.expect("a list").items
    }
}

/// Starts a controller, and what writes its events.
pub(crate) fn start(client: Client, charge: Charge, leadership: Leadership) -> Running {
    let mut teller = Teller::default();
    let told = teller.listen("events");
    let zones = Arc::new(TimeZones::built_in());
    let options = ControllerOptions {
        charge,
        leadership,
        ..ControllerOptions::new(client.clone(), SystemClock::shared(), zones, teller.clone())
    };
    let health = options.health.clone();
    let (stop, stops) = watch::channel(false);
    let controller = tokio::spawn(Controller::new(options).run(stops));
    let metrics = teller.metrics().clone();
    let events = tokio::spawn(write_events(client, told, metrics, EventWriting::ONE_BY_ONE));
    Running {
        teller,
        health,
        stop,
        tasks: vec![controller, events],
    }
}

/// What becomes of a request.
pub(crate) enum Fate {
    /// It is sent and answered.
    Sent,
    /// It is not sent, and this is the answer.
    Answered(BoxFuture<'static, Response<Body>>),
    /// It is sent, and the connection breaks before the answer.
    AnswerLost,
}

/// Decides on the fate of requests.
pub(crate) type Fault = Arc<dyn Fn(&Request<Body>) -> Fate + Send + Sync>;

/// A client that meets faults on its way.
pub(crate) fn faulty(client: &Client, fault: Fault) -> Client {
    let inner = client.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (inner, fault) = (inner.clone(), Arc::clone(&fault));
        async move {
            match fault(&request) {
                Fate::Answered(answer) => Ok(answer.await),
                Fate::Sent => inner.send(request).await.map_err(tower::BoxError::from),
                Fate::AnswerLost => {
                    inner.send(request).await?;
                    Err(tower::BoxError::from("connection reset by peer"))
                }
            }
        }
    });
    Client::new(service, "default")
}

/// An answer that never comes.
pub(crate) fn hangs() -> Fate {
    Fate::Answered(Box::pin(std::future::pending()))
}

/// Whether a request creates a Job in `namespace`.
pub(crate) fn creates_job(request: &Request<Body>, namespace: &str) -> bool {
    request.method() == "POST"
        && request.uri().path() == format!("/apis/batch/v1/namespaces/{namespace}/jobs")
}

/// An answer.
pub(crate) fn answer(code: u16, headers: &[(&str, &str)], body: &Value) -> Fate {
    let mut response = Response::builder().status(code);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let body = Body::from(body.to_string().into_bytes());
    let response = response.body(body).expect("a response");
    Fate::Answered(Box::pin(async { response }))
}

/// Waits until something holds, for at most twenty seconds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..2_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within twenty seconds");
}
