//! What becomes of runs, and how late they are started: counted from the notes that tell of them.

use chrono::TimeDelta;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{LATENESS_BUCKETS, OutcomeLabel};
use crate::cronjob::Outcome;
use crate::policy::{Note, Ruling};

/// How long starts are held back to keep a pace, in seconds: a herd of thousands takes minutes.
const HELD_BACK_BUCKETS: [f64; 10] = [0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

/// The buckets of the built-in controller's `job_creation_skew_duration_seconds` (1 s, doubling).
const SKEW_BUCKETS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// What becomes of runs, and why due instants are not started. Their counters begin at 0: an increase from nothing is
/// none to Prometheus, and the first missed run would go unnoticed.
const OUTCOMES: [&str; 4] = ["started", "succeeded", "failed", "missing"];
const SKIPS: [&str; 8] = [
    "MissSchedule",
    "PassedOver",
    "JobNameTaken",
    "SkippedMissedRun",
    "SkippedWhileActive",
    "SkippedOnRequest",
    "SkippedByClockChange",
    "QueueFull",
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// The metrics. Clones are the same metrics.
#[derive(Clone)]
pub(super) struct RunMetrics {
    lateness: Histogram,
    held_back: Histogram,
    skew: Histogram,
    runs: Family<OutcomeLabel, Counter>,
    skipped: Family<ReasonLabel, Counter>,
    notes: Family<ReasonLabel, Counter>,
}

impl Default for RunMetrics {
    fn default() -> Self {
        RunMetrics {
            lateness: Histogram::new(LATENESS_BUCKETS),
            held_back: Histogram::new(HELD_BACK_BUCKETS),
            skew: Histogram::new(SKEW_BUCKETS),
            runs: Family::default(),
            skipped: Family::default(),
            notes: Family::default(),
        }
    }
}

impl RunMetrics {
    /// Registers the one that Kubernetes has as well under its name, the others among `ours`.
    pub(super) fn register(&self, registry: &mut Registry, ours: &str) {
        for outcome in OUTCOMES {
            drop(self.runs.get_or_create(&OutcomeLabel { outcome }));
        }
        for reason in SKIPS {
            drop(self.skipped.get_or_create(&ReasonLabel { reason }));
        }
        registry.register_with_unit(
            "cronjob_controller_job_creation_skew_duration",
            "Time between when a cronjob is scheduled to be run, and when the corresponding job is created",
            Unit::Seconds,
            self.skew.clone(),
        );
        let ours = registry.sub_registry_with_prefix(ours);
        ours.register_with_unit(
            "job_creation_lateness",
            "How long after its due instant a Job was created, without the time that it was held back; not of runs that waited \
             for others (concurrencyPolicy)",
            Unit::Seconds,
            self.lateness.clone(),
        );
        ours.register_with_unit(
            "job_creation_held_back",
            "How long Jobs that had to wait for their turn were held back (--max-start-rate)",
            Unit::Seconds,
            self.held_back.clone(),
        );
        ours.register("runs", "Runs, by what became of them", self.runs.clone());
        ours.register(
            "runs_skipped",
            "Due instants that were not started, by the reason of their event",
            self.skipped.clone(),
        );
        ours.register(
            "notes",
            "What was decided or noticed, by reason",
            self.notes.clone(),
        );
    }

    /// Counts a note, and the runs or due instants that it tells of.
    pub(super) fn count(&self, note: &Note) {
        let reason = note.reason();
        self.notes.get_or_create(&ReasonLabel { reason }).inc();
        if let Note::Started {
            lateness,
            held_back,
            waited,
            ..
        } = note
        {
            self.observe_start(*lateness, *held_back, *waited);
        }
        if let Some(outcome) = outcome(note) {
            self.runs.get_or_create(&OutcomeLabel { outcome }).inc();
        }
        let skipped = skipped(note);
        if skipped > 0 {
            self.skipped
                .get_or_create(&ReasonLabel { reason })
                .inc_by(skipped);
        }
    }

    fn observe_start(&self, lateness: TimeDelta, held_back: TimeDelta, waited: bool) {
        // A clock that was put back while the answer came makes the lateness negative.
        let seconds = |time: TimeDelta| time.as_seconds_f64().max(0.0);
        if !waited {
            self.lateness.observe(seconds(lateness - held_back));
        }
        if !held_back.is_zero() {
            self.held_back.observe(seconds(held_back));
        }
        self.skew.observe(seconds(lateness));
    }
}

/// What became of the run that a note tells of.
fn outcome(note: &Note) -> Option<&'static str> {
    match note {
        Note::Started { .. } => Some("started"),
        Note::Completed { outcome, .. }
        | Note::Deleted {
            ended: Some(outcome), ..
        } => Some(match outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
        }),
        Note::Missing { .. } => Some("missing"),
        _ => None,
    }
}

/// How many due instants a note says are not started.
fn skipped(note: &Note) -> u64 {
    match note {
        Note::PassedOver { count, .. }
        | Note::DeadlinePassed { count, .. }
        | Note::Ruled(Ruling::Skipped { count, .. }) => *count,
        Note::NameTaken { .. } => 1,
        _ => 0,
    }
}
