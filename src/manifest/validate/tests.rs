//! The rules as tables: what is written, and what kube-apiserver says of it.
//!
//! The cases of `TestValidateCronJob*` and `TestValidateJob*` in Kubernetes v1.36
//! (`pkg/apis/batch/validation/validation_test.go`) are among the rows; the wording is checked in full.

use k8s_openapi::api::batch::v1::{CronJob, Job};
use serde_json::{Map, Value, json};

use super::{FieldError, cron_job, job};
use crate::manifest::defaults;
use crate::schedule::TimeZones;

mod containers;
mod cron_jobs;
mod field_errors;
mod jobs;
mod names;
mod pods;
mod policies;
mod updates;

/// A CronJob that nothing is wrong with, with `changes` made to it: JSON pointers and what to put there.
/// `null` takes a field away.
fn cron_job_with(changes: &[(&str, Value)]) -> CronJob {
    let mut json = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "mycronjob", "namespace": "default"},
        "spec": {"schedule": "5 5 * * *", "jobTemplate": {"spec": {"template": pod_template()}}},
    });
    change(&mut json, changes);
    defaults::cron_job(&mut json);
    serde_json::from_value(json).unwrap()
}

/// A Job that nothing is wrong with, with changes as above.
fn job_with(changes: &[(&str, Value)]) -> Job {
    let mut json = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "myjob", "namespace": "default"},
        "spec": {"template": pod_template()},
    });
    change(&mut json, changes);
    defaults::job(&mut json);
    serde_json::from_value(json).unwrap()
}

fn pod_template() -> Value {
    json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "image"}]}})
}

fn change(json: &mut Value, changes: &[(&str, Value)]) {
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let mut at = &mut *json;
        for step in parent.split('/').skip(1) {
            at = match at {
                Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
                other => {
                    if !other.is_object() {
                        *other = Value::Object(Map::new());
                    }
                    &mut other[step]
                }
            };
        }
        at[field] = value.clone();
    }
}

fn create_cron_job(changes: &[(&str, Value)]) -> String {
    lines(&cron_job::create(&cron_job_with(changes), &TimeZones::built_in()))
}

fn create_job(changes: &[(&str, Value)]) -> String {
    lines(&job::create(&job_with(changes)))
}

/// One line for each error, as kube-apiserver writes them.
fn lines(errors: &[FieldError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
