//! The pods of a Job, from its template.
//!
//! A pod gets the template's labels, annotations, finalizers and spec, the finalizer that keeps it until it is counted,
//! and the Job as its owner. It gets no label that is not in the template: the API has put those there that tell the
//! Job, or, with `manualSelector`, has left it to the user (`GetPodFromTemplate` of Kubernetes' `controller_utils.go`).

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::indexed::{COMPLETION_INDEX, FAILURE_COUNT, IGNORED_FAILURE_COUNT, add_index_variable};
use super::names::prefix;
use super::pods::TRACKING_FINALIZER;

/// What sets a pod of an indexed Job apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its index.
    pub(super) index: i32,
    /// How many pods of the index failed before it, counting and not; nothing, when failures are not counted by index.
    pub(super) failures: Option<(i32, i32)>,
}

/// The pod of this name.
pub(super) fn pod(job: &Job, name: String, place: Option<Place>) -> Pod {
    let template = job
        .spec
        .as_ref()
        .map(|spec| spec.template.clone())
        .unwrap_or_default();
    let from_template = template.metadata.unwrap_or_default();
    let mut spec = template.spec.unwrap_or_default();
    let mut labels = from_template.labels.unwrap_or_default();
    let mut annotations = from_template.annotations.unwrap_or_default();
    if let Some(place) = place {
        put_in_place(job, place, &mut spec, &mut labels, &mut annotations);
    }
    let mut finalizers = from_template.finalizers.unwrap_or_default();
    if !finalizers.iter().any(|finalizer| finalizer == TRACKING_FINALIZER) {
        finalizers.push(TRACKING_FINALIZER.to_owned());
    }
    let job_name = job.metadata.name.as_deref().unwrap_or_default();
    let metadata = ObjectMeta {
        generate_name: Some(prefix(job_name, place.map(|place| place.index))),
        name: Some(name),
        namespace: job.metadata.namespace.clone(),
        labels: Some(labels).filter(|labels| !labels.is_empty()),
        annotations: Some(annotations).filter(|annotations| !annotations.is_empty()),
        finalizers: Some(finalizers),
        owner_references: Some(vec![owner(job)]),
        ..ObjectMeta::default()
    };
    Pod {
        metadata,
        spec: Some(spec),
        status: None,
    }
}

/// Tells a pod its index: as label, annotation, host name and variable.
fn put_in_place(
    job: &Job,
    place: Place,
    spec: &mut PodSpec,
    labels: &mut BTreeMap<String, String>,
    annotations: &mut BTreeMap<String, String>,
) {
    let index = place.index.to_string();
    spec.hostname = Some(format!(
        "{}-{index}",
        job.metadata.name.as_deref().unwrap_or_default()
    ));
    spec.init_containers
        .iter_mut()
        .flatten()
        .chain(&mut spec.containers)
        .for_each(add_index_variable);
    labels.insert(COMPLETION_INDEX.to_owned(), index.clone());
    annotations.insert(COMPLETION_INDEX.to_owned(), index);
    if let Some((counting, ignored)) = place.failures {
        annotations.insert(FAILURE_COUNT.to_owned(), counting.to_string());
        if ignored > 0 {
            annotations.insert(IGNORED_FAILURE_COUNT.to_owned(), ignored.to_string());
        }
    }
}

/// The Job as the owner of its pods.
pub(super) fn owner(job: &Job) -> OwnerReference {
    OwnerReference {
        api_version: "batch/v1".to_owned(),
        kind: "Job".to_owned(),
        name: job.metadata.name.clone().unwrap_or_default(),
        uid: job.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}
