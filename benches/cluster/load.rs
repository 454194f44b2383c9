//! The objects, and the bare client that creates the same Jobs.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{TimeDelta, Timelike};
use futures::StreamExt;
use kube::Client;
use kube::api::ListParams;
use kube::core::DynamicObject;
use punctual::manifest::CronJob;
use punctual::policy::Start;
use punctual::schedule::{TimeZones, Timestamp};
use punctual::submit::job_for;
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;

/// The CronJobs are spread over so many namespaces.
const NAMESPACES: usize = 10;

/// As many Jobs are created at the same time as the controller does (`submit::lanes`), each on a connection of its own.
const CONNECTIONS: usize = 64;

/// So many CronJobs a second are created at least, on a machine that does other things as well.
const CRONJOBS_PER_SECOND: usize = 120;

/// Makes objects in one control plane.
pub(crate) struct Load {
    client: Client,
    made: AtomicUsize,
}

impl Load {
    pub(crate) async fn new(control_plane: &ControlPlane) -> Self {
        let mut config = control_plane.config();
        // As the controller's own clients.
        config.default_retry = false;
        let load = Load {
            client: Client::try_from(config).expect("a client"),
            made: AtomicUsize::new(0),
        };
        let namespaces = (0..NAMESPACES).map(|index| {
            let body = json!({ "metadata": { "name": namespace(index) } });
            ("/api/v1/namespaces".to_owned(), body.to_string())
        });
        load.post_all(namespaces.collect()).await;
        load
    }

    /// Creates CronJobs with this schedule. Their Jobs run for ever: nobody here runs them.
    pub(crate) async fn create_cronjobs(&self, count: usize, schedule: &str) {
        let first = self.made.fetch_add(count, Ordering::Relaxed);
        let objects = (first..first + count).map(|index| {
            let path = format!("/apis/batch/v1/namespaces/{}/cronjobs", namespace(index));
            (path, cronjob(index, schedule).to_string())
        });
        self.post_all(objects.collect()).await;
    }

    /// Creates Jobs that people started by hand, so that nobody has anything to do about them; each belongs to one
    /// of the CronJobs.
    pub(crate) async fn create_history(&self, jobs: usize, cronjobs: usize) {
        let mut owners = Vec::new();
        for index in 0..NAMESPACES {
            let api: kube::Api<CronJob> = kube::Api::namespaced(self.client.clone(), &namespace(index));
            owners.extend(api.list(&ListParams::default()).await.expect("a list").items);
        }
        assert_eq!(owners.len(), cronjobs);
        let bodies = (0..jobs).map(|index| {
            let owner = &owners[index % owners.len()];
            let mut job = body(
                owner,
                crate::minute(20_000_000 + i64::try_from(index).expect("small")),
            );
            let annotations = job.metadata.annotations.get_or_insert_default();
            annotations.insert(punctual::submit::INSTANTIATE_ANNOTATION.into(), "manual".into());
            addressed(&job)
        });
        self.post_all(bodies.collect()).await;
    }

    /// What the CronJobs' Jobs look like on the wire, for an owner that does not exist, so that no controller minds
    /// them.
    pub(crate) fn job_bodies(count: usize, which: &str) -> Vec<(String, String)> {
        let instant = crate::minute(if which == "before" { 20_000_000 } else { 20_000_001 });
        let bodies = (0..count).map(|index| {
            let mut owner: CronJob =
                serde_json::from_str(&cronjob(index, "0 0 1 1 *").to_string()).expect("a CronJob");
            owner.metadata.uid = Some("00000000-0000-4000-8000-000000000000".into());
            owner.metadata.name = Some(format!("bare-{index:05}"));
            addressed(&body(&owner, instant))
        });
        bodies.collect()
    }

    /// A bare client: it creates what it is given, and does nothing else.
    pub(crate) async fn create_bare(&self, bodies: Vec<(String, String)>) {
        self.post_all(bodies).await;
    }

    async fn post_all(&self, bodies: Vec<(String, String)>) {
        let posts = bodies.into_iter().map(|(path, body)| {
            let client = self.client.clone();
            let request = http::Request::post(format!("{path}?fieldManager=bench"))
                .header("content-type", "application/json")
                .body(body.into_bytes())
                .expect("a request");
            // A task each, as in the controller, so that both cores are used.
            async move { tokio::spawn(async move { client.request_text(request).await.map(drop) }).await }
        });
        let mut answers = futures::stream::iter(posts).buffer_unordered(CONNECTIONS);
        while let Some(answer) = answers.next().await {
            answer.expect("no panic").expect("created");
        }
    }
}

fn namespace(index: usize) -> String {
    format!("team-{}", index % NAMESPACES)
}

/// An ordinary CronJob.
fn cronjob(index: usize, schedule: &str) -> Value {
    let labels = json!({ "app.kubernetes.io/name": format!("report-{index:05}"), "team": namespace(index) });
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "name": format!("report-{index:05}"), "namespace": namespace(index), "labels": labels },
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Allow",
            "jobTemplate": { "metadata": { "labels": labels }, "spec": { "backoffLimit": 2, "template": {
                "metadata": { "labels": labels },
                "spec": { "restartPolicy": "Never", "containers": [{
                    "name": "main",
                    "image": "registry.example.com/team/report:1.42.0",
                    "command": ["/bin/report", "--since", "1h", "--format", "parquet"],
                    "env": [{ "name": "TZ", "value": "UTC" }, { "name": "LOG_LEVEL", "value": "info" }],
                    "resources": { "requests": { "cpu": "100m", "memory": "128Mi" } },
                }] },
            } } },
        },
    })
}

/// The Job that a CronJob makes for an instant.
fn body(owner: &CronJob, scheduled: Timestamp) -> DynamicObject {
    let name = owner.metadata.name.as_deref().unwrap_or_default();
    let start = Start {
        name: punctual::cronjob::run_name(name, scheduled),
        scheduled,
        planned: scheduled,
        deadline: None,
        waited: false,
        held_back: TimeDelta::zero(),
    };
    job_for(owner, &start, &TimeZones::built_in())
}

/// Where a Job is posted to, and its text.
fn addressed(job: &DynamicObject) -> (String, String) {
    let namespace = job.metadata.namespace.as_deref().unwrap_or_default();
    let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
    (path, serde_json::to_string(job).expect("JSON"))
}

/// A full minute by which so many CronJobs can be created and the controller has settled.
pub(crate) fn minute_in_time_for(cronjobs: usize, now: Timestamp) -> Timestamp {
    let seconds = 15 + i64::try_from(cronjobs / CRONJOBS_PER_SECOND).expect("small");
    let ready = now + TimeDelta::seconds(seconds);
    crate::minute(ready.timestamp().div_euclid(60) + 1)
}

/// The expression that is due at an instant and at no other of that day.
pub(crate) fn schedule_of(instant: Timestamp) -> String {
    format!("{} {} * * *", instant.minute(), instant.hour())
}
