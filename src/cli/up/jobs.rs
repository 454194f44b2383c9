//! Notices that Jobs end.

use std::collections::HashSet;

use futures::StreamExt;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use tokio::sync::mpsc;

use crate::cli::up::happening::JobEnded;
use crate::clock::SharedClock;
use crate::cronjob::{Key, Outcome};

/// Sends the end of every Job to `ended`, once each, until nobody listens.
pub(super) async fn watch_ends(client: Client, clock: SharedClock, ended: mpsc::Sender<JobEnded>) {
    let mut known = HashSet::new();
    let jobs = watcher(Api::<Job>::all(client), watcher::Config::default()).default_backoff();
    let mut jobs = std::pin::pin!(jobs);
    while let Some(event) = jobs.next().await {
        match event {
            Ok(watcher::Event::Apply(job) | watcher::Event::InitApply(job)) => {
                let uid = job.metadata.uid.clone().unwrap_or_default();
                let Some(end) = end_of(&job, &clock) else { continue };
                if known.insert(uid) && ended.send(end).await.is_err() {
                    return;
                }
            }
            // The names of ended Jobs need not be remembered longer than the Jobs themselves.
            Ok(watcher::Event::Delete(job)) => {
                known.remove(job.metadata.uid.as_deref().unwrap_or_default());
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "watch failed"),
        }
    }
}

fn end_of(job: &Job, clock: &SharedClock) -> Option<JobEnded> {
    let status = job.status.as_ref()?;
    let (outcome, why) = outcome(status)?;
    let at = clock.now();
    let started = status.start_time.as_ref().map(|time| time.0.as_millisecond());
    let took = started.map(|millis| chrono::TimeDelta::milliseconds(at.timestamp_millis() - millis));
    let key = Key {
        namespace: job.metadata.namespace.clone().unwrap_or_default(),
        name: job.metadata.name.clone().unwrap_or_default(),
    };
    Some(JobEnded {
        at,
        job: key,
        outcome,
        took,
        why,
    })
}

fn outcome(status: &JobStatus) -> Option<(Outcome, Option<String>)> {
    let conditions = status
        .conditions
        .iter()
        .flatten()
        .filter(|condition| condition.status == "True");
    conditions
        .into_iter()
        .find_map(|condition| match condition.type_.as_str() {
            "Complete" => Some((Outcome::Succeeded, None)),
            "Failed" => {
                let words = [condition.message.as_deref(), condition.reason.as_deref()];
                Some((
                    Outcome::Failed,
                    words.into_iter().flatten().next().map(Into::into),
                ))
            }
            _ => None,
        })
}
