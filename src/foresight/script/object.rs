//! The CronJobs that `apply` writes, as JSON.

use serde_json::{Map, Value, json};

use crate::cronjob::Key;
use crate::cronjob::extension::ANNOTATION_PREFIX;
use crate::foresight::script::Apply;

impl Apply {
    /// The CronJobs that it is about: the one that it names, or as many as it counts.
    pub fn keys(&self) -> Vec<Key> {
        let Some(count) = self.count else {
            return vec![self.name.clone()];
        };
        let numbered = |number| Key {
            namespace: self.name.namespace.clone(),
            name: format!("{}-{number:03}", self.name.name),
        };
        (1..=count).map(numbered).collect()
    }

    /// The fields of `spec` that it names, for a merge patch: `null` takes a field away.
    pub fn spec(&self) -> Value {
        let mut spec = Map::new();
        let mut set = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                spec.insert(field.to_owned(), value);
            }
        };
        set("schedule", self.schedule.clone().map(Value::from));
        set("timeZone", self.zone.clone().map(Value::from));
        set("concurrencyPolicy", self.policy.clone().map(Value::from));
        set("startingDeadlineSeconds", self.deadline.map(Value::from));
        set("suspend", self.suspend.map(Value::from));
        set(
            "successfulJobsHistoryLimit",
            self.history.map(|limits| limits.0.into()),
        );
        set(
            "failedJobsHistoryLimit",
            self.history.map(|limits| limits.1.into()),
        );
        spec.into()
    }

    /// The annotations that it names, for a merge patch.
    pub fn annotations(&self) -> Value {
        let named = self.extensions.iter();
        let named = named.map(|(name, value)| (format!("{ANNOTATION_PREFIX}{name}"), value.clone().into()));
        named.collect::<Map<String, Value>>().into()
    }

    /// A new CronJob.
    pub fn new_cronjob(&self, key: &Key) -> Value {
        let mut object = json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": { "name": key.name, "namespace": key.namespace },
            "spec": { "jobTemplate": { "spec": job_spec() } },
        });
        json_patch::merge(&mut object["spec"], &self.spec());
        // A merge keeps what is `null` out of the way of its target, but here it would be sent.
        if let Some(fields) = object["spec"].as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        json_patch::merge(
            &mut object["metadata"],
            &json!({ "annotations": self.annotations() }),
        );
        if let Some(finalizer) = &self.finalizer {
            object["metadata"]["finalizers"] = json!([format!("example.com/{finalizer}")]);
        }
        object
    }
}

/// The Job of every CronJob in a script.
pub fn job_spec() -> Value {
    json!({
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [{ "name": "main", "image": "busybox:1.37", "command": ["true"] }],
            },
        },
    })
}
