//! Whether the process is alive, and whether it is ready.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The controller shows a sign of life at least this often, even when nothing is due.
pub const BEAT_EVERY: Duration = Duration::from_secs(1);

/// Without a sign of life for this long the controller hangs, and the process should be started again.
pub const DEAD_AFTER: Duration = Duration::from_secs(30);

/// What `/livez` and `/readyz` are answered from. Clones share it.
#[derive(Debug, Clone)]
pub struct Health {
    started: Instant,
    /// Milliseconds from `started` to the last sign of life.
    last_beat: Arc<AtomicU64>,
    ready: Arc<AtomicBool>,
    /// Where CronJobs and Jobs may not be listed and never have been, and where they may not be watched any more.
    refused: Arc<Mutex<[Vec<String>; 2]>>,
}

impl Default for Health {
    fn default() -> Self {
        Health {
            started: Instant::now(),
            last_beat: Arc::default(),
            ready: Arc::default(),
            refused: Arc::default(),
        }
    }
}

impl Health {
    /// A sign of life.
    pub fn beat(&self) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_beat.store(millis, Ordering::Relaxed);
    }

    /// The caches are full: this replica leads or could take over.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Relaxed);
    }

    /// Where CronJobs and Jobs may not be listed, so that none is run there; and where they may not be watched any more, so that
    /// they are run as they were last known.
    pub fn set_refused(&self, never: Vec<String>, no_more: Vec<String>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = [never, no_more];
    }

    /// What there is to say of it to whoever asks whether this replica is ready.
    pub fn readiness(&self) -> String {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let text = if self.is_ready() {
            "ok".to_owned()
        } else {
            "CronJobs and Jobs are still being listed".to_owned()
        };
        let said = [
            ("none is run in", "listed"),
            ("no change is seen in", "watched any more"),
        ];
        let said = said
            .iter()
            .zip(&*refused)
            .filter(|(_, namespaces)| !namespaces.is_empty());
        let said: Vec<String> = said
            .map(|((so, what), namespaces)| {
                format!("{so} {}, where they may not be {what}", namespaces.join(", "))
            })
            .collect();
        if said.is_empty() {
            return text + "\n";
        }
        format!("{text}, but {}; the log says why\n", said.join(", and "))
    }

    /// Whether there was a sign of life lately.
    pub fn is_alive(&self) -> bool {
        self.is_alive_after(self.started.elapsed())
    }

    fn is_alive_after(&self, since_start: Duration) -> bool {
        let last_beat = Duration::from_millis(self.last_beat.load(Ordering::Relaxed));
        since_start.saturating_sub(last_beat) < DEAD_AFTER
    }

    /// Whether the caches are full.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_that_shows_no_sign_of_life_is_dead_after_a_while() {
        let health = Health::default();
        health.beat();
        assert!(health.is_alive() && !health.is_ready());
        assert!(!health.is_alive_after(DEAD_AFTER + Duration::from_secs(1)));
    }
}
