//! The metrics, in the format of Prometheus (OpenMetrics text).
//!
//! Every label takes its values from a fixed list, so the number of series does not grow with the cluster. What is about
//! single CronJobs is in `cronjobs`, and bounded.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chrono::TimeDelta;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::cronjob::{Key, Outcome};
use crate::policy::{Note, Ruling};
use crate::schedule::{TimeZones, Timestamp};
use crate::telemetry::cronjobs::{CronJobMetrics, Detail, Wellbeing};
use crate::telemetry::tzdb::age_in_days;

/// The media type of [`Metrics::render`].
pub const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How late Jobs are created, in seconds. Punctual aims at milliseconds, so the buckets start there.
const LATENESS_BUCKETS: [f64; 16] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0,
];

/// How long starts are held back to keep a pace, in seconds: a herd of thousands takes minutes.
const HELD_BACK_BUCKETS: [f64; 10] = [0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

/// The buckets of the built-in controller's `job_creation_skew_duration_seconds` (1 s, doubling).
const SKEW_BUCKETS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// How long the API server takes to answer, in seconds.
const REQUEST_BUCKETS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0,
];

/// What becomes of runs, and why due instants are not started. Their counters begin at 0: an increase from nothing is
/// none to Prometheus, and the first missed run would go unnoticed.
const OUTCOMES: [&str; 4] = ["started", "succeeded", "failed", "missing"];
const SKIPS: [&str; 7] = [
    "MissSchedule",
    "PassedOver",
    "JobNameTaken",
    "SkippedMissedRun",
    "SkippedWhileActive",
    "SkippedOnRequest",
    "QueueFull",
];
const COMPARED: [&str; 3] = ["started", "never_started", "not_ours"];

/// All metrics of the process. Clones are the same metrics.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    lateness: Histogram,
    held_back: Histogram,
    skew: Histogram,
    runs: Family<OutcomeLabel, Counter>,
    skipped: Family<ReasonLabel, Counter>,
    notes: Family<ReasonLabel, Counter>,
    notes_dropped: Family<ListenerLabel, Counter>,
    events: Family<OutcomeLabel, Counter>,
    requests: Family<RequestLabel, Counter>,
    request_seconds: Histogram,
    backlog: Gauge,
    held_back_now: Gauge,
    overdue: Gauge,
    shadow: Family<OutcomeLabel, Counter>,
    shadow_later: Histogram,
    leader: Gauge,
    looks_on: Gauge,
    clock_skew: Gauge<f64, AtomicU64>,
    tzdb_age: Gauge,
    cronjobs: CronJobMetrics,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabel {
    listener: &'static str,
}

/// A request to the API server: what was asked of what, and the answer. Each from a short list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabel {
    /// As Kubernetes counts verbs: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: &'static str,
    /// `cronjobs`, `cronjobs/status`, `jobs`, `events`, `leases`, or `other`.
    pub resource: &'static str,
    /// The status code of the answer; 0 when there was none.
    pub code: u16,
}

impl Metrics {
    /// Metrics that count from nothing, for a process that runs by these `zones`.
    pub fn new(zones: &TimeZones) -> Self {
        let metrics = Metrics {
            registry: Arc::default(),
            lateness: Histogram::new(LATENESS_BUCKETS),
            held_back: Histogram::new(HELD_BACK_BUCKETS),
            skew: Histogram::new(SKEW_BUCKETS),
            runs: Family::default(),
            skipped: Family::default(),
            notes: Family::default(),
            notes_dropped: Family::default(),
            events: Family::default(),
            requests: Family::default(),
            request_seconds: Histogram::new(REQUEST_BUCKETS),
            backlog: Gauge::default(),
            held_back_now: Gauge::default(),
            overdue: Gauge::default(),
            shadow: Family::default(),
            shadow_later: Histogram::new(LATENESS_BUCKETS),
            leader: Gauge::default(),
            looks_on: Gauge::default(),
            clock_skew: Gauge::default(),
            cronjobs: CronJobMetrics::default(),
            tzdb_age: Gauge::default(),
        };
        let mut registry = Registry::default();
        metrics.register_runs(&mut registry);
        metrics.register_process(registry.sub_registry_with_prefix("punctual"), zones);
        Metrics {
            registry: Arc::new(registry),
            ..metrics
        }
    }

