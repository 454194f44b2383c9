//! What a pod waits for before anything of it is started: that its node is not cordoned, and a place among the pods that
//! run at one time. Who waits is told so in the scheduler's words.

use std::pin::pin;
use std::time::Duration;

use k8s_openapi::api::core::v1::{PodCondition, PodStatus};
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::PodTask;
use super::status::Phase;
use crate::standalone::instants::to_time;
use crate::standalone::runtime::machine::Machine;
use crate::standalone::runtime::node::cordon;
use crate::standalone::runtime::order::{at, changed};
use crate::standalone::runtime::runtimes;

/// How long a pod waits for a place before that is told. In a crowd of short ones each waits for a moment, and to write
/// that down would keep them from their work.
const PLACE_AWAITED: Duration = Duration::from_secs(10);

impl PodTask {
    /// Waits for as long as the node is cordoned, unless something of the pod was started before. Whether there is
    /// something left to do then.
    pub(super) async fn is_scheduled(&mut self) -> bool {
        let machine = self.machine.clone();
        let mut cordon = machine.cordon.subscribe();
        while !runtimes::is_begun(&self.pod) {
            let is_cordoned = *cordon.borrow_and_update();
            match is_cordoned {
                Some(false) => break,
                Some(true) => self.tell_cordon().await,
                None => {}
            }
            tokio::select! {
                Ok(()) = cordon.changed() => {}
                () = changed(&mut self.directive) => {
                    // Where only the node stops, whoever comes after looks again whether anything was started.
                    return self.is_resumed && !self.is_of_the_node();
                }
            }
        }
        true
    }

    /// Waits for a place; what runs already has its own. Nothing, when it is told to end before it was its turn: it stays as
    /// it is, pending.
    pub(super) async fn place<'m>(&mut self, machine: &'m Machine) -> Option<Option<SemaphorePermit<'m>>> {
        if self.is_running() {
            return Some(None);
        }
        let mut place = pin!(machine.places.acquire());
        // What has begun is not pending, although it waits.
        let mut told_at = (!self.may_be_begun()).then(|| Instant::now() + PLACE_AWAITED);
        loop {
            tokio::select! {
                biased;
                // The places are never closed.
                place = &mut place => return Some(place.ok()),
                () = changed(&mut self.directive), if !self.is_resumed => return None,
                () = at(told_at) => {
                    told_at = None;
                    self.tell_unscheduled(too_many(machine.options.pods_at_once));
                }
            }
        }
    }

    async fn tell_cordon(&mut self) {
        let message = cordon::message(&self.machine.options.name);
        self.tell_unscheduled(message.clone());
        self.tell_not_started(String::new(), cordon::CONDITION, message)
            .await;
    }

    /// Says why the pod is not started yet, where `kubectl describe` shows it.
    fn tell_unscheduled(&mut self, message: String) {
        let machine = &self.machine;
        machine.warn(&self.pod, "", cordon::EVENT, &message);
        let condition = PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "False".to_owned(),
            reason: Some(cordon::CONDITION.to_owned()),
            message: Some(message),
            last_transition_time: Some(to_time(machine.clock.now())),
            ..PodCondition::default()
        };
        let status = PodStatus {
            phase: Some(Phase::Pending.as_str().to_owned()),
            conditions: Some(vec![condition]),
            ..PodStatus::default()
        };
        self.status.send_replace(Some(status));
    }
}

/// That there is no place, in the scheduler's words, and when there will be.
fn too_many(pods_at_once: usize) -> String {
    format!(
        "0/1 nodes are available: 1 Too many pods; {pods_at_once} run here at one time, and this one starts when others have ended"
    )
}
