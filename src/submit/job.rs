//! The Job of a run (`getJobFromTemplate2` of Kubernetes' CronJob controller).
//!
//! The Job is put together as JSON, and the template's `spec` is carried as it was written: fields that are newer
//! than the Kubernetes types this program was built with reach the Job unchanged.

use std::collections::BTreeMap;

use chrono::{FixedOffset, SecondsFormat, TimeDelta};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::core::{DynamicObject, TypeMeta};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::manifest::CronJob;
use crate::policy::Start;
use crate::schedule::{TimeZones, Timestamp};

/// Holds a run's due instant, in RFC 3339 and in the CronJob's time zone (KEP-4026).
pub const SCHEDULED_ANNOTATION: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// Marks a Job that a person started with `kubectl create job --from=cronjob/…`.
pub const INSTANTIATE_ANNOTATION: &str = "cronjob.kubernetes.io/instantiate";

/// Names the backfill that a Job belongs to (`punctual backfill`).
pub const BACKFILL_LABEL: &str = "punctual.dev/backfill";

/// The Job that runs `cronjob` for `start`, ready to be created.
///
/// Of the template's metadata only labels and annotations are taken over, and nothing of the CronJob's own.
pub fn job_for(cronjob: &CronJob, start: &Start, zones: &TimeZones) -> DynamicObject {
    let scheduled = rfc3339_in_zone(start.scheduled, cronjob.spec.time_zone.as_deref(), zones);
    let owner = OwnerReference {
        block_owner_deletion: Some(true),
        ..owner_reference(&cronjob.metadata)
    };
    for_instant(cronjob, &start.name, scheduled, owner)
}

/// The Job by which the backfill called `backfill` runs `cronjob` for an instant. It stays for `keep` after its end, if
/// its template does not have it stay longer: as long as it is there, nobody starts it again.
pub fn job_to_backfill(
    cronjob: &CronJob,
    (name, scheduled): (&str, Timestamp),
    (backfill, keep): (&str, TimeDelta),
    zones: &TimeZones,
) -> DynamicObject {
    let scheduled = rfc3339_in_zone(scheduled, cronjob.spec.time_zone.as_deref(), zones);
    let owner = owner_reference(&cronjob.metadata);
    let mut job = for_instant(cronjob, name, scheduled, owner);
    let labels = job.metadata.labels.get_or_insert_default();
    labels.insert(BACKFILL_LABEL.into(), backfill.into());
    let ttl = &mut job.data["spec"]["ttlSecondsAfterFinished"];
    let keep = keep.num_seconds();
    *ttl = ttl.as_i64().map_or(keep, |asked| asked.max(keep)).into();
    job
}

/// The Job by which a person runs `cronjob` once, whatever its schedule (`kubectl create job --from`).
///
/// Its owner is not kept from being deleted before it: that would take the right to set the CronJob's finalizers.
pub fn job_by_hand(cronjob: &CronJob, name: &str) -> DynamicObject {
    let by_hand = (INSTANTIATE_ANNOTATION, "manual".to_owned());
    from_template(cronjob, name, by_hand, owner_reference(&cronjob.metadata))
}

/// A Job for a due instant. A pod sees nothing of its Job but the name: where its template has the annotation for the instant
/// and leaves it empty, it has it, too, and may read it as a variable.
fn for_instant(cronjob: &CronJob, name: &str, scheduled: String, owner: OwnerReference) -> DynamicObject {
    let mut job = from_template(cronjob, name, (SCHEDULED_ANNOTATION, scheduled.clone()), owner);
    let annotations = job.data.pointer_mut("/spec/template/metadata/annotations");
    let of_pods = annotations.and_then(|annotations| annotations.get_mut(SCHEDULED_ANNOTATION));
    if let Some(of_pods) = of_pods.filter(|value| **value == "") {
        *of_pods = scheduled.into();
    }
    job
}

