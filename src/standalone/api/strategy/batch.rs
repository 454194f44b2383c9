//! The rules of `batch/v1`: CronJobs and Jobs (`pkg/registry/batch`, `pkg/apis/batch/v1/defaults.go`).

use k8s_openapi::api::batch::v1::{CronJob, Job};
use serde_json::{Map, Value, json};

use super::{Propagation, Strategy, check_as};
use crate::standalone::api::error::Cause;
use crate::standalone::api::meta;

/// The longest name of a CronJob: 63 characters of a label less the 11 that a run's name adds.
const CRON_JOB_NAME_CHARS_MAX: usize = 52;

/// CronJobs.
#[derive(Debug)]
pub struct CronJobs;

/// Jobs.
#[derive(Debug)]
pub struct Jobs;

impl Strategy for CronJobs {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        check_as::<CronJob>(object)
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({});
        let Some(spec) = meta::spec(object) else { return };
        meta::default(spec, "concurrencyPolicy", "Allow");
        meta::default(spec, "suspend", false);
        meta::default(spec, "successfulJobsHistoryLimit", 3);
        meta::default(spec, "failedJobsHistoryLimit", 1);
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        let name = meta::name(object);
        if name.len() > CRON_JOB_NAME_CHARS_MAX {
            let detail = format!("must be no more than {CRON_JOB_NAME_CHARS_MAX} characters");
            causes.push(Cause::invalid("metadata.name", &json!(name), &detail));
        }
        if object["spec"]["schedule"].as_str().unwrap_or_default().is_empty() {
            causes.push(Cause::required("spec.schedule", ""));
        }
        causes
    }

    fn counts_generations(&self) -> bool {
        true
    }
}

impl Strategy for Jobs {
    fn check_types(&self, object: &Value) -> Result<(), String> {
        check_as::<Job>(object)
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({});
        let (name, uid) = (meta::name(object).to_owned(), meta::uid(object).to_owned());
        let Some(spec) = meta::spec(object) else { return };
        set_defaults(spec);
        if spec.get("manualSelector") != Some(&Value::Bool(true)) {
            select_own_pods(spec, &name, &uid);
        }
        let pod_labels = object["spec"]["template"]["metadata"]["labels"].clone();
        let has_labels = meta::get(object, "labels")
            .and_then(Value::as_object)
            .is_some_and(|labels| !labels.is_empty());
        if !has_labels && pod_labels.is_object() {
            meta::set(object, "labels", pod_labels);
        }
    }

    fn counts_generations(&self) -> bool {
        true
    }

    /// A Job's pods are orphaned unless the client says otherwise: the default of `batch/v1` since before cascading.
    fn default_propagation(&self) -> Propagation {
        Propagation::Orphan
    }
}

/// The defaults of a Job's own fields. The pod template's are the node's affair.
fn set_defaults(spec: &mut Map<String, Value>) {
    if !spec.contains_key("completions") && !spec.contains_key("parallelism") {
        meta::default(spec, "completions", 1);
    }
    meta::default(spec, "parallelism", 1);
    let backoff_limit = if spec.contains_key("backoffLimitPerIndex") {
        i32::MAX
    } else {
        6
    };
    meta::default(spec, "backoffLimit", backoff_limit);
    meta::default(spec, "completionMode", "NonIndexed");
    meta::default(spec, "suspend", false);
    let replacement = if spec.contains_key("podFailurePolicy") {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    meta::default(spec, "podReplacementPolicy", replacement);
    meta::default(spec, "manualSelector", false);
}

/// Gives the pods labels that only this Job's have, and selects by them.
fn select_own_pods(spec: &mut Map<String, Value>, name: &str, uid: &str) {
    spec.insert(
        "selector".to_owned(),
        json!({ "matchLabels": { "batch.kubernetes.io/controller-uid": uid } }),
    );
    let labels = meta::section(spec, "template")
        .and_then(|template| meta::section(template, "metadata"))
        .and_then(|metadata| meta::section(metadata, "labels"));
    if let Some(labels) = labels {
        for (label, value) in [
            ("batch.kubernetes.io/controller-uid", uid),
            ("batch.kubernetes.io/job-name", name),
            ("controller-uid", uid),
            ("job-name", name),
        ] {
            labels.insert(label.to_owned(), value.into());
        }
    }
}
