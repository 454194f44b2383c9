//! What a Job's status may say, and how it may go on. Kubernetes: `validateJobStatus` and `ValidateJobUpdateStatus`.
//!
//! What was wrong before may stay, as in Kubernetes: rules have come over the years.

use std::collections::HashSet;

use k8s_openapi::api::batch::v1::{Job, JobSpec, JobStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::manifest::path::FieldPath;
use crate::manifest::validate::{FieldError, Findings, completion, success_policy};

/// What is wrong with the status of a Job that is to take the place of `old`.
pub fn update_status(new: &Job, old: &Job) -> Vec<FieldError> {
    let known = check(old);
    let is_known = |error: &FieldError| {
        known
            .iter()
            .any(|known| known.path == error.path && known.detail == error.detail)
    };
    let mut errors = check(new);
    errors.retain(|error| !is_known(error));
    errors.extend(check_change(new, old));
    errors
}

fn status(job: &Job) -> JobStatus {
    job.status.clone().unwrap_or_default()
}

/// Whether a condition holds.
pub(super) fn has(status: &JobStatus, condition: &str) -> bool {
    says(status, condition, "True")
}

fn says(status: &JobStatus, condition: &str, value: &str) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.any(|one| one.type_ == condition && one.status == value)
}

fn check(job: &Job) -> Vec<FieldError> {
    let mut found = Findings::default();
    let (path, status) = (FieldPath::of("status"), status(job));
    check_counts(&status, &path, &mut found);
    check_conditions(&status, &path, &mut found);
    if has(&status, "Complete") || has(&status, "Failed") {
        check_finished(job, &status, &path, &mut found);
    }
    check_indexes(job, &status, &path, &mut found);
    found.into_errors()
}

fn check_counts(status: &JobStatus, path: &FieldPath, found: &mut Findings) {
    for (field, count) in [
        ("active", status.active),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("ready", status.ready),
        ("terminating", status.terminating),
    ] {
        found.not_negative(&path.child(field), count);
    }
    if let Some(ready) = status.ready
        && ready > status.active.unwrap_or_default()
    {
        let rule = "cannot set more ready pods than active";
        found.invalid(&path.child("ready"), ready, rule);
    }
    let Some(uncounted) = &status.uncounted_terminated_pods else {
        return;
    };
    let mut seen = HashSet::new();
    for (field, ids) in [("succeeded", &uncounted.succeeded), ("failed", &uncounted.failed)] {
        for (index, id) in ids.iter().flatten().enumerate() {
            let path = path.child("uncountedTerminatedPods").child(field).index(index);
            if id.is_empty() {
                found.invalid(&path, id, "must not be empty");
            } else if !seen.insert(id) {
                found.duplicate(&path, id);
            }
        }
    }
}

/// How conditions go together, and with the end of the Job.
fn check_conditions(status: &JobStatus, path: &FieldPath, found: &mut Findings) {
    let conditions = &path.child("conditions");
    let has = |condition| has(status, condition);
    if has("Complete") && has("Failed") {
        found.invalid_as_a_whole(conditions, "cannot set Complete=True and Failed=true conditions");
    }
    let completed = &path.child("completionTime");
    match &status.completion_time {
        None if has("Complete") => {
            found.required(completed, "completionTime is required for Complete jobs");
        }
        Some(time) if !has("Complete") => {
            let rule = "cannot set completionTime when there is no Complete=True condition";
            found.invalid(completed, time, rule);
        }
        _ => {}
    }
    for (holds, rule) in [
        (
            has("Failed") && !has("FailureTarget"),
            "cannot set Failed=True condition without the FailureTarget=true condition",
        ),
        (
            has("Complete") && !has("SuccessCriteriaMet"),
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
        ),
        (
            has("SuccessCriteriaMet") && has("FailureTarget"),
            "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
        ),
    ] {
        if holds {
            found.invalid_as_a_whole(conditions, rule);
        }
    }
}

/// A finished Job has begun, unless it was suspended and nothing was to be done, and has no pods any more.
fn check_finished(job: &Job, status: &JobStatus, path: &FieldPath, found: &mut Findings) {
    let spec = job.spec.as_ref();
    let never_begins = spec.is_some_and(|spec| spec.suspend == Some(true) && spec.completions == Some(0));
    match (&status.start_time, &status.completion_time) {
        (None, _) if never_begins => {}
        (None, _) => found.required(&path.child("startTime"), "startTime is required for finished job"),
        (Some(start), Some(end)) if end < start => {
            let rule = "must be equal to or after `startTime`";
            found.invalid(&path.child("completionTime"), end, rule);
        }
        _ => {}
    }
    for (field, count) in [("active", status.active), ("terminating", status.terminating)] {
        if let Some(count) = count.filter(|count| *count > 0) {
            let rule = format!("{field}>0 is invalid for finished job");
            found.invalid(&path.child(field), count, rule);
        }
    }
    let uncounted = status.uncounted_terminated_pods.as_ref().filter(|pods| {
        let ids = pods.succeeded.iter().chain(&pods.failed).flatten();
        ids.count() > 0
    });
    if let Some(uncounted) = uncounted {
        let path = path.child("uncountedTerminatedPods");
        found.invalid(&path, uncounted, "must be empty for finished job");
    }
}