    fn register_runs(&self, registry: &mut Registry) {
        for outcome in OUTCOMES {
            drop(self.runs.get_or_create(&OutcomeLabel { outcome }));
        }
        for reason in SKIPS {
            drop(self.skipped.get_or_create(&ReasonLabel { reason }));
        }
        for outcome in COMPARED {
            drop(self.shadow.get_or_create(&OutcomeLabel { outcome }));
        }
        registry.register_with_unit(
            "cronjob_controller_job_creation_skew_duration",
            "Time between when a cronjob is scheduled to be run, and when the corresponding job is created",
            Unit::Seconds,
            self.skew.clone(),
        );
        let ours = registry.sub_registry_with_prefix("punctual");
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
        self.cronjobs.register(ours);
        ours.register(
            "due_backlog",
            "CronJobs whose decision is being carried out",
            self.backlog.clone(),
        );
        ours.register(
            "held_back",
            "CronJobs that are due and wait for their turn (--max-start-rate)",
            self.held_back_now.clone(),
        );
        ours.register(
            "cronjobs_overdue",
            "CronJobs without a success within punctual.dev/expected-within of a due instant",
            self.overdue.clone(),
        );
        ours.register(
            "shadow_runs",
            "Runs of another controller beside what would have been done (--shadow)",
            self.shadow.clone(),
        );
        ours.register_with_unit(
            "shadow_later",
            "How much later than here another controller started its runs (--shadow)",
            Unit::Seconds,
            self.shadow_later.clone(),
        );
    }

