//! A pod's status, from what is known of its containers.
//!
//! Pure: the [`Model`] takes changes in, and tells the status as the kubelet would write it (phases from "Pod
//! Lifecycle" in Kubernetes' documentation).

use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, Pod, PodCondition, PodStatus,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::container::Past;
use super::restart::{BackOff, RestartPolicy};
use crate::schedule::Timestamp;
use crate::standalone::instants::{from_time, to_time};

/// What happened to a container.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
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

/// Why a pod ended otherwise than by itself: the `reason` and `message` of its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) reason: String,
    pub(super) message: String,
}

/// The `reason` of a pod whose node was stopped, as the kubelet writes it.
const TERMINATED: &str = "Terminated";

impl Verdict {
    /// The node was stopped. A pod that ends well in its grace period has succeeded all the same.
    pub(super) fn node_stopped() -> Self {
        Self {
            reason: TERMINATED.to_owned(),
            message: "Pod was terminated because its node was stopped".to_owned(),
        }
    }

    pub(super) fn is_of_the_node(&self) -> bool {
        self.reason == TERMINATED
    }
}

/// How far a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    /// The word in `status.phase`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// One container.
#[derive(Debug)]
pub(super) struct Record {
    name: String,
    image: String,
    /// An init container that goes on beside the others (`restartPolicy: Always`).
    pub(super) sidecar: bool,
    state: ContainerState,
    last: Option<ContainerStateTerminated>,
    id: Option<String>,
    restarts: i32,
    /// Whether it can't be told at the moment if it runs.
    pub(super) unseen: bool,
    /// Whether it will not be started again.
    pub(super) done: bool,
}

