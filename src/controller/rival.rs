//! Whether somebody else starts runs of a CronJob that we are in charge of.
//!
//! Names are the lock, so two controllers start nothing twice; but they fight over the history and the status, and
//! whoever runs them should know.

use chrono::TimeDelta;

use crate::cronjob::{Origin, scheduled_by_name};
use crate::policy::Note;
use crate::submit::{FIELD_MANAGER, JobView};

/// How often it is told of one CronJob.
pub(super) const TELL_EVERY: TimeDelta = TimeDelta::hours(1);

/// The note about a Job of the CronJob called `cronjob` that has the name of a run, was not started by a person, and
/// that somebody else created.
pub(super) fn notice(job: &JobView, cronjob: &str) -> Option<Note> {
    let manager = job.created_by().filter(|manager| *manager != FIELD_MANAGER)?;
    let is_run = scheduled_by_name(cronjob, job.name()).is_some() && job.run().origin == Origin::Schedule;
    is_run.then(|| Note::OtherController {
        job: job.name().to_owned(),
        manager: manager.to_owned(),
    })
}
