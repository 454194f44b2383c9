//! Which log is asked for: of which container of a pod, and of which of its starts.
//!
//! Pure: the rules of kube-apiserver and of the kubelet (`LogLocation`, `validateContainerLogStatus`), in their words.

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod};
use thiserror::Error;

/// One start of a container, of which there is a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The container's name.
    pub container: String,
    /// How often it had been started before.
    pub attempt: u32,
}

/// Why there is no log to show.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoLog {
    /// The pod has several containers, and none is named.
    #[error(
        "a container name must be specified for pod {pod}, choose one of: [{containers}]{init_containers}"
    )]
    Several {
        /// The pod.
        pod: String,
        /// The names to choose from.
        containers: String,
        /// More of them, in words.
        init_containers: String,
    },
    /// The pod has no such container.
    #[error("container {container} is not valid for pod {pod}")]
    NoSuchContainer {
        /// What was asked for.
        container: String,
        /// The pod.
        pod: String,
    },
    /// It has not been started yet.
    #[error("container {container:?} in pod {pod:?} is waiting to start: {reason}")]
    Waiting {
        /// The container.
        container: String,
        /// The pod.
        pod: String,
        /// What it waits for.
        reason: String,
    },
    /// Its pod failed before anything of it was started.
    #[error(
        "container {container:?} in pod {pod:?} is not available, as the pod failed before its start: {why}"
    )]
    NotAvailable {
        /// The container.
        container: String,
        /// The pod.
        pod: String,
        /// What the pod's status says of that.
        why: String,
    },
    /// It could not be started.
    #[error("container {container:?} in pod {pod:?} is terminated{}", after_colon(why))]
    NeverStarted {
        /// The container.
        container: String,
        /// The pod.
        pod: String,
        /// What its status says of that.
        why: String,
    },
    /// It was not restarted.
    #[error("previous terminated container {container:?} in pod {pod:?} not found")]
    NoPrevious {
        /// The container.
        container: String,
        /// The pod.
        pod: String,
    },
}

impl Source {
    /// The log that is meant: of the container of this name (the only one, when the name is empty), the last one that
    /// was begun, or the one before it.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn choose(pod: &Pod, container: &str, previous: bool) -> Result<Source, NoLog> {
        let container = named(pod, container)?;
        let pod_name = || pod.metadata.name.clone().unwrap_or_default();
        let waiting = |reason: &str| NoLog::Waiting {
            container: container.clone(),
            pod: pod_name(),
            reason: reason.to_owned(),
        };
        let Some(status) = status(pod, &container) else {
            return Err(match failure(pod) {
                Some(why) => NoLog::NotAvailable {
                    container: container.clone(),
                    pod: pod_name(),
                    why,
                },
                None => waiting("ContainerCreating"),
            });
        };
        let begun = Begun::of(status);
        let attempt = if previous {
            begun.previous.ok_or_else(|| NoLog::NoPrevious {
                container: container.clone(),
                pod: pod_name(),
            })
        } else {
            begun.last.or(begun.previous).ok_or_else(|| {
                let waits = status.state.as_ref().and_then(|state| state.waiting.as_ref());
                match waits {
                    Some(waits) => waiting(waits.reason.as_deref().unwrap_or_default()),
                    None => NoLog::NeverStarted {
                        container: container.clone(),
                        pod: pod_name(),
                        why: end(status),
                    },
                }
            })
        };
        attempt.map(|attempt| Source { container, attempt })
    }

    /// Whether something may still be added to the log, as far as its pod says.
    pub fn grows(&self, pod: &Pod) -> bool {
        let Some(status) = status(pod, &self.container) else {
            return false;
        };
        let running = status.state.as_ref().is_some_and(|state| state.running.is_some());
        running && restarts(status) == self.attempt
    }
}

/// The starts of a container that have a log, by how often it was started before.
struct Begun {
    /// The current one, or the last one when it waits.
    last: Option<u32>,
    /// The one that ended before.
    previous: Option<u32>,
}

impl Begun {
    /// A start that failed has no container, and so no log.
    fn of(status: &ContainerStatus) -> Begun {
        let state = status.state.clone().unwrap_or_default();
        let ended = status
            .last_state
            .as_ref()
            .and_then(|state| state.terminated.as_ref());
        let has_ended = ended.is_some_and(|ended| ended.container_id.is_some());
        let restarts = restarts(status);
        let is_begun = state.running.is_some()
            || state
                .terminated
                .as_ref()
                .is_some_and(|ended| ended.container_id.is_some());
        // While a container waits for its restart, the last one that ended is the last one that was begun; it is for
        // good where the pod ended meanwhile, as what was never begun has no time of its beginning.
        let attempted = state.terminated.as_ref();
        let attempted =
            attempted.is_some_and(|ended| ended.started_at.is_some() || ended.container_id.is_some());
        let is_between = state.running.is_none() && !attempted;
        let previous = if is_between {
            Some(restarts)
        } else {
            restarts.checked_sub(1)
        };
        Begun {
            last: is_begun.then_some(restarts),
            previous: previous.filter(|_| has_ended),
        }
    }
}

fn restarts(status: &ContainerStatus) -> u32 {
    u32::try_from(status.restart_count).unwrap_or_default()
}