impl Record {
    fn new(container: &Container, init: bool, reason: &str) -> Self {
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
    fn recall(&mut self, status: &ContainerStatus) {
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

    /// What a life that goes on from here has to know; nothing, when there is nothing left to live.
    pub(super) fn past(&self, policy: RestartPolicy) -> Option<Past> {
        let restarts = u32::try_from(self.restarts).unwrap_or_default();
        let first = Past {
            attempt: restarts,
            may_exist: true,
            was_begun: self.running(),
            ..Past::default()
        };
        let ended = self.state.terminated.as_ref();
        if ended.is_some_and(|ended| !policy.restarts_after(ended.exit_code)) {
            return None;
        }
        let Some(ended) = ended.or(self.last.as_ref()).filter(|_| !self.running()) else {
            return Some(first);
        };
        let instant = |time: &Option<Time>| time.as_ref().map(from_time);
        let run = instant(&ended.started_at).zip(instant(&ended.finished_at));
        let run = run.and_then(|(started, finished)| (finished - started).to_std().ok());
        Some(Past {
            attempt: restarts + 1,
            pause_after: Some(run.unwrap_or_default()),
            back_off: BackOff::after(restarts),
            ..first
        })
    }

    fn apply(&mut self, change: Change) {
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
    pub(super) fn running(&self) -> bool {
        self.state.running.is_some()
    }

    /// Whether its last run ended with 0.
    pub(super) fn succeeded(&self) -> bool {
        self.state
            .terminated
            .as_ref()
            .is_some_and(|ended| ended.exit_code == 0)
    }

    fn ever_ran(&self) -> bool {
        self.last.is_some() || self.state.terminated.is_some() || self.running()
    }

    fn status(&self, init: bool) -> ContainerStatus {
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

/// All that is known of a pod that runs here.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) init: Vec<Record>,
    pub(super) main: Vec<Record>,
    /// Set when the pod ends otherwise than by itself.
    pub(super) verdict: Option<Verdict>,
    /// Whether nothing runs any more and nothing will.
    over: bool,
    since: Timestamp,
    conditions: Vec<PodCondition>,
}

impl Model {
    /// A pod that was taken on at `since`.
    pub(super) fn new(pod: &Pod, since: Timestamp) -> Self {
        let spec = pod.spec.clone().unwrap_or_default();
        let init = spec.init_containers.unwrap_or_default();
        let reason = if init.is_empty() {
            "ContainerCreating"
        } else {
            "PodInitializing"
        };
        let records = |containers: &[Container], is_init| {
            containers
                .iter()
                .map(|container| Record::new(container, is_init, reason))
                .collect()
        };
        Self {
            init: records(&init, true),
            main: records(&spec.containers, false),
            verdict: None,
            over: false,
            since,
            conditions: Vec::new(),
        }
    }

    /// Takes over what is recorded of a pod that an earlier `punctual` had taken on.
    pub(super) fn recall(&mut self, status: &PodStatus) {
        let all = status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses);
        let statuses: Vec<_> = all.flatten().collect();
        for record in self.init.iter_mut().chain(&mut self.main) {
            if let Some(status) = statuses.iter().find(|status| status.name == record.name) {
                record.recall(status);
            }
        }
        self.since = status.start_time.as_ref().map_or(self.since, from_time);
        self.conditions = status.conditions.clone().unwrap_or_default();
        self.verdict = status.reason.clone().map(|reason| Verdict {
            reason,
            message: status.message.clone().unwrap_or_default(),
        });
    }

    /// Since when the pod is here.
    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    /// Takes a change in. Containers are counted through: init containers first.
    pub(super) fn apply(&mut self, container: usize, change: Change) {
        if let Some(record) = self.init.iter_mut().chain(&mut self.main).nth(container) {
            record.apply(change);
        }
    }

    /// Whether all init containers have done their part.
    pub(super) fn initialized(&self) -> bool {
        self.init.iter().all(|record| {
            if record.sidecar {
                record.ever_ran()
            } else {
                record.succeeded()
            }
        })
    }

    /// Whether an init container failed for good, so that the pod can't go on.
    pub(super) fn init_failed(&self) -> bool {
        self.init
            .iter()
            .any(|record| record.done && !record.sidecar && !record.succeeded())
    }

    /// The pod can't run here. Its containers have no status then, as where the kubelet rejects a pod: they wait for
    /// nothing, and who looks at the pod sees the reason.
    pub(super) fn refuse(&mut self, why: Verdict) {
        self.init.clear();
        self.main.clear();
        self.verdict = Some(why);
    }

    /// Nothing runs any more and nothing will.
    pub(super) fn end(&mut self) {
        self.over = true;
        if self.all_succeeded() {
            self.verdict.take_if(|verdict| verdict.is_of_the_node());
        }
    }

    fn all_succeeded(&self) -> bool {
        !self.main.is_empty() && self.main.iter().all(Record::succeeded)
    }

    /// How far the pod is.
    pub(super) fn phase(&self) -> Phase {
        if self.over {
            return if self.all_succeeded() && self.verdict.is_none() {
                Phase::Succeeded
            } else {
                Phase::Failed
            };
        }
        if self.initialized() && self.main.iter().all(Record::ever_ran) {
            Phase::Running
        } else {
            Phase::Pending
        }
    }

    /// The status to write now.
    pub(super) fn status(&mut self, now: Timestamp) -> PodStatus {
        let phase = self.phase();
        self.set_conditions(phase, now);
        let statuses = |records: &[Record], init| -> Option<Vec<ContainerStatus>> {
            (!records.is_empty()).then(|| records.iter().map(|record| record.status(init)).collect())
        };
        // A stop is not the end yet, and what is written is not taken back.
        let verdict = self
            .verdict
            .as_ref()
            .filter(|verdict| self.over || !verdict.is_of_the_node());
        PodStatus {
            phase: Some(phase.as_str().to_owned()),
            reason: verdict.map(|verdict| verdict.reason.clone()),
            message: verdict.map(|verdict| verdict.message.clone()),
            start_time: Some(to_time(self.since)),
            conditions: Some(self.conditions.clone()),
            init_container_statuses: statuses(&self.init, true),
            container_statuses: statuses(&self.main, false),
            ..PodStatus::default()
        }
    }

    fn set_conditions(&mut self, phase: Phase, now: Timestamp) {
        let ready = phase == Phase::Running && self.main.iter().all(Record::running);
        let why_not = match phase {
            Phase::Succeeded => "PodCompleted",
            Phase::Failed => "PodFailed",
            _ => "ContainersNotReady",
        };
        self.set_condition("PodScheduled", true, "", now);
        self.set_condition("Initialized", self.initialized(), "ContainersNotInitialized", now);
        self.set_condition("ContainersReady", ready, why_not, now);
        self.set_condition("Ready", ready, why_not, now);
        // By which a pod failure policy can tell a stop from a failure.
        if self.over && self.verdict.as_ref().is_some_and(Verdict::is_of_the_node) {
            self.set_condition("DisruptionTarget", true, "", now);
        }
    }

    /// Sets a condition. The time of its last change stays when it has not changed.
    fn set_condition(&mut self, name: &str, holds: bool, why_not: &str, now: Timestamp) {
        let status = if holds { "True" } else { "False" };
        let reason = Some(why_not.to_owned()).filter(|_| !holds);
        let position = self
            .conditions
            .iter()
            .position(|condition| condition.type_ == name);
        let before = position.map(|position| self.conditions.remove(position));
        let since = before
            .filter(|before| before.status == status)
            .and_then(|before| before.last_transition_time);
        let condition = PodCondition {
            type_: name.to_owned(),
            status: status.to_owned(),
            reason,
            last_transition_time: since.or_else(|| Some(to_time(now))),
            ..PodCondition::default()
        };
        self.conditions
            .insert(position.unwrap_or(self.conditions.len()), condition);
    }
}
