//! What is meant where nothing is written.
//!
//! The defaults of Kubernetes v1.36 (`pkg/apis/batch/v1/defaults.go`, `pkg/apis/core/v1/defaults.go`),
//! applied to an object's JSON so that fields which no type of ours knows stay where they are. What is not of
//! the right kind is left alone; validation will speak of it.
//!
//! In a CronJob the pods of the template get their defaults, but the Job itself does not: it gets them when
//! it is created, and a `completions` that is not written is still not written then.
//!
//! DIFFERENCE: `restartPolicy` gets no default. A pod's `Always` is refused in a Job, so it would only hide
//! that nothing was written.

use serde_json::{Map, Value, json};

mod pod;

type Object = Map<String, Value>;

/// How often a Job's pods may fail when `backoffLimit` is not written.
const BACKOFF_LIMIT: i32 = 6;

/// Fills in a CronJob.
pub fn cron_job(cron_job: &mut Value) {
    let Some(spec) = object_at(cron_job, "/spec") else {
        return;
    };
    fill_empty(spec, "concurrencyPolicy", &json!("Allow"));
    fill(spec, "suspend", json!(false));
    fill(spec, "successfulJobsHistoryLimit", json!(3));
    fill(spec, "failedJobsHistoryLimit", json!(1));
    if let Some(job) = object_at(cron_job, "/spec/jobTemplate/spec") {
        job_conditions(job);
    }
    pod::defaults(cron_job, "/spec/jobTemplate/spec/template/spec");
}

/// Fills in a Job.
pub fn job(job: &mut Value) {
    let Some(spec) = object_at(job, "/spec") else {
        return;
    };
    let written = |field| spec.get(field).is_some_and(|value: &Value| !value.is_null());
    let backoff_limit = if written("backoffLimitPerIndex") {
        i32::MAX
    } else {
        BACKOFF_LIMIT
    };
    let replacement = if written("podFailurePolicy") {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    if !written("completions") && !written("parallelism") {
        fill(spec, "completions", json!(1));
    }
    fill(spec, "parallelism", json!(1));
    fill(spec, "backoffLimit", json!(backoff_limit));
    fill(spec, "completionMode", json!("NonIndexed"));
    fill(spec, "suspend", json!(false));
    fill(spec, "podReplacementPolicy", json!(replacement));
    fill(spec, "manualSelector", json!(false));
    job_conditions(spec);
    job_labels(job);
    pod::defaults(job, "/spec/template/spec");
}

/// Fills in a pod that stands for itself.
pub fn pod(object: &mut Value) {
    pod::defaults(object, "/spec");
    pod::of_its_own(object);
}

/// Fills in the spec of pods at a JSON pointer.
pub fn pod_spec(object: &mut Value, pointer: &str) {
    pod::defaults(object, pointer);
}

/// The status of a condition in a `podFailurePolicy` is `True` when nothing is written.
fn job_conditions(spec: &mut Object) {
    let rules = spec
        .get_mut("podFailurePolicy")
        .and_then(|policy| policy.get_mut("rules"));
    for rule in rules.and_then(Value::as_array_mut).into_iter().flatten() {
        for condition in objects(rule.get_mut("onPodConditions")) {
            fill_empty(condition, "status", &json!("True"));
        }
    }
}

/// A Job without labels gets those of its pods.
fn job_labels(job: &mut Value) {
    let labels = job.pointer("/spec/template/metadata/labels").cloned();
    let unlabelled = job
        .pointer("/metadata/labels")
        .and_then(Value::as_object)
        .is_none_or(Map::is_empty);
    if let (Some(labels @ Value::Object(_)), true) = (labels, unlabelled)
        && let Some(metadata) = object_at(job, "/metadata")
    {
        metadata.insert("labels".to_owned(), labels);
    }
}

fn object_at<'v>(value: &'v mut Value, pointer: &str) -> Option<&'v mut Object> {
    value.pointer_mut(pointer).and_then(Value::as_object_mut)
}

