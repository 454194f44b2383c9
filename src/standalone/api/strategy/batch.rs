//! The rules of `batch/v1`: CronJobs and Jobs (`pkg/registry/batch`).
//!
//! Defaults and validation are those that manifests are read with; here is what only a server does.

use k8s_openapi::api::batch::v1::{CronJob, Job};
use serde_json::{Map, Value, json};

use super::{ObjectType, Propagation, Strategy, causes, read_as, warnings_of, with_defaults};
use crate::cronjob::{CONTROLLER_UID_LABEL, pod_labels};
use crate::manifest::{defaults, validate};
use crate::schedule::TimeZones;
use crate::standalone::api::cause::Cause;
use crate::standalone::api::meta;

/// CronJobs.
#[derive(Debug)]
pub struct CronJobs;

/// Jobs.
#[derive(Debug)]
pub struct Jobs;

impl Strategy for CronJobs {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<CronJob>()
    }

    fn default(&self, object: &mut Value) {
        defaults::cron_job(object);
        for template in ["/spec/jobTemplate", "/spec/jobTemplate/spec/template"] {
            with_metadata(object.pointer_mut(template));
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({});
        self.default(object);
    }

    fn check(&self, object: &Value, old: Option<&Value>, zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let new: CronJob = read_as(object)?;
        causes(match old {
            None => validate::cron_job::create(&new, zones),
            Some(old) => validate::cron_job::update(&new, &read_as(old)?, zones),
        })
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        warnings_of(object, validate::warnings::cron_job)
    }

    fn counts_generations(&self) -> bool {
        true
    }
}

impl Strategy for Jobs {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<Job>()
    }

    fn default(&self, object: &mut Value) {
        defaults::job(object);
        with_metadata(object.pointer_mut("/spec/template"));
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({});
        let (name, uid) = (meta::name(object).to_owned(), meta::uid(object).to_owned());
        if let Some(spec) = meta::spec(object) {
            select_own_pods(spec, &name, &uid);
        }
        // Now that the labels of the pods are known: a Job without labels takes over those.
        self.default(object);
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["status.successful"]
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        let new: Job = read_as(object)?;
        causes(match old {
            None => validate::job::create(&new),
            Some(old) => validate::job::update(&new, &read_as(&with_defaults(old, defaults::job))?),
        })
    }

    fn check_status(&self, object: &Value, old: &Value) -> Result<Vec<Cause>, String> {
        causes(validate::job::update_status(&read_as(object)?, &read_as(old)?))
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        warnings_of(object, validate::warnings::job)
    }

    fn counts_generations(&self) -> bool {
        true
    }

    /// A Job's pods are orphaned unless the client says otherwise: the default of `batch/v1` since before cascading.
    fn default_propagation(&self) -> Propagation {
        Propagation::Orphan
    }
}

/// Templates have metadata, if only empty ones, as in Kubernetes' own types.
fn with_metadata(template: Option<&mut Value>) {
    if let Some(template) = template.and_then(Value::as_object_mut) {
        meta::section(template, "metadata");
    }
}

/// Gives the pods labels that only this Job's have, and selects by them. What is written already is left to validation.
fn select_own_pods(spec: &mut Map<String, Value>, name: &str, uid: &str) {
    if spec.get("manualSelector") == Some(&Value::Bool(true)) {
        return;
    }
    let labels = meta::section(spec, "template")
        .and_then(|template| meta::section(template, "metadata"))
        .and_then(|metadata| meta::section(metadata, "labels"));
    let Some(labels) = labels else { return };
    for (label, value) in pod_labels(uid, name) {
        labels.entry(label).or_insert_with(|| value.into());
    }
    let selected =
        meta::section(spec, "selector").and_then(|selector| meta::section(selector, "matchLabels"));
    if let Some(selected) = selected {
        selected.entry(CONTROLLER_UID_LABEL).or_insert_with(|| uid.into());
    }
}
