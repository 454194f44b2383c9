//! Carrying a decision out. Nothing is left to choose here, and every step may be done again.
//!
//! The order matters: a pod is let go or deleted only after the status that counts it has been written, and the
//! status is written only over the one that the decision was made on. When the Job has changed meanwhile, the rest is
//! left, and decided anew.

use std::collections::HashSet;
use std::sync::Arc;

use futures::{StreamExt, stream};
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, Error};
use serde_json::json;

use super::claim::{adopted, disowned, finalizers_of_others, is_own};
use super::decision::{JobDecision, JobEvent};
use super::key::owns;
use super::objects::Uid;
use super::pods::{is_over, name, uid};
use crate::submit::Trouble;
use crate::telemetry::chain;

/// How many pods of one Job are written at one time.
const WRITES_AT_ONCE: usize = 16;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The Job as it was answered.
    pub(super) job: Option<Job>,
    /// Pods as they were answered.
    pub(super) pods: Vec<Pod>,
    /// Pods of others that have the name that one of ours should have.
    pub(super) foreign: Vec<Pod>,
    /// What to tell, in the order in which it happened.
    pub(super) events: Vec<JobEvent>,
    /// Whether something did not succeed and should be tried again.
    pub(super) failed: bool,
}

/// Carries out what was decided for a Job. `pods` are those that are to be let go or deleted.
pub(super) async fn carry_out(
    client: Client,
    job: Arc<Job>,
    decision: JobDecision,
    pods: Vec<Pod>,
) -> Outcome {
    let namespace = job.metadata.namespace.clone().unwrap_or_default();
    let writer = Writer {
        jobs: Api::namespaced(client.clone(), &namespace),
        pods: Api::namespaced(client, &namespace),
        job,
    };
    let mut outcome = Outcome::default();
    writer.adopt(&decision.adopt, &pods, &mut outcome).await;
    writer.disown(&decision.disown, &pods, &mut outcome).await;
    let missing = Box::pin(writer.create(decision.create, &mut outcome)).await;
    let counted = match decision.status {
        Some(status) => writer.write_status(without(status, missing), &mut outcome).await,
        None => true,
    };
    if counted {
        writer.release(&decision.release, &pods, &mut outcome).await;
        writer.delete(&decision.delete, &pods, &mut outcome).await;
        outcome.events.extend(decision.events);
    }
    if decision.delete_job {
        writer.delete_job(&mut outcome).await;
    }
    outcome
}

/// Writes for one Job.
struct Writer {
    job: Arc<Job>,
    jobs: Api<Job>,
    pods: Api<Pod>,
}

impl Writer {
    /// Takes pods over. A Job that is being deleted must not: what is left behind on purpose would be deleted after it. That
    /// may not have been heard of yet, so it is asked for.
    async fn adopt(&self, uids: &[Uid], pods: &[Pod], outcome: &mut Outcome) {
        if uids.is_empty() {
            return;
        }
        let job_name = self.job.metadata.name.as_deref().unwrap_or_default();
        match self.jobs.get_opt(job_name).await {
            Ok(Some(job))
                if job.metadata.uid == self.job.metadata.uid && job.metadata.deletion_timestamp.is_none() => {
            }
            // The watch tells.
            Ok(_) => return,
            Err(_) => return outcome.failed = true,
        }
        for pod in these(pods, uids) {
            let (owners, finalizers) = adopted(&self.job, &pod);
            self.give(&pod, &owners, &finalizers, outcome).await;
        }
    }

    /// Lets go of pods that are not the Job's any more.
    async fn disown(&self, uids: &[Uid], pods: &[Pod], outcome: &mut Outcome) {
        for pod in these(pods, uids) {
            let (owners, finalizers) = disowned(&self.job, &pod);
            self.give(&pod, &owners, &finalizers, outcome).await;
        }
    }

