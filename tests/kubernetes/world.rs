//! What a case is given: a server, a namespace of its own, and `punctual controller` in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use punctual::clock::SystemClock;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::control_plane::{Binaries, ControlPlane, Guarded};
use crate::embedded::Embedded;
use crate::request::request;

/// Kubernetes without its CronJob controller.
static ALONE: LazyLock<ControlPlane> = LazyLock::new(|| ControlPlane::start(&binaries()));

/// Kubernetes with it.
static BUILT_IN: LazyLock<(ControlPlane, Guarded)> = LazyLock::new(|| {
    let control_plane = ControlPlane::start(&binaries());
    let controllers = control_plane.controller_manager("cronjob-controller");
    (control_plane, controllers)
});

/// Kubernetes without it, where the chart is installed: its controller is in charge of all namespaces.
static INSTALLED: LazyLock<ControlPlane> = LazyLock::new(|| ControlPlane::start(&binaries()));

fn binaries() -> Binaries {
    Binaries::find().expect("cases that need them are ignored")
}

/// The annotation that holds a run's due instant.
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// A server and a namespace.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    kubeconfig: PathBuf,
    folder: TempDir,
    _embedded: Option<Embedded>,
    own: Option<ControlPlane>,
}

impl World {
    pub(crate) async fn real() -> Self {
        Self::of(&ALONE).await
    }

    pub(crate) async fn installed() -> Self {
        Self::of(&INSTALLED).await
    }

    pub(crate) async fn beside_built_in() -> Self {
        Self::of(&BUILT_IN.0).await
    }

    async fn of(control_plane: &ControlPlane) -> Self {
        World {
            client: control_plane.client(),
            namespace: control_plane.namespace().await,
            kubeconfig: control_plane.kubeconfig(),
            folder: TempDir::new().expect("a folder"),
            _embedded: None,
            own: None,
        }
    }

    /// A server of its own, whose CronJob controller the case starts and stops.
    pub(crate) async fn with_controllers_of_its_own() -> Self {
        let control_plane = ControlPlane::start(&binaries());
        let mut world = Self::of(&control_plane).await;
        world.own = Some(control_plane);
        world
    }

    /// Starts the built-in CronJob controller; it is killed when the answer is dropped.
    pub(crate) fn built_in(&self) -> Guarded {
        let own = self.own.as_ref().expect("a server of its own");
        own.controller_manager("cronjob-controller")
    }

    /// The embedded API behind a socket.
    pub(crate) async fn embedded() -> Self {
        let server = Embedded::start().await;
        World {
            client: server.client.clone(),
            namespace: "default".into(),
            kubeconfig: server.kubeconfig(),
            folder: TempDir::new().expect("a folder"),
            _embedded: Some(server),
            own: None,
        }
    }

    /// Starts `punctual controller` for this namespace; it is killed when the answer is dropped.
    pub(crate) fn controller(&self, name: &str, arguments: &[&str]) -> Guarded {
        let here = [
            "--namespace",
            &self.namespace,
            "--lease-namespace",
            &self.namespace,
        ];
        self.controller_by(&self.kubeconfig, name, &[&here[..], arguments].concat())
    }

    /// Starts `punctual controller` as somebody.
    pub(crate) fn controller_by(&self, kubeconfig: &Path, name: &str, arguments: &[&str]) -> Guarded {
        let mut command = Command::new(env!("CARGO_BIN_EXE_punctual"));
        command
            .args(["controller", "--log-format", "json"])
            .args(arguments)
            .arg("--kubeconfig")
            .arg(kubeconfig);
        if !arguments.contains(&"--metrics-listen") {
            command.args(["--metrics-listen", "127.0.0.1:0"]);
        }
        Guarded::spawn(&command, &self.log(name), None)
    }

    /// Starts a command as somebody.
    pub(crate) fn run_as(&self, kubeconfig: &Path, name: &str, arguments: &[&str]) -> Guarded {
        let mut command = Command::new(env!("CARGO_BIN_EXE_punctual"));
        command.args(arguments).arg("--kubeconfig").arg(kubeconfig);
        Guarded::spawn(&command, &self.log(name), None)
    }

    /// A kubeconfig for somebody else, who has a token.
    pub(crate) fn kubeconfig_with(&self, token: &str) -> PathBuf {
        let text = std::fs::read_to_string(&self.kubeconfig).expect("a kubeconfig");
        let mut kubeconfig: Value = serde_json::from_str(&text).expect("JSON, as we wrote it");
        kubeconfig["users"][0]["user"] = json!({ "token": token });
        let path = self
            .folder
            .path()
            .join(format!("kubeconfig-{}", uuid::Uuid::new_v4()));
        std::fs::write(&path, kubeconfig.to_string()).expect("a file in a folder of ours");
        path
    }

    fn log(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(format!("{name}.log"))
    }

    /// Creates a CronJob; `extra` is merged into it.
    pub(crate) async fn cronjob(&self, name: &str, schedule: &str, extra: Value) -> CronJob {
        self.cronjob_in(&self.namespace, name, schedule, extra).await
    }

