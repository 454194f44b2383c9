//! Runs of another controller beside what would have been done (`--shadow`).

use chrono::TimeDelta;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{LATENESS_BUCKETS, OutcomeLabel};

/// How runs compare. Their counters begin at 0, as those of our own runs do.
const COMPARED: [&str; 3] = ["started", "never_started", "not_ours"];

/// The metrics. Clones are the same metrics.
#[derive(Clone)]
pub(super) struct ShadowMetrics {
    runs: Family<OutcomeLabel, Counter>,
    later: Histogram,
    looks_on: Gauge,
}

impl Default for ShadowMetrics {
    fn default() -> Self {
        ShadowMetrics {
            runs: Family::default(),
            later: Histogram::new(LATENESS_BUCKETS),
            looks_on: Gauge::default(),
        }
    }
}

impl ShadowMetrics {
    pub(super) fn register(&self, ours: &mut Registry) {
        for outcome in COMPARED {
            drop(self.runs.get_or_create(&OutcomeLabel { outcome }));
        }
        ours.register(
            "shadow_runs",
            "Runs of another controller beside what would have been done (--shadow)",
            self.runs.clone(),
        );
        ours.register_with_unit(
            "shadow_later",
            "How much later than here another controller started its runs (--shadow)",
            Unit::Seconds,
            self.later.clone(),
        );
        ours.register(
            "shadow",
            "1 if this one only looks on (--shadow)",
            self.looks_on.clone(),
        );
    }

    /// Counts a run by how it compares, and how much later than here it was started.
    pub(super) fn count(&self, outcome: &'static str, later_by: Option<TimeDelta>) {
        self.runs.get_or_create(&OutcomeLabel { outcome }).inc();
        if let Some(later_by) = later_by {
            self.later.observe(later_by.as_seconds_f64().max(0.0));
        }
    }

    /// Whether this one only looks on.
    pub(super) fn set(&self, looks_on: bool) {
        self.looks_on.set(i64::from(looks_on));
    }
}