    /// Gives a pod other owners and finalizers, if it is still as it was seen.
    async fn give(&self, pod: &Pod, owners: &[OwnerReference], finalizers: &[String], outcome: &mut Outcome) {
        let patch = json!({"metadata": {
            "uid": pod.metadata.uid,
            "resourceVersion": pod.metadata.resource_version,
            "ownerReferences": owners,
            "finalizers": finalizers,
        }});
        let parameters = PatchParams::default();
        let patch = Patch::Merge(&patch);
        match self.pods.patch(name(pod), &parameters, &patch).await {
            Ok(pod) => outcome.pods.push(pod),
            // The watch tells what has changed, and then it is decided anew.
            Err(Error::Api(status)) if matches!(status.code, 404 | 409) => {}
            Err(error) => {
                tracing::warn!(
                    pod = name(pod),
                    error = chain(&error),
                    "the owner of a pod could not be written"
                );
                outcome.failed = true;
            }
        }
    }

    /// Makes pods, one, then two, then four and so on, and no more once one could not be made: what refuses one refuses the
    /// next as well, and each refusal is told. How many of them are not there.
    async fn create(&self, pods: Vec<Pod>, outcome: &mut Outcome) -> usize {
        let (wanted, there_before) = (pods.len(), outcome.pods.len());
        // It would be let go of at once, and another made in its place, and so on.
        if pods.iter().any(|pod| !is_own(&self.job, pod)) {
            let message = "Error creating: the Job's selector does not match the pods that it would make";
            outcome.events.push(JobEvent::warning("FailedCreate", message));
            outcome.failed = true;
            return wanted;
        }
        let mut pods = pods.into_iter();
        let mut at_once = 1;
        while pods.len() > 0 && !outcome.failed {
            let mut answers = stream::iter(pods.by_ref().take(at_once))
                .map(|pod| async move { (self.pods.create(&PostParams::default(), &pod).await, pod) })
                .buffer_unordered(WRITES_AT_ONCE);
            while let Some((answer, pod)) = answers.next().await {
                self.created(answer, &pod, outcome).await;
            }
            at_once *= 2;
        }
        wanted - (outcome.pods.len() - there_before)
    }

    async fn created(&self, answer: kube::Result<Pod>, pod: &Pod, outcome: &mut Outcome) {
        match answer {
            Ok(pod) => {
                let message = format!("Created pod: {}", name(&pod));
                outcome.events.push(JobEvent::normal("SuccessfulCreate", message));
                outcome.pods.push(pod);
            }
            Err(Error::Api(status)) if status.reason == "AlreadyExists" => {
                self.find(name(pod), outcome).await;
            }
            // The Job goes as well, when its pods have gone; there is nothing to tell.
            Err(error) if Trouble::from(&error).is_namespace_terminating() => outcome.failed = true,
            Err(error) => {
                let message = format!("Error creating: {}", chain(&error));
                outcome.events.push(JobEvent::warning("FailedCreate", message));
                outcome.failed = true;
            }
        }
    }

    /// The name is taken: by a pod of ours whose making was not heard of, or by another's.
    async fn find(&self, name: &str, outcome: &mut Outcome) {
        match self.pods.get_opt(name).await {
            Ok(Some(pod)) if owns(&self.job, &pod) => outcome.pods.push(pod),
            Ok(Some(pod)) => outcome.foreign.push(pod),
            Ok(None) | Err(_) => outcome.failed = true,
        }
    }

    /// Writes the status. Whether the Job was still the one that the decision was made on.
    async fn write_status(&self, status: JobStatus, outcome: &mut Outcome) -> bool {
        let job = Job {
            status: Some(status),
            ..(*self.job).clone()
        };
        let job_name = job.metadata.name.as_deref().unwrap_or_default();
        match self
            .jobs
            .replace_status(job_name, &PostParams::default(), &job)
            .await
        {
            Ok(job) => {
                outcome.job = Some(job);
                return true;
            }
            // The watch tells what has changed, and then it is decided anew.
            Err(Error::Api(status)) if matches!(status.code, 404 | 409) => {}
            // Nothing of what follows is done until it is written, so whoever looks after the Job has to hear of it.
            Err(error) => {
                let message = format!("Error updating the status: {}", chain(&error));
                outcome.events.push(JobEvent::warning("FailedUpdate", message));
                outcome.failed = true;
            }
        }
        false
    }

