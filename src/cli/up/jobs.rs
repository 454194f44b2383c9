//! Notices that Jobs end.

use std::collections::HashMap;

use futures::StreamExt;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use tokio::sync::mpsc;

use crate::cli::up::happening::JobEnded;
use crate::clock::SharedClock;
use crate::cronjob::{Key, Outcome};
use crate::schedule::Timestamp;

/// A Job that was seen, so that its end is told once and with the time it took.
struct Seen {
    since: Timestamp,
    ended: bool,
}

/// Sends the end of every Job to `ended`, once each, until nobody listens.
pub(super) async fn watch_ends(client: Client, clock: SharedClock, ended: mpsc::Sender<JobEnded>) {
    let mut seen: HashMap<String, Seen> = HashMap::new();
    let jobs = watcher(Api::<Job>::all(client), watcher::Config::default()).default_backoff();
    let mut jobs = std::pin::pin!(jobs);
    while let Some(event) = jobs.next().await {
        match event {
            Ok(watcher::Event::Apply(job) | watcher::Event::InitApply(job)) => {
                let now = clock.now();
                let uid = job.metadata.uid.clone().unwrap_or_default();
                let known = seen.entry(uid).or_insert(Seen {
                    since: now,
                    ended: false,
                });
                let Some((outcome, why)) = job.status.as_ref().and_then(outcome) else {
                    continue;
                };
                if !std::mem::replace(&mut known.ended, true) {
                    let end = JobEnded {
                        at: now,
                        job: key(&job),
                        outcome,
                        took: now - known.since,
                        why,
                    };
                    if ended.send(end).await.is_err() {
                        return;
                    }
                }
            }
            // Jobs need not be remembered longer than they exist.
            Ok(watcher::Event::Delete(job)) => {
                seen.remove(job.metadata.uid.as_deref().unwrap_or_default());
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "watch failed"),
        }
    }
}

fn key(job: &Job) -> Key {
    Key {
        namespace: job.metadata.namespace.clone().unwrap_or_default(),
        name: job.metadata.name.clone().unwrap_or_default(),
    }
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
