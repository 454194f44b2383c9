//! Puts the manifests into the embedded API, which may hold them from before: applying a file twice is as applying it
//! once, and what is not in the files is left alone.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind, ObjectMeta};
use kube::{Api, Client};

use crate::cli::calendars::of_machine;
use crate::cli::complain;
use crate::cli::exit::Failure;
use crate::cli::present::wall_clock;
use crate::cli::up::ends;
use crate::cli::up::happening::{LoadedObject, Timing};
use crate::cli::up::item::{Id, Item};
use crate::cli::up::origin;
use crate::cli::up::refusal::Refusal;
use crate::clock::SharedClock;
use crate::cronjob::extension::APPLIED_FROM_ANNOTATION;
use crate::cronjob::{Calendars, Key};
use crate::manifest::{self, Object};
use crate::policy;
use crate::schedule::TimeZones;

/// How many objects are written at one time: they share the syncs of the disk.
const WRITES_AT_ONCE: usize = 64;

/// Who owns what manifests say, in `metadata.managedFields`.
pub(super) const MANAGER: &str = "punctual";

/// What an API server says of a field that can't be changed.
const IMMUTABLE: &str = "field is immutable";

/// What became of the manifests.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// What is shown of those that were taken.
    pub(super) loaded: Vec<LoadedObject>,
    /// What was not taken, and was told.
    pub(super) refused: BTreeMap<Id, Refusal>,
}

/// Creates the namespaces and then puts the objects.
///
/// One that is not taken is an error, unless something goes on in its place: what its file held before, where files are
/// followed, or a Job that is there and can't be changed. Then it is told, and keeps nothing else from running.
pub(super) async fn apply(
    client: &Client,
    items: &[Item],
    zones: &TimeZones,
    clock: &SharedClock,
) -> Result<Applied, Failure> {
    create_namespaces(client, items).await?;
    let mut applied = Applied::default();
    // What others need is there before them.
    let (to_run, needed): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|item| item.object.is_some());
    for item in needed {
        if let Err(refusal) = apply_or_go_on(client, item).await? {
            applied.refused.insert(item.id.clone(), refusal);
        }
    }
    let calendars = &of_machine(client).await;
    let mut writes = Vec::with_capacity(to_run.len());
    for item in to_run {
        writes.push(async move { Ok::<_, Failure>((item, apply_or_go_on(client, item).await?)) });
    }
    let mut writes = stream::iter(writes).buffered(WRITES_AT_ONCE);
    while let Some((item, taken)) = writes.try_next().await? {
        match taken {
            Ok(taken) => {
                let object = item.object.clone().map(|object| as_taken(object, taken));
                let described = object.map(|object| describe(&object, zones, calendars, clock));
                applied.loaded.extend(described);
            }
            Err(refusal) => {
                applied.refused.insert(item.id.clone(), refusal);
            }
        }
    }
    Ok(applied)
}

/// Puts one object; what it is then, or why it was not taken, which is told. See [`apply`].
async fn apply_or_go_on(client: &Client, item: &Item) -> Result<Result<DynamicObject, Refusal>, Failure> {
    let refusal = match apply_one(client, item).await {
        Ok(taken) => return Ok(Ok(taken)),
        Err(refusal) => refusal,
    };
    let is_there = item.id.kind == "Job" && find(client, &item.id).await?.is_some();
    if !item.is_followed && !is_there {
        return Err(refusal.into());
    }
    let why = if item.is_followed {
        refusal.told()
    } else {
        refusal.message.clone()
    };
    complain(&format!("error: {}: {why}", item.file));
    Ok(Err(refusal))
}

