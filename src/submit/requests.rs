//! The single requests, and what their answers mean.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use kube::core::DynamicObject;
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::cronjob::extension::{STATE_ANNOTATION, SUSPENDED_ANNOTATION};
use crate::cronjob::{JOB_NAME_LABEL, JobRef, Status};
use crate::manifest::CronJob;
use crate::policy::{Deletion, DeletionOutcome};
use crate::schedule::Timestamp;
use crate::submit::JobView;
use crate::submit::trouble::Trouble;

/// How long a read may take. Nothing but the API server has a say in it.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a write may take: longer than any admission webhook may (30 s), and than kube-apiserver tries (34 s). Who goes
/// away before a webhook that hangs is given up keeps the server from going on without it, where that is its policy. An
/// attempt whose answer was lost costs nothing when it is tried again, because names are the lock.
const WRITE_TIMEOUT: Duration = Duration::from_secs(35);

/// So many pods of a Job are looked at to learn why none starts: they all wait for the same.
const PODS_MAX: u32 = 20;

/// Who we are in `metadata.managedFields`, by which our Jobs are told from those of another controller.
pub const FIELD_MANAGER: &str = "punctual";

/// Who a person is in `metadata.managedFields` who changes something with one of our commands.
pub const CLI_FIELD_MANAGER: &str = "punctual-cli";

/// The answer to a create.
pub enum CreateAnswer {
    /// The Job was created.
    Created(JobView),
    /// The Job was there already, and it is ours.
    Existed(JobView),
    /// A Job of that name was there already, and it is not ours.
    Taken,
    /// Neither, for this reason.
    Refused(Trouble),
}

/// The answer to a question for pods.
pub(super) enum PodsAnswer {
    /// They are these.
    Seen(Vec<Pod>),
    /// We may not know, in the server's words.
    Forbidden(String),
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

/// Creates a Job of the CronJob with the UID `owner` for a person who uses one of our commands. Its name is the lock, as
/// it is for the controller.
pub async fn create_for_person(client: &Client, job: &DynamicObject, owner: &str) -> CreateAnswer {
    let namespace = job.metadata.namespace.as_deref().unwrap_or_default();
    Requests::new(client, namespace)
        .create(job, owner, CLI_FIELD_MANAGER)
        .await
}

/// The requests that concern the Jobs and the status of one namespace's CronJobs.
pub(super) struct Requests {
    client: Client,
    jobs: Api<JobView>,
    cronjobs: Api<CronJob>,
}

impl Requests {
    pub(super) fn new(client: &Client, namespace: &str) -> Self {
        Requests {
            client: client.clone(),
            jobs: Api::namespaced(client.clone(), namespace),
            cronjobs: Api::namespaced(client.clone(), namespace),
        }
    }

