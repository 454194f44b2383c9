//! Notices that Jobs end, and pods that belong to none, or that they are deleted before they do.

use std::collections::{HashMap, HashSet};
use std::mem;

use futures::{Stream, StreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::{Job, JobCondition, JobStatus};
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ListParams;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
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
    pub(super) work: Work,
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
pub(super) trait Worker: Resource<DynamicType = ()> {
    /// What it is.
    const KIND: WorkKind;

    /// Whether its end is told; else it is nobody's but a Job's.
    fn is_told(&self) -> bool;

    /// When it has started.
    fn started(&self) -> Option<&Time>;

    /// How it has ended, if it has.
    fn how(&self) -> Option<How>;
}

impl Worker for Job {
    const KIND: WorkKind = WorkKind::Job;

    fn is_told(&self) -> bool {
        true
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
    const KIND: WorkKind = WorkKind::Pod;

    fn is_told(&self) -> bool {
        job_of(&self.metadata).is_none()
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

/// The work of a worker.
pub(super) fn work<K: Worker>(worker: &K) -> Work {
    Work {
        kind: K::KIND,
        namespace: worker.namespace().unwrap_or_default(),
        name: worker.name_any(),
    }
}

/// What is heard of workers.
enum News {
    /// One is there, or was deleted.
    One {
        uid: String,
        work: Work,
        is_gone: bool,
        how: Option<How>,
    },
    /// These are all of a kind that are there: what is missing was deleted unheard.
    All(WorkKind, HashSet<String>),
}

impl News {
    fn of<K: Worker>(worker: &K, is_gone: bool) -> Option<News> {
        worker.is_told().then(|| News::One {
            uid: worker.uid().unwrap_or_default(),
            work: work(worker),
            is_gone,
            how: worker.how(),
        })
    }

    /// What is heard by an event of a watch, which lists everything anew when it falls behind: `listed` is what has come of
    /// that.
    fn heard<K: Worker>(
        event: Result<watcher::Event<K>, watcher::Error>,
        listed: &mut HashSet<String>,
    ) -> Option<News> {
        match event {
            Ok(watcher::Event::Init) => {
                listed.clear();
                None
            }
            Ok(watcher::Event::InitApply(worker)) => {
                listed.extend(worker.uid());
                News::of(&worker, false)
            }
            Ok(watcher::Event::InitDone) => Some(News::All(K::KIND, mem::take(listed))),
            Ok(watcher::Event::Apply(worker)) => News::of(&worker, false),
            Ok(watcher::Event::Delete(worker)) => News::of(&worker, true),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "watch failed");
                None
            }
        }
    }

    /// What is heard by a list of all.
    fn listed<K: Worker>(workers: &[K]) -> Vec<News> {
        let uids = workers.iter().filter_map(ResourceExt::uid).collect();
        let each = workers.iter().filter_map(|worker| News::of(worker, false));
        each.chain([News::All(K::KIND, uids)]).collect()
    }
}

/// What happens to the workers of a kind.
fn news<K>(client: &Client) -> impl Stream<Item = News> + Send + use<K>
where
    K: Worker
        + Resource<Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug
        + Send
        + 'static,
{
    let workers = watcher(Api::<K>::all(client.clone()), watcher::Config::default());
    let mut listed = HashSet::new();
    let heard = workers.default_backoff();
    let heard = heard.map(move |event| News::heard(event, &mut listed));
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
            let ends = tokio::select! {
                Some(news) = news.next() => self.hear(news),
                _ = stop.wait_for(|stop| *stop) => break,
            };
            for end in ends {
                let _nobody_listens = ended.send(end).await;
            }
        }
        // What the watch has not told yet.
        let everything = ListParams::default();
        let (jobs, pods) = (Api::<Job>::all(client.clone()), Api::<Pod>::all(client));
        let jobs = jobs.list(&everything).await;
        let pods = pods.list(&everything).await;
        let jobs = jobs.map(|jobs| News::listed(&jobs.items)).into_iter();
        let pods = pods.map(|pods| News::listed(&pods.items)).into_iter();
        for news in jobs.chain(pods).flatten() {
            for end in self.hear(news) {
                let _nobody_listens = ended.send(end).await;
            }
        }
    }

    fn hear(&mut self, news: News) -> Vec<Ended> {
        match news {
            News::One {
                uid, is_gone: true, ..
            } => {
                let seen = self.seen.remove(&uid);
                seen.and_then(|seen| self.deleted(seen)).into_iter().collect()
            }
            News::One { uid, work, how, .. } => self.is(uid, work, how).into_iter().collect(),
            News::All(kind, there) => {
                let is_gone = |uid: &String, seen: &mut Seen| seen.work.kind == kind && !there.contains(uid);
                let mut gone: Vec<Seen> = self.seen.extract_if(is_gone).map(|(_, seen)| seen).collect();
                gone.sort_by(|one, other| one.work.cmp(&other.work));
                gone.into_iter().filter_map(|seen| self.deleted(seen)).collect()
            }
        }
    }

    /// The end, when it has come and nobody has been told.
    fn is(&mut self, uid: String, work: Work, how: Option<How>) -> Option<Ended> {
        let at = self.clock.now();
        let seen = self.seen.entry(uid).or_insert_with(|| Seen {
            work: work.clone(),
            since: at,
            ended: false,
        });
        let (outcome, why) = how.filter(|_| !seen.ended)?;
        seen.ended = true;
        Some(Ended {
            at,
            work,
            outcome: Some(outcome),
            took: at - seen.since,
            why,
        })
    }

    /// The deletion, when it came before the end. What is deleted need not be remembered.
    fn deleted(&self, seen: Seen) -> Option<Ended> {
        let at = self.clock.now();
        (!seen.ended).then(|| Ended {
            at,
            work: seen.work,
            outcome: None,
            took: at - seen.since,
            why: None,
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
            let ended = ends.hear(News::heard(Ok(event), &mut HashSet::new())?).pop();
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

    /// Nobody tells of it when a watch was so far behind that it began anew.
    #[test]
    fn what_is_missing_when_everything_is_listed_anew_was_deleted() {
        let mut ends = ends();
        let mut listed = HashSet::new();
        let mut hear = |events: Vec<Event<Job>>| {
            let news = events.into_iter();
            let news = news.filter_map(|event| News::heard(Ok(event), &mut listed));
            let told = news.flat_map(|news| ends.hear(news)).collect::<Vec<_>>();
            let told = told.into_iter().map(|ended| (ended.work.name, ended.outcome));
            told.collect::<Vec<_>>()
        };
        let running = ["a", "b", "c"].map(|name| Event::InitApply(job(name, &[])));
        let ended = Event::InitApply(job("ended", &["Complete"]));
        let first = [Event::Init]
            .into_iter()
            .chain(running)
            .chain([ended, Event::InitDone]);
        assert_eq!(
            hear(first.collect()),
            [("ended".to_owned(), Some(Outcome::Succeeded))]
        );
        // It failed half way, and begins once more.
        let half = [Event::Init, Event::InitApply(job("a", &[]))];
        let whole = [
            Event::Init,
            Event::InitApply(job("b", &[])),
            Event::InitApply(job("new", &[])),
            Event::InitDone,
        ];
        let again = half.into_iter().chain(whole).collect();
        assert_eq!(hear(again), [("a".to_owned(), None), ("c".to_owned(), None)]);
        assert_eq!(hear(vec![Event::Delete(job("a", &[]))]), []);
        let pods = News::listed::<Pod>(&[]);
        let told = pods.into_iter().flat_map(|news| ends.hear(news));
        assert_eq!(told.count(), 0, "no pod was there");
        let mut left: Vec<_> = ends.seen.into_keys().collect();
        left.sort();
        assert_eq!(left, ["b", "new"]);
    }

    #[test]
    fn the_end_of_a_pod_is_told_unless_a_job_has_it() {
        let mut ends = ends();
        let mut hear = |pod| {
            let ended = ends
                .hear(News::heard(Ok(Event::Apply(pod)), &mut HashSet::new())?)
                .pop();
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
