//! From the CronJob on the wire to the one that policy decides on.
//!
//! Nothing is refused here: what the API server let through has to be lived with. A schedule or zone that cannot be
//! used is carried as such, and policy says so.

use std::sync::Arc;

use chrono::TimeDelta;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::adoption;
use super::resource::CronJob;
use crate::cronjob::{self, BadSchedule, Concurrency, HistoryLimits, JobRef, Key, Spec, Status};
use crate::schedule::{Expression, Schedule, TimeZones, Timestamp, Zone};

/// The CronJob as policy sees it.
///
/// `previous` is what an earlier version of the same CronJob was lowered to: where schedule and zone are still the
/// same, they are not compiled again.
pub fn lower(object: &CronJob, zones: &TimeZones, previous: Option<&Spec>) -> cronjob::CronJob {
    let metadata = &object.metadata;
    cronjob::CronJob {
        key: object.key(),
        uid: metadata.uid.clone().unwrap_or_default(),
        created: metadata
            .creation_timestamp
            .as_ref()
            .and_then(timestamp)
            .unwrap_or(Timestamp::UNIX_EPOCH),
        deleting: metadata.deletion_timestamp.is_some(),
        spec: lower_spec(object, zones, previous),
        status: object.recorded_status(),
    }
}

impl CronJob {
    /// Namespace and name.
    pub fn key(&self) -> Key {
        Key {
            namespace: self.metadata.namespace.clone().unwrap_or_default(),
            name: self.metadata.name.clone().unwrap_or_default(),
        }
    }

    /// What its `status` records.
    pub fn recorded_status(&self) -> Status {
        let Some(status) = &self.status else {
            return Status::default();
        };
        Status {
            active: status.active.iter().flatten().map(job_ref).collect(),
            last_schedule_time: status.last_schedule_time.as_ref().and_then(timestamp),
            last_successful_time: status.last_successful_time.as_ref().and_then(timestamp),
        }
    }
}

fn lower_spec(object: &CronJob, zones: &TimeZones, previous: Option<&Spec>) -> Spec {
    let spec = &object.spec;
    let unchanged =
        previous.filter(|known| known.schedule_text == spec.schedule && known.time_zone == spec.time_zone);
    let schedule = match unchanged {
        Some(known) => known.schedule.clone(),
        None => compile(&spec.schedule, spec.time_zone.as_deref(), zones),
    };
    let defaults = HistoryLimits::default();
    let limit = |written: Option<i32>, default| {
        written.map_or(default, |limit| Some(usize::try_from(limit).unwrap_or(0)))
    };
    Spec {
        schedule_text: spec.schedule.clone(),
        time_zone: spec.time_zone.clone(),
        schedule,
        suspend: adoption::suspended(object),
        concurrency: concurrency(spec.concurrency_policy.as_deref()),
        starting_deadline: spec.starting_deadline_seconds.and_then(TimeDelta::try_seconds),
        history: HistoryLimits {
            successful: limit(spec.successful_jobs_history_limit, defaults.successful),
            failed: limit(spec.failed_jobs_history_limit, defaults.failed),
        },
    }
}

/// Expression and zone together. A `TZ=` prefix wins over `spec.timeZone`; without either, the zone is UTC.
fn compile(text: &str, time_zone: Option<&str>, zones: &TimeZones) -> Result<Schedule, BadSchedule> {
    let expression = Expression::parse(text).map_err(|source| BadSchedule::Unparseable {
        text: text.to_owned(),
        source: Arc::new(source),
    })?;
    let zone = match expression.zone_prefix().or(time_zone) {
        None | Some("") => Zone::utc(),
        Some(name) => zones.zone(name).map_err(|source| BadSchedule::UnknownTimeZone {
            name: name.to_owned(),
            source: Arc::new(source),
        })?,
    };
    Ok(Schedule::new(&expression, zone))
}

/// As in Kubernetes, a policy that is not known acts as `Allow`.
fn concurrency(policy: Option<&str>) -> Concurrency {
    match policy {
        Some("Forbid") => Concurrency::Forbid,
        Some("Replace") => Concurrency::Replace,
        _ => Concurrency::Allow,
    }
}

fn job_ref(reference: &ObjectReference) -> JobRef {
    JobRef {
        name: reference.name.clone().unwrap_or_default(),
        uid: reference.uid.clone().unwrap_or_default(),
        resource_version: reference.resource_version.clone().unwrap_or_default(),
    }
}

/// A time of Kubernetes, which has whole seconds, as ours.
pub fn timestamp(time: &Time) -> Option<Timestamp> {
    Timestamp::from_timestamp(time.0.as_second(), 0)
}
