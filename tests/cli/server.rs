//! The embedded API behind a real socket, with CronJobs and Jobs that a test writes.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::Arc;

use kube::Client;
use serde_json::{Value, json};

use crate::command;
use crate::embedded::Embedded;
use crate::request::request;

pub(crate) const CRONJOBS: &str = "/apis/batch/v1/namespaces/default/cronjobs";
pub(crate) const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";

/// An API server with some objects.
#[derive(Clone)]
pub(crate) struct Server(Arc<Embedded>);

impl Server {
    pub(crate) async fn start() -> Self {
        Server(Arc::new(Embedded::start().await))
    }

    /// The file that leads to it.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.0.kubeconfig()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.client().request(request(method, path, body)).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// A CronJob of a container `main`; `extra` is merged into it.
    pub(crate) async fn cronjob(&self, name: &str, extra: &Value) -> Value {
        let mut object = json!({
            "metadata": { "name": name },
            "spec": { "schedule": "30 2 * * *", "jobTemplate": { "spec": { "template": { "spec": {
                "restartPolicy": "Never",
                "containers": [{ "name": "main", "image": "busybox", "command": ["backup"], "args": ["-q"] }],
            } } } } },
        });
        json_patch::merge(&mut object, extra);
        self.send("POST", CRONJOBS, &object).await
    }

    /// A Job of a CronJob that has ended.
    pub(crate) async fn ended_job(&self, cronjob: &Value, name: &str, condition: &str) {
        self.active_job(cronjob, name).await;
        self.end(name, condition).await;
    }

    /// A Job of a CronJob that runs.
    pub(crate) async fn active_job(&self, cronjob: &Value, name: &str) {
        let owner = json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "controller": true,
            "name": cronjob["metadata"]["name"], "uid": cronjob["metadata"]["uid"],
        });
        let job = json!({
            "metadata": { "name": name, "ownerReferences": [owner] },
            "spec": cronjob["spec"]["jobTemplate"]["spec"],
        });
        self.send("POST", JOBS, &job).await;
    }

    pub(crate) async fn end(&self, job: &str, condition: &str) {
        let now = "2026-11-23T12:00:00Z";
        let before = if condition == "Complete" {
            "SuccessCriteriaMet"
        } else {
            "FailureTarget"
        };
        let conditions = [before, condition].map(|kind| {
            json!({ "type": kind, "status": "True", "lastTransitionTime": now, "reason": "BackoffLimitExceeded",
                    "message": "Job has reached the specified backoff limit" })
        });
        let mut status = json!({ "startTime": now, "conditions": conditions });
        if condition == "Complete" {
            status["completionTime"] = now.into();
        }
        self.send(
            "PATCH",
            &format!("{JOBS}/{job}/status"),
            &json!({ "status": status }),
        )
        .await;
    }

    /// `spec.suspend` and the annotations of each CronJob.
    pub(crate) async fn marks(&self) -> Vec<(Value, Value)> {
        let list = self.send("GET", CRONJOBS, &Value::Null).await;
        let items = list["items"].as_array().expect("a list").iter();
        let marks = items.map(|item| {
            let annotations = item["metadata"].get("annotations").cloned();
            (
                item["spec"]["suspend"].clone(),
                annotations.unwrap_or_else(|| json!({})),
            )
        });
        marks.collect()
    }

    /// Runs `punctual` against it.
    pub(crate) fn punctual(&self, arguments: &[&str]) -> Output {
        let kubeconfig = self.kubeconfig();
        let command = command(arguments)
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .stdin(Stdio::null())
            .output();
        command.expect("punctual can be started")
    }
}
