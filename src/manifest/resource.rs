//! The CronJob as it goes over the wire.
//!
//! The same object as k8s-openapi's, but its `jobTemplate` is carried as it was written. Fields that are
//! newer than our types so reach the Jobs unchanged, and a CronJob in a cache takes the space of its text
//! instead of that of hundreds of fields, nearly all of them empty.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::CronJobStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A `batch/v1` CronJob.
///
/// An update of the whole object drops what is not in these types, in the spec outside `jobTemplate`; the
/// controller writes only the status, through its subresource, where the API server keeps the spec as it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct CronJob {
    /// Name, namespace, UID, labels, annotations.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What was asked for.
    #[serde(default)]
    pub spec: CronJobSpec,
    /// What the controller has seen and done.
    #[serde(default)]
    pub status: Option<CronJobStatus>,
}

/// The spec of a [`CronJob`]. A field that is `None` was not written and has its default (see
/// [`defaults`](super::defaults)).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CronJobSpec {
    /// When to run: a cron expression of five fields, a macro, or `@every` and a duration.
    #[serde(default)]
    pub schedule: String,
    /// The zone whose wall clock the schedule is read on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether to start no runs for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// What to do when a run is due while another still runs: `Allow`, `Forbid` or `Replace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_policy: Option<String>,
    /// How late a run may still start, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starting_deadline_seconds: Option<i64>,
    /// How many succeeded Jobs to keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successful_jobs_history_limit: Option<i32>,
    /// How many failed Jobs to keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_jobs_history_limit: Option<i32>,
    /// What each run's Job is made from.
    #[serde(default)]
    pub job_template: JobTemplate,
}

/// A `jobTemplate`, as it was written: JSON that is read only when a Job is made of it. Cheap to clone.
///
/// It can only be deserialised by `serde_json`, and not from behind a tag that comes after it; the events of
/// a watch are `{"type": …, "object": …}`, in this order, so they are fine.
#[derive(Clone)]
pub struct JobTemplate(Arc<RawValue>);

impl JobTemplate {
    /// The template that `value` is.
    ///
    /// # Errors
    /// None that can be met: every JSON value can be written down.
    pub fn new(value: &serde_json::Value) -> Result<JobTemplate, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(|raw| JobTemplate(raw.into()))
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The template as a value, to make a Job of.
    pub fn to_value(&self) -> serde_json::Value {
        // A `RawValue` is JSON, or it would not have been made.
        serde_json::from_str(self.as_str()).unwrap_or_default()
    }
}

impl Default for JobTemplate {
    fn default() -> JobTemplate {
        JobTemplate(RawValue::NULL.to_owned().into())
    }
}

impl fmt::Debug for JobTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Compares the text: spaces count, which is right for "as it was written".
impl PartialEq for JobTemplate {
    fn eq(&self, other: &JobTemplate) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for JobTemplate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JobTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JobTemplate, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| JobTemplate(raw.into()))
    }
}

impl Serialize for CronJob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("CronJob", 5)?;
        object.serialize_field("apiVersion", "batch/v1")?;
        object.serialize_field("kind", "CronJob")?;
        object.serialize_field("metadata", &self.metadata)?;
        object.serialize_field("spec", &self.spec)?;
        match &self.status {
            Some(status) => object.serialize_field("status", status)?,
            None => object.skip_field("status")?,
        }
        object.end()
    }
}

impl kube::Resource for CronJob {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "CronJob".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "batch".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "cronjobs".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use kube::Resource as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_template_survives_whatever_is_in_it() {
        let written = json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "report", "namespace": "shop"},
            "spec": {
                "schedule": "*/5 * * * *",
                "timeZone": "Europe/Rome",
                "jobTemplate": {"spec": {"inventedIn2031": [1, 2.5, null], "template": {}}},
            },
        });
        let cron_job: CronJob = serde_json::from_str(&written.to_string()).unwrap();
        assert_eq!(
            cron_job.spec.job_template.to_value(),
            written["spec"]["jobTemplate"]
        );
        assert_eq!(serde_json::to_value(&cron_job).unwrap(), written);
        let again: CronJob = serde_json::from_value(written).unwrap();
        assert_eq!(again, cron_job);
    }

    #[test]
    fn a_watch_event_can_be_read() {
        let event =
            r#"{"type":"ADDED","object":{"metadata":{"name":"report"},"spec":{"jobTemplate":{"a":1}}}}"#;
        let event: kube::core::WatchEvent<CronJob> = serde_json::from_str(event).unwrap();
        let kube::core::WatchEvent::Added(cron_job) = event else {
            panic!("{event:?}")
        };
        assert_eq!(cron_job.spec.job_template.as_str(), r#"{"a":1}"#);
    }

    #[test]
    fn its_address_is_that_of_every_cron_job() {
        assert_eq!(
            CronJob::url_path(&(), Some("shop")),
            "/apis/batch/v1/namespaces/shop/cronjobs"
        );
        assert_eq!(CronJob::api_version(&()), "batch/v1");
    }
}
