//! What is known of one container, and what that means for its next start.

use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::schedule::Timestamp;
use crate::standalone::instants::{from_time, to_time};
use crate::standalone::runtime::engine::STATUS_UNKNOWN;
use crate::standalone::runtime::pod::attempts::KEPT_ATTEMPTS;
use crate::standalone::runtime::pod::container::Past;
use crate::standalone::runtime::pod::restart::{BackOff, Restarts};
use crate::standalone::runtime::process::UNKNOWN_EXIT_CODE;

/// What happened to a container.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::standalone::runtime) enum Change {
    /// It waits.
    Waiting { reason: &'static str, message: String },
    /// Whether it runs can't be told at the moment.
    Unseen { reason: &'static str, message: String },
    /// Its process runs.
    Running { id: String, since: Timestamp },
    /// Its process ended, or could not be started.
    Ended(Box<ContainerStateTerminated>),
    /// It will not be started again.
    Done,
}

/// One container.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct Record {
    pub(super) name: String,
    image: String,
    /// An init container that goes on beside the others (`restartPolicy: Always`).
    pub(in crate::standalone::runtime) sidecar: bool,
    state: ContainerState,
    last: Option<ContainerStateTerminated>,
    id: Option<String>,
    restarts: i32,
    /// Whether it can't be told at the moment if it runs.
    pub(in crate::standalone::runtime) unseen: bool,
    /// Whether it will not be started again.
    pub(in crate::standalone::runtime) done: bool,
}

impl Record {
    pub(super) fn new(container: &Container, init: bool, reason: &str) -> Self {
        let waiting = ContainerStateWaiting {
            reason: Some(reason.to_owned()),
            message: None,
        };
        Self {
            name: container.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            sidecar: init && container.restart_policy.as_deref() == Some("Always"),
            state: ContainerState {
                waiting: Some(waiting),
                ..ContainerState::default()
            },
            last: None,
            id: None,
            restarts: 0,
            unseen: false,
            done: false,
        }
    }

    /// Takes over what is recorded of the container.
    pub(super) fn recall(&mut self, status: &ContainerStatus) {
        if let Some(state) = &status.state {
            self.state = state.clone();
        }
        self.last = status
            .last_state
            .as_ref()
            .and_then(|state| state.terminated.clone());
        self.id.clone_from(&status.container_id);
        self.restarts = status.restart_count;
    }

    /// Its pod has ended while it waited: it is never started any more, and nothing tells that it would have succeeded.
    pub(super) fn give_up(&mut self) {
        let Some(waiting) = self.state.waiting.take() else {
            return;
        };
        let waited_for = [waiting.reason, waiting.message];
        let waited_for: Vec<String> = waited_for.into_iter().flatten().collect();
        let message = format!(
            "The container waited when the pod was terminated ({})",
            waited_for.join(": ")
        );
        self.state.terminated = Some(ContainerStateTerminated {
            exit_code: UNKNOWN_EXIT_CODE,
            reason: Some(STATUS_UNKNOWN.to_owned()),
            message: Some(message),
            ..ContainerStateTerminated::default()
        });
    }

    /// What a life that goes on from here has to know; nothing, when there is nothing left to live.
    pub(in crate::standalone::runtime) fn past(&self, restarts: &Restarts) -> Option<Past> {
        let count = u32::try_from(self.restarts).unwrap_or_default();
        let first = Past {
            attempt: count,
            may_exist: true,
            was_begun: self.running(),
            kept_from: count.saturating_sub(KEPT_ATTEMPTS),
            ..Past::default()
        };
        let ended = self.state.terminated.as_ref();
        if ended.is_some_and(|ended| !restarts.are_after(ended.exit_code)) {
            return None;
        }
        let Some(ended) = ended.or(self.last.as_ref()).filter(|_| !self.running()) else {
            return Some(first);
        };
        let instant = |time: &Option<Time>| time.as_ref().map(from_time);
        let pause_after = instant(&ended.finished_at).map(|end| {
            let begin = instant(&ended.started_at).unwrap_or(end);
            ((end - begin).to_std().unwrap_or_default(), end)
        });
        Some(Past {
            attempt: count + 1,
            pause_after,
            back_off: BackOff::after(count),
            ..first
        })
    }

    pub(super) fn apply(&mut self, change: Change) {
        self.unseen = matches!(change, Change::Unseen { .. });
        match change {
            // What was seen last is the best that can be said.
            Change::Unseen { .. } if self.running() => {}
            Change::Waiting { reason, message } | Change::Unseen { reason, message } => {
                self.keep_last();
                let waiting = ContainerStateWaiting {
                    reason: Some(reason.to_owned()),
                    message: Some(message).filter(|message| !message.is_empty()),
                };
                self.state = ContainerState {
                    waiting: Some(waiting),
                    ..ContainerState::default()
                };
            }
            Change::Running { id, since } => {
                if self.running() {
                    self.id = Some(id);
                } else {
                    self.begin(Some(id));
                }
                let running = ContainerStateRunning {
                    started_at: Some(to_time(since)),
                };
                self.state = ContainerState {
                    running: Some(running),
                    ..ContainerState::default()
                };
            }
            Change::Ended(mut ended) => {
                if !self.running() {
                    self.begin(None);
                }
                ended.container_id.clone_from(&self.id);
                self.state = ContainerState {
                    terminated: Some(*ended),
                    ..ContainerState::default()
                };
            }
            Change::Done => self.done = true,
        }
    }

    /// A run begins; it is a restart when there was one before.
    fn begin(&mut self, id: Option<String>) {
        self.keep_last();
        self.id = id;
        if self.last.is_some() {
            self.restarts = self.restarts.saturating_add(1);
        }
    }

    fn keep_last(&mut self) {
        if let Some(ended) = self.state.terminated.take() {
            self.last = Some(ended);
        }
    }

    /// Whether its process runs.
    pub(in crate::standalone::runtime) fn running(&self) -> bool {
        self.state.running.is_some()
    }

    /// Whether its last run ended with 0.
    pub(in crate::standalone::runtime) fn succeeded(&self) -> bool {
        self.state
            .terminated
            .as_ref()
            .is_some_and(|ended| ended.exit_code == 0)
    }

    /// Whether it has done its part as an init container: it has succeeded or, being a sidecar, was started.
    pub(super) fn is_initialized(&self) -> bool {
        if self.sidecar {
            self.was_started()
        } else {
            self.succeeded()
        }
    }

    /// Whether it waits.
    pub(super) fn waits(&self) -> bool {
        self.state.waiting.is_some()
    }

    /// Whether a process of it was ever started.
    pub(super) fn was_started(&self) -> bool {
        let last = self.last.as_ref();
        self.id.is_some() || last.is_some_and(|ended| ended.container_id.is_some())
    }

    pub(super) fn ever_ran(&self) -> bool {
        self.last.is_some() || self.state.terminated.is_some() || self.running()
    }

    pub(super) fn status(&self, init: bool) -> ContainerStatus {
        let last = self.last.clone().map(|ended| ContainerState {
            terminated: Some(ended),
            ..ContainerState::default()
        });
        ContainerStatus {
            name: self.name.clone(),
            image: self.image.clone(),
            container_id: self.id.clone(),
            state: Some(self.state.clone()),
            last_state: last,
            restart_count: self.restarts,
            ready: if init && !self.sidecar {
                self.succeeded()
            } else {
                self.running()
            },
            started: Some(self.running()),
            ..ContainerStatus::default()
        }
    }
}