/// Puts one object. Its namespace has to be there.
pub(super) async fn apply_one(client: &Client, item: &Item) -> Result<DynamicObject, Refusal> {
    let mut object: DynamicObject = serde_json::from_value(item.json.clone()).map_err(|error| Refusal {
        message: format!("{}: {}: {error}", item.file, item.id),
        may_pass: false,
    })?;
    if let Some(annotations) = &mut object.metadata.annotations {
        // Of an object that was exported: it says where that one came from.
        annotations.remove(APPLIED_FROM_ANNOTATION);
    }
    let from = if item.is_followed {
        Some(origin::of_file(&item.file))
    } else {
        // Where files are followed at other times, it goes with its file then.
        let there = find(client, &item.id).await?;
        there.as_ref().and_then(origin::applied_from).cloned()
    };
    if let Some(from) = from {
        let annotations = object.metadata.annotations.get_or_insert_default();
        annotations.insert(APPLIED_FROM_ANNOTATION.into(), from);
    }
    let put = put(&api(client, &item.id), object).await;
    put.map_err(|error| refused(item, &error))
}

/// Why an object was not taken, and what to do.
fn refused(item: &Item, error: &kube::Error) -> Refusal {
    let id = &item.id;
    let mut refusal = Refusal::of(&format!("{id} was refused"), error);
    if id.kind == "Job" && refusal.message.contains(IMMUTABLE) {
        let Key { namespace, name } = &id.key;
        refusal.message = format!(
            "{id} is there, and its template can't be changed any more: it goes on as it is; give the changed one another \
             name, or delete the one that is there while punctual runs, and save or apply the file again: kubectl delete \
             job {name} -n {namespace}"
        );
    }
    refusal
}

/// What is known by this name, if anything is.
pub(super) async fn find(client: &Client, id: &Id) -> Result<Option<DynamicObject>, Refusal> {
    let found = api(client, id).get_opt(&id.key.name).await;
    found.map_err(|error| Refusal::of(&format!("{id} could not be read"), &error))
}

/// Deletes this object, with everything that belongs to it; whether it was there. Another one of its name is not touched.
pub(super) async fn delete(client: &Client, id: &Id, uid: Option<String>) -> Result<bool, Refusal> {
    let preconditions = Preconditions {
        uid,
        resource_version: None,
    };
    let params = DeleteParams {
        preconditions: Some(preconditions),
        ..DeleteParams::background()
    };
    match api(client, id).delete(&id.key.name, &params).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(false),
        Err(error) => Err(Refusal::of(&format!("{id} could not be deleted"), &error)),
        Ok(_) => Ok(true),
    }
}

/// The resource of a kind.
pub(super) fn resource(kind: &str) -> ApiResource {
    match kind {
        "CronJob" => ApiResource::erase::<manifest::CronJob>(&()),
        "Job" => ApiResource::erase::<Job>(&()),
        kind => ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", kind)),
    }
}

fn api(client: &Client, id: &Id) -> Api<DynamicObject> {
    let resource = resource(id.kind);
    match id.kind {
        "Namespace" => Api::all_with(client.clone(), &resource),
        _ => Api::namespaced_with(client.clone(), &id.key.namespace, &resource),
    }
}

/// Creates an object, or makes the one of its name what is written, as `kubectl apply --server-side --force-conflicts` does:
/// the file has the last word on what it says, what it says no more goes, and what others say besides stays.
async fn put(api: &Api<DynamicObject>, object: DynamicObject) -> kube::Result<DynamicObject> {
    let name = object.metadata.name.clone().unwrap_or_default();
    let params = PatchParams::apply(MANAGER).force();
    api.patch(&name, &params, &Patch::Apply(configuration(object)))
        .await
}

/// The part of an object that somebody can want: one that was exported says more, of the one that it was.
fn configuration(mut object: DynamicObject) -> DynamicObject {
    object.metadata = ObjectMeta {
        name: object.metadata.name,
        namespace: object.metadata.namespace,
        labels: object.metadata.labels,
        annotations: object.metadata.annotations,
        finalizers: object.metadata.finalizers,
        owner_references: object.metadata.owner_references,
        ..ObjectMeta::default()
    };
    if let Some(fields) = object.data.as_object_mut() {
        fields.remove("status");
    }
    object
}

