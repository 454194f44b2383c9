//! A whole machine in a test.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::{ContainerStatus, Event as KubeEvent, Pod};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use punctual::clock::SystemClock;
use punctual::schedule::TimeZones;
use punctual::standalone::api;
use punctual::standalone::data_dir::DataDir;
use punctual::standalone::jobs::JobController;
use punctual::standalone::runtime::output::{Outlet, channel};
use punctual::standalone::runtime::{Base, Event, Node, Options, Shutdown, What};
use punctual::standalone::store::MemoryStore;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

/// Long enough that only a test that hangs takes it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An API, a Job controller and a node.
pub(crate) struct Machine {
    pub(crate) client: Client,
    api: api::Api,
    pub(crate) data: DataDir,
    stop_jobs: watch::Sender<Shutdown>,
    stop_node: watch::Sender<Shutdown>,
    jobs: JoinHandle<()>,
    node: JoinHandle<()>,
    pub(crate) events: mpsc::Receiver<Event>,
}

/// An API over a store that holds nothing.
async fn empty_api() -> api::Api {
    let zones = Arc::new(TimeZones::built_in());
    let api = api::Api::start(Arc::new(MemoryStore::new()), SystemClock::shared(), zones).await;
    api.unwrap()
}

impl Machine {
    /// Starts everything.
    pub(crate) async fn start() -> Self {
        Self::over(empty_api().await, DataDir::ephemeral().unwrap())
    }

