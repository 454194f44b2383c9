//! What there is to see: the status of CronJobs, and Jobs.

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use punctual::cronjob::Key;

use super::{World, objects};
use crate::language::{name, outcome_word};

/// With more CronJobs than this, the end of a script is shown in numbers.
const SHOWN_MAX: usize = 10;

impl World {
    /// The last page: every CronJob and every Job, or how many there are.
    pub(crate) async fn show_end(&self) {
        self.wire.transcript.line("");
        self.wire.transcript.line("In the end:");
        let cronjobs = self.cronjobs().await;
        let jobs = objects::all_jobs(&self.client).await;
        if cronjobs.len() > SHOWN_MAX {
            let line = format!("  {} cronjobs, {} jobs", cronjobs.len(), jobs.len());
            return self.wire.transcript.line(&line);
        }
        for cronjob in &cronjobs {
            self.wire.transcript.line(&status_line(cronjob));
        }
        self.show_jobs().await;
    }

    pub(super) async fn show_status(&self, key: &Key) {
        let found = objects::cronjobs(&self.client, &key.namespace)
            .get_opt(&key.name)
            .await;
        let line = match found {
            Ok(Some(cronjob)) => status_line(&cronjob),
            _ => format!("  there is no CronJob {}", name(key)),
        };
        self.wire.transcript.line(&line);
    }

    pub(super) async fn show_events(&self) {
        let events = Api::<Event>::all(self.client.clone());
        let events = events.list(&ListParams::default()).await;
        let mut events = events.map(|events| events.items).unwrap_or_default();
        events.sort_by_key(|event| (event.first_timestamp.clone(), event.reason.clone()));
        for event in &events {
            self.wire.transcript.line(&event_line(event));
        }
    }

    pub(super) async fn show_jobs(&self) {
        let jobs = objects::all_jobs(&self.client).await;
        if jobs.is_empty() {
            self.wire.transcript.line("  no jobs");
        }
        for job in &jobs {
            self.wire.transcript.line(&job_line(job));
        }
    }
}

fn event_line(event: &Event) -> String {
    let (kind, reason) = (event.type_.as_deref(), event.reason.as_deref());
    let object = event.involved_object.name.as_deref();
    let [kind, reason, object] = [kind, reason, object].map(Option::unwrap_or_default);
    format!(
        "  {kind} {reason} of {object}, {} times from {} to {}: {}",
        event.count.unwrap_or_default(),
        shown(event.first_timestamp.as_ref()),
        shown(event.last_timestamp.as_ref()),
        event.message.as_deref().unwrap_or_default()
    )
}

fn status_line(cronjob: &CronJob) -> String {
    let status = cronjob.status.clone().unwrap_or_default();
    let active: Vec<String> = status
        .active
        .iter()
        .flatten()
        .filter_map(|job| job.name.clone())
        .collect();
    let active = if active.is_empty() {
        "nothing".into()
    } else {
        active.join(", ")
    };
    let deleting = if cronjob.metadata.deletion_timestamp.is_some() {
        ", being deleted"
    } else {
        ""
    };
    format!(
        "  cronjob {}: active {active}; last scheduled {}; last successful {}{deleting}",
        shown_name(cronjob),
        shown(status.last_schedule_time.as_ref()),
        shown(status.last_successful_time.as_ref()),
    )
}

fn job_line(job: &Job) -> String {
    let state = objects::outcome(job).map_or("active", outcome_word);
    let owner = match objects::owner(job) {
        Some(owner) if objects::is_manual(job) => format!("by hand, of {}", name(&owner)),
        Some(owner) if objects::is_backfill(job) => format!("by a backfill, of {}", name(&owner)),
        Some(owner) => format!("of {}", name(&owner)),
        None => "of nobody here".into(),
    };
    let deleting = if job.metadata.deletion_timestamp.is_some() {
        ", being deleted"
    } else {
        ""
    };
    let created = shown(job.metadata.creation_timestamp.as_ref());
    format!(
        "  job {}: {state}, created {created}, {owner}{deleting}",
        name(&objects::key(job))
    )
}

fn shown_name(cronjob: &CronJob) -> String {
    name(&Key {
        namespace: cronjob.namespace().unwrap_or_default(),
        name: cronjob.name_any(),
    })
}

fn shown(time: Option<&Time>) -> String {
    time.map_or_else(|| "never".into(), |time| time.0.to_string())
}
