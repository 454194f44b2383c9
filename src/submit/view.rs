//! A Job as the controller needs it, and no more: thousands are kept in memory.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use serde::Deserialize;
use std::borrow::Cow;

use crate::cronjob::{Origin, Outcome, Run, RunState};
use crate::manifest::timestamp;
use crate::submit::INSTANTIATE_ANNOTATION;

/// The parts of a Job that the controller reads. The rest is dropped while it is parsed.
#[derive(Debug, Clone, Deserialize)]
pub struct JobView {
    metadata: ObjectMeta,
    #[serde(default)]
    status: StatusView,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusView {
    start_time: Option<Time>,
    completion_time: Option<Time>,
    #[serde(default)]
    conditions: Option<Vec<ConditionView>>,
}

#[derive(Debug, Clone, Deserialize)]
struct ConditionView {
    r#type: String,
    status: String,
}

impl JobView {
    /// The UID of the CronJob that controls the Job, if one does.
    ///
    /// DIFFERENCE (D3): by kind and UID. Kubernetes goes by the owner's name alone, so that Jobs of another kind of
    /// owner, or of a CronJob deleted earlier, count for the wrong CronJob.
    pub fn owner(&self) -> Option<&str> {
        let owners = self.metadata.owner_references.as_deref().unwrap_or_default();
        let controller = owners.iter().find(|owner| owner.controller == Some(true))?;
        let is_cronjob = controller.kind == "CronJob" && controller.api_version.starts_with("batch/");
        is_cronjob.then_some(controller.uid.as_str())
    }

    /// The Job's UID.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The Job as policy sees it.
    pub fn run(&self) -> Run {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let manual = self
            .metadata
            .annotations
            .as_ref()
            .is_some_and(|all| all.contains_key(INSTANTIATE_ANNOTATION));
        Run {
            name: text(&self.metadata.name),
            uid: text(&self.metadata.uid),
            resource_version: text(&self.metadata.resource_version),
            origin: if manual { Origin::Manual } else { Origin::Schedule },
            state: self.state(),
            started: self.status.start_time.as_ref().and_then(timestamp),
            deleting: self.metadata.deletion_timestamp.is_some(),
        }
    }

    /// Finished is what carries a true `Complete` or `Failed` condition; the first one counts.
    fn state(&self) -> RunState {
        let conditions = self
            .status
            .conditions
            .iter()
            .flatten()
            .filter(|condition| condition.status == "True");
        let outcome = conditions
            .map(|condition| condition.r#type.as_str())
            .find_map(|kind| match kind {
                "Complete" => Some(Outcome::Succeeded),
                "Failed" => Some(Outcome::Failed),
                _ => None,
            });
        match outcome {
            None => RunState::Active,
            Some(outcome) => {
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
