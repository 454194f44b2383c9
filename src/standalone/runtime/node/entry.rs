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
