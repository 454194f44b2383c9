//! Every decision with its reason, to the log, to the metrics and to whoever listens.

use tokio::sync::mpsc;

use crate::cronjob::Key;
use crate::policy::{Note, Severity};
use crate::schedule::Timestamp;
use crate::telemetry::Metrics;

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
    /// The CronJob's UID.
    pub uid: String,
    /// What was decided, and why.
    pub note: Note,
}

/// Tells notes. Clones tell the same listeners.
#[derive(Debug, Clone, Default)]
pub struct Teller {
    metrics: Metrics,
    listeners: Vec<Listener>,
}

#[derive(Debug, Clone)]
struct Listener {
    name: &'static str,
    queue: mpsc::Sender<Told>,
    /// Whether it looks on, and is told at once.
    looks_on: bool,
}

impl Teller {
    /// A teller that counts in `metrics`.
    pub fn new(metrics: Metrics) -> Self {
        Teller {
            metrics,
            listeners: vec![],
        }
    }

    /// Adds a listener, by a name for the metrics. Clones that were made before do not tell it.
    pub fn listen(&mut self, name: &'static str) -> mpsc::Receiver<Told> {
        self.add(name, false)
    }

    /// A teller with one listener beside the log, which is told of things when they happen.
    pub fn with_listener() -> (Teller, mpsc::Receiver<Told>) {
        let mut teller = Teller::default();
        let told = teller.add("listener", true);
        (teller, told)
    }

    fn add(&mut self, name: &'static str, looks_on: bool) -> mpsc::Receiver<Told> {
        let (queue, told) = mpsc::channel(LISTENER_QUEUE);
        self.listeners.push(Listener {
            name,
            queue,
            looks_on,
        });
        told
    }

    /// The metrics that it counts in.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Tells a note. Never waits.
    pub fn tell(&self, told: &Told) {
        self.tell_at_once(told);
        self.record(told);
    }

    /// Tells a note to the log and to whoever looks on. Those who make a record of it have to be told by
    /// [`Teller::record`]: that is work, and starts that are due go before it.
    pub fn tell_at_once(&self, told: &Told) {
        log(told);
        self.send(told, true);
    }

    /// Tells a note to the metrics and to those who make a record of it.
    pub fn record(&self, told: &Told) {
        self.metrics.count(&told.note);
        self.send(told, false);
    }

    fn send(&self, told: &Told, looks_on: bool) {
        for listener in self.listeners.iter().filter(|one| one.looks_on == looks_on) {
            if let Err(mpsc::error::TrySendError::Full(_)) = listener.queue.try_send(told.clone()) {
                self.metrics.count_dropped_note(listener.name);
            }
        }
    }
}

/// One line for each decision. What it is about has fields of its own, so that a machine need not read the sentence.
fn log(told: &Told) {
    let Told { cronjob, note, .. } = told;
    let (namespace, name) = (cronjob.namespace.as_str(), cronjob.name.as_str());
    let (decision, reason) = (note.decision(), note.reason());
    let scheduled = note.scheduled().map(|at| at.to_rfc3339());
    let lateness_ms = note.lateness().map(|lateness| lateness.num_milliseconds());
    let held_back_ms = note.held_back().map(|time| time.num_milliseconds());
    if note.severity() == Some(Severity::Warning) {
        tracing::warn!(namespace, cronjob = name, decision, reason, scheduled, "{note}");
    } else {
        tracing::info!(
            namespace,
            cronjob = name,
            decision,
            reason,
            scheduled,
            lateness_ms,
            held_back_ms,
            "{note}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told {
        Told {
            at: Timestamp::UNIX_EPOCH,
            cronjob: Key {
                namespace: "a".into(),
                name: "b".into(),
            },
            uid: "u".into(),
            note: Note::Suspended,
        }
    }

    #[test]
    fn a_slow_listener_holds_up_nobody_and_what_it_misses_is_counted() {
        let mut teller = Teller::default();
        let slow = teller.listen("slow");
        let told = told();
        for _ in 0..LISTENER_QUEUE + 3 {
            teller.tell(&told);
        }
        assert_eq!(slow.len(), LISTENER_QUEUE);
        let zones = crate::schedule::TimeZones::built_in();
        let metrics = teller.metrics().render(&zones, Timestamp::UNIX_EPOCH);
        assert!(
            metrics.contains(r#"punctual_notes_dropped_total{listener="slow"} 3"#),
            "{metrics}"
        );
    }

    #[test]
    fn who_looks_on_is_told_at_once_and_who_records_it_when_there_is_time() {
        let (mut teller, mut looks_on) = Teller::with_listener();
        let mut records = teller.listen("events");
        let told = told();
        teller.tell_at_once(&told);
        assert!(looks_on.try_recv().is_ok() && records.is_empty());
        teller.record(&told);
        assert!(looks_on.is_empty() && records.try_recv().is_ok());
        teller.tell(&told);
        assert!(looks_on.try_recv().is_ok() && records.try_recv().is_ok());
    }
}