    /// Deletes a Job and its pods: in the background, or in the foreground, where the Job stays until its pods are gone. A
    /// Job whose name belongs to another Job by now is gone, too.
    pub(super) async fn delete(
        &self,
        deletion: &Deletion,
        propagation: PropagationPolicy,
    ) -> Result<DeletionOutcome, Trouble> {
        let preconditions = Preconditions {
            uid: Some(deletion.uid.clone()),
            resource_version: None,
        };
        let params = DeleteParams {
            propagation_policy: Some(propagation),
            preconditions: Some(preconditions),
            ..DeleteParams::default()
        };
        match in_time(WRITE_TIMEOUT, self.jobs.delete(&deletion.name, &params)).await {
            Ok(_) => Ok(DeletionOutcome::Deleted),
            Err(Unanswered::Error(kube::Error::Api(status))) if names_no(&deletion.name, &status) => {
                Ok(DeletionOutcome::WasGone)
            }
            // The name may be another Job's by now; or the server was outrun by somebody else's write.
            Err(Unanswered::Error(kube::Error::Api(status))) if status.is_conflict() => {
                match self.look_up(&deletion.name).await? {
                    Some(job) if job.uid() == deletion.uid => Err(Trouble::passing(status.message)),
                    _ => Ok(DeletionOutcome::WasGone),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Creates the Job of a run for the CronJob with the UID `owner`.
    ///
    /// The name is the lock: a Job that has it and is ours was created by an attempt whose answer was lost.
    pub(super) async fn create(&self, job: &DynamicObject, owner: &str, manager: &str) -> CreateAnswer {
        let name = job.metadata.name.as_deref().unwrap_or_default();
        let params = PostParams {
            field_manager: Some(manager.into()),
            ..PostParams::default()
        };
        match in_time(WRITE_TIMEOUT, self.post(&params, job)).await {
            Ok(created) => CreateAnswer::Created(created),
            Err(Unanswered::Error(kube::Error::Api(status))) if status.is_already_exists() => {
                match in_time(READ_TIMEOUT, self.jobs.get(name)).await {
                    Ok(existing) if existing.owner().is_some_and(|existing| existing.uid == owner) => {
                        CreateAnswer::Existed(existing)
                    }
                    Ok(_) => CreateAnswer::Taken,
                    Err(error) => CreateAnswer::Refused(error.into()),
                }
            }
            Err(error) => CreateAnswer::Refused(error.into()),
        }
    }

    /// A Job goes out whole, and of the answer only what is needed is read.
    async fn post(&self, params: &PostParams, job: &DynamicObject) -> kube::Result<JobView> {
        let body = serde_json::to_vec(job).map_err(kube::Error::SerdeError)?;
        let request = kube::core::Request::new(self.jobs.resource_url())
            .create(params, body)
            .map_err(kube::Error::BuildRequest)?;
        self.client.request(request).await
    }

    /// Looks a Job up by its name; `None` when there is no such Job.
    pub(super) async fn look_up(&self, name: &str) -> Result<Option<JobView>, Trouble> {
        if_there(name, in_time(READ_TIMEOUT, self.jobs.get(name)).await)
    }

    /// The pods of a Job.
    pub(super) async fn pods(&self, job: &str) -> Result<PodsAnswer, Trouble> {
        let namespace = self.jobs.namespace().unwrap_or_default();
        let pods = Api::<Pod>::namespaced(self.client.clone(), namespace);
        let of_the_job = ListParams::default()
            .labels(&format!("{JOB_NAME_LABEL}={job}"))
            .limit(PODS_MAX);
        match in_time(READ_TIMEOUT, pods.list(&of_the_job)).await {
            Ok(found) => Ok(PodsAnswer::Seen(found.items)),
            Err(Unanswered::Error(kube::Error::Api(status))) if status.is_forbidden() => {
                Ok(PodsAnswer::Forbidden(status.message))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The CronJob as it is now.
    pub(super) async fn cronjob(&self, name: &str) -> Result<Option<CronJob>, Trouble> {
        if_there(name, in_time(READ_TIMEOUT, self.cronjobs.get(name)).await)
    }

    /// Writes the status, provided that the CronJob is still at the version that the decision was made on.
    pub(super) async fn write_status(
        &self,
        cronjob: &CronJob,
        status: &Status,
    ) -> Result<StatusAnswer, Trouble> {
        let name = cronjob.metadata.name.as_deref().unwrap_or_default();
        let patch = Patch::Merge(status_patch(cronjob, status));
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        match in_time(WRITE_TIMEOUT, self.cronjobs.patch_status(name, &params, &patch)).await {
            Ok(written) => Ok(StatusAnswer::Written(Box::new(written))),
            Err(Unanswered::Error(kube::Error::Api(status))) if status.is_conflict() => {
                Ok(StatusAnswer::Conflict)
            }
            Err(Unanswered::Error(kube::Error::Api(status))) if names_no(name, &status) => {
                Ok(StatusAnswer::Gone)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A request that did not do what it was sent for.
enum Unanswered {
    Error(kube::Error),
    TimedOut(Duration),
}

impl From<Unanswered> for Trouble {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Error(error) => Trouble::from(&error),
            Unanswered::TimedOut(after) => Trouble::passing(format!(
                "the API server did not answer within {} seconds",
                after.as_secs()
            )),
        }
    }
}

/// Whether a server says that it knows no object of this name. Any other 404, of a proxy, or of a server that does not serve
/// the resource for the moment, says nothing of the object.
fn names_no(name: &str, status: &kube::core::Status) -> bool {
    let named = status.details.as_ref().map(|details| details.name.as_str());
    status.reason == "NotFound" && named == Some(name)
}

/// What was asked for, if it is there.
fn if_there<T>(name: &str, answer: Result<T, Unanswered>) -> Result<Option<T>, Trouble> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Unanswered::Error(kube::Error::Api(status))) if names_no(name, &status) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The answer, unless it takes longer than `limit`.
async fn in_time<T>(
    limit: Duration,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, Unanswered> {
    match tokio::time::timeout(limit, request).await {
        Ok(answer) => answer.map_err(Unanswered::Error),
        Err(_) => Err(Unanswered::TimedOut(limit)),
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
    let mut metadata = json!({ "resourceVersion": cronjob.metadata.resource_version });
    let recorded = cronjob.recorded_status().record;
    if status.record != recorded {
        let text = Some(status.record.to_string()).filter(|text| !text.is_empty());
        metadata["annotations"] = json!({ STATE_ANNOTATION: text });
    }
    if status.record.suspended != recorded.suspended {
        metadata["annotations"][SUSPENDED_ANNOTATION] = json!(status.record.suspended.map(seconds));
    }
    json!({
        "metadata": metadata,
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
