//! The process itself: what waits in it, whom it tells, whether it leads, and by which time-zone database it runs.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::{OutcomeLabel, number};
use crate::schedule::TimeZones;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabel {
    listener: &'static str,
}

/// The metrics. Clones are the same metrics.
#[derive(Clone, Default)]
pub(super) struct ProcessMetrics {
    backlog: Gauge,
    held_back: Gauge,
    overdue: Gauge,
    notes_dropped: Family<ListenerLabel, Counter>,
    events: Family<OutcomeLabel, Counter>,
    leader: Gauge,
    tzdb_age: Gauge,
}

impl ProcessMetrics {
    pub(super) fn register(&self, ours: &mut Registry, zones: &TimeZones) {
        ours.register(
            "due_backlog",
            "CronJobs whose decision is being carried out",
            self.backlog.clone(),
        );
        ours.register(
            "held_back",
            "CronJobs that are due and wait for their turn (--max-start-rate)",
            self.held_back.clone(),
        );
        ours.register(
            "cronjobs_overdue",
            "CronJobs without a success within punctual.dev/expected-within of a due instant",
            self.overdue.clone(),
        );
        ours.register(
            "notes_dropped",
            "Notes that a slow listener has not heard",
            self.notes_dropped.clone(),
        );
        ours.register(
            "events",
            "Kubernetes Events, by what became of them",
            self.events.clone(),
        );
        ours.register("leader", "1 while this replica leads", self.leader.clone());
        let version = vec![
            ("version", zones.version().to_owned()),
            ("origin", zones.origin().to_owned()),
        ];
        ours.register("tzdb", "The time-zone database in use", Info::new(version));
        ours.register(
            "tzdb_age_days",
            "Days since that database was released, as near as its version tells",
            self.tzdb_age.clone(),
        );
    }

    /// Counts a note that `listener` was too slow for.
    pub(super) fn count_dropped_note(&self, listener: &'static str) {
        let label = ListenerLabel { listener };
        self.notes_dropped.get_or_create(&label).inc();
    }

    /// Counts an Event, by what became of it.
    pub(super) fn count_event(&self, outcome: &'static str) {
        self.events.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// How many decisions are being carried out.
    pub(super) fn set_backlog(&self, decisions: usize) {
        self.backlog.set(number(decisions));
    }

    /// How many CronJobs wait for their turn.
    pub(super) fn set_held_back(&self, cronjobs: usize) {
        self.held_back.set(number(cronjobs));
    }

    /// How many CronJobs wait for a success that is overdue.
    pub(super) fn set_overdue(&self, cronjobs: usize) {
        self.overdue.set(number(cronjobs));
    }

    /// Whether this replica leads.
    pub(super) fn set_leader(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// How old the time-zone database is.
    pub(super) fn set_tzdb_age(&self, days: i64) {
        self.tzdb_age.set(days);
    }
}
