//! What the policies of a CronJob come to: the values that decisions are made by.

use chrono::TimeDelta;

use super::group::Membership;
use super::hindsight::Hindsight;
use super::jitter;
use super::missed_runs::{self, MissedRuns};
use super::overlap::{self, Overlap};
use crate::schedule::Terms;

/// The policies of a CronJob, defaults applied. The default is Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    /// `missed-runs`.
    pub missed_runs: MissedRuns,
    /// `missed-runs-limit`.
    pub missed_runs_limit: usize,
    /// `overlap`; `concurrencyPolicy` where there is none.
    pub overlap: Option<Overlap>,
    /// `queue-limit`.
    pub queue_limit: usize,
    /// `max-active`.
    pub max_active: Option<usize>,
    /// `start-at`, `end-at`, `exclude`, `on-excluded`, `clock-gap`, `clock-repeat`: what a schedule is compiled with.
    pub terms: Terms,
    /// The calendars that `exclude` names.
    pub calendars: Vec<String>,
    /// `jitter`.
    pub jitter: TimeDelta,
    /// `pending-deadline`.
    pub pending_deadline: Option<TimeDelta>,
    /// `group`, `group-slots` and `priority`.
    pub group: Option<Membership>,
    /// `on-resume`.
    pub on_resume: Option<Hindsight>,
    /// `on-edit`.
    pub on_edit: Option<Hindsight>,
    /// `suspend-after-failures`.
    pub suspend_after_failures: Option<u32>,
    /// `expected-within`.
    pub expected_within: Option<TimeDelta>,
}

impl Default for Policies {
    fn default() -> Self {
        Policies {
            missed_runs: MissedRuns::Latest,
            missed_runs_limit: missed_runs::DEFAULT_LIMIT,
            overlap: None,
            queue_limit: overlap::DEFAULT_QUEUE_LIMIT,
            max_active: None,
            terms: Terms::default(),
            calendars: vec![],
            jitter: TimeDelta::zero(),
            pending_deadline: None,
            group: None,
            on_resume: None,
            on_edit: None,
            suspend_after_failures: None,
            expected_within: None,
        }
    }
}

impl Policies {
    /// By how much later than its due instants a CronJob starts.
    pub fn jitter_of(&self, uid: &str) -> TimeDelta {
        jitter::offset(uid, self.jitter)
    }

    /// Whether it has to be written down which instants were dealt with: where a due instant can be skipped for good, or
    /// several can wait, the newest one that was started does not say enough.
    pub fn keep_a_line(&self) -> bool {
        self.missed_runs != MissedRuns::Latest || matches!(self.overlap, Some(Overlap::Skip | Overlap::Queue))
    }
}
