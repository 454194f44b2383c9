//! A pod that was taken on, until it has ended. Its task may have a fault and panic: then it begins anew, as at a start of
//! `punctual`, and finds what it has started.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::standalone::runtime::machine::Machine;
use crate::standalone::runtime::pod::{Directive, PodTask};

/// The wait after a fault, doubled with each further one, and the longest wait.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What the task of a pod is given.
pub(super) struct Taken {
    pub(super) machine: Arc<Machine>,
    pub(super) pod: Arc<Pod>,
    pub(super) directive: watch::Receiver<Directive>,
    pub(super) active_deadline: watch::Receiver<Option<i64>>,
    pub(super) is_resumed: bool,
}

impl Taken {
    /// Runs the pod to its end.
    pub(super) async fn run(mut self) {
        let mut wait = FIRST_WAIT;
        while AssertUnwindSafe(self.task().run()).catch_unwind().await.is_err() {
            let (namespace, name) = (&self.pod.metadata.namespace, &self.pod.metadata.name);
            tracing::error!(
                namespace = namespace.as_deref().unwrap_or_default(),
                pod = name.as_deref().unwrap_or_default(),
                "a fault of punctual's; what runs goes on, and the pod is looked at again"
            );
            sleep(wait).await;
            wait = LONGEST_WAIT.min(2 * wait);
            self.look().await;
        }
    }

    fn task(&self) -> PodTask {
        PodTask::new(
            self.machine.clone(),
            self.pod.clone(),
            self.directive.clone(),
            self.active_deadline.clone(),
            self.is_resumed,
        )
    }

    /// Takes the pod as it is now, with what was recorded of it.
    async fn look(&mut self) {
        self.is_resumed = true;
        let name = self.pod.metadata.name.as_deref().unwrap_or_default();
        if let Ok(now) = self.machine.pods(&self.pod).get(name).await
            && now.metadata.uid == self.pod.metadata.uid
        {
            self.pod = Arc::new(now);
        }
    }
}
