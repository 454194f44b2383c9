//! Puts the manifests into the embedded API, which may hold them from before: applying a file twice is as applying it
//! once, and what is not in the files is left alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, ObjectMeta};
use kube::{Api, Client};

use crate::cli::exit::Failure;
use crate::cli::present::wall_clock;
use crate::cli::up::happening::{LoadedObject, Timing};
use crate::clock::SharedClock;
use crate::cronjob::Key;
use crate::manifest::{self, Manifest, Object};
use crate::schedule::TimeZones;

/// How many objects are written at one time: they share the syncs of the disk.
const WRITES_AT_ONCE: usize = 64;

/// Creates the namespaces and then puts the objects, and returns what is shown of them.
pub(super) async fn apply(
    client: Client,
    manifests: Vec<Manifest>,
    zones: &Arc<TimeZones>,
    clock: &SharedClock,
) -> Result<Vec<LoadedObject>, Failure> {
    create_namespaces(&client, &manifests).await?;
    let writes = manifests
        .into_iter()
        .map(|manifest| apply_one(&client, manifest, zones, clock));
    stream::iter(writes).buffered(WRITES_AT_ONCE).try_collect().await
}

async fn apply_one(
    client: &Client,
    manifest: Manifest,
    zones: &TimeZones,
    clock: &SharedClock,
) -> Result<LoadedObject, Failure> {
    let Manifest { object, json, place } = manifest;
    let described = describe(&object, zones, clock);
    let object: DynamicObject =
        serde_json::from_value(json).map_err(|error| Failure::refused(format!("{place}: {error}")))?;
    let resource = resource(described.kind);
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &described.key.namespace, &resource);
    put(&api, &object).await.map_err(|error| {
        let (kind, key) = (described.kind, &described.key);
        Failure::refused(format!("{kind} {key} was refused: {}", refusal(&error)))
    })?;
    Ok(described)
}

/// Creates an object, or changes the one of its name to what is written.
async fn put(api: &Api<DynamicObject>, object: &DynamicObject) -> kube::Result<()> {
    let current = match object.metadata.name.as_deref() {
        Some(name) => api.get_opt(name).await?,
        // A Job with a `generateName`: another one each time.
        None => None,
    };
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let Some(current) = current else {
        api.create(&PostParams::default(), object).await?;
        return Ok(());
    };
    if object.types.as_ref().is_some_and(|types| types.kind == "CronJob") {
        api.replace(name, &PostParams::default(), &updated(current, object))
            .await?;
    } else {
        // The API server has added to the spec of a Job, and would not let that be taken out.
        api.patch(name, &PatchParams::default(), &Patch::Merge(object))
            .await?;
    }
    Ok(())
}

/// The object that is there with the spec that is written; labels and annotations of others stay. No version is
/// asked for: the file has the last word.
fn updated(mut current: DynamicObject, written: &DynamicObject) -> DynamicObject {
    current.metadata.resource_version = None;
    current
        .metadata
        .labels
        .get_or_insert_default()
        .extend(written.metadata.labels.clone().unwrap_or_default());
    let annotations = written.metadata.annotations.clone().unwrap_or_default();
    current
        .metadata
        .annotations
        .get_or_insert_default()
        .extend(annotations);
    current.data["spec"] = written.data["spec"].clone();
    current
}

async fn create_namespaces(client: &Client, manifests: &[Manifest]) -> Result<(), Failure> {
    let names: BTreeSet<_> = manifests
        .iter()
        .map(|manifest| key(&manifest.object).namespace)
        .collect();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    for name in names {
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            ..ObjectMeta::default()
        };
        let namespace = Namespace {
            metadata,
            ..Namespace::default()
        };
        match namespaces.create(&PostParams::default(), &namespace).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            Err(error) => {
                return Err(Failure::refused(format!(
                    "namespace {name} was refused: {}",
                    refusal(&error)
                )));
            }
        }
    }
    Ok(())
}

fn key(object: &Object) -> Key {
    match object {
        Object::CronJob(cronjob) => cronjob.key(),
        Object::Job(job) => Key {
            namespace: job.metadata.namespace.clone().unwrap_or_default(),
            name: job
                .metadata
                .name
                .clone()
                .or(job.metadata.generate_name.clone())
                .unwrap_or_default(),
        },
    }
}

pub(super) fn describe(object: &Object, zones: &TimeZones, clock: &SharedClock) -> LoadedObject {
    let key = key(object);
    let Object::CronJob(object) = object else {
        return LoadedObject {
            kind: "Job",
            key,
            timing: None,
        };
    };
    let spec = manifest::lower(object, zones, None).spec;
    let now = clock.now();
    let next = spec
        .schedule
        .as_ref()
        .ok()
        .and_then(|schedule| schedule.next(now));
    let next_local = spec
        .schedule
        .as_ref()
        .ok()
        .zip(next)
        .map(|(schedule, at)| wall_clock(at, schedule.zone()));
    let zone = spec
        .schedule
        .as_ref()
        .map(|schedule| schedule.zone().name().to_owned())
        .unwrap_or_default();
    let timing = Timing {
        suspended: spec.is_suspended(now),
        schedule: spec.schedule_text,
        zone,
        next,
        next_local,
    };
    LoadedObject {
        kind: "CronJob",
        key,
        timing: Some(timing),
    }
}

fn resource(kind: &str) -> ApiResource {
    match kind {
        "CronJob" => ApiResource::erase::<manifest::CronJob>(&()),
        _ => ApiResource::erase::<k8s_openapi::api::batch::v1::Job>(&()),
    }
}

fn refusal(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => crate::cli::chain(other),
    }
}
