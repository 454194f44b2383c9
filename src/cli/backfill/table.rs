//! What is to be done about each instant. No I/O, no clock.

use std::collections::HashMap;

use crate::cli::backfill::request::Request;
use crate::cronjob::{CronJob, HistoryLimits, Outcome, RunState};
use crate::policy::{Attempt, Plan, newest, plan};
use crate::schedule::Timestamp;

/// An instant, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) scheduled: Timestamp,
    /// Its newest Job, with its UID.
    pub(super) job: Option<(String, String)>,
    pub(super) so_far: SoFar,
    pub(super) plan: Plan,
}

/// What has become of an instant so far, by its newest Job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SoFar {
    /// There is no Job.
    NoJob,
    Active,
    Ended(Outcome),
}

impl SoFar {
    /// For people and programs alike.
    pub(super) fn word(self) -> &'static str {
        match self {
            SoFar::NoJob => "no Job",
            SoFar::Active => "active",
            SoFar::Ended(Outcome::Succeeded) => "succeeded",
            SoFar::Ended(Outcome::Failed) => "failed",
        }
    }
}

/// The instants in the order in which they are started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    /// How many Jobs are kept, where an instant without one may have had its run: older Jobs are deleted.
    pub(super) forgets: Option<HistoryLimits>,
}

impl Table {
    /// What the request comes to for these instants, with the Jobs that there are.
    pub(super) fn new(
        cronjob: &CronJob,
        attempts: &HashMap<Timestamp, Vec<Attempt>>,
        request: &Request,
        instants: &[Timestamp],
    ) -> Table {
        let rows = instants.iter().map(|scheduled| {
            let of_it = attempts.get(scheduled).map(Vec::as_slice).unwrap_or_default();
            row(&cronjob.key.name, *scheduled, of_it, request)
        });
        let rows: Vec<Row> = rows.collect();
        let last = cronjob.status.last_schedule_time;
        let may_have_run = |row: &Row| row.so_far == SoFar::NoJob && Some(row.scheduled) <= last;
        let forgets = rows.iter().any(may_have_run).then_some(cronjob.spec.history);
        Table { rows, forgets }
    }

    /// How many runs are to be started.
    pub(super) fn to_start(&self) -> usize {
        let starts = self.rows.iter().filter(|row| matches!(row.plan, Plan::Start(_)));
        starts.count()
    }

    /// How many were started before, and are active.
    pub(super) fn under_way(&self) -> usize {
        let active = |row: &&Row| row.plan == Plan::Started && row.so_far == SoFar::Active;
        self.rows.iter().filter(active).count()
    }

    /// How many were started before, and have failed.
    pub(super) fn failed(&self) -> usize {
        let failed = |row: &&Row| row.plan == Plan::Started && row.so_far == SoFar::Ended(Outcome::Failed);
        self.rows.iter().filter(failed).count()
    }

    /// Whether there is nothing to start and nothing to follow.
    pub(super) fn is_done(&self) -> bool {
        self.to_start() + self.under_way() == 0
    }
}

/// What is done about one instant that has had these Jobs.
pub(super) fn row(cronjob: &str, scheduled: Timestamp, attempts: &[Attempt], request: &Request) -> Row {
    let attempts: Vec<&Attempt> = attempts.iter().collect();
    let newest = newest(&attempts);
    let so_far = newest.map_or(SoFar::NoJob, |attempt| match attempt.run.state {
        RunState::Active => SoFar::Active,
        RunState::Finished { outcome, .. } => SoFar::Ended(outcome),
    });
    Row {
        scheduled,
        job: newest.map(|attempt| (attempt.run.name.clone(), attempt.run.uid.clone())),
        so_far,
        plan: plan(cronjob, scheduled, &attempts, &request.name, request.reprocess),
    }
}
