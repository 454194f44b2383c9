//! Waits for the end of a Job, and shows what its containers write.

use std::collections::HashSet;
use std::time::Duration;

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::{Api, Client, ResourceExt as _};

use crate::cli::connect::refused;
use crate::cli::exit::{Exit, Failure};
use crate::cli::{complain, say};
use crate::cronjob::JOB_NAME_LABEL;

/// How often is looked whether something has happened: often enough for a person who waits, seldom enough for the API
/// server not to notice.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Waits until the Job has ended, and says how.
///
/// # Errors
///
/// When it has failed or is gone, or the API server does not answer.
pub(super) async fn to_the_end(
    client: &Client,
    namespace: &str,
    name: &str,
    logs: bool,
) -> Result<Exit, Failure> {
    let jobs: Api<Job> = Api::namespaced(client.clone(), namespace);
    let mut pods = Pods::new(client, namespace, name);
    loop {
        // Looked at before the pods, so that none is overlooked that ran before the end.
        let job = jobs.get_opt(name).await;
        let job = job.map_err(|error| refused(&format!("Job {namespace}/{name} can't be read"), &error))?;
        let Some(job) = job else {
            return Err(Failure::new(format!(
                "Job {namespace}/{name} was deleted before it ended"
            )));
        };
        if logs {
            pods.show_new().await?;
        }
        if let Some(condition) = terminal(&job) {
            return ended(namespace, name, condition);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The condition that ends a Job.
fn terminal(job: &Job) -> Option<&JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_deref()?;
    let is_terminal = |condition: &&JobCondition| {
        condition.status == "True" && matches!(condition.type_.as_str(), "Complete" | "Failed")
    };
    conditions.iter().find(is_terminal)
}

fn ended(namespace: &str, name: &str, condition: &JobCondition) -> Result<Exit, Failure> {
    if condition.type_ == "Complete" {
        say(&format!("{namespace}/{name} succeeded"));
        return Ok(Exit::Fine);
    }
    let failed = format!("Job {namespace}/{name} failed");
    let words = [
        Some(&failed),
        condition.reason.as_ref(),
        condition.message.as_ref(),
    ];
    let words: Vec<&str> = words
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    Err(Failure::new(words.join(": ")))
}

/// The pods of a Job, each shown once, from its first line to its last.
struct Pods {
    api: Api<Pod>,
    of_the_job: ListParams,
    shown: HashSet<String>,
}

impl Pods {
    fn new(client: &Client, namespace: &str, job: &str) -> Self {
        Pods {
            api: Api::namespaced(client.clone(), namespace),
            of_the_job: ListParams::default().labels(&format!("{JOB_NAME_LABEL}={job}")),
            shown: HashSet::new(),
        }
    }

    /// Shows the pods that have started since the last call, oldest first, until each has ended.
    async fn show_new(&mut self) -> Result<(), Failure> {
        let pods = self.api.list(&self.of_the_job).await;
        let mut pods = pods
            .map_err(|error| refused("the pods can't be listed", &error))?
            .items;
        pods.sort_by_key(|pod| pod.creation_timestamp().map(|time| time.0));
        for pod in pods.iter().filter(|pod| has_started(pod)) {
            if self.shown.insert(pod.name_any()) {
                self.show(pod).await;
            }
        }
        Ok(())
    }

    /// A log that can't be read is no reason to stop waiting.
    async fn show(&self, pod: &Pod) {
        let containers = pod
            .spec
            .as_ref()
            .map(|spec| spec.containers.as_slice())
            .unwrap_or_default();
        for container in containers {
            if let Err(error) = self.show_container(&pod.name_any(), &container.name).await {
                let what = format!("the log of {}/{} can't be read", pod.name_any(), container.name);
                complain(&format!("warning: {}", refused(&what, &error).message));
            }
        }
    }

    async fn show_container(&self, pod: &str, container: &str) -> kube::Result<()> {
        let params = LogParams {
            container: Some(container.to_owned()),
            follow: true,
            ..LogParams::default()
        };
        let mut lines = self.api.log_stream(pod, &params).await?.lines();
        while let Some(line) = lines.try_next().await.map_err(kube::Error::ReadEvents)? {
            say(&line);
        }
        Ok(())
    }
}

/// Whether there is a log to read: a pod that still waits for its node or its image has none.
fn has_started(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Running" | "Succeeded" | "Failed"))
}
