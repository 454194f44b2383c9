//! A namespace that is deleted takes its contents along, and goes when the last of them has gone.
//!
//! Source: `pkg/controller/namespace`.

use serde_json::Value;
use tokio::task::coop::consume_budget;

use super::index::Seen;
use super::owners::resource_of;
use super::remaining::Remaining;
use super::{Collector, settled, stored_resources};
use crate::standalone::api::error::ApiError;
use crate::standalone::api::meta;
use crate::standalone::api::registry::{Deletion, Mode, Owners, Part};
use crate::standalone::api::resource::{NAMESPACES, PODS, RESOURCES, Resource};
use crate::standalone::api::strategy::{OF_CONTENTS, Propagation};
use crate::standalone::api::together::each;
use crate::standalone::store::{Key, Range, Scope};

/// What has become of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is there, and stays.
    Open,
    /// It waits for what is in it to go.
    Going,
    /// It is gone.
    Gone,
}

impl Collector {
    /// Deletes what is in a namespace that goes: its pods first, for what else there is may be of use to them until they end
    /// (`OrderedNamespaceDeletion`).
    pub(super) async fn empty_namespace(&self, name: &str) -> Result<(), ApiError> {
        self.delete_contents(PODS, name).await?;
        self.empty_of_all_else(name).await
    }

    /// Deletes what is in a namespace that goes and has no pods any more, or that is gone: then nobody would hear when its
    /// pods have gone.
    pub(super) async fn empty_of_all_else(&self, name: &str) -> Result<(), ApiError> {
        if self.holds(PODS, name).await? && self.standing_of(name).await? != Standing::Gone {
            return Ok(());
        }
        for resource in contents() {
            self.delete_contents(resource, name).await?;
        }
        self.finish_namespace(name).await
    }

    /// Deletes what there is of a resource in a namespace that goes.
    async fn delete_contents(&self, resource: &'static Resource, name: &str) -> Result<(), ApiError> {
        let scope = Scope::namespace(resource.stored_as, name);
        let page = self.registry.store().list(&scope, Range::default()).await?;
        if self.standing_of(name).await? == Standing::Open {
            return Ok(());
        }
        each(page.objects, async |object| {
            self.delete_content(resource, Seen::read(resource, &object)?)
                .await
        })
        .await
    }

    /// How a namespace stands. It is asked only after what is in it was found, which would else be of another that was made
    /// under its name meanwhile.
    async fn standing_of(&self, name: &str) -> Result<Standing, ApiError> {
        let namespace = self.look(&key_of(name)).await?;
        Ok(match namespace {
            Some(namespace) if namespace.is_deleting => Standing::Going,
            Some(_) => Standing::Open,
            None => Standing::Gone,
        })
    }

    async fn delete_content(&self, resource: &'static Resource, seen: Seen) -> Result<(), ApiError> {
        if seen.is_deleting {
            return Ok(());
        }
        let deletion = Deletion {
            propagation: Some(Propagation::Background),
            uid: Some(seen.uid),
            ..Deletion::default()
        };
        let deleted = self.registry.delete(resource, &seen.key, &deletion, Mode::Real);
        settled(deleted.await)
    }

    /// Lets a namespace go when nothing is in it.
    pub(super) async fn finish_namespace(&self, name: &str) -> Result<(), ApiError> {
        let key = key_of(name);
        // It is looked at before its contents, which would else be of another that was made under its name meanwhile.
        let Some(namespace) = self.look(&key).await? else {
            return Ok(());
        };
        if !namespace.is_deleting || !self.is_empty(name).await? {
            return Ok(());
        }
        let finalize = |current: &Value| {
            let mut finalized = current.clone();
            let finalizers = finalized.pointer_mut("/spec/finalizers");
            if let Some(finalizers) = finalizers.and_then(Value::as_array_mut) {
                finalizers.retain(|name| name != OF_CONTENTS);
            }
            meta::set(&mut finalized, "uid", namespace.uid.as_str());
            Ok(finalized)
        };
        settled(
            self.registry
                .update(
                    NAMESPACES,
                    &key,
                    Part::Any,
                    Mode::Real,
                    Owners::AsBefore,
                    finalize,
                )
                .await,
        )
    }

    async fn is_empty(&self, name: &str) -> Result<bool, ApiError> {
        for resource in contents() {
            if self.holds(resource, name).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether there is anything of a resource in a namespace.
    async fn holds(&self, resource: &Resource, name: &str) -> Result<bool, ApiError> {
        let scope = Scope::namespace(resource.stored_as, name);
        let one = Range {
            limit: Some(1),
            ..Range::default()
        };
        let page = self.registry.store().list(&scope, one).await?;
        Ok(!page.objects.is_empty())
    }

    /// Tells in the status of a namespace that goes what it waits for.
    pub(super) async fn tell_what_remains(&self, name: &str) -> Result<(), ApiError> {
        let key = key_of(name);
        // It is looked at before its contents, which would else be of another that was made under its name meanwhile.
        let Some(namespace) = self.look(&key).await? else {
            return Ok(());
        };
        if !namespace.is_deleting {
            return Ok(());
        }
        let (remaining, now) = (self.remaining(name).await?, self.registry.now());
        let tell = |current: &Value| {
            let mut told = current.clone();
            let mut conditions = current["status"]["conditions"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            remaining.tell(&mut conditions, now);
            told["status"]["conditions"] = conditions.into();
            meta::set(&mut told, "uid", namespace.uid.as_str());
            Ok(told)
        };
        settled(
            self.registry
                .update(NAMESPACES, &key, Part::Any, Mode::Real, Owners::AsBefore, tell)
                .await,
        )
    }

    /// Counts what is in a namespace, in each form in which it is served, as Kubernetes does.
    async fn remaining(&self, name: &str) -> Result<Remaining, ApiError> {
        let mut remaining = Remaining::default();
        for resource in contents() {
            let scope = Scope::namespace(resource.stored_as, name);
            let page = self.registry.store().list(&scope, Range::default()).await?;
            for object in page.objects {
                consume_budget().await;
                let finalizers = Seen::read(resource, &object)?.finalizers;
                let forms = RESOURCES
                    .iter()
                    .filter(|form| form.stored_as == resource.stored_as);
                for form in forms {
                    remaining.add(form, &finalizers);
                }
            }
        }
        Ok(remaining)
    }

    /// Deletes an object whose namespace went between the check for it and the write.
    pub(super) async fn collect_stray(&self, key: &Key) -> Result<(), ApiError> {
        let (Some(resource), Some(seen)) = (resource_of(key), self.look(key).await?) else {
            return Ok(());
        };
        let namespace = key.place.namespace.as_str();
        let goes = match self.standing_of(namespace).await? {
            Standing::Open => false,
            // Its turn comes when the pods have gone.
            Standing::Going => key.resource == PODS.stored_as || !self.holds(PODS, namespace).await?,
            Standing::Gone => true,
        };
        if !goes {
            return Ok(());
        }
        self.delete_content(resource, seen).await
    }
}

/// The resources of which there may be something in a namespace: each collection once.
fn contents() -> impl Iterator<Item = &'static Resource> {
    stored_resources().filter(|resource| resource.namespaced)
}

fn key_of(name: &str) -> Key {
    Key::new(NAMESPACES.stored_as, "", name)
}
