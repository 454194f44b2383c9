//! What a Job asks for, with Kubernetes' defaults where it does not say.
//!
//! The API fills the defaults in when a Job is made (`pkg/apis/batch/v1/defaults.go`); they are here as well so that
//! the rules hold for any Job.

use chrono::TimeDelta;
use k8s_openapi::api::batch::v1::{Job, JobSpec};

/// How many failed pods a Job may have when it does not say.
const DEFAULT_BACKOFF_LIMIT: i32 = 6;

/// The `managedBy` of Jobs that are this controller's.
const JOB_CONTROLLER: &str = "kubernetes.io/job-controller";

/// What a Job asks for.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the Job's own")]
pub(super) struct Wanted {
    /// How many pods must succeed. Without a number the Job is a work queue: one success means that the work is done.
    pub(super) completions: Option<i32>,
    /// How many pods may be at work at one time.
    pub(super) parallelism: i32,
    /// How many pods may fail.
    pub(super) backoff_limit: i32,
    /// How many pods may fail for each index.
    pub(super) backoff_limit_per_index: Option<i32>,
    /// How many indexes may fail.
    pub(super) max_failed_indexes: Option<i32>,
    /// Whether each completion has an index.
    pub(super) indexed: bool,
    /// Whether no pods are wanted at the moment.
    pub(super) suspended: bool,
    /// How long the Job may be at work.
    pub(super) active_deadline: Option<TimeDelta>,
    /// Whether a pod is replaced only when it has ended, not when it is being deleted.
    pub(super) replaces_ended_only: bool,
    /// Whether containers are restarted in their pods.
    pub(super) restarts_in_place: bool,
}

impl Wanted {
    pub(super) fn of(spec: &JobSpec) -> Self {
        let one_shot = spec.completions.is_none() && spec.parallelism.is_none();
        let per_index = spec.backoff_limit_per_index;
        let template = spec.template.spec.as_ref();
        Self {
            completions: if one_shot { Some(1) } else { spec.completions },
            parallelism: spec.parallelism.unwrap_or(1),
            backoff_limit: spec.backoff_limit.unwrap_or(if per_index.is_some() {
                i32::MAX
            } else {
                DEFAULT_BACKOFF_LIMIT
            }),
            backoff_limit_per_index: per_index,
            max_failed_indexes: spec.max_failed_indexes,
            indexed: spec.completion_mode.as_deref() == Some("Indexed"),
            suspended: spec.suspend.unwrap_or_default(),
            active_deadline: spec.active_deadline_seconds.and_then(TimeDelta::try_seconds),
            replaces_ended_only: spec.pod_replacement_policy.as_deref() == Some("Failed")
                || spec.pod_failure_policy.is_some(),
            restarts_in_place: template.and_then(|template| template.restart_policy.as_deref())
                == Some("OnFailure"),
        }
    }

    /// How many pods may be at work now, when `succeeded` have succeeded and `active` are at work.
    pub(super) fn active(&self, succeeded: i32, active: i32) -> i32 {
        match self.completions {
            Some(completions) => completions.saturating_sub(succeeded).min(self.parallelism).max(0),
            None if succeeded > 0 => active,
            None => self.parallelism,
        }
    }

    /// Whether a pod may be made in the place of one that has failed.
    pub(super) fn may_retry(&self) -> bool {
        self.backoff_limit > 0 && self.backoff_limit_per_index != Some(0)
    }

    /// Whether enough pods have succeeded.
    pub(super) fn is_complete(&self, succeeded: i32) -> bool {
        succeeded >= self.completions.unwrap_or(1)
    }
}

/// Whether another controller takes care of the Job (`spec.managedBy`).
pub(super) fn is_managed_elsewhere(job: &Job) -> bool {
    let managed_by = job.spec.as_ref().and_then(|spec| spec.managed_by.as_deref());
    managed_by.is_some_and(|controller| controller != JOB_CONTROLLER)
}
