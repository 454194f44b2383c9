//! Notices that Jobs end, and pods that belong to none, or that they are deleted before they do.

use std::collections::HashMap;

use futures::{Stream, StreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::{Job, JobCondition, JobStatus};
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ListParams;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};

use crate::cli::up::happening::{End, Ended, Rest};
use crate::clock::SharedClock;
use crate::cronjob::Outcome;
use crate::manifest::timestamp;
use crate::schedule::Timestamp;
use crate::standalone::runtime::{Work, WorkKind, job_of};

/// What was seen, so that its end is told once and with the time it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) since: Timestamp,
    pub(super) ended: bool,
}

/// What was seen, by its uid.
pub(super) struct Ends {
    pub(super) seen: HashMap<String, Seen>,
    pub(super) clock: SharedClock,
}

/// How something has ended; and why, if not well.
type How = (Outcome, Option<String>);

/// What does work, and ends.
pub(super) trait Worker {
    /// Of what kind it is; none where its end is nobody's but a Job's.
    fn kind(&self) -> Option<WorkKind>;

    /// When it has started.
    fn started(&self) -> Option<&Time>;

    /// How it has ended, if it has.
    fn how(&self) -> Option<How>;
}

impl Worker for Job {
    fn kind(&self) -> Option<WorkKind> {
        Some(WorkKind::Job)
    }

    fn started(&self) -> Option<&Time> {
        self.status.as_ref()?.start_time.as_ref()
    }

    fn how(&self) -> Option<How> {
        let (outcome, condition) = last_condition(self.status.as_ref()?)?;
        Some((
            outcome,
            why(outcome, condition.message.as_ref(), condition.reason.as_ref()),
        ))
    }
}

impl Worker for Pod {
    fn kind(&self) -> Option<WorkKind> {
        job_of(&self.metadata).is_none().then_some(WorkKind::Pod)
    }

    fn started(&self) -> Option<&Time> {
        self.status.as_ref()?.start_time.as_ref()
    }

    fn how(&self) -> Option<How> {
        let PodStatus {
            phase,
            message,
            reason,
            ..
        } = self.status.as_ref()?;
        // One that is being deleted is gone soon, and ends by that.
        if self.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let outcome = match phase.as_deref() {
            Some("Succeeded") => Outcome::Succeeded,
            Some("Failed") => Outcome::Failed,
            _ => return None,
        };
        Some((outcome, why(outcome, message.as_ref(), reason.as_ref())))
    }
}

/// Why something has failed, in the first words that there are.
fn why(outcome: Outcome, message: Option<&String>, reason: Option<&String>) -> Option<String> {
    let words = [message, reason].into_iter().flatten();
    let mut words = words.filter(|_| outcome == Outcome::Failed);
    words.next().cloned()
}

/// What is heard of a worker.
struct News {
    uid: String,
    work: Work,
    is_gone: bool,
    how: Option<How>,
}

impl News {
    fn of<K: Worker + Resource<DynamicType = ()>>(worker: &K, is_gone: bool) -> Option<News> {
        let work = Work {
            kind: worker.kind()?,
            namespace: worker.namespace().unwrap_or_default(),
            name: worker.name_any(),
        };
        Some(News {
            uid: worker.uid().unwrap_or_default(),
            work,
            is_gone,
            how: worker.how(),
        })
    }

    fn heard<K: Worker + Resource<DynamicType = ()>>(
        event: Result<watcher::Event<K>, watcher::Error>,
    ) -> Option<News> {
        match event {
            Ok(watcher::Event::Apply(worker) | watcher::Event::InitApply(worker)) => News::of(&worker, false),
            Ok(watcher::Event::Delete(worker)) => News::of(&worker, true),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "watch failed");
                None
            }
        }
    }
}

/// What happens to the workers of a kind.
fn news<K>(client: &Client) -> impl Stream<Item = News> + Send + use<K>
where
    K: Worker
        + Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug
        + Send
        + 'static,
{
    let workers = watcher(Api::<K>::all(client.clone()), watcher::Config::default());
    let heard = workers.default_backoff().map(News::heard);
    heard.filter_map(std::future::ready)
}

