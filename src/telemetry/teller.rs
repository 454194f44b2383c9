//! Every decision with its reason, to the log and to whoever listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::cronjob::Key;
use crate::policy::{Note, Severity};
use crate::schedule::Timestamp;

/// How many notes wait for a slow listener. A decision is never held up by somebody who reads about it: what does
/// not fit is dropped and counted.
pub const LISTENER_QUEUE: usize = 4_096;

/// One note, with what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When it was decided.
    pub at: Timestamp,
    /// The CronJob.
    pub cronjob: Key,
    /// What was decided, and why.
    pub note: Note,
}

/// Tells notes. Clones tell the same listener.
#[derive(Debug, Clone, Default)]
pub struct Teller {
    listener: Option<mpsc::Sender<Told>>,
    dropped: Arc<AtomicU64>,
}

impl Teller {
    /// A teller with a listener beside the log.
    pub fn with_listener() -> (Teller, mpsc::Receiver<Told>) {
        let (listener, told) = mpsc::channel(LISTENER_QUEUE);
        (
            Teller {
                listener: Some(listener),
                dropped: Arc::default(),
            },
            told,
        )
    }

    /// Tells `note`. Never waits.
    pub fn tell(&self, at: Timestamp, cronjob: &Key, note: Note) {
        log(cronjob, &note);
        let Some(listener) = &self.listener else { return };
        let told = Told {
            at,
            cronjob: cronjob.clone(),
            note,
        };
        if let Err(mpsc::error::TrySendError::Full(_)) = listener.try_send(told) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many notes a slow listener has not heard.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn log(cronjob: &Key, note: &Note) {
    let (reason, scheduled) = (note.reason(), note.scheduled().map(|at| at.to_rfc3339()));
    let lateness_ms = note.lateness().map(|lateness| lateness.num_milliseconds());
    if note.severity() == Some(Severity::Warning) {
        tracing::warn!(%cronjob, reason, scheduled, "{note}");
    } else {
        tracing::info!(%cronjob, reason, scheduled, lateness_ms, "{note}");
    }
}
