//! The kinds of objects that are known: how each is filled in and checked, and how those that are run are kept.

use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1 as core;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::Value as Json;

use super::defaults;
use super::path::FieldPath;
use super::resource::CronJob;
use super::schema::Schema;
use super::validate::{self, FieldError};
use crate::schedule::TimeZones;

/// An object that can be run.
#[derive(Debug, Clone)]
pub enum Object {
    /// A CronJob.
    CronJob(Box<CronJob>),
    /// A Job, to be run once.
    Job(Box<batch::Job>),
}

/// A type that a manifest, or a part of one, can be decoded as and checked.
pub(crate) trait Checkable: Serialize + DeserializeOwned {
    /// The name of its definition in Kubernetes' schema.
    const DEFINITION: &str;

    /// Writes the defaults into a value of this type.
    fn fill_in(json: &mut Json);

    /// What is wrong with it, once it is filled in.
    fn check(&self, zones: &TimeZones) -> Vec<FieldError>;

    /// Its schema.
    fn schema() -> Schema {
        Schema::named(Self::DEFINITION).unwrap_or_else(Schema::unknown)
    }
}

/// A kind that is run.
pub(crate) trait Runnable: Checkable {
    /// The kind, as it is written in a manifest.
    const KIND: &str;

    /// The object to keep.
    fn object(json: &Json) -> Result<Object, serde_json::Error>;
}

/// What is wrong with a template as soon as pods are made of it.
fn of_pods(template: Option<&core::PodTemplateSpec>, path: &str) -> Vec<FieldError> {
    let errors = template.map(|template| validate::pod::made_of(template, &FieldPath::of(path)));
    errors.unwrap_or_default()
}

impl Checkable for batch::CronJob {
    const DEFINITION: &str = "io.k8s.api.batch.v1.CronJob";

    fn fill_in(json: &mut Json) {
        defaults::cron_job(json);
    }

    fn check(&self, zones: &TimeZones) -> Vec<FieldError> {
        let template = self.spec.job_template.spec.as_ref().map(|spec| &spec.template);
        let mut errors = validate::cron_job::create(self, zones);
        errors.extend(of_pods(template, "spec.jobTemplate.spec.template"));
        errors
    }
}

impl Runnable for batch::CronJob {
    const KIND: &str = "CronJob";

    fn object(json: &Json) -> Result<Object, serde_json::Error> {
        // Through the text, which is what the Job template is kept as.
        let cron_job = serde_json::from_str(&json.to_string())?;
        Ok(Object::CronJob(cron_job))
    }
}

impl Checkable for batch::Job {
    const DEFINITION: &str = "io.k8s.api.batch.v1.Job";

    fn fill_in(json: &mut Json) {
        defaults::job(json);
    }

    fn check(&self, _zones: &TimeZones) -> Vec<FieldError> {
        let template = self.spec.as_ref().map(|spec| &spec.template);
        let mut errors = validate::job::create(self);
        errors.extend(of_pods(template, "spec.template"));
        errors
    }
}

impl Runnable for batch::Job {
    const KIND: &str = "Job";

    fn object(json: &Json) -> Result<Object, serde_json::Error> {
        batch::Job::deserialize(json).map(|job| Object::Job(Box::new(job)))
    }
}

impl Checkable for core::Pod {
    const DEFINITION: &str = "io.k8s.api.core.v1.Pod";

    fn fill_in(json: &mut Json) {
        defaults::pod_spec(json, "/spec");
    }

    fn check(&self, _zones: &TimeZones) -> Vec<FieldError> {
        validate::pod::create(self)
    }
}

impl Checkable for core::PodTemplateSpec {
    const DEFINITION: &str = "io.k8s.api.core.v1.PodTemplateSpec";

    fn fill_in(json: &mut Json) {
        defaults::pod_spec(json, "/spec");
    }

    fn check(&self, _zones: &TimeZones) -> Vec<FieldError> {
        let mut errors = validate::pod::template(self);
        errors.extend(validate::pod::made_of(self, &FieldPath::root()));
        errors
    }
}
