//! A namespace that is deleted takes its contents along, and goes when the last of them has gone.
//!
//! Source: `pkg/controller/namespace`.

use serde_json::{Value, json};

use super::index::Seen;
use super::{Collector, settled, stored_resources};
use crate::standalone::api::error::ApiError;
use crate::standalone::api::registry::{Deletion, Mode, Owners, Part};
use crate::standalone::api::resource::NAMESPACES;
use crate::standalone::api::strategy::Propagation;
use crate::standalone::store::{Key, Range, Scope};

impl Collector {
    /// Deletes what is in a namespace; lets the namespace go when nothing is.
    pub(super) async fn empty_namespace(&mut self, name: &str) -> Result<(), ApiError> {
        let deletion = Deletion {
            propagation: Some(Propagation::Background),
            ..Deletion::default()
        };
        for resource in stored_resources().filter(|resource| resource.namespaced) {
            let scope = Scope::namespace(resource.stored_as, name);
            let page = self.registry.store().list(&scope, Range::default()).await;
            for object in page?.objects {
                let seen = Seen::read(resource, &object)?;
                if !seen.is_deleting {
                    settled(
                        self.registry
                            .delete(resource, &seen.key, &deletion, Mode::Real)
                            .await,
                    )?;
                }
            }
        }
        if self.is_empty(name).await? {
            let key = Key::new(NAMESPACES.stored_as, "", name);
            let finalize = |current: &Value| {
                let mut finalized = current.clone();
                finalized["spec"] = json!({});
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
            )?;
        }
        Ok(())
    }

    async fn is_empty(&self, name: &str) -> Result<bool, ApiError> {
        for resource in stored_resources().filter(|resource| resource.namespaced) {
            let scope = Scope::namespace(resource.stored_as, name);
            let one = Range {
                limit: Some(1),
                ..Range::default()
            };
            let page = self.registry.store().list(&scope, one).await;
            if !page?.objects.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes an object whose namespace went between the check for it and the write.
    pub(super) async fn collect_stray(&mut self, seen: &Seen) -> Result<(), ApiError> {
        let namespace = &seen.key.place.namespace;
        match self.registry.get(NAMESPACES, "", namespace).await {
            Ok(_) if self.terminating.contains(namespace) => self.empty_namespace(namespace).await,
            Err(ApiError::NotFound { .. }) => self.empty_namespace(namespace).await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
