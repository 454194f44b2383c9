//! Containers that end with the process that started them, an ephemeral `punctual`: nothing is kept that tells of them. At
//! its end it removes them, and where it was killed, the next `punctual` that reaches their engine does.
//!
//! They carry a label that names the process they are bound to, and from where it can be seen: an engine may serve other
//! machines, and processes of this one whose process ids are counted apart. A process of an earlier run of this machine has
//! ended with that; but whether it is this machine is known by its id alone, which clones of it share. So that counts only at a
//! socket of this machine, and for containers that do not run.

use std::fs;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as ApiError;
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum as State};
use futures::{StreamExt as _, stream};

use super::connect::Reached;
use super::{discard, labelled};
use crate::standalone::runtime::process::supervisor::{Session, boot};

/// The label of a container that is to end with the process that started it.
pub(super) const BOUND_TO: &str = "punctual.dev/bound-to";

/// How long the engine may take at the end of a process to remove what is bound to it. The next `punctual` does the rest.
const REMOVED_WITHIN: Duration = Duration::from_secs(10);

/// How many are removed at one time. The engine mostly waits for a disk then; more would take the processors from what runs.
const REMOVALS_AT_ONCE: usize = 8;

/// A process that containers are bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bond {
    /// The machine, by its `machine-id`; empty where it has none.
    machine: String,
    /// The run of the machine, from one start to the next.
    boot: String,
    /// The namespace in which its process id counts.
    namespace: String,
    process: Session,
}

impl Bond {
    /// To this process.
    pub(super) fn own() -> Self {
        let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Self {
            machine: machine.trim().to_owned(),
            boot: boot(),
            namespace: namespace.display().to_string(),
            process: Session::own(),
        }
    }

    /// As the label has it.
    pub(super) fn label(&self) -> String {
        let Self {
            machine,
            boot,
            namespace,
            process,
        } = self;
        format!("{machine}/{boot}/{namespace}/{process}")
    }

    fn read(label: &str) -> Option<Self> {
        let parts: Vec<&str> = label.split('/').collect();
        let [machine, boot, namespace, process] = parts[..] else {
            return None;
        };
        Some(Self {
            machine: machine.to_owned(),
            boot: boot.to_owned(),
            namespace: namespace.to_owned(),
            process: process.parse().ok()?,
        })
    }

    /// Whether the process has ended while the machine ran on, as far as `seer` can see it.
    fn is_broken(&self, seer: &Self) -> bool {
        self.boot == seer.boot && self.namespace == seer.namespace && !self.process.leads()
    }

    /// Whether it is of a run of the machine that is over.
    pub(super) fn is_of_an_earlier_run(&self, seer: &Self) -> bool {
        !self.machine.is_empty() && self.machine == seer.machine && self.boot != seer.boot
    }
}

/// Removes the containers of those who were killed.
pub(super) async fn remove(engine: &Reached) {
    let own = Bond::own();
    let is_here = engine.is_here();
    let is_left = |container: &ContainerSummary| {
        let bond = container
            .labels
            .as_ref()
            .and_then(|labels| Bond::read(labels.get(BOUND_TO)?));
        bond.is_some_and(|bond| {
            bond.is_broken(&own) || is_here && has_ended(container) && bond.is_of_an_earlier_run(&own)
        })
    };
    if let Err(error) = remove_where(&engine.docker, BOUND_TO.to_owned(), is_left).await {
        tracing::warn!(%error, "the containers of those who were killed could not be looked for");
    }
}

/// Removes all that are bound to a process which is about to end.
pub(super) async fn release(engine: &Docker, bond: &Bond) {
    let removing = remove_where(engine, format!("{BOUND_TO}={}", bond.label()), |_| true);
    match tokio::time::timeout(REMOVED_WITHIN, removing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "the containers of this ephemeral punctual could not be removed");
        }
        Err(_) => tracing::warn!("the container engine does not come to an end with removing the containers"),
    }
}

async fn remove_where(
    engine: &Docker,
    label: String,
    is_meant: impl Fn(&ContainerSummary) -> bool,
) -> Result<(), ApiError> {
    let mut containers = labelled(engine, vec![label]).await?;
    containers.retain(is_meant);
    let ids = containers
        .into_iter()
        .map(|container| container.id.unwrap_or_default());
    let removals = stream::iter(ids).for_each_concurrent(REMOVALS_AT_ONCE, |id| async move {
        tracing::info!(id, "removes a container of an ephemeral punctual");
        discard(engine, &id).await;
    });
    removals.await;
    Ok(())
}

