//! The message that a failed container leaves: the end of its log, where its `terminationMessagePolicy` asks for that.

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Container;

use crate::standalone::logs::{LogQuery, Reader, Selection};

/// How much of the log it is at most, in lines and in bytes, as the kubelet takes it
/// (`MaxContainerTerminationMessageLogLines`, `MaxContainerTerminationMessageLogLength`).
const LINES: usize = 80;
const BYTES: usize = 2048;

/// Whether a container that ended so is to leave the end of its log.
pub(super) fn are_asked(container: &Container, exit_code: i32) -> bool {
    exit_code != 0 && container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError")
}

/// The end of a log. Nothing, when it is empty or can't be read.
pub(super) async fn of(log: PathBuf) -> Option<String> {
    let read = tokio::task::spawn_blocking(move || read(&log));
    read.await.ok().flatten()
}

fn read(log: &Path) -> Option<String> {
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
    async fn left(lines: impl IntoIterator<Item = String>) -> Option<String> {
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
        of(log).await
    }

    #[tokio::test]
    async fn it_is_the_end_of_the_log() {
        assert_eq!(left([]).await, None);
        assert_eq!(of("/nowhere/0.log".into()).await, None);
        let few = left(["one".to_owned(), "two".to_owned()]).await;
        assert_eq!(few.as_deref(), Some("one\ntwo\n"));
        let many = left((0..100).map(|number| number.to_string())).await.unwrap();
        assert_eq!(many.lines().count(), LINES);
        assert!(many.starts_with("20\n") && many.ends_with("99\n"), "{many}");
        let long = left((0..3).map(|_| "é".repeat(1000))).await.unwrap();
        assert!(long.ends_with("é\n") && long.len() <= BYTES + 2, "{}", long.len());
    }

    #[test]
    fn only_failures_leave_it_and_only_when_asked() {
        let container = |policy: &str| {
            serde_json::from_value(json!({"name": "main", "terminationMessagePolicy": policy})).unwrap()
        };
        assert!(are_asked(&container("FallbackToLogsOnError"), 3));
        assert!(!are_asked(&container("FallbackToLogsOnError"), 0));
        assert!(!are_asked(&container("File"), 3));
    }
}
