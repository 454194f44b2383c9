//! What the containers of a Job write: all at once, as they write it, each of their starts from its first line to its last.

use std::collections::{HashMap, HashSet};

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::{ListParams, LogParams};
use kube::{Api, Client, ResourceExt as _};
use tokio::task::JoinHandle;

use crate::cli::connect::refused;
use crate::cli::exit::Failure;
use crate::cli::{complain, say};
use crate::cronjob::JOB_NAME_LABEL;
use crate::standalone::logs::Source;
use crate::standalone::runtime::all_statuses;
use crate::submit::has_run;

/// The pods of a Job, and what is shown of them.
pub(super) struct Logs {
    api: Api<Pod>,
    of_the_job: ListParams,
    containers: HashMap<(String, String), Shown>,
    /// Pods whose failure was told.
    failed: HashSet<String>,
}

/// What is shown of a container.
struct Shown {
    /// Its newest start, by how often it had been started before: each start has a log of its own.
    newest: u32,
    /// Reads the log of the newest start, after those before it.
    reader: JoinHandle<()>,
}

impl Logs {
    pub(super) fn new(client: &Client, namespace: &str, job: &str) -> Self {
        Logs {
            api: Api::namespaced(client.clone(), namespace),
            of_the_job: ListParams::default().labels(&format!("{JOB_NAME_LABEL}={job}")),
            containers: HashMap::new(),
            failed: HashSet::new(),
        }
    }

    /// Begins to show what has started since the last call; with `many` pods at a time, each under its name.
    pub(super) async fn show_new(&mut self, many: bool) -> Result<(), Failure> {
        let pods = self.api.list(&self.of_the_job).await;
        let mut pods = pods
            .map_err(|error| refused("the pods can't be listed", &error))?
            .items;
        pods.sort_by_key(|pod| pod.creation_timestamp().map(|time| time.0));
        for pod in &pods {
            for start in starts(pod, many) {
                self.show(start);
            }
            if let Some(why) = failure(pod)
                && self.failed.insert(pod.name_any())
            {
                complain(&format!("warning: pod {} failed: {why}", pod.name_any()));
            }
        }
        Ok(())
    }

    /// Waits until everything that has started is shown.
    pub(super) async fn finish(&mut self) {
        for (_, shown) in self.containers.drain() {
            // A reader that came to grief has said so.
            let _ended = shown.reader.await;
        }
    }

    fn show(&mut self, start: Start) {
        let key = (start.pod.clone(), start.container.clone());
        let seen = self.containers.get(&key).map(|shown| shown.newest);
        let Some(unseen) = start.unseen(seen) else {
            return;
        };
        let newest = start.newest;
        let before = self.containers.remove(&key).map(|shown| shown.reader);
        let reader = tokio::spawn(read(self.api.clone(), start, unseen, before));
        self.containers.insert(key, Shown { newest, reader });
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

/// Shows what a container writes, after what `before` shows. A log that can't be read is no reason to stop waiting.
async fn read(pods: Api<Pod>, start: Start, unseen: Unseen, before: Option<JoinHandle<()>>) {
    if let Some(before) = before {
        let _ended = before.await;
    }
    if unseen.lost > 0 {
        let starts = if unseen.lost == 1 { "start" } else { "starts" };
        complain(&format!(
            "warning: {} earlier {starts} of {}/{} can't be shown: the next followed too soon",
            unseen.lost, start.pod, start.container
        ));
    }
    if unseen.previous {
        let _is_gone = read_one(&pods, &start, true).await;
    }
    if let Err(error) = read_one(&pods, &start, false).await {
        let what = format!("the log of {}/{} can't be read", start.pod, start.container);
        complain(&format!("warning: {}", refused(&what, &error).message));
    }
}

async fn read_one(pods: &Api<Pod>, start: &Start, previous: bool) -> kube::Result<()> {
    let params = LogParams {
        container: Some(start.container.clone()),
        follow: true,
        previous,
        ..LogParams::default()
    };
    let mut lines = pods.log_stream(&start.pod, &params).await?.lines();
    while let Some(line) = lines.try_next().await.map_err(kube::Error::ReadEvents)? {
        say(&format!("{}{line}", start.prefix));
    }
    Ok(())
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

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({ "metadata": { "name": "pod-a" }, "status": status })).expect("a pod")
    }
}