impl Ends {
    /// Sends every end, or deletion before it, to `ended`, once each, until `stop` becomes true; by then the last ones are
    /// sent, too.
    pub(super) async fn watch(
        mut self,
        client: Client,
        ended: mpsc::Sender<Ended>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut news = stream::select(news::<Job>(&client).boxed(), news::<Pod>(&client).boxed());
        loop {
            let end = tokio::select! {
                Some(news) = news.next() => self.hear(news),
                _ = stop.wait_for(|stop| *stop) => break,
            };
            if let Some(end) = end {
                let _nobody_listens = ended.send(end).await;
            }
        }
        // What the watch has not told yet.
        let everything = ListParams::default();
        let (jobs, pods) = (Api::<Job>::all(client.clone()), Api::<Pod>::all(client));
        let jobs = jobs.list(&everything).await.into_iter().flatten();
        let jobs: Vec<News> = jobs.filter_map(|job| News::of(&job, false)).collect();
        let pods = pods.list(&everything).await.into_iter().flatten();
        let pods = pods.filter_map(|pod| News::of(&pod, false));
        for news in jobs.into_iter().chain(pods) {
            if let Some(end) = self.hear(news) {
                let _nobody_listens = ended.send(end).await;
            }
        }
    }

    /// The end, when it has come and nobody has been told; or the deletion, when that came before. What is deleted need not
    /// be remembered.
    fn hear(&mut self, news: News) -> Option<Ended> {
        let now = self.clock.now();
        let new = Seen {
            since: now,
            ended: false,
        };
        let known = if news.is_gone {
            self.seen.remove(&news.uid)?
        } else {
            self.seen.entry(news.uid.clone()).or_insert(new).clone()
        };
        if known.ended || !(news.is_gone || news.how.is_some()) {
            return None;
        }
        if let Some(seen) = self.seen.get_mut(&news.uid) {
            seen.ended = true;
        }
        let (outcome, why) = news.how.filter(|_| !news.is_gone).unzip();
        Some(Ended {
            at: now,
            work: news.work,
            outcome,
            took: now - known.since,
            why: why.flatten(),
        })
    }
}

/// Why a Job is not to run now, if it is not.
pub(super) fn rest(job: &Job) -> Option<Rest> {
    let ended = job.status.as_ref().and_then(last_condition);
    if let Some((outcome, condition)) = ended {
        let at = condition.last_transition_time.as_ref().and_then(timestamp);
        return Some(Rest::Ended(End { outcome, at }));
    }
    let is_suspended = job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
    is_suspended.then_some(Rest::Suspended)
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

    fn pod(name: &str, owner: Option<&str>, phase: &str) -> Pod {
        let owner =
            owner.map(|kind| json!({ "apiVersion": "batch/v1", "kind": kind, "name": "owner", "uid": "o" }));
        let pod = json!({
            "metadata": { "namespace": "default", "name": name, "uid": name, "ownerReferences": Vec::from_iter(owner) },
            "status": { "phase": phase, "reason": "Evicted" },
        });
        serde_json::from_value(pod).unwrap()
    }

    fn ends() -> Ends {
        Ends {
            seen: HashMap::new(),
            clock: SystemClock::shared(),
        }
    }

    #[test]
    fn a_job_is_over_once_by_its_end_or_by_its_deletion() {
        let mut ends = ends();
        let mut hear = |event| {
            let ended = ends.hear(News::heard(Ok(event))?);
            ended.map(|ended| (ended.work.name, ended.outcome))
        };
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

    #[test]
    fn the_end_of_a_pod_is_told_unless_a_job_has_it() {
        let mut ends = ends();
        let mut hear = |pod| {
            let ended = ends.hear(News::heard(Ok(Event::Apply(pod)))?);
            ended.map(|ended| (ended.outcome, ended.why))
        };
        assert_eq!(hear(pod("bare", None, "Running")), None);
        let failed = (Some(Outcome::Failed), Some("Evicted".to_owned()));
        assert_eq!(hear(pod("bare", None, "Failed")), Some(failed));
        let succeeded = (Some(Outcome::Succeeded), None);
        assert_eq!(
            hear(pod("owned", Some("ConfigMap"), "Succeeded")),
            Some(succeeded)
        );
        assert_eq!(hear(pod("of-a-job", Some("Job"), "Failed")), None);
        let mut deleted = pod("deleted", None, "Failed");
        deleted.metadata.deletion_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(hear(deleted), None);
    }
}
