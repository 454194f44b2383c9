//! The single requests, and what their answers mean.

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::cronjob::{JobRef, Status};
use crate::manifest::CronJob;
use crate::policy::{Deletion, DeletionResult};
use crate::schedule::Timestamp;
use crate::submit::JobView;

/// The answer to a create.
pub(super) enum CreateAnswer {
    /// The Job was created.
    Created(JobView),
    /// The Job was there already, and it is ours.
    Existed(JobView),
    /// A Job of that name was there already, and it is not ours.
    Taken,
    /// Neither, for this reason.
    Refused(String),
}

/// The answer to a status write.
pub(super) enum StatusAnswer {
    /// It was written; this is the CronJob now.
    Written(Box<CronJob>),
    /// The CronJob changed meanwhile.
    Conflict,
    /// The CronJob is gone.
    Gone,
}

/// The requests that concern the Jobs and the status of one namespace's CronJobs.
pub(super) struct Requests {
    jobs: Api<JobView>,
    raw_jobs: Api<DynamicObject>,
    cronjobs: Api<CronJob>,
}

impl Requests {
    pub(super) fn new(client: &Client, namespace: &str) -> Self {
        let job = ApiResource::erase::<JobView>(&());
        Requests {
            jobs: Api::namespaced(client.clone(), namespace),
            raw_jobs: Api::namespaced_with(client.clone(), namespace, &job),
            cronjobs: Api::namespaced(client.clone(), namespace),
        }
    }

    /// Deletes a Job and, in the background, its pods. A Job that is gone, or whose name belongs to another Job by
    /// now, counts as deleted.
    pub(super) async fn delete(&self, deletion: &Deletion) -> DeletionResult {
        let preconditions = Preconditions {
            uid: Some(deletion.uid.clone()),
            resource_version: None,
        };
        let params = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            preconditions: Some(preconditions),
            ..DeleteParams::default()
        };
        let error = match self.jobs.delete(&deletion.name, &params).await {
            Ok(_) => None,
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => None,
            Err(error) => Some(explain(&error)),
        };
        DeletionResult {
            deletion: deletion.clone(),
            error,
        }
    }

    /// Creates the Job of a run for the CronJob with the UID `owner`.
    ///
    /// The name is the lock: a Job that has it and is ours was created by an attempt whose answer was lost.
    pub(super) async fn create(&self, job: &DynamicObject, owner: &str) -> CreateAnswer {
        let name = job.metadata.name.as_deref().unwrap_or_default();
        let created = match self.raw_jobs.create(&PostParams::default(), job).await {
            Ok(created) => created.try_parse::<JobView>(),
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                return match self.jobs.get(name).await {
                    Ok(existing) if existing.owner() == Some(owner) => CreateAnswer::Existed(existing),
                    Ok(_) => CreateAnswer::Taken,
                    Err(error) => CreateAnswer::Refused(explain(&error)),
                };
            }
            Err(error) => return CreateAnswer::Refused(explain(&error)),
        };
        created.map_or_else(
            |error| CreateAnswer::Refused(error.to_string()),
            CreateAnswer::Created,
        )
    }

    /// Looks a Job up by its name; `None` when there is no such Job.
    pub(super) async fn look_up(&self, name: &str) -> Result<Option<JobView>, kube::Error> {
        self.jobs.get_opt(name).await
    }

    /// The CronJob as it is now.
    pub(super) async fn cronjob(&self, name: &str) -> Result<Option<CronJob>, kube::Error> {
        self.cronjobs.get_opt(name).await
    }

    /// Writes the status, provided that the CronJob is still at the version that the decision was made on.
    pub(super) async fn write_status(
        &self,
        cronjob: &CronJob,
        status: &Status,
    ) -> Result<StatusAnswer, kube::Error> {
        let name = cronjob.metadata.name.as_deref().unwrap_or_default();
        let patch = Patch::Merge(status_patch(cronjob, status));
        match self
            .cronjobs
            .patch_status(name, &PatchParams::default(), &patch)
            .await
        {
            Ok(written) => Ok(StatusAnswer::Written(Box::new(written))),
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(StatusAnswer::Conflict),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(StatusAnswer::Gone),
            Err(error) => Err(error),
        }
    }
}

/// The status as Kubernetes writes it. Fields that are absent are removed by `null`, as RFC 7386 has it.
fn status_patch(cronjob: &CronJob, status: &Status) -> Value {
    let namespace = &cronjob.metadata.namespace;
    let reference = |job: &JobRef| {
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": job.name,
            "namespace": namespace,
            "uid": job.uid,
            "resourceVersion": job.resource_version,
        })
    };
    let active: Vec<Value> = status.active.iter().map(reference).collect();
    json!({
        "metadata": { "resourceVersion": cronjob.metadata.resource_version },
        "status": {
            "active": if active.is_empty() { Value::Null } else { Value::Array(active) },
            "lastScheduleTime": status.last_schedule_time.map(seconds),
            "lastSuccessfulTime": status.last_successful_time.map(seconds),
        },
    })
}

/// Kubernetes keeps times of objects in whole seconds.
fn seconds(instant: Timestamp) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The server's own words where it gave an answer, else what went wrong on the way.
fn explain(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}
