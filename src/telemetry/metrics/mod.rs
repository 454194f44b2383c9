//! The metrics, in the format of Prometheus (OpenMetrics text).
//!
//! Every label takes its values from a fixed list, so the number of series does not grow with the cluster. What is about
//! single CronJobs is bounded.
//!
//! | file | about |
//! |---|---|
//! | `runs` | what becomes of runs, and how late they are started |
//! | `cronjobs` | how single CronJobs are doing |
//! | `shadow` | runs of another controller |
//! | `requests` | what is asked of the API server |
//! | `process` | the process itself |

mod cronjobs;
mod process;
mod requests;
mod runs;
mod shadow;

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::cronjob::Key;
use crate::policy::Note;
use crate::schedule::{TimeZones, Timestamp};
use crate::telemetry::tzdb::age_in_days;

use cronjobs::CronJobMetrics;
pub use cronjobs::{Detail, MOST_CRONJOBS, Wellbeing};
use process::ProcessMetrics;
pub use requests::RequestLabel;
use requests::RequestMetrics;
use runs::RunMetrics;
use shadow::ShadowMetrics;

/// The media type of [`Metrics::render`].
pub const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the names of our own metrics begin with.
const PREFIX: &str = "punctual";

/// How late Jobs are created, in seconds. Punctual aims at milliseconds, so the buckets start there.
const LATENESS_BUCKETS: [f64; 16] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0,
];

/// All metrics of the process. Clones are the same metrics.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    runs: RunMetrics,
    cronjobs: CronJobMetrics,
    shadow: ShadowMetrics,
    requests: RequestMetrics,
    process: ProcessMetrics,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

impl Metrics {
    /// Metrics that count from nothing, for a process that runs by these `zones`.
    pub fn new(zones: &TimeZones) -> Self {
        let metrics = Metrics {
            registry: Arc::default(),
            runs: RunMetrics::default(),
            cronjobs: CronJobMetrics::default(),
            shadow: ShadowMetrics::default(),
            requests: RequestMetrics::default(),
            process: ProcessMetrics::default(),
        };
        let mut registry = Registry::default();
        metrics.runs.register(&mut registry, PREFIX);
        let ours = registry.sub_registry_with_prefix(PREFIX);
        metrics.cronjobs.register(ours);
        metrics.shadow.register(ours);
        metrics.requests.register(ours);
        metrics.process.register(ours, zones);
        Metrics {
            registry: Arc::new(registry),
            ..metrics
        }
    }

    /// Counts a note.
    pub fn count(&self, note: &Note) {
        self.runs.count(note);
    }

    /// Counts a run of another controller, by how it compares, and how much later than here it was started.
    pub fn count_shadow(&self, outcome: &'static str, later_by: Option<TimeDelta>) {
        self.shadow.count(outcome, later_by);
    }

    /// Counts a note that `listener` was too slow for.
    pub fn count_dropped_note(&self, listener: &'static str) {
        self.process.count_dropped_note(listener);
    }

    /// Counts an Event: `written`, `repeated` (its count was raised), `withheld` (it waits for more) or `failed`.
    pub fn count_event(&self, outcome: &'static str) {
        self.process.count_event(outcome);
    }

    /// Counts a request to the API server that took `seconds`; none for a watch, which lasts as long as it may.
    pub fn count_request(&self, request: &RequestLabel, seconds: Option<f64>) {
        self.requests.count(request, seconds);
    }

    /// How many decisions are being carried out.
    pub fn set_backlog(&self, decisions: usize) {
        self.process.set_backlog(decisions);
    }

    /// How many CronJobs wait for their turn.
    pub fn set_held_back(&self, cronjobs: usize) {
        self.process.set_held_back(cronjobs);
    }

    /// How many CronJobs wait for a success that is overdue (`punctual.dev/expected-within`).
    pub fn set_overdue(&self, cronjobs: usize) {
        self.process.set_overdue(cronjobs);
    }

    /// Whether this replica leads. Who does not is in charge of no CronJob.
    pub fn set_leader(&self, leads: bool) {
        self.process.set_leader(leads);
        if !leads {
            self.cronjobs.clear();
        }
    }

    /// Whether this one only looks on, and is not to lead.
    pub fn set_shadow(&self, looks_on: bool) {
        self.shadow.set(looks_on);
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
        self.requests.set_clock_skew(seconds);
    }

    /// All metrics as text, at the time `now`.
    pub fn render(&self, zones: &TimeZones, now: Timestamp) -> String {
        if let Some(days) = age_in_days(zones.version(), now) {
            self.process.set_tzdb_age(days);
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

/// A count as a gauge has it.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cronjob::Outcome;

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