    /// Takes the tracking finalizer from pods.
    async fn release(&self, uids: &[Uid], pods: &[Pod], outcome: &mut Outcome) {
        let mut answers = stream::iter(these(pods, uids))
            .map(|pod| async move { self.release_one(&pod).await })
            .buffer_unordered(WRITES_AT_ONCE);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(pod) => outcome.pods.push(pod),
                Err(Error::Api(status)) if status.code == 404 => {}
                Err(_) => outcome.failed = true,
            }
        }
    }

    async fn release_one(&self, pod: &Pod) -> kube::Result<Pod> {
        // The revision guards the other finalizers, the uid another pod of the same name.
        let patch = json!({"metadata": {
            "uid": pod.metadata.uid,
            "resourceVersion": pod.metadata.resource_version,
            "finalizers": finalizers_of_others(pod),
        }});
        let released = self
            .pods
            .patch(name(pod), &PatchParams::default(), &Patch::Merge(&patch))
            .await;
        match released {
            Err(Error::Api(status)) if status.code == 409 => self.release_newer(pod).await,
            released => released,
        }
    }

    /// The pod has changed meanwhile: once more, with the pod as it is now. If it has ended, it may count for more than when
    /// this was decided, and that is decided anew.
    async fn release_newer(&self, pod: &Pod) -> kube::Result<Pod> {
        let newer = self.pods.get(name(pod)).await?;
        if newer.metadata.uid != pod.metadata.uid || (is_over(&newer) && !is_over(pod)) {
            return Ok(newer);
        }
        Box::pin(self.release_one(&newer)).await
    }

    async fn delete(&self, uids: &[Uid], pods: &[Pod], outcome: &mut Outcome) {
        let mut answers = stream::iter(these(pods, uids))
            .map(|pod| async move {
                (
                    self.pods
                        .delete(name(&pod), &only(pod.metadata.uid.as_ref()))
                        .await,
                    pod,
                )
            })
            .buffer_unordered(WRITES_AT_ONCE);
        while let Some((answer, pod)) = answers.next().await {
            match answer {
                Ok(answer) => {
                    outcome.events.push(JobEvent::normal(
                        "SuccessfulDelete",
                        format!("Deleted pod: {}", name(&pod)),
                    ));
                    outcome.pods.extend(
                        answer
                            .left()
                            .filter(|pod| pod.metadata.deletion_timestamp.is_some()),
                    );
                }
                Err(Error::Api(status)) if matches!(status.code, 404 | 409) => {}
                Err(error) => {
                    outcome.events.push(JobEvent::warning(
                        "FailedDelete",
                        format!("Error deleting: {}", chain(&error)),
                    ));
                    outcome.failed = true;
                }
            }
        }
    }

    async fn delete_job(&self, outcome: &mut Outcome) {
        let job_name = self.job.metadata.name.as_deref().unwrap_or_default();
        match self
            .jobs
            .delete(job_name, &only(self.job.metadata.uid.as_ref()))
            .await
        {
            Ok(_) => {}
            Err(Error::Api(status)) if matches!(status.code, 404 | 409) => {}
            Err(_) => outcome.failed = true,
        }
    }
}

/// The status, when so many of the pods that it counts as active could not be made.
pub(super) fn without(mut status: JobStatus, missing: usize) -> JobStatus {
    let missing = i32::try_from(missing).unwrap_or(i32::MAX);
    status.active = status
        .active
        .map(|active| active - missing)
        .filter(|active| *active > 0);
    status
}

/// Deletes the object of this uid and no other of its name; what it owns goes after it.
fn only(uid: Option<&Uid>) -> DeleteParams {
    let preconditions = Preconditions {
        uid: uid.cloned(),
        resource_version: None,
    };
    DeleteParams {
        preconditions: Some(preconditions),
        ..DeleteParams::background()
    }
}

/// The pods of these uids.
pub(super) fn these<'p, 'u>(
    pods: impl IntoIterator<Item = &'p Pod>,
    uids: impl IntoIterator<Item = &'u Uid>,
) -> Vec<Pod> {
    let uids: HashSet<&str> = uids.into_iter().map(String::as_str).collect();
    let these = pods.into_iter().filter(|pod| uids.contains(uid(pod)));
    these.cloned().collect()
}