/// What was written as it is now that it was taken: when a CronJob was made and when it last ran tell when `@every` is due
/// next, and a Job may have ended.
pub(super) fn as_taken(object: Object, taken: DynamicObject) -> Object {
    match object {
        Object::CronJob(written) => Object::CronJob(taken.try_parse().map_or(written, Box::new)),
        Object::Job(written) => Object::Job(taken.try_parse().map_or(written, Box::new)),
    }
}

/// Creates the namespaces that objects are to be in.
pub(super) async fn create_namespaces(client: &Client, items: &[Item]) -> Result<(), Refusal> {
    let names: BTreeSet<_> = items
        .iter()
        .map(|item| item.id.key.namespace.clone())
        .filter(|namespace| !namespace.is_empty())
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
        // Nothing is to be written for what is there: the disk may be full.
        match namespaces.get_opt(&name).await {
            Ok(None) => {}
            Ok(Some(_)) => continue,
            Err(error) => {
                return Err(Refusal::of(
                    &format!("namespace {name} could not be read"),
                    &error,
                ));
            }
        }
        match namespaces.create(&PostParams::default(), &namespace).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            Err(error) => return Err(Refusal::of(&format!("namespace {name} was refused"), &error)),
        }
    }
    Ok(())
}

fn key(object: &Object) -> Key {
    match object {
        Object::CronJob(cronjob) => cronjob.key(),
        Object::Job(job) => manifest::key_of(&job.metadata),
    }
}

pub(super) fn describe(
    object: &Object,
    zones: &TimeZones,
    calendars: &Calendars,
    clock: &SharedClock,
) -> LoadedObject {
    let key = key(object);
    let object = match object {
        Object::CronJob(object) => object,
        Object::Job(job) => {
            return LoadedObject {
                kind: "Job",
                key,
                timing: None,
                rest: ends::rest(job),
                comes_again: job
                    .spec
                    .as_ref()
                    .is_some_and(|spec| spec.ttl_seconds_after_finished.is_some()),
            };
        }
    };
    let mut cronjob = manifest::lower_with(object, zones, calendars, None);
    let now = clock.now();
    if let Ok(schedule) = &cronjob.spec.schedule {
        // As it will be as soon as the controller has looked at it.
        let recorded = cronjob.status.last_schedule_time.unwrap_or(cronjob.created);
        let healed = policy::healed(recorded, schedule, now);
        cronjob.status.last_schedule_time = healed.or(cronjob.status.last_schedule_time);
    }
    let next = cronjob.next_due(now);
    let suspended = cronjob.is_suspended(now);
    let spec = cronjob.spec;
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
        .ok()
        .or(spec.time_zone)
        .unwrap_or_default();
    let timing = Timing {
        suspended,
        held: spec.schedule.is_err(),
        schedule: spec.schedule_text,
        zone,
        next,
        next_local,
    };
    LoadedObject {
        kind: "CronJob",
        key,
        timing: Some(timing),
        rest: None,
        comes_again: false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::clock::ManualClock;

    /// `@every` counts from the last run, which a clock that was ahead has recorded in the future.
    #[tokio::test(start_paused = true)]
    async fn a_record_of_the_future_is_taken_back_before_the_next_run_is_shown() {
        for (recorded, next) in [
            ("2026-11-27T21:59:50Z", "2026-11-27T22:00:00Z"),
            ("2026-11-27T22:59:50Z", "2026-11-27T22:00:05Z"),
        ] {
            let object = json!({
                "metadata": {"name": "a", "namespace": "default", "creationTimestamp": "2026-11-27T20:00:00Z"},
                "spec": {"schedule": "@every 10s", "jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}},
                "status": {"lastScheduleTime": recorded},
            });
            let object = serde_json::from_str(&object.to_string()).expect("a CronJob");
            let now = "2026-11-27T21:59:55Z".parse().expect("an instant");
            let clock: SharedClock = Arc::new(ManualClock::starting_at(now));
            let described = describe(
                &Object::CronJob(Box::new(object)),
                &TimeZones::built_in(),
                &Calendars::default(),
                &clock,
            );
            let timing = described.timing.expect("it has a schedule");
            assert_eq!(timing.next, Some(next.parse().expect("an instant")), "{recorded}");
        }
    }
}
