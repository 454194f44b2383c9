//! Notices that Jobs end.

use std::collections::HashMap;

use futures::StreamExt;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use kube::api::ListParams;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use tokio::sync::{mpsc, watch};

use crate::cli::up::happening::JobEnded;
use crate::clock::SharedClock;
use crate::cronjob::{Key, Outcome};
use crate::schedule::Timestamp;

/// A Job that was seen, so that its end is told once and with the time it took.
pub(super) struct Seen {
    pub(super) since: Timestamp,
    pub(super) ended: bool,
}

/// The Jobs that were seen, by their uids.
pub(super) struct Ends {
    pub(super) seen: HashMap<String, Seen>,
    pub(super) clock: SharedClock,
}

impl Ends {
    /// Sends the end of every Job to `ended`, once each, until `stop` becomes true; by then the last ones are sent, too.
    pub(super) async fn watch(
        mut self,
        client: Client,
        ended: mpsc::Sender<JobEnded>,
        mut stop: watch::Receiver<bool>,
    ) {
        let api = Api::<Job>::all(client);
        let jobs = watcher(api.clone(), watcher::Config::default()).default_backoff();
        let mut jobs = std::pin::pin!(jobs);
        loop {
            let end = tokio::select! {
                Some(event) = jobs.next() => self.hear(event),
                _ = stop.wait_for(|stop| *stop) => break,
            };
            if let Some(end) = end {
                let _nobody_listens = ended.send(end).await;
            }
        }
        // What the watch has not told yet.
        let last = api.list(&ListParams::default()).await;
        for job in last.into_iter().flatten() {
            if let Some(end) = self.look(&job) {
                let _nobody_listens = ended.send(end).await;
            }
        }
    }

    fn hear(&mut self, event: Result<watcher::Event<Job>, watcher::Error>) -> Option<JobEnded> {
        match event {
            Ok(watcher::Event::Apply(job) | watcher::Event::InitApply(job)) => return self.look(&job),
            // Jobs need not be remembered longer than they exist.
            Ok(watcher::Event::Delete(job)) => {
                self.seen.remove(job.metadata.uid.as_deref().unwrap_or_default());
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "watch failed"),
        }
        None
    }

    /// The end of a Job, when it has ended and nobody has been told.
    fn look(&mut self, job: &Job) -> Option<JobEnded> {
        let now = self.clock.now();
        let uid = job.metadata.uid.clone().unwrap_or_default();
        let known = self.seen.entry(uid).or_insert(Seen {
            since: now,
            ended: false,
        });
        let (outcome, why) = outcome(job.status.as_ref()?)?;
        let is_news = !std::mem::replace(&mut known.ended, true);
        is_news.then(|| JobEnded {
            at: now,
            job: key(job),
            outcome,
            took: now - known.since,
            why,
        })
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