    pub(crate) async fn cronjob_in(
        &self,
        namespace: &str,
        name: &str,
        schedule: &str,
        extra: Value,
    ) -> CronJob {
        let mut object = cronjob(name, schedule);
        json_patch::merge(&mut object, &extra);
        let path = format!("/apis/batch/v1/namespaces/{namespace}/cronjobs");
        let made = self.send("POST", &path, &object).await.expect("created");
        serde_json::from_value(made).expect("a CronJob")
    }

    /// Changes the status of a Job so that it counts as ended.
    pub(crate) async fn finish(&self, job: &str, succeeded: bool) {
        self.finish_in(&self.namespace, job, succeeded).await;
    }

    pub(crate) async fn finish_in(&self, namespace: &str, job: &str, succeeded: bool) {
        let now =
            punctual::clock::Clock::now(&SystemClock).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let (before, after) = if succeeded {
            ("SuccessCriteriaMet", "Complete")
        } else {
            ("FailureTarget", "Failed")
        };
        let condition = |kind: &str| json!({ "type": kind, "status": "True", "lastTransitionTime": now });
        let mut status = json!({ "startTime": now, "conditions": [condition(before), condition(after)] });
        if succeeded {
            status["completionTime"] = now.clone().into();
            status["succeeded"] = 1.into();
        }
        let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs/{job}/status");
        self.send("PATCH", &path, &json!({ "status": status }))
            .await
            .expect("the Job is ended");
    }

    /// Makes a CronJob one that has not run since the beginning of the year.
    pub(crate) async fn ran_last_long_ago(&self, cronjob: &str) {
        let path = format!(
            "/apis/batch/v1/namespaces/{}/cronjobs/{cronjob}/status",
            self.namespace
        );
        let long_ago = json!({ "status": { "lastScheduleTime": "2026-01-01T00:00:00Z" } });
        self.send("PATCH", &path, &long_ago)
            .await
            .expect("the status is changed");
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> kube::Result<Value> {
        self.client.request(request(method, path, body)).await
    }

    pub(crate) fn jobs_api(&self) -> Api<Job> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(crate) async fn jobs(&self) -> Vec<Job> {
        self.jobs_in(&self.namespace).await
    }

    pub(crate) async fn jobs_in(&self, namespace: &str) -> Vec<Job> {
        let jobs: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        jobs.list(&ListParams::default()).await.expect("a list").items
    }

    /// The Jobs that a CronJob's name begins, by their names.
    pub(crate) async fn jobs_of(&self, cronjob: &str) -> Vec<Job> {
        let mut jobs = self.jobs().await;
        let prefix = format!("{cronjob}-");
        jobs.retain(|job| job.name_any().starts_with(&prefix));
        jobs
    }

    /// How many Jobs the status of a CronJob records as active.
    pub(crate) async fn active(&self, name: &str) -> usize {
        let status = self.get(name).await.status;
        status
            .and_then(|status| status.active)
            .map_or(0, |active| active.len())
    }

    pub(crate) async fn get(&self, name: &str) -> CronJob {
        let cronjobs: Api<CronJob> = Api::namespaced(self.client.clone(), &self.namespace);
        cronjobs.get(name).await.expect("the CronJob")
    }

    pub(crate) async fn events(&self, reason: &str) -> Vec<Event> {
        self.events_in(&self.namespace, reason).await
    }

    pub(crate) async fn events_in(&self, namespace: &str, reason: &str) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let fields = ListParams::default().fields(&format!("reason={reason}"));
        events.list(&fields).await.expect("a list").items
    }

    /// Who holds the lease; empty for nobody.
    pub(crate) async fn leader(&self) -> String {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.namespace);
        let lease = leases.get_opt("punctual").await.expect("an answer");
        let holder = lease
            .and_then(|lease| lease.spec)
            .and_then(|spec| spec.holder_identity);
        holder.unwrap_or_default()
    }
}

/// A CronJob of one container that nobody runs.
pub(crate) fn cronjob(name: &str, schedule: &str) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "name": name },
        "spec": { "schedule": schedule, "jobTemplate": { "spec": { "template": { "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "main", "image": "busybox", "command": ["true"] }],
        } } } } },
    })
}

/// When a Job was due, in seconds since 1970.
pub(crate) fn due(job: &Job) -> i64 {
    let text = &job.annotations()[SCHEDULED];
    chrono::DateTime::parse_from_rfc3339(text)
        .expect("RFC 3339")
        .timestamp()
}

/// How late a Job was created, in whole seconds, as the server counts them.
pub(crate) fn lateness(job: &Job) -> i64 {
    let created = job.creation_timestamp().expect("a time");
    created.0.as_second() - due(job)
}

/// Waits until something holds, for at most a minute.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}: not within a minute");
}

pub(crate) async fn seconds(number: u64) {
    tokio::time::sleep(Duration::from_secs(number)).await;
}
