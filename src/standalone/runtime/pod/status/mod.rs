//! A pod's status, from what is known of its containers.
//!
//! Pure: the [`Model`] takes changes in, and tells the status as the kubelet would write it (phases from "Pod
//! Lifecycle" in Kubernetes' documentation).

mod record;
#[cfg(test)]
mod tests;

use k8s_openapi::api::core::v1::{Container, ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus};

use crate::schedule::Timestamp;
use crate::standalone::instants::{from_time, to_time};
use crate::standalone::runtime::{ADDRESS, all_statuses};

pub(in crate::standalone::runtime) use record::{Change, Record};

/// Why a pod ended otherwise than by itself: the `reason` and `message` of its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::standalone::runtime) struct Verdict {
    pub(in crate::standalone::runtime) reason: String,
    pub(in crate::standalone::runtime) message: String,
}

/// The `reason` of a pod whose node was stopped, as the kubelet writes it.
const TERMINATED: &str = "Terminated";

/// Whether a pod with this status has ended because its node was stopped.
pub(in crate::standalone) fn ended_with_node(status: &PodStatus) -> bool {
    status.reason.as_deref() == Some(TERMINATED)
}

impl Verdict {
    /// The node was stopped. A pod that ends well in its grace period has succeeded all the same.
    pub(in crate::standalone::runtime) fn node_stopped() -> Self {
        Self {
            reason: TERMINATED.to_owned(),
            message: "Pod was terminated because its node was stopped".to_owned(),
        }
    }

    pub(in crate::standalone::runtime) fn is_of_the_node(&self) -> bool {
        self.reason == TERMINATED
    }
}

/// How far a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::standalone::runtime) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    /// The word in `status.phase`.
    pub(in crate::standalone::runtime) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// All that is known of a pod that runs here.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct Model {
    init: Vec<Record>,
    main: Vec<Record>,
    /// Set when the pod ends otherwise than by itself.
    pub(in crate::standalone::runtime) verdict: Option<Verdict>,
    /// Whether nothing runs any more and nothing will.
    over: bool,
    since: Timestamp,
    conditions: Vec<PodCondition>,
}

impl Model {
    /// A pod that was taken on at `since`.
    pub(in crate::standalone::runtime) fn new(pod: &Pod, since: Timestamp) -> Self {
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
    pub(in crate::standalone::runtime) fn recall(&mut self, status: &PodStatus) {
        for record in self.init.iter_mut().chain(&mut self.main) {
            if let Some(status) = all_statuses(status).find(|status| status.name == record.name) {
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

    /// The pod is taken on only now: it had to wait. Its deadline counts from here.
    pub(in crate::standalone::runtime) fn take_on(&mut self, now: Timestamp) {
        self.since = now;
    }

    /// Since when the pod is here.
    pub(in crate::standalone::runtime) fn since(&self) -> Timestamp {
        self.since
    }

    /// What is known of its containers, init containers first.
    pub(in crate::standalone::runtime) fn records(&self) -> impl Iterator<Item = &Record> {
        self.init.iter().chain(&self.main)
    }

    /// Whether a container is one of the init containers.
    pub(in crate::standalone::runtime) fn is_init(&self, container: usize) -> bool {
        container < self.init.len()
    }

    /// Takes a change in. Containers are counted through: init containers first.
    pub(in crate::standalone::runtime) fn apply(&mut self, container: usize, change: Change) {
        if let Some(record) = self.init.iter_mut().chain(&mut self.main).nth(container) {
            record.apply(change);
        }
    }

    /// Whether all init containers have done their part.
    pub(in crate::standalone::runtime) fn initialized(&self) -> bool {
        self.is_turn_of(self.init.len())
    }

    /// Whether a container may start: each init container before it has done its part. It has when one that comes later
    /// was started, whatever has become of it since (`computeInitContainerActions` in the kubelet's
    /// `kuberuntime_container.go`).
    pub(in crate::standalone::runtime) fn is_turn_of(&self, container: usize) -> bool {
        let mut before = self.init.iter().take(container);
        before.all(Record::is_initialized) || self.records().skip(container).any(Record::was_started)
    }

    /// Whether nothing but sidecars is left to run.
    pub(in crate::standalone::runtime) fn is_done(&self) -> bool {
        self.main.iter().all(|record| record.done) || self.init_failed()
    }

    /// Whether an init container failed for good, so that the pod can't go on.
    pub(in crate::standalone::runtime) fn init_failed(&self) -> bool {
        self.init
            .iter()
            .any(|record| record.done && !record.sidecar && !record.succeeded())
    }

    /// The pod can't run here. Its containers have no status then, as where the kubelet rejects a pod: they wait for
    /// nothing, and who looks at the pod sees the reason.
    pub(in crate::standalone::runtime) fn refuse(&mut self, why: Verdict) {
        self.init.clear();
        self.main.clear();
        self.verdict = Some(why);
    }

    /// Nothing runs any more and nothing will.
    pub(in crate::standalone::runtime) fn end(&mut self) {
        self.over = true;
        if self.all_succeeded() {
            self.verdict.take_if(|verdict| verdict.is_of_the_node());
        }
        self.give_up_what_waits();
    }

    /// Nothing waits in a pod that has ended, by the kubelet's rule (`TerminatePod`): but for the containers whose turn
    /// never came, as an init container before them failed.
    fn give_up_what_waits(&mut self) {
        if self.initialized() || self.main.iter().any(Record::ever_ran) {
            self.main.iter_mut().for_each(Record::give_up);
        }
        let begun = self.init.iter().rposition(Record::ever_ran);
        let begun = begun.unwrap_or_default() + 1;
        self.init.iter_mut().take(begun).for_each(Record::give_up);
    }

    /// Whether no process of the pod was ever started, and one is still to be.
    pub(in crate::standalone::runtime) fn is_unstarted(&self) -> bool {
        let mut init = self.init.iter().filter(|record| !record.sidecar);
        !self.records().any(Record::was_started)
            && init.all(Record::waits)
            && self.main.iter().any(Record::waits)
    }

    fn all_succeeded(&self) -> bool {
        !self.main.is_empty() && self.main.iter().all(Record::succeeded)
    }

    /// How far the pod is.
    pub(in crate::standalone::runtime) fn phase(&self) -> Phase {
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
    pub(in crate::standalone::runtime) fn status(&mut self, now: Timestamp) -> PodStatus {
        let phase = self.phase();
        self.set_conditions(phase, now);
        let statuses = |records: &[Record], init| -> Option<Vec<ContainerStatus>> {
            (!records.is_empty()).then(|| records.iter().map(|record| record.status(init)).collect())
        };
        // The kubelet gives no reason either while something may run (`mergePodStatus` in `status_manager.go`).
        let verdict = self.verdict.as_ref().filter(|_| self.over);
        PodStatus {
            phase: Some(phase.as_str().to_owned()),
            reason: verdict.map(|verdict| verdict.reason.clone()),
            message: verdict.map(|verdict| verdict.message.clone()),
            start_time: Some(to_time(self.since)),
            conditions: Some(self.conditions.clone()),
            init_container_statuses: statuses(&self.init, true),
            container_statuses: statuses(&self.main, false),
            // As of a pod with `hostNetwork`.
            host_ip: Some(ADDRESS.to_owned()),
            host_ips: Some(vec![HostIP {
                ip: ADDRESS.to_owned(),
            }]),
            pod_ip: Some(ADDRESS.to_owned()),
            pod_ips: Some(vec![PodIP {
                ip: ADDRESS.to_owned(),
            }]),
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