    fn register_process(&self, ours: &mut Registry, zones: &TimeZones) {
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
        ours.register(
            "api_requests",
            "Requests to the API server; code 0 stands for no answer",
            self.requests.clone(),
        );
        ours.register_with_unit(
            "api_request_duration",
            "How long the API server took to answer, watches excepted",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        ours.register_with_unit(
            "clock_skew",
            "How far our clock is ahead of the API server's, to within a second",
            Unit::Seconds,
            self.clock_skew.clone(),
        );
        ours.register("leader", "1 while this replica leads", self.leader.clone());
        ours.register(
            "shadow",
            "1 if this one only looks on (--shadow)",
            self.looks_on.clone(),
        );
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

    /// Counts a note.
    pub fn count(&self, note: &Note) {
        let reason = note.reason();
        self.notes.get_or_create(&ReasonLabel { reason }).inc();
        let (outcome, skipped) = match note {
            Note::Started {
                lateness,
                held_back,
                waited,
                ..
            } => {
                // A clock that was put back while the answer came makes the lateness negative.
                let seconds = |time: TimeDelta| time.as_seconds_f64().max(0.0);
                if !waited {
                    self.lateness.observe(seconds(*lateness - *held_back));
                }
                if !held_back.is_zero() {
                    self.held_back.observe(seconds(*held_back));
                }
                self.skew.observe(seconds(*lateness));
                (Some("started"), 0)
            }
            Note::Completed { outcome, .. } => match outcome {
                Outcome::Succeeded => (Some("succeeded"), 0),
                Outcome::Failed => (Some("failed"), 0),
            },
            Note::Missing { .. } => (Some("missing"), 0),
            Note::PassedOver { count, .. }
            | Note::DeadlinePassed { count, .. }
            | Note::Ruled(Ruling::Skipped { count, .. }) => (None, *count),
            Note::NameTaken { .. } => (None, 1),
            _ => (None, 0),
        };
        if let Some(outcome) = outcome {
            self.runs.get_or_create(&OutcomeLabel { outcome }).inc();
        }
        if skipped > 0 {
            self.skipped
                .get_or_create(&ReasonLabel { reason })
                .inc_by(skipped);
        }
    }

    /// Counts a run of another controller, by how it compares, and how much later than here it was started.
    pub fn count_shadow(&self, outcome: &'static str, later_by: Option<TimeDelta>) {
        self.shadow.get_or_create(&OutcomeLabel { outcome }).inc();
        if let Some(later_by) = later_by {
            self.shadow_later.observe(later_by.as_seconds_f64().max(0.0));
        }
    }

    /// Counts a note that `listener` was too slow for.
    pub fn count_dropped_note(&self, listener: &'static str) {
        self.notes_dropped
            .get_or_create(&ListenerLabel { listener })
            .inc();
    }

    /// Counts an Event: `written`, `repeated` (its count was raised), `withheld` (it waits for more) or `failed`.
    pub fn count_event(&self, outcome: &'static str) {
        self.events.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Counts a request to the API server that took `seconds`; none for a watch, which lasts as long as it may.
    pub fn count_request(&self, request: &RequestLabel, seconds: Option<f64>) {
        self.requests.get_or_create(request).inc();
        if let Some(seconds) = seconds {
            self.request_seconds.observe(seconds);
        }
    }

    /// How many decisions are being carried out.
    pub fn set_backlog(&self, decisions: usize) {
        self.backlog.set(i64::try_from(decisions).unwrap_or(i64::MAX));
    }

    /// How many CronJobs wait for their turn.
    pub fn set_held_back(&self, cronjobs: usize) {
        self.held_back_now
            .set(i64::try_from(cronjobs).unwrap_or(i64::MAX));
    }

    /// How many CronJobs wait for a success that is overdue (`punctual.dev/expected-within`).
    pub fn set_overdue(&self, cronjobs: usize) {
        self.overdue.set(i64::try_from(cronjobs).unwrap_or(i64::MAX));
    }

    /// Whether this replica leads. Who does not is in charge of no CronJob.
    pub fn set_leader(&self, leads: bool) {
        self.leader.set(i64::from(leads));
        if !leads {
            self.cronjobs.clear();
        }
    }

    /// Whether this one only looks on, and is not to lead.
    pub fn set_shadow(&self, looks_on: bool) {
        self.looks_on.set(i64::from(looks_on));
    }

    /// Which CronJobs have series of their own.
    pub fn set_detail(&self, detail: Detail) {
        self.cronjobs.set_detail(detail);
    }

    /// How a CronJob is doing; `None` when it is gone.
    pub fn set_wellbeing(&self, cronjob: &Key, wellbeing: Option<Wellbeing>) {
        self.cronjobs.set(cronjob, wellbeing);
    }

    /// How many seconds our clock is ahead of the API server's.
    pub fn set_clock_skew(&self, seconds: f64) {
        self.clock_skew.set(seconds);
    }

    /// All metrics as text, at the time `now`.
    pub fn render(&self, zones: &TimeZones, now: Timestamp) -> String {
        if let Some(days) = age_in_days(zones.version(), now) {
            self.tzdb_age.set(days);
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    /// Metrics of a process that runs by the time-zone database that is built in.
    fn default() -> Self {
        Metrics::new(&TimeZones::built_in())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_scrape_shows() {
        let metrics = Metrics::default();
        let scheduled = Timestamp::UNIX_EPOCH;
        for note in [
            Note::Started {
                job: "a-1".into(),
                scheduled,
                lateness: TimeDelta::milliseconds(4),
                held_back: TimeDelta::zero(),
                waited: false,
            },
            Note::Completed {
                job: "a-1".into(),
                outcome: Outcome::Failed,
            },
            Note::DeadlinePassed {
                count: 7,
                newest: scheduled,
            },
            Note::Suspended,
        ] {
            metrics.count(&note);
        }
        let request = RequestLabel {
            verb: "create",
            resource: "jobs",
            code: 201,
        };
        metrics.count_request(&request, Some(0.003));
        metrics.count_event("written");
        metrics.count_dropped_note("events");
        metrics.set_backlog(3);
        metrics.set_leader(true);
        let now = "2026-11-23T12:00:00Z".parse().expect("an instant");
        let text = metrics.render(&TimeZones::built_in(), now);
        // Families keep no order, and the version of the database changes.
        let mut shown: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("punctual_tzdb") && !line.contains(r#"le="+Inf""#))
            .filter(|line| line.starts_with('#') || !line.ends_with(" 0"))
            .filter(|line| !line.contains("_bucket"))
            .collect();
        shown.sort_unstable();
        insta::assert_snapshot!("a_scrape", shown.join("\n"));
        assert!(
            text.contains(r#"job_creation_lateness_seconds_bucket{le="0.005"} 1"#),
            "{text}"
        );
        assert!(
            text.contains(r#"skew_duration_seconds_bucket{le="1.0"} 1"#),
            "{text}"
        );
        assert!(text.contains(r#"punctual_tzdb_info{version="2026"#), "{text}");
    }

    #[test]
    fn a_clock_that_is_put_back_is_no_lateness() {
        let metrics = Metrics::default();
        metrics.count(&Note::Started {
            job: "a-1".into(),
            scheduled: Timestamp::UNIX_EPOCH,
            lateness: TimeDelta::seconds(-5),
            held_back: TimeDelta::zero(),
            waited: false,
        });
        // It is late because it had to wait.
        metrics.count(&Note::Started {
            job: "a-2".into(),
            scheduled: Timestamp::UNIX_EPOCH,
            lateness: TimeDelta::minutes(5),
            held_back: TimeDelta::zero(),
            waited: true,
        });
        let text = metrics.render(&TimeZones::built_in(), Timestamp::UNIX_EPOCH);
        assert!(
            text.contains("punctual_job_creation_lateness_seconds_sum 0.0"),
            "{text}"
        );
        assert!(
            text.contains("cronjob_controller_job_creation_skew_duration_seconds_sum 300.0"),
            "as Kubernetes counts it: {text}"
        );
    }
}
