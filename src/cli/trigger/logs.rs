//! What the containers of a Job write: all at once, as they write it, each of their starts from its first line to its last.

use std::collections::{HashMap, HashSet};
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::{Api, ResourceExt as _};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::task::JoinHandle;

use crate::cli::connect::refused;
use crate::cli::trigger::reading::{self, Which};
use crate::cli::{complain, say};
use crate::standalone::logs::Source;
use crate::standalone::runtime::all_statuses;
use crate::submit::has_run;

/// How many logs are open at once. Each is a connection, of which an API server has not many for one client: fewer than the
/// places that `punctual up` keeps for those who have not shown their token yet.
const OPEN_AT_ONCE: usize = 50;

/// What is shown of the pods of a Job.
pub(super) struct Logs {
    pods: Api<Pod>,
    containers: HashMap<(String, String), Shown>,
    /// Pods whose failure was told.
    failed: HashSet<String>,
    places: Arc<Places>,
}

/// What is shown of a container.
struct Shown {
    /// Where its reader hears of the newest start.
    newest: watch::Sender<Start>,
    reader: JoinHandle<()>,
}

impl Logs {
    pub(super) fn new(pods: Api<Pod>) -> Self {
        Logs {
            pods,
            containers: HashMap::new(),
            failed: HashSet::new(),
            places: Arc::new(Places::new(OPEN_AT_ONCE)),
        }
    }

    /// Begins to show what has started in a pod since it was last seen, or before it went; with `many` pods at a time, under
    /// its name.
    pub(super) fn see(&mut self, pod: &Pod, many: bool, is_gone: bool) {
        for start in starts(pod, many) {
            let writes = start.writes && !is_gone;
            self.show(Start { writes, ..start });
        }
        if let Some(why) = failure(pod)
            && self.failed.insert(pod.name_any())
        {
            complain(&format!("warning: pod {} failed: {why}", pod.name_any()));
        }
    }

    /// Waits until everything that has started is shown.
    pub(super) async fn finish(&mut self) {
        let readers = self.containers.drain().map(|(_, shown)| shown.reader);
        // A reader that came to grief has said so. Each ends as soon as it can hear of nothing new.
        let _ended = futures::future::join_all(readers.collect::<Vec<_>>()).await;
    }

    fn show(&mut self, start: Start) {
        let key = (start.pod.clone(), start.container.clone());
        if let Some(shown) = self.containers.get(&key) {
            // Looks at a pod come in order, but for a last one that may be no newer.
            shown.newest.send_if_modified(|newest| {
                let is_newer = (start.newest, !start.writes) > (newest.newest, !newest.writes);
                if is_newer {
                    *newest = start;
                }
                is_newer
            });
            return;
        }
        let (newest, news) = watch::channel(start);
        let reader = tokio::spawn(show_all(self.pods.clone(), news, Arc::clone(&self.places)));
        self.containers.insert(key, Shown { newest, reader });
    }
}

/// The places of logs that are open at once.
struct Places {
    free: Semaphore,
    /// Whether it was told that there are too few.
    told: AtomicBool,
}

impl Places {
    fn new(places: usize) -> Self {
        Places {
            free: Semaphore::new(places),
            told: AtomicBool::new(false),
        }
    }

    /// Waits for a place; who came first has the first that is free.
    async fn take(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.free.try_acquire() {
            return Some(place);
        }
        if !self.told.swap(true, Ordering::Relaxed) {
            complain(&format!(
                "warning: more than {OPEN_AT_ONCE} containers write at once; the others are shown as these end"
            ));
        }
        self.free.acquire().await.ok()
    }
}

/// The newest start of a container, whose log can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Start {
    pod: String,
    container: String,
    /// How often the container had been started before.
    newest: u32,
    /// The start whose log is read with `previous`. While a container waits to be started again, that is the newest, too.
    previous: Option<u32>,
    /// Whether it may write more.
    writes: bool,
    /// What its lines begin with.
    prefix: String,
}

/// What came and went since the last look, before the newest start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unseen {
    /// Whether the last of it can still be read.
    previous: bool,
    /// How many starts can't be.
    lost: u32,
}

impl Start {
    /// What has not been shown before it, if it is newer than what has been `seen`.
    fn unseen(&self, seen: Option<u32>) -> Option<Unseen> {
        let next = seen.map_or(0, |seen| seen + 1);
        let missed = self.newest.checked_sub(next)?;
        let previous = self
            .previous
            .is_some_and(|previous| (next..self.newest).contains(&previous));
        let lost = missed - u32::from(previous);
        Some(Unseen { previous, lost })
    }
}

