//! Room on the disk. When it becomes short, the logs of pods that have ended go, the oldest first, as the kubelet removes what
//! is dead under disk pressure: work that runs can go on writing, and the database can record it.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use crate::standalone::data_dir::PodDir;

/// How often it is looked how much there is.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often people are told, who have to act in the end.
pub(super) const TELL_EVERY: Duration = Duration::from_mins(10);

/// Removes the logs of these pods, in their order, for as long as room is short.
pub(super) fn make(pods: &[PodDir], is_short: impl Fn() -> bool) {
    for pod in pods {
        if !is_short() {
            break;
        }
        for log in pod.logs() {
            if let Err(error) = fs::remove_file(&log)
                && error.kind() != ErrorKind::NotFound
            {
                tracing::warn!(path = %log.display(), %error, "a log could not be removed");
            }
        }
    }
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
        make(&pods, || false);
        assert_eq!(left(), [0, 2, 2, 2]);
        make(&pods, || pods[2].logs().count() > 0);
        assert_eq!(left(), [0, 0, 0, 2]);
        let kept = fs::read_dir(pods[1].path()).unwrap();
        assert_eq!(kept.count(), 2, "it is only the logs");
    }
}
