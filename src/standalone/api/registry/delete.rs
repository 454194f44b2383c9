//! Delete: at once, or by a deletion timestamp that others finish (`rest.BeforeDelete`).

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::update::may_go;
use super::{CONFLICT_RETRIES, FOREGROUND, Mode, ORPHAN, Rank, Registry, lost_the_race, read, shown};
use crate::schedule::Timestamp;
use crate::standalone::api::error::ApiError;
use crate::standalone::api::meta;
use crate::standalone::api::resource::Resource;
use crate::standalone::api::strategy::Propagation;
use crate::standalone::store::{Key, Object};

/// How an object is to be deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletion {
    /// What becomes of its dependents; the resource decides when there is none.
    pub propagation: Option<Propagation>,
    /// How many seconds it is given to end; the resource decides when there is none.
    pub grace_seconds: Option<i64>,
    /// Only the object of this id.
    pub uid: Option<String>,
    /// Only this version.
    pub resource_version: Option<String>,
    /// Only while these are its owners, by their uids.
    pub owner_uids: Option<Vec<String>>,
}

/// What a delete did.
#[derive(Debug)]
pub enum Deleted {
    /// The object is gone; this is how it last was.
    Gone(Object),
    /// The object is marked, and goes when those who hold it let it.
    Going(Object),
}

impl Registry {
    /// Deletes an object, or marks it when somebody has to finish first.
    ///
    /// # Errors
    ///
    /// [`ApiError::NotFound`], [`ApiError::Forbidden`] for what is never deleted, and [`ApiError::Conflict`] when a
    /// precondition does not hold.
    pub async fn delete(
        &self,
        resource: &'static Resource,
        key: &Key,
        deletion: &Deletion,
        mode: Mode,
    ) -> Result<Deleted, ApiError> {
        let name = key.place.name.as_str();
        let of_object = |error| ApiError::of_object(error, resource, name);
        let _turn = self.turns.take(Rank::Record).await;
        for _ in 0..CONFLICT_RETRIES {
            let current = self.store.get(key).await.map_err(of_object)?;
            let old = read(&current)?;
            if let Some(why) = resource.strategy.forbids_deletion(name) {
                let name = name.to_owned();
                return Err(ApiError::Forbidden { resource, name, why });
            }
            check_preconditions(resource, name, &old, deletion)?;
            let marked = self.marked(resource, &old, deletion);
            let goes = may_go(resource, &marked);
            if mode == Mode::DryRun {
                let object = shown(marked, &current)?;
                return Ok(if goes {
                    Deleted::Gone(object)
                } else {
                    Deleted::Going(object)
                });
            }
            let written = if goes {
                self.store
                    .delete(key, old, current.revision())
                    .await
                    .map(Deleted::Gone)
            } else if marked == old {
                return Ok(Deleted::Going(current));
            } else {
                self.store
                    .update(key, marked, current.revision())
                    .await
                    .map(Deleted::Going)
            };
            match written {
                Err(error) if lost_the_race(&error) => {}
                outcome => return outcome.map_err(of_object),
            }
        }
        Err(ApiError::modified(resource, name))
    }

    /// The object with a deletion timestamp and the finalizers that the propagation asks for.
    fn marked(&self, resource: &'static Resource, old: &Value, deletion: &Deletion) -> Value {
        let mut marked = old.clone();
        let mut finalizers = meta::finalizers(old);
        match propagation(resource, &finalizers, deletion) {
            Propagation::Background => finalizers.retain(|name| name != FOREGROUND && name != ORPHAN),
            Propagation::Foreground => replace(&mut finalizers, ORPHAN, FOREGROUND),
            Propagation::Orphan => replace(&mut finalizers, FOREGROUND, ORPHAN),
        }
        meta::set_finalizers(&mut marked, finalizers);
        let is_elsewhere = self.is_elsewhere(resource, old);
        let grace = if is_elsewhere {
            0
        } else {
            resource.strategy.grace_seconds(old, deletion.grace_seconds)
        };
        if !meta::is_deleting(old) {
            resource.strategy.begin_deletion(&mut marked);
            if resource.strategy.counts_generations() {
                meta::set(&mut marked, "generation", meta::generation(old) + 1);
            }
            let (now, given) = (self.now(), TimeDelta::try_seconds(grace).unwrap_or_default());
            set_deadline(&mut marked, now.checked_add_signed(given).unwrap_or(now), grace);
        } else if deletion.grace_seconds.is_some() || is_elsewhere {
            self.shorten(&mut marked, grace);
        }
        marked
    }

    /// Shortens the time that an object is given to end, which counts from when its deletion began. It never gets longer,
    /// and a delete that asks for no time in particular leaves it as it is.
    fn shorten(&self, document: &mut Value, grace: i64) {
        let before = meta::get(document, "deletionGracePeriodSeconds").and_then(Value::as_i64);
        let deadline = meta::text(document, "deletionTimestamp").parse::<Timestamp>();
        let (Some(before), Ok(deadline)) = (before, deadline) else {
            return;
        };
        if grace >= before {
            return;
        }
        let now = self.now();
        match deadline.checked_sub_signed(TimeDelta::try_seconds(before - grace).unwrap_or_default()) {
            Some(end) if end >= now => set_deadline(document, end, grace),
            // It is over, and whoever ends the object hears of it all the same, unless no time at all was asked for.
            _ => set_deadline(document, now, grace.min(1)),
        }
    }
}

fn set_deadline(document: &mut Value, end: Timestamp, grace_seconds: i64) {
    meta::set(document, "deletionTimestamp", meta::time(end));
    meta::set(document, "deletionGracePeriodSeconds", json!(grace_seconds));
}

/// What is asked for; else what the object's own finalizers say; else the resource's habit.
fn propagation(resource: &Resource, finalizers: &[String], deletion: &Deletion) -> Propagation {
    let has = |wanted: &str| finalizers.iter().any(|name| name == wanted);
    deletion.propagation.unwrap_or_else(|| match () {
        () if has(ORPHAN) => Propagation::Orphan,
        () if has(FOREGROUND) => Propagation::Foreground,
        () => resource.strategy.default_propagation(),
    })
}

fn replace(finalizers: &mut Vec<String>, unwanted: &str, wanted: &str) {
    finalizers.retain(|name| name != unwanted);
    if !finalizers.iter().any(|name| name == wanted) {
        finalizers.push(wanted.to_owned());
    }
}

/// Fails when it is another object, or another version of it, than the one that is to be deleted.
pub(in crate::standalone::api) fn check_preconditions(
    resource: &'static Resource,
    name: &str,
    old: &Value,
    deletion: &Deletion,
) -> Result<(), ApiError> {
    let failed = |what: &str, wanted: &str, found: &str| {
        let why =
            format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}");
        Err(ApiError::Conflict {
            resource,
            name: name.to_owned(),
            why,
        })
    };
    let revision = meta::text(old, "resourceVersion");
    match (&deletion.uid, &deletion.resource_version) {
        (Some(uid), _) if uid != meta::uid(old) => failed("UID", uid, meta::uid(old)),
        (_, Some(wanted)) if wanted != revision => failed("ResourceVersion", wanted, revision),
        _ => Ok(()),
    }?;
    let owner_uids = meta::owner_uids(old);
    match &deletion.owner_uids {
        Some(wanted) if *wanted != owner_uids => {
            failed("owners", &format!("{wanted:?}"), &format!("{owner_uids:?}"))
        }
        _ => Ok(()),
    }
}
