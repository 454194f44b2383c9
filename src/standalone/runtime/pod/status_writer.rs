//! How a pod's status gets into the API: each once, as it is now, and never into another pod of the same name.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::super::machine::Machine;
use crate::telemetry::chain;

/// Writes the status of one pod.
#[derive(Debug)]
pub(super) struct StatusWriter {
    machine: Arc<Machine>,
    pod: Arc<Pod>,
    /// The status that was written last.
    written: Option<PodStatus>,
}

impl StatusWriter {
    pub(super) fn new(machine: Arc<Machine>, pod: Arc<Pod>) -> Self {
        Self {
            machine,
            pod,
            written: None,
        }
    }

    /// Writes this status, unless it was written last. Whether that is done with: a pod that is gone needs none.
    pub(super) async fn write(&mut self, status: PodStatus) -> bool {
        if self.written.as_ref() == Some(&status) {
            return true;
        }
        let is_done = self.patch(&status).await;
        self.written = Some(status).filter(|_| is_done);
        is_done
    }

    async fn patch(&self, status: &PodStatus) -> bool {
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
            Ok(_) => true,
            Err(kube::Error::Api(status)) if status.code == 404 => true,
            Err(kube::Error::Api(status)) if status.code == 409 => self.is_gone().await,
            Err(error) => {
                tracing::warn!(
                    pod = name,
                    error = chain(&error),
                    "the status of a pod could not be written"
                );
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
