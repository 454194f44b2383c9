//! The message that a container leaves: what it wrote into the file that it was given for that, or, where its
//! `terminationMessagePolicy` asks for that and it failed, the end of its log.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, Pod};
use rustix::fs::OFlags;

use crate::standalone::logs::{LogQuery, Reader, Selection};

/// How much of the file it is at most, in bytes, for one container and for all of a pod together, as the kubelet takes it
/// (`MaxContainerTerminationMessageLength`, `MaxPodTerminationMessageLogLength`).
const FILE_BYTES: u64 = 4096;
const FILE_BYTES_OF_POD: u64 = 12 * 1024;

/// How much of the log it is at most, in lines and in bytes, as the kubelet takes it
/// (`MaxContainerTerminationMessageLogLines`, `MaxContainerTerminationMessageLogLength`).
const LINES: usize = 80;
const BYTES: usize = 2048;

/// What a container of a pod left that ended with this exit code.
pub(super) async fn of(
    pod: &Pod,
    container: &Container,
    exit_code: i32,
    file: PathBuf,
    log: PathBuf,
) -> Option<String> {
    let limit = limit(pod);
    let takes_log = takes_log(container, exit_code);
    let read = move || written(&file, limit).or_else(|| takes_log.then(|| end_of(&log))?);
    tokio::task::spawn_blocking(read).await.ok().flatten()
}

/// How many bytes each container of a pod may leave.
fn limit(pod: &Pod) -> u64 {
    let count = pod.spec.as_ref().map_or(1, |spec| {
        spec.containers.len() + spec.init_containers.as_ref().map_or(0, Vec::len)
    });
    FILE_BYTES.min(FILE_BYTES_OF_POD / (count as u64).max(1))
}

/// Whether a container that ended so is to leave the end of its log.
fn takes_log(container: &Container, exit_code: i32) -> bool {
    exit_code != 0 && container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError")
}

/// The end of what was written into a file. Nothing, when it is empty, not there, or not a file: then opening or reading
/// it might take for ever.
fn written(file: &Path, limit: u64) -> Option<String> {
    let mut options = File::options();
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits();
    let options = options.read(true).custom_flags(i32::try_from(flags).ok()?);
    let mut file = options.open(file).ok()?;
    let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let begin = metadata.len().saturating_sub(limit);
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut end = Vec::new();
    file.take(limit).read_to_end(&mut end).ok()?;
    (!end.is_empty()).then(|| String::from_utf8_lossy(&end).into_owned())
}

/// The end of a log. Nothing, when it is empty or can't be read.
fn end_of(log: &Path) -> Option<String> {
    let mut reader = Reader::at_start(log);
    let mut selection = Selection::new(LogQuery {
        tail_lines: Some(LINES),
        ..LogQuery::default()
    });
    loop {
        let lines = reader.read().ok()?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            selection.past(line);
        }
    }
    let text = selection.turn();
    let end = &text[text.len().saturating_sub(BYTES)..];
    (!end.is_empty()).then(|| String::from_utf8_lossy(end).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;
    use crate::standalone::logs::{Line, Stream, Writer};

    /// What is left of a log with these lines.
    fn left(lines: impl IntoIterator<Item = String>) -> Option<String> {
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("0.log");
        let at = "2026-11-24T16:00:00Z".parse().unwrap();
        let mut writer = Writer::open(&log).unwrap();
        for text in lines {
            writer.push(&Line {
                at,
                stream: Stream::Stderr,
                ends: true,
                text: text.into_bytes(),
            });
        }
        writer.flush(at);
        end_of(&log)
    }

    #[test]
    fn it_is_the_end_of_the_log() {
        assert_eq!(left([]), None);
        assert_eq!(end_of(Path::new("/nowhere/0.log")), None);
        let few = left(["one".to_owned(), "two".to_owned()]);
        assert_eq!(few.as_deref(), Some("one\ntwo\n"));
        let many = left((0..100).map(|number| number.to_string())).unwrap();
        assert_eq!(many.lines().count(), LINES);
        assert!(many.starts_with("20\n") && many.ends_with("99\n"), "{many}");
        let long = left((0..3).map(|_| "é".repeat(1000))).unwrap();
        assert!(long.ends_with("é\n") && long.len() <= BYTES + 2, "{}", long.len());
    }

    #[test]
    fn only_failures_leave_it_and_only_when_asked() {
        let container = |policy: &str| {
            serde_json::from_value(json!({"name": "main", "terminationMessagePolicy": policy})).unwrap()
        };
        assert!(takes_log(&container("FallbackToLogsOnError"), 3));
        assert!(!takes_log(&container("FallbackToLogsOnError"), 0));
        assert!(!takes_log(&container("File"), 3));
    }

    #[test]
    fn what_was_written_into_the_file_is_bounded_and_never_waited_for() {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        assert_eq!(written(&folder.path().join("none"), 10), None);
        assert_eq!(written(&file("empty", ""), 10), None);
        assert_eq!(written(&file("short", "why"), 10).as_deref(), Some("why"));
        let long = file("long", "0123456789 and so on");
        assert_eq!(written(&long, 9).as_deref(), Some("and so on"));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&long, &link).unwrap();
        assert_eq!(written(&link, 10), None);
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert_eq!(written(&pipe, 10), None);
    }

    #[test]
    fn the_containers_of_a_pod_share_what_they_may_leave() {
        let pod_of = |count: usize| -> Pod {
            let containers = vec![json!({"name": "c"}); count];
            serde_json::from_value(json!({"spec": {"containers": containers}})).unwrap()
        };
        assert_eq!([1, 3, 12].map(|count| limit(&pod_of(count))), [4096, 4096, 1024]);
    }
}
