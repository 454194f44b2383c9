//! Room on the disk. When it becomes short, the logs of pods that have ended go, the oldest first, as the kubelet removes what
//! is dead under disk pressure: work that runs can go on writing, and the database can record it.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::standalone::data_dir::{DataDir, PodDir};
use crate::standalone::logs::room_is_short;
use crate::standalone::runtime::process::supervisor::runs;

/// How often it is looked how much there is.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often people are told, who have to act in the end.
const TELL_EVERY: Duration = Duration::from_mins(10);

/// Looks after the room while a node runs.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// When people were last told that it is short.
    told: Option<Instant>,
}

impl Room {
    /// What is to be done when room is short: removing the logs of these pods, the oldest first.
    pub(super) fn look(
        &mut self,
        data: &DataDir,
        ended: impl Iterator<Item = PodDir>,
    ) -> Option<BoxFuture<'static, ()>> {
        let folder = data.path().to_owned();
        if !room_is_short(&folder) {
            return None;
        }
        let ended: Vec<PodDir> = ended.collect();
        if ended.is_empty() {
            return None;
        }
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            tracing::error!(
                folder = %folder.display(),
                "the disk is nearly full: logs of pods that have ended are removed, the oldest first"
            );
        }
        let removing = async move {
            let removing = tokio::task::spawn_blocking(move || make(&ended, || room_is_short(&folder)));
            let _logs = removing.await;
        };
        Some(removing.boxed())
    }
}

/// Removes logs before anything is known of the pods but what is in their folders: of those that supervisors ran and
/// that run no more. Returns how many logs went.
pub fn make_at_start(data: &DataDir) -> usize {
    let mut ended: Vec<_> = fs::read_dir(data.pods())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| data.pod(&entry.file_name().to_string_lossy()))
        .filter(|pod| pod.attempts().next().is_some() && !pod.attempts().any(|attempt| runs(&attempt)))
        .collect();
    ended.sort_by_cached_key(|pod| {
        fs::metadata(pod.path())
            .and_then(|metadata| metadata.modified())
            .ok()
    });
    make(&ended, || room_is_short(data.path()))
}

/// Removes the logs of these pods, in their order, for as long as room is short. Returns how many went.
fn make(pods: &[PodDir], is_short: impl Fn() -> bool) -> usize {
    let mut removed = 0;
    for pod in pods {
        if !is_short() {
            break;
        }
        for log in pod.logs() {
            match fs::remove_file(&log) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(path = %log.display(), %error, "a log could not be removed");
                }
            }
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::standalone::data_dir::DataDir;

    #[test]
    fn the_oldest_logs_go_until_there_is_room() {
        let folder = TempDir::new().unwrap();
        let data = DataDir::open(&folder.path().join("data")).unwrap();
        let pods = ["without", "first", "second", "third"].map(|uid| data.pod(uid));
        for pod in &pods[1..] {
            fs::create_dir_all(pod.volumes()).unwrap();
            for name in ["main.0.log", "main.0.log.12", "main.0.attempt"] {
                fs::write(pod.path().join(name), "").unwrap();
            }
        }
        let left = || pods.each_ref().map(|pod| pod.logs().count());
        assert_eq!(make(&pods, || false), 0);
        assert_eq!(left(), [0, 2, 2, 2]);
        let removed = make(&pods, || pods[2].logs().count() > 0);
        assert_eq!((removed, left()), (4, [0, 0, 0, 2]));
        let kept = fs::read_dir(pods[1].path()).unwrap();
        assert_eq!(kept.count(), 2, "it is only the logs");
    }
}
