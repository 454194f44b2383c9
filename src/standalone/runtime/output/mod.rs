//! What processes write, and what happens to them, on its way to whoever shows it.
//!
//! One bounded channel carries both. Whoever reads it takes everything at once, and says how far behind it is with showing
//! that ([`Pace`]): what is shown is never a brake on what runs. See `showing` for what becomes of the lines then.
//! When there is no reader any more, the processes go on unheard.
//!
//! | file | one idea |
//! |---|---|
//! | `stream`, `lines` | what a process writes becomes lines |
//! | `showing` | what is shown of a container, which never waits for that |

pub(super) mod lines;
pub(super) mod showing;
pub(super) mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::sync::{mpsc, watch};

use crate::schedule::Timestamp;
use crate::standalone::jobs::COMPLETION_INDEX;
pub use crate::standalone::logs::Stream;
pub use crate::telemetry::Pace;

/// How many events are on their way at one time: some hundred kilobytes of ordinary lines.
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
    /// Whether it is the only one of its pod.
    pub is_alone: bool,
}

/// What a container works for: a Job, or its pod, where that belongs to none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work {
    /// Which of the two.
    pub kind: WorkKind,
    /// The namespace.
    pub namespace: String,
    /// The name of the Job, or of the pod.
    pub name: String,
}

/// See [`Work`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkKind {
    /// A Job, whichever of its pods.
    Job,
    /// A pod of no Job.
    Pod,
}

impl Origin {
    /// The command that shows all that is kept of what it wrote.
    pub fn logs_command(&self) -> String {
        format!(
            "kubectl logs {} -n {} -c {}",
            self.pod, self.namespace, self.container
        )
    }

    /// What it is a part of.
    pub fn work(&self) -> Work {
        let (kind, name) = match &self.job {
            Some(job) => (WorkKind::Job, job),
            None => (WorkKind::Pod, &self.pod),
        };
        Work {
            kind,
            namespace: self.namespace.clone(),
            name: name.clone(),
        }
    }
}

/// The Job that a pod belongs to, if it belongs to one.
pub fn job_of(metadata: &ObjectMeta) -> Option<&str> {
    let mut owners = metadata.owner_references.iter().flatten();
    owners
        .find(|owner| owner.kind == "Job")
        .map(|owner| owner.name.as_str())
}

/// The origin of what a container of a pod writes.
pub(super) fn origin(pod: &Pod, container: String) -> Origin {
    let metadata = &pod.metadata;
    let containers = pod.spec.as_ref().map_or(0, |spec| {
        spec.containers.len() + spec.init_containers.as_ref().map_or(0, Vec::len)
    });
    Origin {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        job: job_of(metadata).map(str::to_owned),
        index: metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(COMPLETION_INDEX).cloned()),
        pod: metadata.name.clone().unwrap_or_default(),
        container,
        is_alone: containers <= 1,
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
        /// Whether the line ends here; longer ones come in pieces of [`super::LONGEST_LINE`] bytes, and the last one of all may
        /// have no end.
        ends: bool,
    },
    /// It wrote lines that were not shown, for nobody took them in time.
    LeftOut {
        /// How many.
        lines: u64,
    },
    /// What it writes can't be read, so that it is not shown.
    Unread {
        /// Why, and what happens next.
        message: String,
    },
    /// It ended.
    Ended {
        /// Its exit code; 128 + n when signal n killed it.
        exit_code: i32,
        /// The signal that killed it.
        signal: Option<i32>,
        /// Why that is not known, where nobody saw its end: the code only stands for that then.
        unseen: Option<String>,
    },
    /// It could not be started.
    NotStarted {
        /// A word for programs, e.g. `StartError`.
        reason: String,
        /// Why, and what to do.
        message: String,
    },
    /// Whether it runs, or how it has ended, can't be seen at the moment.
    Unseen {
        /// Why, and what happens next.
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
pub struct Output {
    events: mpsc::Sender<Event>,
    pub(super) pace: watch::Receiver<Pace>,
    open: Arc<watch::Sender<Open>>,
}

/// The reading end.
#[derive(Debug)]
pub struct Outlet {
    /// What comes out, and is to be taken at once.
    pub events: mpsc::Receiver<Event>,
    /// Where the reader says how it keeps up.
    pub pace: watch::Sender<Pace>,
    /// What more is to come.
    pub open: watch::Receiver<Open>,
}

/// What output may still come of.
#[derive(Debug, Default)]
pub struct Open {
    /// The number of containers of each.
    containers: BTreeMap<Work, usize>,
}

impl Open {
    /// Whether more may come of it.
    pub fn holds(&self, work: &Work) -> bool {
        self.containers.contains_key(work)
    }

    /// Whether nothing more comes of anything.
    pub fn is_empty(&self) -> bool {
        self.containers.is_empty()
    }
}

/// Makes the channel: the end for the [`super::Node`], and the end to read from.
pub fn channel() -> (Output, Outlet) {
    let (sender, events) = mpsc::channel(OUTPUT_QUEUE);
    let (pace, paced) = watch::channel(None);
    let (open_in, open) = watch::channel(Open::default());
    let output = Output {
        events: sender,
        pace: paced,
        open: Arc::new(open_in),
    };
    (output, Outlet { events, pace, open })
}

impl Output {
    /// Hands an event on.
    pub(super) async fn send(&self, origin: &Arc<Origin>, at: Timestamp, what: What) {
        // Nobody reads any more: that is no reason to stop the work.
        let _unheard = self
            .events
            .send(Event {
                origin: origin.clone(),
                at,
                what,
            })
            .await;
    }

    /// Hands an event on, unless that has to be waited for.
    pub(super) fn try_send(&self, origin: &Arc<Origin>, at: Timestamp, what: What) {
        let origin = origin.clone();
        let _unheard = self.events.try_send(Event { origin, at, what });
    }

    /// Says that output may come of a container, until what is returned is dropped.
    pub(super) fn open(&self, origin: &Origin) -> Opened {
        let work = origin.work();
        self.open.send_modify(|open| {
            *open.containers.entry(work.clone()).or_default() += 1;
        });
        let open = Arc::clone(&self.open);
        Opened { work, open }
    }
}

/// A container that output may still come of.
#[derive(Debug)]
pub(super) struct Opened {
    work: Work,
    open: Arc<watch::Sender<Open>>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.open.send_modify(|open| {
            if let Some(count) = open.containers.get_mut(&self.work) {
                *count -= 1;
                if *count == 0 {
                    open.containers.remove(&self.work);
                }
            }
        });
    }
}