/// The objects of a list.
fn objects(list: Option<&mut Value>) -> impl Iterator<Item = &mut Object> {
    list.and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

/// Writes `default` where nothing, or null, is written.
fn fill(object: &mut Object, field: &str, default: Value) {
    let value = object.entry(field).or_insert(Value::Null);
    if value.is_null() {
        *value = default;
    }
}

/// Writes `default` where nothing, null or an empty string is written.
fn fill_empty(object: &mut Object, field: &str, default: &Value) {
    fill(object, field, default.clone());
    if object.get(field).and_then(Value::as_str) == Some("") {
        object.insert(field.to_owned(), default.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cron_job_gets_its_own_defaults_and_its_pods_theirs_but_not_its_jobs() {
        let mut written = json!({"spec": {
            "schedule": "@hourly",
            "jobTemplate": {"spec": {"newField": 1, "template": {"spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "main", "image": "busybox", "ports": [{"containerPort": 80}]}],
                "volumes": [{"name": "scratch"}],
            }}}},
        }});
        cron_job(&mut written);
        assert_eq!(
            written,
            json!({"spec": {
                "schedule": "@hourly",
                "concurrencyPolicy": "Allow",
                "suspend": false,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 1,
                "jobTemplate": {"spec": {"newField": 1, "template": {"spec": {
                    "restartPolicy": "Never",
                    "dnsPolicy": "ClusterFirst",
                    "schedulerName": "default-scheduler",
                    "securityContext": {},
                    "terminationGracePeriodSeconds": 30,
                    "containers": [{
                        "name": "main",
                        "image": "busybox",
                        "imagePullPolicy": "Always",
                        "resources": {},
                        "ports": [{"containerPort": 80, "protocol": "TCP"}],
                        "terminationMessagePath": "/dev/termination-log",
                        "terminationMessagePolicy": "File",
                    }],
                    "volumes": [{"name": "scratch", "emptyDir": {}}],
                }}}},
            }})
        );
    }

    #[test]
    fn a_job_gets_the_defaults_that_depend_on_its_other_fields() {
        let filled = |spec: Value| {
            let mut written = json!({"metadata": {}, "spec": spec});
            job(&mut written);
            written["spec"].clone()
        };
        let table = [
            // written                               field                   default
            (json!({}), "completions", json!(1)),
            (json!({"parallelism": 3}), "completions", json!(null)),
            (json!({"completions": 5}), "parallelism", json!(1)),
            (json!({}), "backoffLimit", json!(6)),
            (
                json!({"backoffLimitPerIndex": 1}),
                "backoffLimit",
                json!(i32::MAX),
            ),
            (json!({"backoffLimit": 0}), "backoffLimit", json!(0)),
            (json!({}), "podReplacementPolicy", json!("TerminatingOrFailed")),
            (
                json!({"podFailurePolicy": {}}),
                "podReplacementPolicy",
                json!("Failed"),
            ),
            (json!({}), "completionMode", json!("NonIndexed")),
            (json!({"suspend": null}), "suspend", json!(false)),
        ];
        for (written, field, default) in table {
            assert_eq!(filled(written.clone())[field], default, "{field} of {written}");
        }
    }

    #[test]
    fn an_unlabelled_job_is_labelled_as_its_pods_are() {
        let mut written =
            json!({"metadata": {}, "spec": {"template": {"metadata": {"labels": {"app": "x"}}}}});
        job(&mut written);
        assert_eq!(written["metadata"]["labels"], json!({"app": "x"}));
    }

    #[test]
    fn what_is_not_of_the_right_kind_is_left_alone() {
        for written in [
            json!(null),
            json!([]),
            json!({"spec": 5}),
            json!({"spec": {"jobTemplate": "x"}}),
        ] {
            let mut filled = written.clone();
            cron_job(&mut filled);
            job(&mut filled);
            assert_eq!(filled.get("kind"), written.get("kind"));
        }
    }
}