/// The name of the container that is meant.
fn named(pod: &Pod, asked: &str) -> Result<String, NoLog> {
    let spec = pod.spec.clone().unwrap_or_default();
    let init = spec.init_containers.unwrap_or_default();
    let has = |containers: &[Container]| containers.iter().any(|container| container.name == asked);
    let pod = || pod.metadata.name.clone().unwrap_or_default();
    match &spec.containers[..] {
        containers if !asked.is_empty() => {
            if has(containers) || has(&init) {
                Ok(asked.to_owned())
            } else {
                Err(NoLog::NoSuchContainer {
                    container: asked.to_owned(),
                    pod: pod(),
                })
            }
        }
        [only] => Ok(only.name.clone()),
        containers => Err(NoLog::Several {
            pod: pod(),
            containers: names(containers),
            init_containers: if init.is_empty() {
                String::new()
            } else {
                format!(" or one of the init containers: [{}]", names(&init))
            },
        }),
    }
}

fn names(containers: &[Container]) -> String {
    let names: Vec<&str> = containers
        .iter()
        .map(|container| container.name.as_str())
        .collect();
    names.join(" ")
}

/// Why the pod has failed, if it has.
fn failure(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let why = || explained(status.reason.as_ref(), status.message.as_ref());
    (status.phase.as_deref() == Some("Failed")).then(why)
}

/// Why a container is at its end.
fn end(status: &ContainerStatus) -> String {
    let state = status.state.as_ref();
    let ended = state.and_then(|state| state.terminated.as_ref());
    let why = ended.map(|ended| explained(ended.reason.as_ref(), ended.message.as_ref()));
    why.unwrap_or_default()
}

/// What follows a statement, if anything does.
fn after_colon(text: &str) -> String {
    let colon = if text.is_empty() { "" } else { ": " };
    format!("{colon}{text}")
}

/// The reason and the message of a status, as far as it has them.
fn explained(reason: Option<&String>, message: Option<&String>) -> String {
    let words: Vec<&str> = [reason, message]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    words.join(": ")
}

fn status<'p>(pod: &'p Pod, container: &str) -> Option<&'p ContainerStatus> {
    let status = pod.status.as_ref()?;
    let mut all = status
        .container_statuses
        .iter()
        .chain(&status.init_container_statuses)
        .flatten();
    all.find(|status| status.name == container)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(statuses: &Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "main"}]},
            "status": {"containerStatuses": statuses},
        }))
        .unwrap()
    }

    /// The attempt that is shown without `previous`, and the one with it.
    fn chosen(state: &Value, last: &Value, restarts: u32) -> String {
        let status = json!([{"name": "main", "state": state, "lastState": last, "restartCount": restarts}]);
        let pod = pod(&status);
        let told = |previous| match Source::choose(&pod, "", previous) {
            Ok(source) if source.grows(&pod) => format!("{}, growing", source.attempt),
            Ok(source) => source.attempt.to_string(),
            Err(error) => error.to_string(),
        };
        format!("{} | {}", told(false), told(true))
    }

    #[test]
    fn the_last_start_is_shown_or_the_one_before() {
        let running = json!({"running": {}});
        let ended = json!({"terminated": {"exitCode": 1, "containerID": "process://1"}});
        let failed = json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": "no such program", "startedAt": "2026-11-25T10:00:00Z"}});
        let given_up = json!({"terminated": {"exitCode": 137}});
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let none = Value::Null;
        let rows = [
            ("waits for its first start", chosen(&waiting, &none, 0)),
            ("runs", chosen(&running, &none, 0)),
            ("has ended", chosen(&ended, &none, 0)),
            ("waits for its restart", chosen(&waiting, &ended, 2)),
            ("waited when its pod ended", chosen(&given_up, &ended, 2)),
            (
                "waited for its first start when its pod ended",
                chosen(&given_up, &none, 0),
            ),
            ("runs again", chosen(&running, &ended, 2)),
            ("has ended again", chosen(&ended, &ended, 2)),
            ("could not be started", chosen(&failed, &none, 0)),
            ("could not be started again", chosen(&failed, &ended, 1)),
            ("could never be started, waits", chosen(&waiting, &failed, 1)),
        ];
        let rows = rows.map(|(what, chosen)| format!("{what}: {chosen}"));
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn a_pod_that_failed_before_its_start_says_why() {
        let told = |status: Value| {
            let mut pod = pod(&Value::Null);
            pod.status = serde_json::from_value(status).unwrap();
            Source::choose(&pod, "", false).unwrap_err().to_string()
        };
        let refused = json!({
            "phase": "Failed",
            "reason": "VolumeUnsupported",
            "message": "volume \"a\" of a kind that is not there",
        });
        insta::assert_snapshot!(told(json!({"phase": "Pending"})), @r#"container "main" in pod "p" is waiting to start: ContainerCreating"#);
        insta::assert_snapshot!(told(refused), @r#"container "main" in pod "p" is not available, as the pod failed before its start: VolumeUnsupported: volume "a" of a kind that is not there"#);
    }

    #[test]
    fn of_several_containers_one_is_named() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "p"},
            "spec": {
                "initContainers": [{"name": "first"}],
                "containers": [{"name": "a"}, {"name": "b"}],
            },
            "status": {"initContainerStatuses": [
                {"name": "first", "restartCount": 0, "state": {"terminated": {"exitCode": 0, "containerID": "c"}}},
            ]},
        }))
        .unwrap();
        let told = ["", "other", "b", "first"].map(|asked| match Source::choose(&pod, asked, false) {
            Ok(source) => format!("{asked}: {source:?}"),
            Err(error) => format!("{asked}: {error}"),
        });
        insta::assert_snapshot!(told.join("\n"));
    }
}
