//! The objects that scripts speak of, and what others than the controller do with them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use punctual::clock::{Clock, ManualClock};
use punctual::cronjob::{Key, Outcome};
use punctual::schedule::Timestamp;
use punctual::submit::BACKFILL_LABEL;
use serde_json::{Value, json};

use crate::language::{JobKind, job_spec};

/// The annotation of a Job that a person made.
const INSTANTIATE: &str = "cronjob.kubernetes.io/instantiate";

/// The CronJobs of a namespace.
pub(super) fn cronjobs(client: &Client, namespace: &str) -> Api<CronJob> {
    Api::namespaced(client.clone(), namespace)
}

/// The Jobs of a namespace.
pub(super) fn jobs(client: &Client, namespace: &str) -> Api<Job> {
    Api::namespaced(client.clone(), namespace)
}

/// A Job that the controller did not start.
pub(super) fn job(key: &Key, kind: JobKind, owner: Option<&CronJob>) -> Value {
    let mut object = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": key.name, "namespace": key.namespace },
        "spec": job_spec(),
    });
    let metadata = owner.map(|owner| &owner.metadata);
    let reference = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": metadata.and_then(|metadata| metadata.name.clone()),
        "uid": metadata.and_then(|metadata| metadata.uid.clone()),
        "controller": true,
    });
    match kind {
        JobKind::Foreign => {}
        JobKind::Lookalike => {
            // An owner that the collector does not know, so that it lets its dependents be.
            let mut other = reference;
            other["apiVersion"] = json!("example.com/v1");
            object["metadata"]["ownerReferences"] = json!([other]);
        }
        JobKind::Stray => object["metadata"]["ownerReferences"] = json!([reference]),
        JobKind::Backfill => {
            object["metadata"]["ownerReferences"] = json!([reference]);
            object["metadata"]["labels"] = json!({ BACKFILL_LABEL: "a-backfill" });
        }
        JobKind::Manual => {
            object["metadata"]["ownerReferences"] = json!([reference]);
            object["metadata"]["annotations"] = json!({ INSTANTIATE: "manual" });
        }
    }
    object
}

/// Another client changes a label of a CronJob: its version moves on, and nothing that matters does.
pub(super) async fn edit(client: &Client, cronjob: &Key) -> bool {
    let cronjobs = cronjobs(client, &cronjob.namespace);
    let Ok(Some(found)) = cronjobs.get_opt(&cronjob.name).await else {
        return false;
    };
    let labels = found.metadata.labels.unwrap_or_default();
    let count: u32 = labels
        .get("edits")
        .and_then(|count| count.parse().ok())
        .unwrap_or_default();
    let patch = json!({ "metadata": { "labels": { "edits": (count + 1).to_string() } } });
    let params = PatchParams::default();
    cronjobs
        .patch(&cronjob.name, &params, &Patch::Merge(patch))
        .await
        .is_ok()
}

/// Writes the status of a Job as the Job controller does when its pods have ended; false when there is no such Job.
pub(super) async fn finish(client: &Client, job: &Key, outcome: Outcome, now: Timestamp) -> bool {
    let jobs = jobs(client, &job.namespace);
    let Ok(Some(found)) = jobs.get_opt(&job.name).await else {
        return false;
    };
    let time = now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let (before, condition, count) = match outcome {
        Outcome::Succeeded => ("SuccessCriteriaMet", "Complete", "succeeded"),
        Outcome::Failed => ("FailureTarget", "Failed", "failed"),
    };
    let holds = |condition: &str| json!({ "type": condition, "status": "True", "lastTransitionTime": time });
    let mut status = json!({
        "startTime": found.metadata.creation_timestamp,
        "conditions": [holds(before), holds(condition)],
        count: 1,
    });
    if outcome == Outcome::Succeeded {
        status["completionTime"] = json!(time);
    }
    let patch = Patch::Merge(json!({ "status": status }));
    jobs.patch_status(&job.name, &PatchParams::default(), &patch)
        .await
        .is_ok()
}

/// Every Job there is, oldest first.
pub(super) async fn all_jobs(client: &Client) -> Vec<Job> {
    let jobs = Api::<Job>::all(client.clone()).list(&ListParams::default()).await;
    let mut jobs = jobs.map(|jobs| jobs.items).unwrap_or_default();
    jobs.sort_by_key(|job| {
        let metadata = &job.metadata;
        (
            metadata.creation_timestamp.clone(),
            metadata.namespace.clone(),
            metadata.name.clone(),
        )
    });
    jobs
}

/// How a Job has ended, if it has.
pub(super) fn outcome(job: &Job) -> Option<Outcome> {
    let conditions = job
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    let mut terminal = conditions.filter(|condition| condition.status == "True");
    terminal.find_map(|condition| match condition.type_.as_str() {
        "Complete" => Some(Outcome::Succeeded),
        "Failed" => Some(Outcome::Failed),
        _ => None,
    })
}

/// The CronJob that controls a Job, if it is one.
pub(super) fn owner(job: &Job) -> Option<Key> {
    let owners = job.metadata.owner_references.as_deref().unwrap_or_default();
    let controller = owners
        .iter()
        .find(|owner| owner.controller == Some(true) && owner.api_version == "batch/v1")?;
    Some(Key {
        namespace: job.metadata.namespace.clone().unwrap_or_default(),
        name: controller.name.clone(),
    })
}

/// Whether a person made the Job.
pub(super) fn is_manual(job: &Job) -> bool {
    let annotations = job.metadata.annotations.as_ref();
    annotations.is_some_and(|annotations| annotations.contains_key(INSTANTIATE))
}

/// Whether a backfill made the Job.
pub(super) fn is_backfill(job: &Job) -> bool {
    let labels = job.metadata.labels.as_ref();
    labels.is_some_and(|labels| labels.contains_key(BACKFILL_LABEL))
}

/// Namespace and name of a Job.
pub(super) fn key(job: &Job) -> Key {
    Key {
        namespace: job.metadata.namespace.clone().unwrap_or_default(),
        name: job.metadata.name.clone().unwrap_or_default(),
    }
}

/// How the runs of CronJobs end without a command for each.
#[derive(Default)]
pub(super) struct Endings(Mutex<HashMap<Key, (Duration, Outcome)>>);

impl Endings {
    pub(super) fn set(&self, cronjob: Key, after: Duration, outcome: Outcome) {
        let mut endings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        endings.insert(cronjob, (after, outcome));
    }

    /// Has a Job end when its time has come.
    pub(super) fn schedule(&self, cronjob: &Key, job: &Key, client: &Client, clock: &ManualClock) {
        let endings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((after, outcome)) = endings.get(cronjob).copied() else {
            return;
        };
        let (client, job, clock) = (client.clone(), job.clone(), clock.clone());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            finish(&client, &job, outcome, clock.now()).await;
        });
    }
}
