//! Create: from what a client sent to an object with a name, an id and a beginning (`rest.BeforeCreate`).

use serde_json::Value;
use uuid::Uuid;

use super::name::{NAME_ATTEMPTS, generated};
use super::{Mode, Owners, Registry, mistyped, rank_of_new, schema};
use crate::standalone::api::error::ApiError;
use crate::standalone::api::limits::check_size;
use crate::standalone::api::meta;
use crate::standalone::api::ownership::{self, Author};
use crate::standalone::api::resource::Resource;
use crate::standalone::api::zero;
use crate::standalone::store::{Key, Object, Revision, StoreError};

impl Registry {
    /// Keeps a new object. `document` is in the form that is stored, and says no other namespace than `namespace`.
    ///
    /// # Errors
    ///
    /// [`ApiError::AlreadyExists`], [`ApiError::Invalid`] with every broken rule, [`ApiError::NotFound`] for a namespace
    /// that is not there, and the others that their texts explain.
    pub(in crate::standalone::api) async fn create(
        &self,
        resource: &'static Resource,
        namespace: &str,
        mut document: Value,
        mode: Mode,
        owners: Owners<'_>,
    ) -> Result<Object, ApiError> {
        let _turn = self.turns.take(rank_of_new(resource)).await;
        let base = meta::text(&document, "generateName").to_owned();
        let makes_up_name = meta::name(&document).is_empty() && !base.is_empty();
        self.begin(resource, namespace, &mut document)?;
        if resource.namespaced {
            self.open_namespace(resource, namespace, meta::name(&document))
                .await?;
        }
        let attempts_before = if makes_up_name { NAME_ATTEMPTS - 1 } else { 0 };
        for _ in 0..attempts_before {
            meta::set(&mut document, "name", generated(&base));
            match self
                .try_create(resource, namespace, document.clone(), mode, owners)
                .await
            {
                Err(ApiError::AlreadyExists { .. }) => {}
                outcome => return outcome,
            }
        }
        if makes_up_name {
            meta::set(&mut document, "name", generated(&base));
        }
        self.try_create(resource, namespace, document, mode, owners).await
    }

    /// Writes the metadata that is the server's to write.
    fn begin(
        &self,
        resource: &'static Resource,
        namespace: &str,
        document: &mut Value,
    ) -> Result<(), ApiError> {
        if !meta::text(document, "resourceVersion").is_empty() {
            return Err(ApiError::bad_request(
                "resourceVersion should not be set on objects to be created",
            ));
        }
        for field in [
            "resourceVersion",
            "selfLink",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ] {
            meta::remove(document, field);
        }
        zero::drop_empty(document, schema(resource));
        if resource.namespaced {
            meta::set(document, "namespace", namespace);
        } else {
            meta::remove(document, "namespace");
        }
        meta::set(document, "uid", Uuid::new_v4().to_string());
        meta::set(document, "creationTimestamp", meta::time(self.now()));
        if resource.strategy.counts_generations() {
            meta::set(document, "generation", 1);
        } else {
            meta::remove(document, "generation");
        }
        Ok(())
    }

    /// What was sent, with what may be left out, belongs to whoever sent it; what is made up then to nobody.
    fn put_down_owner(&self, resource: &Resource, document: &mut Value, author: &Author) {
        if author.manager.is_none() && meta::get(document, "managedFields").is_none() {
            return;
        }
        let mut sent = document.clone();
        resource.strategy.default(&mut sent);
        ownership::record(None, &mut sent, author, schema(resource), self.now());
        meta::carry(document, &sent, "managedFields");
    }

    async fn try_create(
        &self,
        resource: &'static Resource,
        namespace: &str,
        mut document: Value,
        mode: Mode,
        owners: Owners<'_>,
    ) -> Result<Object, ApiError> {
        match owners {
            Owners::AsBefore => meta::remove(&mut document, "managedFields"),
            Owners::Author(author) => self.put_down_owner(resource, &mut document, author),
            Owners::AsWritten => {}
        }
        resource.strategy.prepare_create(&mut document);
        self.schedule(resource, &mut document);
        let name = meta::name(&document).to_owned();
        let causes = resource.strategy.check(&document, None, &self.zones);
        let causes = causes.map_err(|mistake| mistyped(resource, &mistake))?;
        if !causes.is_empty() {
            return Err(ApiError::Invalid {
                resource,
                name,
                causes,
            });
        }
        check_size(&document)?;
        let key = Key::new(resource.stored_as, namespace, &name);
        let created = match mode {
            Mode::Real => self.store.create(&key, document).await,
            Mode::DryRun => match self.store.get(&key).await {
                Ok(_) => Err(StoreError::AlreadyExists),
                Err(StoreError::NotFound) => Object::stamp(document, Revision::default()),
                Err(error) => Err(error),
            },
        };
        created.map_err(|error| ApiError::of_object(error, resource, &name))
    }
}
