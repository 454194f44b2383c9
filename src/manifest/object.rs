//! The kinds of objects that are run: how each is filled in, checked and kept.

use k8s_openapi::api::batch::v1 as batch;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::Value as Json;

use super::defaults;
use super::resource::CronJob;
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

/// A type that a manifest can be decoded as.
pub(super) trait Runnable: Serialize + DeserializeOwned {
    /// The kind, as it is written in a manifest.
    const KIND: &str;

    /// Writes the defaults into an object of this kind.
    fn fill_in(json: &mut Json);

    /// What is wrong with it, once it is filled in.
    fn check(&self, zones: &TimeZones) -> Vec<FieldError>;

    /// The object to keep.
    fn object(json: &Json) -> Result<Object, serde_json::Error>;
}

impl Runnable for batch::CronJob {
    const KIND: &str = "CronJob";

    fn fill_in(json: &mut Json) {
        defaults::cron_job(json);
    }

    fn check(&self, zones: &TimeZones) -> Vec<FieldError> {
        validate::cron_job::create(self, zones)
    }

    fn object(json: &Json) -> Result<Object, serde_json::Error> {
        // Through the text, which is what the Job template is kept as.
        let cron_job = serde_json::from_str(&json.to_string())?;
        Ok(Object::CronJob(cron_job))
    }
}

impl Runnable for batch::Job {
    const KIND: &str = "Job";

    fn fill_in(json: &mut Json) {
        defaults::job(json);
    }

    fn check(&self, _zones: &TimeZones) -> Vec<FieldError> {
        validate::job::create(self)
    }

    fn object(json: &Json) -> Result<Object, serde_json::Error> {
        batch::Job::deserialize(json).map(|job| Object::Job(Box::new(job)))
    }
}
