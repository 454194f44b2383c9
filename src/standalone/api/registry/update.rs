//! Update: a new version of an object, based on an older one (`rest.BeforeUpdate`).

use serde_json::{Value, json};

use super::{CONFLICT_RETRIES, Mode, Owners, Rank, Registry, lost_the_race, mistyped, read, schema, shown};
use crate::standalone::api::cause::Cause;
use crate::standalone::api::error::ApiError;
use crate::standalone::api::limits::check_size;
use crate::standalone::api::meta;
use crate::standalone::api::ownership;
use crate::standalone::api::resource::Resource;
use crate::standalone::api::zero;
use crate::standalone::store::{Key, Object};

/// Which part of an object a write is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The object, without its status where that is a part of its own.
    Main,
    /// The status, with the labels and annotations.
    Status,
    /// The finalizers in the spec of a namespace, with its metadata.
    Finalize,
    /// Whatever the writer wants: the API's own housekeeping.
    Any,
}

impl Registry {
    /// Changes an object by a function of its current version, again and again until nobody else got in between.
    ///
    /// A change that says a `metadata.resourceVersion` other than the current one is a conflict at once.
    ///
    /// # Errors
    ///
    /// [`ApiError::NotFound`], [`ApiError::Conflict`], [`ApiError::Invalid`], and those of `change`.
    pub(in crate::standalone::api) async fn update(
        &self,
        resource: &'static Resource,
        key: &Key,
        part: Part,
        mode: Mode,
        owners: Owners<'_>,
        change: impl Fn(&Value) -> Result<Value, ApiError> + Send + Sync,
    ) -> Result<Object, ApiError> {
        let name = key.place.name.as_str();
        let of_object = |error| ApiError::of_object(error, resource, name);
        let _turn = self.turns.take(Rank::Record).await;
        for _ in 0..CONFLICT_RETRIES {
            let current = self.store.get(key).await.map_err(of_object)?;
            let mut old = read(&current)?;
            if part != Part::Status {
                // What an older version has kept would be taken for a change; a status leaves all of it as it is.
                zero::drop_all(&mut old, schema(resource));
            }
            let Some(new) = self.next_version(resource, name, (part, owners), &old, change(&old)?)? else {
                return Ok(current);
            };
            if mode == Mode::DryRun {
                return shown(new, &current);
            }
            let gone = may_go(resource, &new);
            let written = if gone {
                self.store.delete(key, new, current.revision()).await
            } else {
                self.store.update(key, new, current.revision()).await
            };
            match written {
                Err(error) if lost_the_race(&error) => {}
                outcome => return outcome.map_err(of_object),
            }
        }
        Err(ApiError::modified(resource, name))
    }

