//! Pods that nobody knows any more: their objects went while no `punctual` was here to end them, or with a database that
//! was damaged. What is left of them is their folder, and perhaps a process or a container that still runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::entry::Uid;
use crate::standalone::data_dir::{DataDir, PodDir};
use crate::standalone::runtime::machine::Machine;
use crate::standalone::runtime::process::supervisor::end_attempts;

/// How long the processes of such a pod may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// The folders of pods that are not known.
pub(super) fn find(data: &DataDir, is_known: impl Fn(&Uid) -> bool) -> Vec<PodDir> {
    let entries = std::fs::read_dir(data.pods()).into_iter().flatten().flatten();
    let uids = entries.filter_map(|entry| entry.file_name().into_string().ok());
    uids.filter(|uid| !is_known(uid))
        .map(|uid| data.pod(&uid))
        .collect()
}

/// Ends what still runs of such a pod, and removes its folder.
pub(super) async fn end(machine: Arc<Machine>, pod: PodDir) {
    tracing::warn!(path = %pod.path().display(), "nobody knows this pod any more; it is ended, and its files are removed");
    if !end_attempts(&pod, GRACE).await {
        tracing::warn!(path = %pod.path().display(), "its supervisor lives and does not answer, so its files are kept; the next start tries again to end it");
        return;
    }
    // A pod of processes has nothing at the container engine, which may not even be there.
    if pod.attempts().next().is_none() {
        let uid = pod.path().file_name().and_then(std::ffi::OsStr::to_str);
        machine.forget_containers(uid.unwrap_or_default()).await;
    }
    remove(pod.path()).await;
}

/// Removes the folder of a pod of which nothing runs.
pub(super) async fn remove(folder: &Path) {
    if let Err(error) = tokio::fs::remove_dir_all(folder).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %folder.display(), %error, "the files of a pod that is gone could not be removed");
    }
}
