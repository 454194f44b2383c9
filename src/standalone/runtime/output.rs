//! What processes write, and what happens to them, on its way to whoever shows it.
//!
//! One bounded channel carries both, so that a reader sees the lines of a process before its end. When the reader is
//! slow the channel fills and the processes wait in their writes, as they would before a full pipe: nothing is lost.
//! When there is no reader any more, the processes go on unheard.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::sync::{mpsc, watch};

use crate::schedule::Timestamp;
use crate::standalone::jobs::COMPLETION_INDEX;
use crate::standalone::logs::Reader;
pub use crate::standalone::logs::Stream;

/// How many events wait for a slow reader before the processes have to: some hundred kilobytes of ordinary lines.
pub const OUTPUT_QUEUE: usize = 1024;

/// Where a line or an event comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The pod's namespace.
    pub namespace: String,
    /// The Job that the pod belongs to, if it belongs to one.
    pub job: Option<String>,
    /// Which of the Job's indexes the pod is for, if it has them.
    pub index: Option<String>,
    /// The pod's name.
    pub pod: String,
    /// The container's name.
    pub container: String,
}

/// The origin of what a container of a pod writes.
pub(super) fn origin(pod: &Pod, container: String) -> Origin {
    let metadata = &pod.metadata;
    let owner = metadata
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.kind == "Job");
    Origin {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        job: owner.map(|owner| owner.name.clone()),
        index: metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(COMPLETION_INDEX).cloned()),
        pod: metadata.name.clone().unwrap_or_default(),
        container,
    }
}

/// Something that a process wrote, or that happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose it is.
    pub origin: Arc<Origin>,
    /// When it was read or happened.
    pub at: Timestamp,
    /// What it is.
    pub what: What,
}

/// See [`Event`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The process runs.
    Started {
        /// Its process id, which is its session's and its process group's as well.
        pid: u32,
    },
    /// It wrote a line.
    Line {
        /// Where it wrote it.
        stream: Stream,
        /// The line without its end. Bytes that are not UTF-8 are replaced.
        text: String,
        /// Whether the line ends here; longer ones come in pieces of [`super::LONGEST_LINE`] bytes.
        ends: bool,
    },
    /// It ended.
    Ended {
        /// Its exit code; 128 + n when signal n killed it.
        exit_code: i32,
        /// The signal that killed it.
        signal: Option<i32>,
    },
    /// It could not be started.
    NotStarted {
        /// A word for programs, e.g. `StartError`.
        reason: String,
        /// Why, and what to do.
        message: String,
    },
    /// It failed, and is started again in the same pod after a while.
    RestartsAfter {
        /// How long from now.
        delay: Duration,
    },
}

/// The writing end.
#[derive(Debug, Clone)]
pub struct Output(mpsc::Sender<Event>);

/// Makes the channel: the end for the [`super::Node`], and the end to read from.
pub fn channel() -> (Output, mpsc::Receiver<Event>) {
    let (sender, receiver) = mpsc::channel(OUTPUT_QUEUE);
    (Output(sender), receiver)
}

impl Output {
    /// Hands an event on, and waits while the reader is behind.
    pub(super) async fn send(&self, origin: &Arc<Origin>, at: Timestamp, what: What) {
        // Nobody reads any more: that is no reason to stop the work.
        let _unheard = self
            .0
            .send(Event {
                origin: origin.clone(),
                at,
                what,
            })
            .await;
    }
}

/// The writing end for one container.
#[derive(Debug, Clone)]
pub(super) struct Sink {
    pub(super) origin: Arc<Origin>,
    pub(super) output: Output,
}

impl Sink {
    /// Hands on what happened.
    pub(super) async fn tell(&self, at: Timestamp, what: What) {
        self.output.send(&self.origin, at, what).await;
    }
}

/// Hands on what is added to a log, until it is over and everything was read, and returns when the last line was written.
/// `writes` tells when to look.
pub(super) async fn tail(
    mut reader: Reader,
    sink: Sink,
    mut writes: watch::Receiver<u64>,
    mut is_over: watch::Receiver<bool>,
) -> Option<Timestamp> {
    let mut last = None;
    loop {
        let was_over = *is_over.borrow_and_update();
        let lines = reader.read().unwrap_or_default();
        if lines.is_empty() {
            if was_over {
                return last;
            }
            tokio::select! {
                Ok(()) = writes.changed() => {}
                changed = is_over.changed() => if changed.is_err() { return last },
            }
        }
        for line in lines {
            let what = What::Line {
                stream: line.stream,
                text: String::from_utf8_lossy(&line.text).into_owned(),
                ends: line.ends,
            };
            sink.tell(line.at, what).await;
            last = last.max(Some(line.at));
        }
    }
}
