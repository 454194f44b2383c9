//! What a controller that only looks on has to say: a line and a count for each run, and a sum at the end.

use chrono::TimeDelta;

use crate::controller::shadow::{Finding, Verdict};
use crate::telemetry::Metrics;

/// The findings so far, in numbers.
#[derive(Debug, Default)]
pub(super) struct Report {
    started: u64,
    never_started: u64,
    not_ours: u64,
    later_by_all: TimeDelta,
    later_by_most: TimeDelta,
}

impl Report {
    /// Tells a finding.
    pub(super) fn add(&mut self, finding: &Finding, metrics: &Metrics) {
        let Finding {
            cronjob,
            scheduled,
            verdict,
        } = finding;
        let (namespace, name) = (cronjob.namespace.as_str(), cronjob.name.as_str());
        let (scheduled, outcome) = (scheduled.to_rfc3339(), verdict.label());
        let count = match verdict {
            Verdict::Started { .. } => &mut self.started,
            Verdict::NeverStarted => &mut self.never_started,
            Verdict::NotOurs => &mut self.not_ours,
        };
        *count += 1;
        metrics.count_shadow(outcome, verdict.later_by());
        if let Some(later_by) = verdict.later_by() {
            self.later_by_all += later_by;
            self.later_by_most = self.later_by_most.max(later_by);
            tracing::info!(namespace, cronjob = name, scheduled, outcome, "{verdict}");
        } else {
            tracing::warn!(namespace, cronjob = name, scheduled, outcome, "{verdict}");
        }
    }

    /// The sum of it.
    pub(super) fn conclude(&self) {
        let started = i32::try_from(self.started).unwrap_or(i32::MAX);
        tracing::info!(
            started = self.started,
            never_started = self.never_started,
            not_ours = self.not_ours,
            later_ms_mean = (self.later_by_all / started.max(1)).num_milliseconds(),
            later_ms_most = self.later_by_most.num_milliseconds(),
            "what punctual would have done differently"
        );
    }
}