/// The indexes that are done, one way or the other.
fn check_indexes(job: &Job, status: &JobStatus, path: &FieldPath, found: &mut Findings) {
    let Some(spec) = &job.spec else { return };
    let completions = spec.completions.unwrap_or_default();
    let counts_failures = spec.backoff_limit_per_index.is_some();
    let mut read = |field: &str, text: Option<&str>| {
        let text = text.filter(|text| !text.is_empty())?;
        let indexes = success_policy::read_indexes(text, completions);
        if let Err(wrong) = &indexes
            && (field == "completedIndexes" || counts_failures)
        {
            let rule = format!("error parsing {field}: {wrong}");
            found.invalid(&path.child(field), text, rule);
        }
        indexes.ok()
    };
    let completed = read("completedIndexes", status.completed_indexes.as_deref());
    let failed = read("failedIndexes", status.failed_indexes.as_deref());
    if let Some(indexes) = status.completed_indexes.as_deref()
        && !indexes.is_empty()
        && !completion::is_indexed(spec)
    {
        let rule = "cannot set non-empty completedIndexes when non-indexed completion mode";
        found.invalid(&path.child("completedIndexes"), indexes, rule);
    }
    let failed_path = &path.child("failedIndexes");
    if let Some(indexes) = status.failed_indexes.as_deref()
        && !counts_failures
    {
        let rule = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        found.invalid(failed_path, indexes, rule);
    }
    let (completed, failed) = (completed.unwrap_or_default(), failed.unwrap_or_default());
    if let Some(index) = first_in_both(&completed, &failed) {
        let rule = format!("failedIndexes and completedIndexes overlap at index: {index}");
        found.invalid(failed_path, status.failed_indexes.as_deref(), rule);
    }
}

/// The first index that is in two lists of intervals, both in order.
fn first_in_both(one: &[(i32, i32)], other: &[(i32, i32)]) -> Option<i32> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(first), Some(second)) = (one.peek(), other.peek()) {
        let (begin, end) = (first.0.max(second.0), first.1.min(second.1));
        if begin <= end {
            return Some(begin);
        }
        // Whichever ends first has nothing in common with what follows of the other.
        if first.1 < second.1 {
            one.next()
        } else {
            other.next()
        };
    }
    None
}

/// What never goes back: counts, times, and the conditions that are the last ones. The exceptions are those of
/// `getStatusValidationOptions` in Kubernetes' `registry/batch/job/strategy.go`.
fn check_change(new: &Job, old: &Job) -> Vec<FieldError> {
    let mut found = Findings::default();
    let path = FieldPath::of("status");
    let spec = new.spec.as_ref();
    let (new, old) = (status(new), status(old));
    if new.completion_time.is_some() && changed(new.completion_time.as_ref(), old.completion_time.as_ref()) {
        let path = path.child("completionTime");
        found.invalid(&path, &new.completion_time, "field is immutable");
    }
    check_counters(spec, &new, &old, &path, &mut found);
    let is_suspended = spec.and_then(|spec| spec.suspend) == Some(true);
    let resumes = has(&old, "Suspended") && says(&new, "Suspended", "False");
    let begins_anew = is_suspended || resumes;
    if !begins_anew && changed(new.start_time.as_ref(), old.start_time.as_ref()) {
        let rule = "field is immutable for unsuspended job once set";
        found.invalid(&path.child("startTime"), &new.start_time, rule);
    }
    for (condition, called) in [
        ("Failed", "terminal Failed=True"),
        ("Complete", "terminal Complete=True"),
        ("FailureTarget", "terminal FailureTarget=True"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet=True"),
    ] {
        if has(&old, condition) && !has(&new, condition) {
            let rule = format!("cannot disable the {called} condition");
            found.invalid_as_a_whole(&path.child("conditions"), rule);
        }
    }
    found.into_errors()
}

/// Counters only grow. An indexed Job whose parallelism follows its completions can be made smaller, and its successes beyond
/// the last index are then none.
fn check_counters(
    spec: Option<&JobSpec>,
    new: &JobStatus,
    old: &JobStatus,
    path: &FieldPath,
    found: &mut Findings,
) {
    let is_elastic =
        spec.is_some_and(|spec| completion::is_indexed(spec) && spec.completions == spec.parallelism);
    for (field, new, old, may_shrink) in [
        ("succeeded", new.succeeded, old.succeeded, is_elastic),
        ("failed", new.failed, old.failed, false),
    ] {
        let (new, old) = (new.unwrap_or_default(), old.unwrap_or_default());
        if new < old && !may_shrink {
            let rule = format!("cannot decrease the {field} counter");
            found.invalid(&path.child(field), new, rule);
        }
    }
}

/// Whether a time that was there is another now, or is not there any more.
fn changed(new: Option<&Time>, old: Option<&Time>) -> bool {
    old.is_some() && new != old
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Intervals in order, some of a single index.
    fn intervals() -> impl Strategy<Value = Vec<(i32, i32)>> {
        let steps = prop::collection::vec((1..4, 0..3), 0..12);
        steps.prop_map(|steps| {
            let mut next = 0;
            let mut interval = |(gap, length)| {
                let begin = next + gap;
                next = begin + length;
                (begin, next)
            };
            steps.into_iter().map(&mut interval).collect()
        })
    }

    proptest! {
        #[test]
        fn the_first_index_in_both_is_found(one in intervals(), other in intervals()) {
            let has = |intervals: &[(i32, i32)], index: i32| {
                intervals.iter().any(|(begin, end)| (*begin..=*end).contains(&index))
            };
            let expected = (0..100).find(|index| has(&one, *index) && has(&other, *index));
            prop_assert_eq!(first_in_both(&one, &other), expected);
        }
    }
}