/// The newest starts of the containers of a pod, in the order in which they begin. Their lines have a prefix where there is
/// more than one of them at a time, or `many` pods.
fn starts(pod: &Pod, many: bool) -> Vec<Start> {
    let containers: Vec<_> = pod.status.iter().flat_map(all_statuses).collect();
    let prefix = |container: &str| match (many, containers.len() > 1) {
        (true, true) => format!("{}/{container} | ", pod.name_any()),
        (true, false) => format!("{} | ", pod.name_any()),
        (false, true) => format!("{container} | "),
        (false, false) => String::new(),
    };
    let start = |status: &&ContainerStatus| {
        let attempt = |previous| Source::choose(pod, &status.name, previous).map(|source| source.attempt);
        Start {
            pod: pod.name_any(),
            container: status.name.clone(),
            // Where one could not be started, who asks for its log is told why.
            newest: attempt(false).unwrap_or_else(|_| status.restart_count.try_into().unwrap_or_default()),
            previous: attempt(true).ok(),
            writes: status.state.as_ref().is_some_and(|state| state.running.is_some()),
            prefix: prefix(&status.name),
        }
    };
    // One that waits for its image, or for those before it, has no log.
    let begun = containers.iter().filter(|status| has_run(status));
    begun.map(start).collect()
}

/// Why a pod failed as a whole, e.g. as it was evicted or could not be started; where a container of it failed, its log says
/// more.
fn failure(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let message = status.message.as_deref().filter(|message| !message.is_empty())?;
    let reason = status.reason.as_ref().map(|reason| format!("{reason}: "));
    (status.phase.as_deref() == Some("Failed")).then(|| reason.unwrap_or_default() + message)
}

/// Shows what a container writes in all its starts, until there are no more. A log that can't be read is no reason to stop
/// waiting.
async fn show_all(pods: Api<Pod>, mut news: watch::Receiver<Start>, places: Arc<Places>) {
    let mut seen = None;
    loop {
        if news.borrow_and_update().unseen(seen).is_some() {
            let _place = places.take().await;
            // Which start is the newest may have changed while it waited for its turn.
            let start = news.borrow_and_update().clone();
            if let Some(unseen) = start.unseen(seen) {
                show_unseen(&pods, &start, unseen, &news).await;
            }
            seen = Some(start.newest);
        }
        if news.changed().await.is_err() {
            return;
        }
    }
}

async fn show_unseen(pods: &Api<Pod>, start: &Start, unseen: Unseen, news: &watch::Receiver<Start>) {
    if unseen.lost > 0 {
        let starts = if unseen.lost == 1 { "start" } else { "starts" };
        complain(&format!(
            "warning: {} earlier {starts} of {}/{} can't be shown: the next followed too soon",
            unseen.lost, start.pod, start.container
        ));
    }
    let which = |previous| Which {
        pod: &start.pod,
        container: &start.container,
        previous,
    };
    let show = |line: &str| say(&format!("{}{line}", start.prefix));
    if unseen.previous
        && let Err(error) = reading::read(pods, which(true), show, |_| ready(false)).await
    {
        complain(&unreadable("the log of an earlier start of", start, &error));
    }
    let goes_on = |pause| {
        let (mut news, shown) = (news.clone(), start.newest);
        async move {
            let over = news.wait_for(|newest| newest.newest != shown || !newest.writes);
            tokio::time::timeout(pause, over).await.is_err()
        }
    };
    if let Err(error) = reading::read(pods, which(false), show, goes_on).await {
        complain(&unreadable("the log of", start, &error));
    }
}

