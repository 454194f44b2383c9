//! `ttlSecondsAfterFinished`: when a finished Job is deleted.

use chrono::TimeDelta;
use k8s_openapi::api::batch::v1::Job;

use super::conditions::sealed;
use crate::schedule::Timestamp;
use crate::standalone::instants::from_time;

/// When the Job is to be deleted; nothing, when it is to be kept or has not finished.
pub(super) fn expiry(job: &Job) -> Option<Timestamp> {
    let seconds = job.spec.as_ref()?.ttl_seconds_after_finished?;
    let finished = sealed(job.status.as_ref()?)?.last_transition_time.as_ref()?;
    from_time(finished).checked_add_signed(TimeDelta::seconds(i64::from(seconds)))
}
