//! Notices that Jobs end, or are deleted before they do.

use std::collections::HashMap;

use futures::StreamExt;
use k8s_openapi::api::batch::v1::{Job, JobCondition, JobStatus};
use kube::api::ListParams;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use tokio::sync::{mpsc, watch};

use crate::cli::up::happening::{End, JobEnded};
use crate::clock::SharedClock;
use crate::cronjob::{Key, Outcome};
use crate::manifest::timestamp;
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
    /// Sends the end of every Job, or its deletion, to `ended`, once each, until `stop` becomes true; by then the last
    /// ones are sent, too.
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
            Ok(watcher::Event::Apply(job) | watcher::Event::InitApply(job)) => self.look(&job),
            Ok(watcher::Event::Delete(job)) => self.forget(&job),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "watch failed");
                None
            }
        }
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
        is_news.then(|| ended(job, now, known.since, Some(outcome), why))
    }

    /// The deletion of a Job, when that came before its end. Jobs need not be remembered longer than they exist.
    fn forget(&mut self, job: &Job) -> Option<JobEnded> {
        let known = self.seen.remove(job.metadata.uid.as_deref()?)?;
        (!known.ended).then(|| ended(job, self.clock.now(), known.since, None, None))
    }
}

fn ended(
    job: &Job,
    at: Timestamp,
    since: Timestamp,
    outcome: Option<Outcome>,
    why: Option<String>,
) -> JobEnded {
    JobEnded {
        at,
        job: key(job),
        outcome,
        took: at - since,
        why,
    }
}

fn key(job: &Job) -> Key {
    Key {
        namespace: job.metadata.namespace.clone().unwrap_or_default(),
        name: job.metadata.name.clone().unwrap_or_default(),
    }
}

fn outcome(status: &JobStatus) -> Option<(Outcome, Option<String>)> {
    let (outcome, condition) = last_condition(status)?;
    let words = [condition.message.as_deref(), condition.reason.as_deref()];
    let why = words.into_iter().flatten().next().map(Into::into);
    Some((outcome, why.filter(|_| outcome == Outcome::Failed)))
}

/// How a Job has ended, if it has.
pub(super) fn end(status: &JobStatus) -> Option<End> {
    let (outcome, condition) = last_condition(status)?;
    Some(End {
        outcome,
        at: condition.last_transition_time.as_ref().and_then(timestamp),
    })
}

/// The condition that a Job has ended by.
fn last_condition(status: &JobStatus) -> Option<(Outcome, &JobCondition)> {
    let mut conditions = status
        .conditions
        .iter()
        .flatten()
        .filter(|condition| condition.status == "True");
    conditions.find_map(|condition| match condition.type_.as_str() {
        "Complete" => Some((Outcome::Succeeded, condition)),
        "Failed" => Some((Outcome::Failed, condition)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use watcher::Event;

    use super::*;
    use crate::clock::SystemClock;

    fn job(name: &str, conditions: &[&str]) -> Job {
        let conditions = conditions
            .iter()
            .map(|kind| json!({ "type": kind, "status": "True" }));
        let job = json!({
            "metadata": { "namespace": "default", "name": name, "uid": name },
            "status": { "conditions": conditions.collect::<Vec<_>>() },
        });
        serde_json::from_value(job).unwrap()
    }

    #[test]
    fn a_job_is_over_once_by_its_end_or_by_its_deletion() {
        let mut ends = Ends {
            seen: HashMap::new(),
            clock: SystemClock::shared(),
        };
        let mut hear = |event| ends.hear(Ok(event)).map(|ended| (ended.job.name, ended.outcome));
        let told = |name: &str, outcome| Some((name.to_owned(), outcome));
        assert_eq!(hear(Event::Apply(job("ends", &[]))), None);
        let complete = Some(Outcome::Succeeded);
        assert_eq!(
            hear(Event::Apply(job("ends", &["Complete"]))),
            told("ends", complete)
        );
        assert_eq!(hear(Event::Apply(job("ends", &["Complete"]))), None);
        assert_eq!(hear(Event::Delete(job("ends", &["Complete"]))), None);
        assert_eq!(hear(Event::Apply(job("replaced", &[]))), None);
        assert_eq!(hear(Event::Delete(job("replaced", &[]))), told("replaced", None));
        assert!(ends.seen.is_empty());
    }
}