/// Why a log can't be shown.
fn unreadable(what: &str, start: &Start, error: &kube::Error) -> String {
    let (pod, container) = (&start.pod, &start.container);
    match error {
        kube::Error::Api(status) if status.code == 404 => format!(
            "warning: {what} {pod}/{container} went with its pod, which was deleted before it was read: by somebody, or with its \
             Job, which a CronJob that keeps no history (successfulJobsHistoryLimit or failedJobsHistoryLimit: 0) deletes at once"
        ),
        _ => {
            let what = format!("{what} {pod}/{container} can't be read");
            format!("warning: {}", refused(&what, error).message)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// One row a pod: how its containers are, whether there are other pods beside it, and what is shown of it.
    #[test]
    fn what_has_begun_is_shown_under_the_names_that_tell_it_apart() {
        let running = json!({ "running": {} });
        let ended = json!({ "terminated": { "exitCode": 1, "containerID": "process://1" } });
        let waits = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        let container = |name: &str, restarts: i32, state: &Value, last: &Value| {
            json!({
                "name": name, "image": "a", "imageID": "", "ready": false,
                "restartCount": restarts, "state": state, "lastState": last,
            })
        };
        let none = json!({});
        for (init, containers, many, shown) in [
            (vec![], vec![], false, ""),
            (vec![], vec![container("main", 0, &waits, &none)], false, ""),
            (
                vec![],
                vec![container("main", 0, &running, &none)],
                false,
                "main 0 ``",
            ),
            (
                vec![],
                vec![container("main", 0, &ended, &none)],
                true,
                "main 0 `pod-a | `",
            ),
            (
                vec![],
                vec![container("main", 2, &waits, &ended)],
                false,
                "main 2 ``",
            ),
            (
                vec![container("prepare", 0, &ended, &none)],
                vec![container("main", 0, &waits, &none)],
                false,
                "prepare 0 `prepare | `",
            ),
            (
                vec![container("prepare", 1, &ended, &none)],
                vec![container("main", 0, &running, &none)],
                true,
                "prepare 1 `pod-a/prepare | `, main 0 `pod-a/main | `",
            ),
        ] {
            let status = json!({ "initContainerStatuses": init, "containerStatuses": containers });
            let mut pod = pod(&status);
            pod.spec = serde_json::from_value(json!({
                "initContainers": [{ "name": "prepare" }], "containers": [{ "name": "main" }],
            }))
            .expect("a spec");
            let starts: Vec<String> = starts(&pod, many)
                .iter()
                .map(|start| format!("{} {} `{}`", start.container, start.newest, start.prefix))
                .collect();
            assert_eq!(starts.join(", "), shown);
        }
    }

    /// One row a look: what has been seen, what is there, whether the one before is read, and how many are lost.
    #[test]
    fn what_came_and_went_between_two_looks_is_shown_as_far_as_it_is_kept() {
        for (seen, newest, previous, unseen) in [
            (None, 0, None, Some((false, 0))),
            (None, 1, Some(0), Some((true, 0))),
            (None, 1, Some(1), Some((false, 1))),
            (None, 3, Some(2), Some((true, 2))),
            (Some(0), 0, Some(0), None),
            (Some(0), 1, Some(0), Some((false, 0))),
            (Some(0), 1, Some(1), Some((false, 0))),
            (Some(0), 2, Some(1), Some((true, 0))),
            (Some(0), 2, Some(2), Some((false, 1))),
            (Some(2), 1, Some(1), None),
        ] {
            let start = Start {
                pod: "pod-a".into(),
                container: "main".into(),
                newest,
                previous,
                writes: true,
                prefix: String::new(),
            };
            let unseen = unseen.map(|(previous, lost)| Unseen { previous, lost });
            assert_eq!(start.unseen(seen), unseen, "{seen:?} {newest} {previous:?}");
        }
    }

    #[test]
    fn a_pod_that_failed_as_a_whole_says_why() {
        for (status, why) in [
            (json!({}), None),
            (json!({ "phase": "Failed" }), None),
            (json!({ "phase": "Pending", "message": "no room" }), None),
            (
                json!({ "phase": "Failed", "reason": "Evicted", "message": "no room" }),
                Some("Evicted: no room"),
            ),
            (
                json!({ "phase": "Failed", "message": "no room" }),
                Some("no room"),
            ),
        ] {
            assert_eq!(failure(&pod(&status)).as_deref(), why, "{status}");
        }
    }

    #[test]
    fn a_log_that_is_gone_says_what_keeps_it() {
        let start = Start {
            pod: "pod-a".into(),
            container: "main".into(),
            newest: 0,
            previous: None,
            writes: false,
            prefix: String::new(),
        };
        let said = |code: u16| {
            let status = json!({ "status": "Failure", "message": "no", "reason": "No", "code": code });
            let error = kube::Error::Api(serde_json::from_value(status).expect("a status"));
            unreadable("the log of", &start, &error)
        };
        insta::assert_snapshot!(said(404), @"warning: the log of pod-a/main went with its pod, which was deleted before it was read: by somebody, or with its Job, which a CronJob that keeps no history (successfulJobsHistoryLimit or failedJobsHistoryLimit: 0) deletes at once");
        insta::assert_snapshot!(said(403), @"warning: the log of pod-a/main can't be read: no");
    }

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({ "metadata": { "name": "pod-a" }, "status": status })).expect("a pod")
    }
}