fn has_ended(container: &ContainerSummary) -> bool {
    matches!(
        container.state,
        Some(State::CREATED | State::EXITED | State::DEAD)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::{Method, StatusCode};
    use axum::response::IntoResponse as _;
    use axum::{Json, Router};
    use bollard::API_DEFAULT_VERSION;
    use tokio::net::UnixListener;
    use tokio::sync::Barrier;

    use super::*;

    impl Bond {
        /// To a process that had the same process id, and has ended.
        pub(in super::super) fn of_the_one_before(&self) -> Self {
            let label = self.label();
            let (rest, since) = label.rsplit_once('.').unwrap();
            let since: u64 = since.parse().unwrap();
            Self::read(&format!("{rest}.{}", since - 1)).unwrap()
        }

        /// To one of the machine's last run.
        pub(in super::super) fn of_the_run_before(&self) -> Self {
            Self {
                boot: "before".into(),
                ..self.clone()
            }
        }
    }

    /// Their engine comes to an end with none before so many are being removed as may be at one time.
    #[tokio::test]
    async fn many_are_removed_side_by_side() {
        const CONTAINERS: usize = 3 * REMOVALS_AT_ONCE;
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let together = Arc::new(Barrier::new(REMOVALS_AT_ONCE));
        let removed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&removed);
        let answer = move |method: Method| {
            let (together, count) = (Arc::clone(&together), Arc::clone(&count));
            async move {
                if method == Method::GET {
                    let all = (0..CONTAINERS).map(|id| serde_json::json!({"Id": id.to_string()}));
                    return Json(all.collect::<Vec<_>>()).into_response();
                }
                together.wait().await;
                count.fetch_add(1, Ordering::Relaxed);
                StatusCode::NO_CONTENT.into_response()
            }
        };
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        let address = socket.display().to_string();
        let engine = Docker::connect_with_unix(&address, 20, API_DEFAULT_VERSION).unwrap();
        release(&engine, &Bond::own()).await;
        assert_eq!(removed.load(Ordering::Relaxed), CONTAINERS);
    }

    #[test]
    fn only_who_has_ended_here_has_broken_the_bond() {
        let own = Bond {
            machine: "m".into(),
            ..Bond::own()
        };
        assert_eq!(Bond::read(&own.label()), Some(own.clone()));
        let Bond {
            boot,
            namespace,
            process,
            ..
        } = &own;
        let process = process.to_string();
        let (pid, since) = process.split_once('.').unwrap();
        let since: u64 = since.parse().unwrap();
        let (next, nobody) = (since + 1, i32::MAX);
        for (label, is_broken, is_of_an_earlier_run) in [
            (own.label(), false, false),
            // Its number is another's by now; or nobody's.
            (format!("m/{boot}/{namespace}/{pid}.{next}"), true, false),
            (format!("m/{boot}/{namespace}/{nobody}.{since}"), true, false),
            (format!("/{boot}/{namespace}/{nobody}.{since}"), true, false),
            // In a container of its own: it can't be seen.
            (format!("m/{boot}/pid:[1]/{nobody}.{since}"), false, false),
            // Before the machine was started anew; or on another one.
            (format!("m/before/{namespace}/{process}"), false, true),
            (format!("other/before/{namespace}/{process}"), false, false),
            (format!("/before/{namespace}/{process}"), false, false),
        ] {
            let bond = Bond::read(&label).unwrap();
            assert_eq!(bond.is_broken(&own), is_broken, "{label}");
            assert_eq!(bond.is_of_an_earlier_run(&own), is_of_an_earlier_run, "{label}");
        }
        for label in ["", "punctual", "place/1.2", "m/b/n/a.b", "m/b/n/1.2/3"] {
            assert_eq!(Bond::read(label), None, "{label}");
        }
        // A machine without an id is no other one without.
        let nameless = Bond {
            machine: String::new(),
            ..own
        };
        let before = Bond::read(&format!("/before/{}/{process}", nameless.namespace));
        assert!(!before.unwrap().is_of_an_earlier_run(&nameless));
    }
}
