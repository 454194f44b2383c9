//! The attempts of a container: what the next one is given, and what is kept of those before it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use super::container::Life;
use crate::standalone::data_dir::PodDir;
use crate::standalone::runtime::all_statuses;
use crate::standalone::runtime::engine::{Attempt, Setup};
use crate::standalone::runtime::machine::PrepareError;
use crate::standalone::runtime::order::changed;
use crate::standalone::runtime::volumes;

/// How many attempts are kept, for `kubectl logs` and `kubectl logs --previous`.
pub(super) const KEPT_ATTEMPTS: u32 = 2;

impl Life {
    /// Makes ready what the attempt is given.
    pub(super) async fn set_up(&self, attempt: &Attempt) -> Result<Setup, PrepareError> {
        let _turn = self.turn.lock().await;
        let pod = self.pod_now().await;
        let mut setup = self.machine.prepare(&pod, &self.container).await?;
        self.engine
            .give_message_file(&self.container, &self.message_file(), &mut setup);
        if setup.binds.is_empty() {
            return Ok(setup);
        }
        let (engine, attempt) = (self.engine.clone(), attempt.clone());
        let lay_out = move |_: &_| engine.lay_out(&attempt, &mut setup).map(|()| setup);
        Ok(volumes::beside(&self.container, lay_out).await?)
    }

    /// The pod as it is at a restart: its containers may be told of its labels and annotations, which change.
    async fn pod_now(&self) -> Arc<Pod> {
        let known = self.pod.clone();
        if self.past.attempt == 0 {
            return known;
        }
        let name = known.metadata.name.as_deref().unwrap_or_default();
        let there = self.machine.pods(&known).get_opt(name).await;
        let now = there.ok().flatten();
        now.filter(|now| now.metadata.uid == known.metadata.uid)
            .map_or(known, Arc::new)
    }

    /// The attempt that is next, or running.
    pub(super) fn attempt(&self) -> Attempt {
        self.attempt_at(self.past.attempt)
    }

    fn attempt_at(&self, number: u32) -> Attempt {
        Attempt {
            log: self.files().log(&self.container.name, number),
            pod: self.pod.clone(),
            container: self.container.clone(),
            number,
        }
    }

    /// Has forgotten the attempts before the last one, as the kubelet does: a container that fails for months would fill the
    /// disk. It is done before the start, so it also is when that fails. Whether no order came meanwhile: an engine that
    /// does not answer takes long.
    pub(super) async fn forget_earlier(&mut self) -> bool {
        let Some(last) = self.past.attempt.checked_sub(KEPT_ATTEMPTS) else {
            return true;
        };
        let mut orders = self.orders.clone();
        tokio::select! {
            () = self.forget_until(last) => true,
            () = changed(&mut orders) => false,
        }
    }

    /// Forgets the attempts up to this one, but none that whoever comes after would look for: one that is not found counts
    /// as never started, and would be started again beside a later one that runs.
    async fn forget_until(&mut self, last: u32) {
        let looked_for = self.recorded().await;
        while self.past.kept_from <= last && self.past.kept_from < looked_for {
            self.forget(self.past.kept_from).await;
            self.past.kept_from += 1;
        }
    }

    /// Which attempt the status of the pod tells of: the first that is looked for by whoever comes after. It may be far
    /// behind when a status can't be written, as on a full disk.
    async fn recorded(&self) -> u32 {
        let name = self.pod.metadata.name.as_deref().unwrap_or_default();
        let Ok(there) = self.machine.pods(&self.pod).get_opt(name).await else {
            return 0;
        };
        // Of a pod that is gone nobody looks for anything.
        let Some(pod) = there.filter(|there| there.metadata.uid == self.pod.metadata.uid) else {
            return u32::MAX;
        };
        let mut all = pod.status.iter().flat_map(all_statuses);
        let own = all.find(|status| status.name == self.container.name);
        own.map_or(0, |own| u32::try_from(own.restart_count).unwrap_or_default())
    }

    async fn forget(&self, number: u32) {
        let (files, container) = (self.files(), self.container.name.clone());
        self.engine.discard(&self.attempt_at(number)).await;
        let forgotten = tokio::task::spawn_blocking(move || files.forget(&container, number)).await;
        if let Err(error) = forgotten.unwrap_or_else(|error| Err(io::Error::other(error))) {
            let pod = self.pod.metadata.name.as_deref().unwrap_or_default();
            tracing::warn!(pod, number, %error, "what is left of an earlier start could not be removed");
        }
    }

    fn files(&self) -> PodDir {
        let uid = self.pod.metadata.uid.as_deref().unwrap_or_default();
        self.machine.options.data.pod(uid)
    }

    /// Where the attempt says something of its end.
    pub(super) fn message_file(&self) -> PathBuf {
        self.files().message(&self.container.name, self.past.attempt)
    }
}
