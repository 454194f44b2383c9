//! A pod that the node knows: what it was told to do, and how far its end has come.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch;

use crate::standalone::runtime::order::Order;
use crate::standalone::runtime::pod::Directive;
use crate::standalone::runtime::pod::status::Verdict;

/// The uid of a pod.
pub(super) type Uid = String;

pub(super) fn uid(pod: &Pod) -> Uid {
    pod.metadata.uid.clone().unwrap_or_default()
}

/// A pod that the node knows.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) pod: Arc<Pod>,
    directive: watch::Sender<Directive>,
    /// Its `activeDeadlineSeconds`.
    active_deadline: watch::Sender<Option<i64>>,
    /// Whether its processes have ended.
    pub(super) ended: bool,
    /// Whether its object is to be removed when they have.
    pub(super) remove: bool,
    /// Whether its object is gone.
    pub(super) gone: bool,
}

impl Entry {
    pub(super) fn new(pod: Pod, ended: bool) -> Self {
        Self {
            active_deadline: watch::Sender::new(active_deadline(&pod)),
            pod: Arc::new(pod),
            directive: watch::Sender::default(),
            ended,
            remove: false,
            gone: false,
        }
    }

    /// What the task of the pod heeds.
    pub(super) fn directive(&self) -> watch::Receiver<Directive> {
        self.directive.subscribe()
    }

    /// How long the pod may be active, which its task heeds as well.
    pub(super) fn active_deadline(&self) -> watch::Receiver<Option<i64>> {
        self.active_deadline.subscribe()
    }

    /// Takes in what may change of a pod while it runs. The kubelet looks at its deadline as it is
    /// (`pastActiveDeadline` in `active_deadline.go`).
    pub(super) fn update(&self, pod: &Pod) {
        let wanted = active_deadline(pod);
        self.active_deadline
            .send_if_modified(|now| std::mem::replace(now, wanted) != wanted);
    }

    /// Gives the pod a directive, if it asks for more than the last one.
    pub(super) fn direct(&self, order: Order, verdict: Option<Verdict>) {
        self.directive.send_if_modified(|now| {
            let more = order.outweighs(now.order);
            if more {
                *now = Directive {
                    order,
                    verdict: now.verdict.take().or(verdict),
                };
            }
            more
        });
    }
}

fn active_deadline(pod: &Pod) -> Option<i64> {
    pod.spec.as_ref()?.active_deadline_seconds
}
