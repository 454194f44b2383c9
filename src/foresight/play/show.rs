//! What there is to see of CronJobs and their Jobs.

use crate::cronjob::{CronJob, Key, Origin, Run};
use crate::foresight::Simulation;
use crate::foresight::script::{moment, name, outcome_word};
use crate::schedule::Timestamp;

/// One line on a CronJob.
pub(super) fn cronjob_line(cronjob: &CronJob) -> String {
    let status = &cronjob.status;
    let active: Vec<&str> = status.active.iter().map(|job| job.name.as_str()).collect();
    let active = if active.is_empty() {
        "nothing".into()
    } else {
        active.join(", ")
    };
    format!(
        "cronjob {}: active {active}; last scheduled {}; last successful {}",
        name(&cronjob.key),
        shown(status.last_schedule_time),
        shown(status.last_successful_time),
    )
}

/// One line for each Job, oldest first.
pub(super) fn job_lines(simulation: &Simulation) -> Vec<String> {
    let mut jobs: Vec<(&CronJob, &Run)> = simulation.jobs().collect();
    jobs.sort_by_key(|(cronjob, run)| (run.started, &cronjob.key.namespace, &run.name));
    if jobs.is_empty() {
        return vec!["no jobs".into()];
    }
    jobs.into_iter()
        .map(|(cronjob, run)| job_line(cronjob, run))
        .collect()
}

fn job_line(cronjob: &CronJob, run: &Run) -> String {
    let job = Key {
        namespace: cronjob.key.namespace.clone(),
        name: run.name.clone(),
    };
    let by_whom = match run.origin {
        Origin::Schedule => "",
        Origin::Manual => "by hand, ",
        Origin::Backfill => "by a backfill, ",
    };
    format!(
        "job {}: {}, created {}, {by_whom}of {}",
        name(&job),
        run.outcome().map_or("active", outcome_word),
        shown(run.started),
        name(&cronjob.key),
    )
}

fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".into(), moment)
}
