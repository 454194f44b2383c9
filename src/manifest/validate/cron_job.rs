//! CronJobs: Kubernetes' `ValidateCronJobCreate` and `ValidateCronJobUpdate`.

use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{FieldError, Findings, Hint, job, metadata, runtime, schedule, time_zone};
use crate::manifest::path::FieldPath;
use crate::schedule::TimeZones;

/// The longest name of a CronJob, in characters: 63 for a Job's name, less the 11 of "-" and the run's
/// instant.
pub const NAME_MAX: usize = 52;

/// The values of `concurrencyPolicy`.
const CONCURRENCY_POLICIES: [&str; 3] = ["Allow", "Forbid", "Replace"];

/// What is wrong with a CronJob that is to be created.
pub fn create(cron_job: &CronJob, zones: &TimeZones) -> Vec<FieldError> {
    let mut found = Findings::default();
    metadata::create(&cron_job.metadata, &mut found);
    check_spec(&cron_job.spec, None, zones, &mut found);
    let name = cron_job.metadata.name.as_deref().unwrap_or_default();
    if name.len() > NAME_MAX {
        let error = found.invalid(
            &FieldPath::of("metadata.name"),
            name,
            format!("must be no more than {NAME_MAX} characters"),
        );
        error.hint(Hint {
            message: format!(
                "a CronJob's name has at most {NAME_MAX} characters; this one has {}",
                name.len()
            ),
            help: Some(
                "its Jobs are named after it and the time, and those names have at most 63".to_owned(),
            ),
            ..Hint::default()
        });
    }
    found.into_errors()
}

/// What is wrong with a CronJob that is to take the place of `old`.
///
/// A name that was too long before may stay, and so may a time zone that no longer exists and a `TZ=` in the
/// schedule.
pub fn update(new: &CronJob, old: &CronJob, zones: &TimeZones) -> Vec<FieldError> {
    let mut found = Findings::default();
    metadata::update(&new.metadata, &old.metadata, &mut found);
    check_spec(&new.spec, Some(&old.spec), zones, &mut found);
    found.into_errors()
}

fn check_spec(spec: &CronJobSpec, old: Option<&CronJobSpec>, zones: &TimeZones, found: &mut Findings) {
    let path = FieldPath::of("spec");
    schedule::check(spec, old, &path.child("schedule"), zones, found);
    found.not_negative(
        &path.child("startingDeadlineSeconds"),
        spec.starting_deadline_seconds,
    );
    if old.is_none_or(|old| old.time_zone != spec.time_zone) {
        time_zone::check(spec.time_zone.as_deref(), &path.child("timeZone"), zones, found);
    }
    concurrency_policy(
        spec.concurrency_policy.as_deref(),
        &path.child("concurrencyPolicy"),
        found,
    );
    job::check_template(&spec.job_template, &path.child("jobTemplate"), found);
    runtime::check_update(
        pods_of(spec),
        old.and_then(pods_of),
        &path.child("jobTemplate.spec.template.metadata"),
        found,
    );
    found.not_negative(
        &path.child("successfulJobsHistoryLimit"),
        spec.successful_jobs_history_limit,
    );
    found.not_negative(
        &path.child("failedJobsHistoryLimit"),
        spec.failed_jobs_history_limit,
    );
}

/// The metadata of the pods.
fn pods_of(spec: &CronJobSpec) -> Option<&ObjectMeta> {
    let job = spec.job_template.spec.as_ref()?;
    job.template.metadata.as_ref()
}

/// Not written is fine: it is `Allow` by default.
fn concurrency_policy(policy: Option<&str>, path: &FieldPath, found: &mut Findings) {
    match policy {
        None => {}
        Some("") => found.required(path, ""),
        Some(policy) if CONCURRENCY_POLICIES.contains(&policy) => {}
        Some(policy) => found.not_supported(path, policy, &CONCURRENCY_POLICIES),
    }
}
