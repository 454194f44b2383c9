//! How a pod's status gets into the API: each once, as it is now, and never into another pod of the same name.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::super::machine::Machine;
use super::super::order::at;
use crate::telemetry::chain;

/// How long to wait before a status is written again that the API did not take.
const WRITE_RETRY: Duration = Duration::from_secs(1);

/// Writes the status of one pod.
#[derive(Debug)]
pub(super) struct StatusWriter {
    machine: Arc<Machine>,
    pod: Arc<Pod>,
    /// The status that was written last.
    written: Option<PodStatus>,
    /// Why it could not be written, as it was told last: what is the same every second is told once.
    told: Option<String>,
}

impl StatusWriter {
    pub(super) fn new(machine: Arc<Machine>, pod: Arc<Pod>) -> Self {
        Self {
            machine,
            pod,
            written: None,
            told: None,
        }
    }

    /// Writes the newest status while a pod lives, which never waits for that, and its last one when it has ended, until
    /// that is taken. `life` tells whether it has ended, and tells no status after that.
    pub(super) async fn write_beside(
        mut self,
        mut statuses: watch::Receiver<Option<PodStatus>>,
        life: impl Future<Output = bool>,
    ) {
        let (has_ended, ()) = tokio::join!(life, self.follow(&mut statuses));
        let last = statuses.borrow().clone();
        while !self.write(last.clone()).await && has_ended {
            sleep(WRITE_RETRY).await;
        }
    }

    /// Writes the newest status, for as long as there may be more. A write that is under way then is waited for: it would
    /// come after the next one.
    async fn follow(&mut self, statuses: &mut watch::Receiver<Option<PodStatus>>) {
        let mut write_again = None;
        loop {
            tokio::select! {
                changed = statuses.changed() => if changed.is_err() { return },
                () = at(write_again) => {}
            }
            tokio::select! {
                // A write has to wait for a turn, and so has what leads up to it: many do that at once.
                () = self.machine.options.turns.calm() => {}
                () = closed(statuses.clone()) => return,
            }
            let status = statuses.borrow_and_update().clone();
            write_again = (!self.write(status).await).then(|| Instant::now() + WRITE_RETRY);
        }
    }

    /// Writes this status, unless it was written last. Whether that is done with: a pod that is gone needs none.
    async fn write(&mut self, status: Option<PodStatus>) -> bool {
        let Some(new) = status.as_ref().filter(|_| self.written != status) else {
            return true;
        };
        let is_done = self.patch(new).await;
        self.written = status.filter(|_| is_done);
        is_done
    }

    async fn patch(&mut self, status: &PodStatus) -> bool {
        // The uid guards against another pod of the same name. Conditions of others stay: that somebody evicts it.
        let mut patch = json!({"metadata": {"uid": self.pod.metadata.uid}, "status": status});
        // Of ours nothing stays: what gave a reason before has none now.
        for condition in patch["status"]["conditions"].as_array_mut().into_iter().flatten() {
            for field in ["reason", "message"] {
                let value = condition[field].take();
                condition[field] = value;
            }
        }
        let (pods, name) = (self.machine.pods(&self.pod), self.name());
        let (params, patch) = (PatchParams::default(), Patch::Strategic(patch));
        match pods.patch_status(name, &params, &patch).await {
            Ok(_) => {
                self.told = None;
                true
            }
            Err(kube::Error::Api(status)) if status.code == 404 => true,
            Err(kube::Error::Api(status)) if status.code == 409 => self.is_gone().await,
            Err(error) => {
                let why = Some(chain(&error));
                if why != self.told {
                    tracing::warn!(
                        pod = name,
                        error = why,
                        "the status of a pod could not be written; it is tried again every second"
                    );
                    self.told = why;
                }
                false
            }
        }
    }

    /// Whether the name is another pod's by now. A conflict may also be a race with another writer.
    async fn is_gone(&self) -> bool {
        let there = self.machine.pods(&self.pod).get_opt(self.name()).await;
        there.is_ok_and(|there| there.is_none_or(|there| there.metadata.uid != self.pod.metadata.uid))
    }

    fn name(&self) -> &str {
        self.pod.metadata.name.as_deref().unwrap_or_default()
    }
}

/// Waits until nobody is left to tell anything new.
async fn closed<T>(mut news: watch::Receiver<T>) {
    while news.changed().await.is_ok() {}
}