fn from_template(
    cronjob: &CronJob,
    name: &str,
    (annotation, value): (&str, String),
    owner: OwnerReference,
) -> DynamicObject {
    // A template that is not an object was not admitted by an API server; its Job would be refused as well.
    let template: Template = serde_json::from_str(cronjob.spec.job_template.as_str()).unwrap_or_default();
    let mut annotations = template.metadata.annotations;
    annotations.insert(annotation.into(), value);
    DynamicObject {
        types: Some(TypeMeta {
            api_version: "batch/v1".into(),
            kind: "Job".into(),
        }),
        metadata: ObjectMeta {
            name: Some(name.into()),
            namespace: cronjob.metadata.namespace.clone(),
            labels: Some(template.metadata.labels),
            annotations: Some(annotations),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        data: json!({ "spec": template.spec }),
    }
}

/// What is taken over from a `jobTemplate`.
#[derive(Default, Deserialize)]
struct Template {
    #[serde(default)]
    metadata: TemplateMetadata,
    #[serde(default)]
    spec: Value,
}

#[derive(Default, Deserialize)]
struct TemplateMetadata {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

fn owner_reference(cronjob: &ObjectMeta) -> OwnerReference {
    OwnerReference {
        api_version: "batch/v1".into(),
        kind: "CronJob".into(),
        name: cronjob.name.clone().unwrap_or_default(),
        uid: cronjob.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

/// An instant as the annotation shows it. Without a zone, or with one that is not known, it is shown in UTC.
fn rfc3339_in_zone(instant: Timestamp, time_zone: Option<&str>, zones: &TimeZones) -> String {
    let offset = time_zone
        .and_then(|name| zones.zone(name).ok())
        .and_then(|zone| FixedOffset::east_opt(zone.offset_seconds(instant)));
    match offset {
        Some(offset) => instant
            .with_timezone(&offset)
            .to_rfc3339_opts(SecondsFormat::Secs, true),
        None => instant.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kubernetes' cases (`TestGetJobFromTemplate2`): the annotation is rendered in `spec.timeZone`, UTC without one.
    #[test]
    fn the_scheduled_timestamp_is_shown_in_the_zone_of_the_cronjob() {
        for (time_zone, shown) in [
            (Some("UTC"), "2016-05-19T10:00:00Z"),
            (None, "2016-05-19T10:00:00Z"),
            (Some("Europe/Rome"), "2016-05-19T12:00:00+02:00"),
            (Some("Mars/Olympus"), "2016-05-19T10:00:00Z"),
        ] {
            let mut cronjob = cronjob();
            cronjob.spec.time_zone = time_zone.map(Into::into);
            let job = job_for(&cronjob, &start(), &TimeZones::built_in());
            let annotations = job.metadata.annotations.expect("annotations");
            assert_eq!(annotations[SCHEDULED_ANNOTATION], shown, "{time_zone:?}");
        }
    }

    /// The whole object. Of the template's metadata only labels and annotations are there, a scheduled timestamp that
    /// the template brings is overwritten, and a field that Kubernetes does not have yet is carried along.
    #[test]
    fn the_job_is_what_the_template_says() {
        let job = job_for(&cronjob(), &start(), &TimeZones::built_in());
        let text = serde_json::to_string_pretty(&job).expect("an object");
        insta::assert_snapshot!(text, @r#"
        {
          "apiVersion": "batch/v1",
          "kind": "Job",
          "metadata": {
            "annotations": {
              "batch.kubernetes.io/cronjob-scheduled-timestamp": "2016-05-19T10:00:00Z",
              "x": "y"
            },
            "labels": {
              "a": "b"
            },
            "name": "mycronjob-24394200",
            "namespace": "snazzycats",
            "ownerReferences": [
              {
                "apiVersion": "batch/v1",
                "blockOwnerDeletion": true,
                "controller": true,
                "kind": "CronJob",
                "name": "mycronjob",
                "uid": "1a2b3c"
              }
            ]
          },
          "spec": {
            "newerThanUs": {
              "depth": 1
            },
            "suspend": true
          }
        }
        "#);
    }

    #[test]
    fn the_job_of_a_backfill_is_labelled_and_stays_for_a_while() {
        for (template, keep, stays) in [
            (None, 7, 7 * 86_400),
            (Some(60), 1, 86_400),
            (Some(1_000_000), 1, 1_000_000),
        ] {
            let mut cronjob = cronjob();
            let mut written: Value = serde_json::from_str(cronjob.spec.job_template.as_str()).expect("JSON");
            written["spec"]["ttlSecondsAfterFinished"] = json!(template);
            cronjob.spec.job_template = serde_json::from_value(written).expect("a template");
            let (start, keep) = (start(), TimeDelta::days(keep));
            let job = job_to_backfill(
                &cronjob,
                (&start.name, start.scheduled),
                ("spring", keep),
                &TimeZones::built_in(),
            );
            assert_eq!(job.metadata.labels.expect("labels")[BACKFILL_LABEL], "spring");
            assert_eq!(job.data["spec"]["ttlSecondsAfterFinished"], stays, "{template:?}");
            assert_eq!(job.data["spec"]["newerThanUs"]["depth"], 1);
        }
    }

    /// One row a template: what its pods are annotated with, and what those of a run, of a backfill and of a run by hand are.
    #[test]
    fn pods_are_told_their_instant_where_their_template_asks_for_it() {
        let instant = "2016-05-19T10:00:00Z";
        for (asked, of_a_run, by_hand) in [
            (json!({}), json!({}), json!({})),
            (
                json!({ SCHEDULED_ANNOTATION: "" }),
                json!({ SCHEDULED_ANNOTATION: instant }),
                json!({ SCHEDULED_ANNOTATION: "" }),
            ),
            (
                json!({ SCHEDULED_ANNOTATION: "own" }),
                json!({ SCHEDULED_ANNOTATION: "own" }),
                json!({ SCHEDULED_ANNOTATION: "own" }),
            ),
        ] {
            let mut cronjob = cronjob();
            let template = json!({ "spec": { "template": { "metadata": { "annotations": asked } } } });
            cronjob.spec.job_template = serde_json::from_value(template).expect("a template");
            let (start, zones) = (start(), TimeZones::built_in());
            let instant = (start.name.as_str(), start.scheduled);
            let jobs = [
                job_for(&cronjob, &start, &zones),
                job_to_backfill(&cronjob, instant, ("spring", TimeDelta::days(7)), &zones),
                job_by_hand(&cronjob, "by-hand"),
            ];
            let of_pods = jobs.map(|job| job.data["spec"]["template"]["metadata"]["annotations"].clone());
            assert_eq!(of_pods, [of_a_run.clone(), of_a_run, by_hand]);
        }
    }

    fn cronjob() -> CronJob {
        let text = r#"{
            "metadata": { "name": "mycronjob", "namespace": "snazzycats", "uid": "1a2b3c", "labels": { "not": "copied" } },
            "spec": {
                "schedule": "0 * * * ?",
                "jobTemplate": {
                    "metadata": {
                        "name": "not-copied",
                        "finalizers": ["not/copied"],
                        "labels": { "a": "b" },
                        "annotations": { "x": "y", "batch.kubernetes.io/cronjob-scheduled-timestamp": "overwritten" }
                    },
                    "spec": { "suspend": true, "newerThanUs": { "depth": 1 } }
                }
            }
        }"#;
        serde_json::from_str(text).expect("a CronJob")
    }

    fn start() -> Start {
        let scheduled = "2016-05-19T10:00:00Z".parse().expect("an instant");
        Start {
            name: "mycronjob-24394200".into(),
            scheduled,
            planned: scheduled,
            deadline: None,
            held_back: chrono::TimeDelta::zero(),
            waited: false,
        }
    }
}