    /// Starts everything; whoever asks a question that `is_fatal` panics. Its data is kept in `folder`, so processes outlive
    /// whoever follows them.
    pub(crate) async fn start_with_faults(
        folder: &std::path::Path,
        is_fatal: impl Fn(&Method, &str) -> bool + Clone + Send + Sync + 'static,
    ) -> Self {
        let data = DataDir::open(folder).unwrap();
        let api = empty_api().await.with_logs_in(data.clone());
        let router = api.router();
        let faulty = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let (router, is_fatal) = (router.clone(), is_fatal.clone());
            async move {
                assert!(
                    !is_fatal(request.method(), request.uri().path()),
                    "a fault of the test's"
                );
                router.oneshot(request).await
            }
        });
        let client = Client::new(faulty, "default");
        Self::asking(api, data, client)
    }

    /// Starts a Job controller and a node over an API that is there.
    fn over(api: api::Api, data: DataDir) -> Self {
        let api = api.with_logs_in(data.clone());
        let client = api.client();
        Self::asking(api, data, client)
    }

    /// The same, with what they ask the API by.
    fn asking(api: api::Api, data: DataDir, client: Client) -> Self {
        let clock = SystemClock::shared();
        let (output, Outlet { events, .. }) = channel();
        let options = Options {
            base: Base::chosen_from("/tmp".into(), []),
            supervisor: Some(vec![env!("CARGO_BIN_EXE_punctual").into(), "supervise".into()]),
            ..Options::new("here", data.clone())
        };
        let (stop_jobs, stop_node) = (watch::Sender::new(Shutdown::No), watch::Sender::new(Shutdown::No));
        let jobs = JobController::new(client.clone(), clock.clone()).run(stop_jobs.subscribe());
        let node = Node::new(client.clone(), clock, output, options).run(stop_node.subscribe());
        let (jobs, node) = (tokio::spawn(jobs), tokio::spawn(node));
        Self {
            client,
            api,
            data,
            stop_jobs,
            stop_node,
            jobs,
            node,
            events,
        }
    }

    pub(crate) fn jobs(&self) -> Api<Job> {
        Api::default_namespaced(self.client.clone())
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::default_namespaced(self.client.clone())
    }

    /// Makes a Job named `test` with this spec, whose pods run a script.
    pub(crate) async fn job(&self, spec: &Value, script: &str) -> Job {
        let mut whole = json!({"template": {"spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "containers": [{"name": "main", "image": "none", "command": ["/bin/sh", "-c", script]}],
        }}});
        json_patch::merge(&mut whole, spec);
        let job =
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "test"}, "spec": whole});
        self.jobs()
            .create(&PostParams::default(), &serde_json::from_value(job).unwrap())
            .await
            .unwrap()
    }

    /// Makes a pod named `test` that belongs to nobody. Its containers have an image, as they must.
    pub(crate) async fn pod(&self, spec: &Value) -> Pod {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "test"}, "spec": spec});
        for list in ["containers", "initContainers"] {
            let containers = pod["spec"][list].as_array_mut().into_iter().flatten();
            for container in containers.filter(|container| container["image"].is_null()) {
                container["image"] = "none".into();
            }
        }
        self.pods()
            .create(&PostParams::default(), &serde_json::from_value(pod).unwrap())
            .await
            .unwrap()
    }

    pub(crate) async fn patch_job(&self, patch: &Value) {
        self.jobs()
            .patch("test", &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    /// Waits until the Job's status is as wanted.
    pub(crate) async fn job_until(&self, wanted: impl Fn(&JobStatus) -> bool) -> JobStatus {
        until(|| async {
            let status = self
                .jobs()
                .get_opt("test")
                .await
                .unwrap()?
                .status
                .unwrap_or_default();
            if wanted(&status) { Ok(status) } else { Err(status) }.into()
        })
        .await
    }

    /// Waits until the Job has finished, either way.
    pub(crate) async fn finished(&self) -> JobStatus {
        self.job_until(|status| holds(status, "Complete") || holds(status, "Failed"))
            .await
    }

    /// Waits until the pods are as wanted.
    pub(crate) async fn pods_until(&self, wanted: impl Fn(&[Pod]) -> bool) -> Vec<Pod> {
        until(|| async {
            let pods = self.pods().list(&ListParams::default()).await.unwrap().items;
            if wanted(&pods) { Ok(pods) } else { Err(pods) }.into()
        })
        .await
    }

    /// Waits until the pod `test` is as wanted.
    pub(crate) async fn pod_until(&self, wanted: impl Fn(&Pod) -> bool) -> Pod {
        self.pods_until(|pods| pods.len() == 1 && wanted(&pods[0]))
            .await
            .remove(0)
    }

    /// Waits until an event of this reason was told.
    pub(crate) async fn told(&self, reason: &str) -> String {
        let events: Api<KubeEvent> = Api::default_namespaced(self.client.clone());
        until(|| async {
            let events = events.list(&ListParams::default()).await.unwrap().items;
            let mut events = events
                .iter()
                .filter(|event| event.reason.as_deref() == Some(reason));
            events
                .next()
                .and_then(|event| event.message.clone())
                .map(Ok::<_, ()>)
        })
        .await
    }

    pub(crate) async fn delete_pod(&self, name: &str) {
        self.pods().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Waits until a process has written a line.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            let event = tokio::time::timeout(PATIENCE, self.events.recv())
                .await
                .unwrap()
                .unwrap();
            if let What::Line { text, .. } = event.what {
                return text;
            }
        }
    }

    /// Waits until so many lines were shown, which may be after the end of what wrote them; all that were, sorted.
    pub(crate) async fn lines(&mut self, wanted: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < wanted {
            lines.push(self.line().await);
        }
        while let Ok(event) = self.events.try_recv() {
            if let What::Line { text, .. } = event.what {
                lines.push(text);
            }
        }
        lines.sort();
        lines
    }

    /// Starts a new Job controller and a new node over the same objects, when the old ones have stopped.
    pub(crate) fn restarted(self) -> Self {
        assert!(self.node.is_finished() && self.jobs.is_finished());
        Self::over(self.api, self.data)
    }

    /// A machine whose work outlives it, in this folder.
    pub(crate) async fn start_in(folder: &std::path::Path) -> Self {
        Self::over(empty_api().await, DataDir::open(folder).unwrap())
    }

    /// Ends the Job controller and the node in the midst of what they do, as a crash would.
    pub(crate) async fn crash(&mut self) {
        self.node.abort();
        self.jobs.abort();
        let _aborted = (&mut self.node).await;
        let _aborted = (&mut self.jobs).await;
    }

    pub(crate) fn drain(&self) {
        self.stop_jobs.send_replace(Shutdown::Drain);
        self.stop_node.send_replace(Shutdown::Drain);
    }

    pub(crate) fn kill(&self) {
        self.stop_node.send_replace(Shutdown::Kill);
    }

    /// Waits until everything has stopped.
    pub(crate) async fn stopped(&mut self) {
        tokio::time::timeout(PATIENCE, &mut self.node)
            .await
            .unwrap()
            .unwrap();
        self.stop_jobs.send_replace(Shutdown::Kill);
        tokio::time::timeout(PATIENCE, &mut self.jobs)
            .await
            .unwrap()
            .unwrap();
    }
}

/// Asks until the answer is good, and says what the last one was when patience is over.
pub(crate) async fn until<T, E: Debug, F: Future<Output = Option<Result<T, E>>>>(ask: impl Fn() -> F) -> T {
    let begun = tokio::time::Instant::now();
    loop {
        match ask().await {
            Some(Ok(answer)) => return answer,
            answer => assert!(
                begun.elapsed() < PATIENCE,
                "not what was wanted: {:#?}",
                answer.map(Result::err)
            ),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a condition of the Job holds.
pub(crate) fn holds(status: &JobStatus, name: &str) -> bool {
    status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == name && condition.status == "True")
}

/// The conditions of a Job with their reasons.
pub(crate) fn conditions(status: &JobStatus) -> String {
    let conditions = status.conditions.iter().flatten();
    let told = conditions.map(|condition| {
        format!(
            "{}={} {}",
            condition.type_,
            condition.status,
            condition.reason.as_deref().unwrap_or_default()
        )
    });
    told.collect::<Vec<_>>().join(", ")
}

pub(crate) fn phase(pod: &Pod) -> &str {
    pod.status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or_default()
}

/// The status of a pod's only container.
pub(crate) fn container_status(pod: &Pod) -> ContainerStatus {
    let status = pod.status.clone().unwrap();
    status.container_statuses.unwrap().remove(0)
}
