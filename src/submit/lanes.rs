//! How much is sent to the API server at the same time, and that no namespace holds up another.
//!
//! A request that is answered at once only needs a slot. One that is not (a webhook hangs) gives its slot back after a
//! moment and waits on without one, so that it holds up others of its own namespace at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

/// Decisions that are carried out at the same time. More would only queue up inside the API server.
const SLOTS: usize = 64;

/// How many of one namespace: all but a few of the slots, so that a namespace that is alone is not slowed down and
/// one whose requests hang leaves room for the rest.
const SLOTS_OF_A_NAMESPACE: usize = 48;

/// How long a decision may take before its slot goes to others. Most take a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(250);

/// The slots of all, and of each namespace. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    slots: Arc<Semaphore>,
    lanes: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Lanes {
            slots: Arc::new(Semaphore::new(SLOTS)),
            lanes: Arc::default(),
        }
    }

    /// Does `work` for `namespace` when there is room for it.
    ///
    /// What waits for its turn is small: the work is not begun, and takes no memory, before there is room.
    pub(super) async fn run<F: Future>(&self, namespace: &str, work: impl FnOnce() -> F) -> F::Output {
        let lane = self.lane(namespace);
        // The semaphores are never closed; without a permit the work is done all the same.
        let _in_lane = lane.acquire().await;
        let slot = self.slots.acquire().await;
        let mut work = Box::pin(work());
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        drop(slot);
        work.await
    }

    fn lane(&self, namespace: &str) -> Arc<Semaphore> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(namespace) {
            return Arc::clone(lane);
        }
        // A namespace for which nothing is under way needs no lane; they are as many as there are busy namespaces.
        lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        let lane = Arc::new(Semaphore::new(SLOTS_OF_A_NAMESPACE));
        lanes.insert(namespace.to_owned(), Arc::clone(&lane));
        lane
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test(start_paused = true)]
    async fn a_namespace_whose_requests_hang_holds_up_nobody_else() {
        let lanes = Lanes::new();
        for namespace in ["hangs", "hangs too", "and this one"] {
            for _ in 0..1_000 {
                let lanes = lanes.clone();
                tokio::spawn(async move { lanes.run(namespace, pending::<()>).await });
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let start = tokio::time::Instant::now();
        for _ in 0..1_000 {
            lanes.run("well", || async {}).await;
        }
        assert!(start.elapsed() < 4 * PATIENCE, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn one_namespace_that_hangs_costs_the_others_no_time_at_all() {
        let lanes = Lanes::new();
        for _ in 0..1_000 {
            let lanes = lanes.clone();
            tokio::spawn(async move { lanes.run("hangs", pending::<()>).await });
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let start = tokio::time::Instant::now();
        lanes.run("well", || async {}).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn lanes_are_forgotten_when_nothing_is_under_way() {
        let lanes = Lanes::new();
        for namespace in 0..100 {
            lanes.run(&namespace.to_string(), || async {}).await;
        }
        assert_eq!(lanes.lanes.lock().expect("no panic").len(), 1);
    }
}
