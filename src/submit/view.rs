//! A Job as the controller needs it, and no more: thousands are kept in memory.

use std::borrow::Cow;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::Resource;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::cronjob::{Origin, Outcome, Owner, Run, RunState, scheduled_by_name};
use crate::manifest::timestamp;
use crate::schedule::Timestamp;

/// The parts of a Job that the controller reads. The rest is dropped while it is parsed.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Wire")]
pub struct JobView {
    /// Name, namespace, UID, version, creation, deletion and owners; nothing else is kept.
    metadata: ObjectMeta,
    created_by: Option<String>,
    scheduled: Option<Timestamp>,
    origin: Origin,
    backfill: Option<String>,
    status: StatusView,
}

/// A Job as it is read.
#[derive(Deserialize)]
struct Wire {
    metadata: MetadataView,
    #[serde(default)]
    status: StatusView,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetadataView {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    owner_references: Option<Vec<OwnerReference>>,
    annotations: Option<AnnotationsView>,
    labels: Option<LabelsView>,
    managed_fields: Option<Vec<ManagerView>>,
}

/// The annotations that matter.
#[derive(Default, Deserialize)]
struct AnnotationsView {
    #[serde(rename = "batch.kubernetes.io/cronjob-scheduled-timestamp")]
    scheduled: Option<String>,
    /// Whatever its value.
    #[serde(rename = "cronjob.kubernetes.io/instantiate")]
    instantiate: Option<IgnoredAny>,
}

/// The label that matters.
#[derive(Default, Deserialize)]
struct LabelsView {
    #[serde(rename = "punctual.dev/backfill")]
    backfill: Option<String>,
}

/// An entry of `managedFields` without the fields, which are most of a Job's size.
#[derive(Deserialize)]
struct ManagerView {
    manager: Option<String>,
    time: Option<Time>,
    subresource: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusView {
    start_time: Option<Time>,
    completion_time: Option<Time>,
    #[serde(default)]
    conditions: Option<Vec<ConditionView>>,
    ready: Option<i32>,
    succeeded: Option<i32>,
    failed: Option<i32>,
}

impl StatusView {
    /// Whether a pod has started, as far as the status tells.
    fn began(&self) -> bool {
        [self.ready, self.succeeded, self.failed]
            .into_iter()
            .flatten()
            .any(|pods| pods > 0)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConditionView {
    r#type: String,
    status: String,
    last_transition_time: Option<Time>,
}

impl From<Wire> for JobView {
    fn from(Wire { metadata, status }: Wire) -> Self {
        let annotations = metadata.annotations.unwrap_or_default();
        let scheduled = annotations.scheduled.and_then(|text| text.parse().ok());
        let backfill = metadata.labels.unwrap_or_default().backfill;
        JobView {
            created_by: oldest_manager(metadata.managed_fields.unwrap_or_default()),
            scheduled,
            origin: if annotations.instantiate.is_some() {
                Origin::Manual
            } else if backfill.is_some() {
                Origin::Backfill
            } else {
                Origin::Schedule
            },
            backfill,
            metadata: ObjectMeta {
                name: metadata.name,
                namespace: metadata.namespace,
                uid: metadata.uid,
                resource_version: metadata.resource_version,
                creation_timestamp: metadata.creation_timestamp,
                deletion_timestamp: metadata.deletion_timestamp,
                owner_references: metadata.owner_references,
                ..ObjectMeta::default()
            },
            status,
        }
    }
}

fn oldest_manager(entries: Vec<ManagerView>) -> Option<String> {
    let of_the_job = entries.into_iter().filter(|entry| entry.subresource.is_none());
    let oldest = of_the_job.min_by_key(|entry| entry.time.as_ref().map(|time| time.0))?;
    oldest.manager
}

/// The CronJob that controls an object, if one does.
///
/// DIFFERENCE (D3): by kind and UID. Kubernetes goes by the owner's name alone, so that Jobs of another kind of
/// owner, or of a CronJob deleted earlier, count for the wrong CronJob.
pub fn controlling_cronjob(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    let controller = owners.iter().find(|owner| owner.controller == Some(true))?;
    let is_cronjob = controller.kind == "CronJob" && controller.api_version.starts_with("batch/");
    is_cronjob.then_some(controller)
}

impl JobView {
    /// The CronJob that controls the Job, if one does.
    pub fn owner(&self) -> Option<Owner> {
        let owner = controlling_cronjob(&self.metadata)?;
        Some(Owner {
            namespace: self.namespace().to_owned(),
            uid: owner.uid.clone(),
        })
    }

    /// Whether the Job belongs to this CronJob.
    pub fn is_of(&self, cronjob: &Owner) -> bool {
        let owner = controlling_cronjob(&self.metadata);
        owner.is_some_and(|owner| owner.uid == cronjob.uid) && self.namespace() == cronjob.namespace
    }

    /// Who created the Job, by the oldest entry of `metadata.managedFields`; `None` where the server keeps none.
    pub fn created_by(&self) -> Option<&str> {
        self.created_by.as_deref()
    }

    /// The due instant that the Job was started for by the CronJob called `cronjob`: as it says itself, else by its name.
    pub fn scheduled(&self, cronjob: &str) -> Option<Timestamp> {
        self.scheduled.or_else(|| scheduled_by_name(cronjob, self.name()))
    }

    /// The backfill that it belongs to, by its label.
    pub fn backfill(&self) -> Option<&str> {
        self.backfill.as_deref()
    }

    /// The Job's name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The Job's namespace.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// The Job's UID.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// When the API server took it in, in whole seconds.
    pub fn created(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.as_ref().and_then(timestamp)
    }

    /// Whether it has not ended.
    pub fn is_active(&self) -> bool {
        self.state() == RunState::Active
    }

    /// The Job as policy sees it.
    pub fn run(&self) -> Run {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        Run {
            name: text(&self.metadata.name),
            uid: text(&self.metadata.uid),
            resource_version: text(&self.metadata.resource_version),
            origin: self.origin,
            state: self.state(),
            started: self.status.start_time.as_ref().and_then(timestamp),
            began: self.status.began(),
            deleting: self.metadata.deletion_timestamp.is_some(),
        }
    }

    /// When it ended, if it has and that is told. A completion time is there for what succeeded alone.
    pub fn ended(&self) -> Option<Timestamp> {
        let (_, condition) = self.end()?;
        let completed = self.status.completion_time.as_ref();
        completed
            .or(condition.last_transition_time.as_ref())
            .and_then(timestamp)
    }

    /// Finished is what carries a true `Complete` or `Failed` condition; the first one counts.
    fn end(&self) -> Option<(Outcome, &ConditionView)> {
        let conditions = self.status.conditions.iter().flatten();
        let mut conditions = conditions.filter(|condition| condition.status == "True");
        conditions.find_map(|condition| match condition.r#type.as_str() {
            "Complete" => Some((Outcome::Succeeded, condition)),
            "Failed" => Some((Outcome::Failed, condition)),
            _ => None,
        })
    }

    fn state(&self) -> RunState {
        match self.end() {
            None => RunState::Active,
            Some((outcome, _)) => {
                let completed = self.status.completion_time.as_ref().and_then(timestamp);
                RunState::Finished { outcome, completed }
            }
        }
    }
}

impl Resource for JobView {
    type DynamicType = ();
    type Scope = kube::core::NamespaceResourceScope;