    /// What the object becomes; `None` when nothing changes.
    fn next_version(
        &self,
        resource: &'static Resource,
        name: &str,
        (part, owners): (Part, Owners<'_>),
        old: &Value,
        mut new: Value,
    ) -> Result<Option<Value>, ApiError> {
        check_identity(resource, name, old, &new)?;
        let forgets_owners = ownership::reset(&new);
        zero::drop_all(&mut new, schema(resource));
        keep_other_parts(resource, part, old, &mut new);
        let mut causes = keep_metadata(old, &mut new);
        if matches!(part, Part::Main | Part::Finalize) {
            resource.strategy.default(&mut new);
        }
        match part {
            Part::Main => resource.strategy.prepare_update(&mut new, old),
            Part::Status => resource.strategy.prepare_status(&mut new, old),
            Part::Finalize => resource.strategy.prepare_finalize(&mut new),
            Part::Any => {}
        }
        if resource.strategy.counts_generations() && differs_in_intent(old, &new) {
            meta::set(&mut new, "generation", meta::generation(old) + 1);
        }
        match owners {
            Owners::AsBefore => meta::carry(&mut new, old, "managedFields"),
            Owners::Author(_) if forgets_owners => meta::remove(&mut new, "managedFields"),
            Owners::Author(author) => {
                ownership::record(Some(old), &mut new, author, schema(resource), self.now());
            }
            Owners::AsWritten => {}
        }
        let is_applied_again = || matches!(owners, Owners::AsWritten) && ownership::is_unchanged(old, &new);
        if causes.is_empty() && (&new == old || is_applied_again()) {
            return Ok(None);
        }
        let checked = match part {
            Part::Main | Part::Finalize => resource.strategy.check(&new, Some(old), &self.zones),
            Part::Status => resource.strategy.check_status(&new, old),
            Part::Any => resource.strategy.object_type().check(&new).map(|()| Vec::new()),
        };
        causes.extend(checked.map_err(|mistake| mistyped(resource, &mistake))?);
        if causes.is_empty() {
            if part != Part::Any {
                check_size(&new)?;
            }
            // What kept it back may have gone.
            self.schedule(resource, &mut new);
            Ok(Some(new))
        } else {
            Err(ApiError::Invalid {
                resource,
                name: name.to_owned(),
                causes,
            })
        }
    }
}

/// Whether an object that is being deleted has nothing left to wait for.
pub(super) fn may_go(resource: &Resource, document: &Value) -> bool {
    let grace_seconds = meta::get(document, "deletionGracePeriodSeconds")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    meta::is_deleting(document)
        && meta::finalizers(document).is_empty()
        && grace_seconds == 0
        && !resource.strategy.is_held(document)
}

/// Fails unless the new version is one of this very object, and based on the version that is there.
fn check_identity(resource: &'static Resource, name: &str, old: &Value, new: &Value) -> Result<(), ApiError> {
    let (old_uid, new_uid) = (meta::uid(old), meta::uid(new));
    if !new_uid.is_empty() && new_uid != old_uid {
        let why =
            format!("Precondition failed: UID in precondition: {new_uid}, UID in object meta: {old_uid}");
        return Err(ApiError::Conflict {
            resource,
            name: name.to_owned(),
            why,
        });
    }
    let based_on = meta::text(new, "resourceVersion");
    if (based_on.is_empty() || based_on == "0") && resource.strategy.update_needs_revision() {
        let causes = vec![Cause::invalid(
            "metadata.resourceVersion",
            &json!(0),
            "must be specified for an update",
        )];
        return Err(ApiError::Invalid {
            resource,
            name: name.to_owned(),
            causes,
        });
    }
    if based_on.is_empty() || based_on == "0" || based_on == meta::text(old, "resourceVersion") {
        return Ok(());
    }
    if based_on.parse::<u64>().is_ok() {
        return Err(ApiError::modified(resource, name));
    }
    let detail = "must be the resource version of an object that was read";
    let causes = vec![Cause::invalid(
        "metadata.resourceVersion",
        &json!(based_on),
        detail,
    )];
    Err(ApiError::Invalid {
        resource,
        name: name.to_owned(),
        causes,
    })
}

/// Takes the parts of the object that this write is not for from the old version.
fn keep_other_parts(resource: &Resource, part: Part, old: &Value, new: &mut Value) {
    let Some(fields) = new.as_object_mut() else { return };
    match part {
        Part::Any => {}
        Part::Main if !resource.has_status => {}
        Part::Main | Part::Finalize => match old.get("status") {
            Some(status) => drop(fields.insert("status".to_owned(), status.clone())),
            None => drop(fields.remove("status")),
        },
        Part::Status => {
            fields.retain(|field, _| field == "metadata" || field == "status");
            let others = old.as_object().into_iter().flatten();
            for (field, value) in others.filter(|(field, _)| *field != "metadata" && *field != "status") {
                fields.insert(field.clone(), value.clone());
            }
        }
    }
}

/// Keeps the metadata that never changes, or that only the server changes; complains of attempts at it.
fn keep_metadata(old: &Value, new: &mut Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for field in [
        "name",
        "namespace",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        match (meta::get(old, field), meta::get(new, field)) {
            (Some(old), Some(new)) if old != new => causes.push(immutable(field, new)),
            // Only a delete begins one.
            (None, Some(new)) if field == "deletionTimestamp" => causes.push(immutable(field, new)),
            _ => meta::carry(new, old, field),
        }
    }
    for field in ["uid", "resourceVersion", "generation", "generateName"] {
        meta::carry(new, old, field);
    }
    meta::remove(new, "selfLink");
    // Kubernetes does not complain of another beginning, it ignores it.
    meta::remove(new, "creationTimestamp");
    meta::carry(new, old, "creationTimestamp");
    if meta::is_deleting(old) {
        let before = meta::finalizers(old);
        let added: Vec<String> = meta::finalizers(new)
            .into_iter()
            .filter(|name| !before.contains(name))
            .collect();
        if !added.is_empty() {
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers {added:?}"
            );
            causes.push(Cause::forbidden("metadata.finalizers", &detail));
        }
    }
    causes
}

fn immutable(field: &str, value: &Value) -> Cause {
    Cause::invalid(format!("metadata.{field}"), value, "field is immutable")
}

/// Whether anything but metadata and status differs.
fn differs_in_intent(old: &Value, new: &Value) -> bool {
    let intent = |document: &Value| -> Vec<(String, Value)> {
        let fields = document.as_object().into_iter().flatten();
        let intended = fields.filter(|(field, _)| *field != "metadata" && *field != "status");
        intended
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect()
    };
    intent(old) != intent(new)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::schedule::TimeZones;
    use crate::standalone::api::ownership::Author;
    use crate::standalone::store::MemoryStore;

    /// Earlier versions kept empty lists, which no typed client sends back.
    #[tokio::test]
    async fn an_object_of_an_older_version_can_be_written_as_typed_clients_read_it() {
        let store = MemoryStore::with_window(10);
        let zones = Arc::new(TimeZones::built_in());
        let registry = Registry::new(Arc::new(store), Arc::new(SystemClock), zones);
        let jobs = Resource::of("batch/v1", "Job").unwrap();
        let key = Key::new(jobs.stored_as, "default", "old");
        let labels = json!({ "own": "1" });
        let container = json!({ "name": "c", "image": "i", "env": [] });
        let mut kept = json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": { "name": "old", "namespace": "default", "uid": "u", "generation": 1 },
            "spec": {
                "manualSelector": true,
                "selector": { "matchLabels": labels },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": { "restartPolicy": "Never", "volumes": [], "containers": [container] },
                },
            },
        });
        jobs.strategy.default(&mut kept);
        registry.store().create(&key, kept.clone()).await.unwrap();
        let author = Author {
            manager: None,
            api_version: "batch/v1".to_owned(),
            subresource: "",
            untouchable: &[],
        };
        let as_read = |old: &Value| {
            let mut new = old.clone();
            let pod = new.pointer_mut("/spec/template/spec").unwrap();
            pod.as_object_mut().unwrap().remove("volumes");
            pod["containers"][0].as_object_mut().unwrap().remove("env");
            meta::set(&mut new, "labels", json!({ "new": "1" }));
            Ok(new)
        };
        let owners = Owners::Author(&author);
        let updated = registry.update(jobs, &key, Part::Main, Mode::Real, owners, as_read);
        let updated = read(&updated.await.unwrap()).unwrap();
        assert_eq!(updated["metadata"]["labels"]["new"], "1");
        assert_eq!(meta::generation(&updated), 1);
    }
}