    fn kind(dt: &()) -> Cow<'_, str> {
        Job::kind(dt)
    }

    fn group(dt: &()) -> Cow<'_, str> {
        Job::group(dt)
    }

    fn version(dt: &()) -> Cow<'_, str> {
        Job::version(dt)
    }

    fn plural(dt: &()) -> Cow<'_, str> {
        Job::plural(dt)
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
    use super::*;

    /// DIFFERENCE (D3): Kubernetes would take all of these but the last two for children of the CronJob.
    #[test]
    fn a_child_is_known_by_the_uid_and_kind_of_its_controller() {
        for (owner, child) in [
            (
                r#"{"apiVersion":"batch/v1","kind":"CronJob","name":"fooer","uid":"1","controller":true}"#,
                Some("1"),
            ),
            (
                r#"{"apiVersion":"batch/v1","kind":"CronJob","name":"fooer","uid":"2","controller":true}"#,
                Some("2"),
            ),
            (
                r#"{"apiVersion":"example.com/v1","kind":"CronJob","name":"fooer","uid":"1","controller":true}"#,
                None,
            ),
            (
                r#"{"apiVersion":"batch/v1","kind":"Job","name":"fooer","uid":"1","controller":true}"#,
                None,
            ),
            (
                r#"{"apiVersion":"batch/v1","kind":"CronJob","name":"fooer","uid":"1"}"#,
                None,
            ),
            ("", None),
        ] {
            let job = job(&format!(r#""ownerReferences":[{owner}]"#), "{}");
            assert_eq!(job.owner().map(|owner| owner.uid).as_deref(), child, "{owner}");
        }
    }

    #[test]
    fn a_run_is_finished_by_its_first_true_terminal_condition() {
        for (conditions, outcome) in [
            ("", None),
            (r#"{"type":"SuccessCriteriaMet","status":"True"}"#, None),
            (r#"{"type":"FailureTarget","status":"True"}"#, None),
            (r#"{"type":"Complete","status":"False"}"#, None),
            (r#"{"type":"Complete","status":"True"}"#, Some(Outcome::Succeeded)),
            (r#"{"type":"Failed","status":"True"}"#, Some(Outcome::Failed)),
            (
                r#"{"type":"Complete","status":"False"},{"type":"Failed","status":"True"}"#,
                Some(Outcome::Failed),
            ),
        ] {
            let run = job("", &format!(r#"{{"conditions":[{conditions}]}}"#)).run();
            assert_eq!(run.outcome(), outcome, "{conditions}");
        }
    }

    #[test]
    fn a_run_ended_when_it_was_complete_or_else_when_its_condition_came() {
        let ended = |status: &str| job("", status).ended().map(|at| at.to_rfc3339());
        let condition =
            r#""conditions":[{"type":"Failed","status":"True","lastTransitionTime":"2026-11-23T12:00:15Z"}]"#;
        let at = Some("2026-11-23T12:00:15+00:00".to_owned());
        assert_eq!(ended(&format!("{{{condition}}}")), at);
        let complete =
            r#"{"completionTime":"2026-11-23T12:00:15Z","conditions":[{"type":"Complete","status":"True"}]}"#;
        assert_eq!(ended(complete), at);
        assert_eq!(ended(r#"{"completionTime":"2026-11-23T12:00:15Z"}"#), None);
    }

    #[test]
    fn a_run_that_a_person_started_is_known_by_its_annotation_or_label() {
        let by_hand = job(
            r#""annotations":{"cronjob.kubernetes.io/instantiate":"manual"}"#,
            "{}",
        );
        assert_eq!(by_hand.run().origin, Origin::Manual);
        let filled = job(r#""labels":{"punctual.dev/backfill":"spring","a":"b"}"#, "{}");
        assert_eq!(
            (filled.run().origin, filled.backfill()),
            (Origin::Backfill, Some("spring"))
        );
        assert_eq!(job("", "{}").run().origin, Origin::Schedule);
    }

    #[test]
    fn whoever_created_a_job_is_the_oldest_manager_of_its_fields() {
        let job = job(
            r#""managedFields":[
                {"manager":"kube-controller-manager","time":"2026-01-01T10:00:00Z","subresource":"status"},
                {"manager":"kubectl-edit","time":"2026-01-01T10:05:00Z"},
                {"manager":"punctual","time":"2026-01-01T10:00:01Z"}]"#,
            "{}",
        );
        assert_eq!(job.created_by(), Some("punctual"));
        assert_eq!(self::job("", "{}").created_by(), None);
    }

    fn job(metadata: &str, status: &str) -> JobView {
        let comma = if metadata.is_empty() { "" } else { "," };
        let text = format!(r#"{{"metadata":{{"name":"j","uid":"u"{comma}{metadata}}},"status":{status}}}"#);
        serde_json::from_str(&text).expect("a Job")
    }
}
