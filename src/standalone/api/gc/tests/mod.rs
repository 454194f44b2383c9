//! The collector in slow motion: what happens while it has heard of something and has not acted yet.

use std::sync::Arc;

use serde_json::{Value, json};

mod events;
mod meddler;
mod namespaces;
mod owners;

use self::meddler::{Meddler, Moment};
use super::merged::ResourceEvent;
use super::*;
use crate::clock::SystemClock;
use crate::schedule::TimeZones;
use crate::standalone::api::meta;
use crate::standalone::api::registry::{Deletion, Mode, Owners, Part, read};
use crate::standalone::api::resource::{NAMESPACES, PODS};
use crate::standalone::api::strategy::Propagation;
use crate::standalone::store::{Change, Key, Revision, SharedStore, Store};

/// A registry with the namespace `shop`, and a collector that hears and acts when it is told to.
struct Scene {
    store: Arc<Meddler>,
    registry: Registry,
    collector: Collector,
    happening: Merged,
    heard: Revision,
}

impl Scene {
    async fn begin() -> Self {
        let store = Arc::new(Meddler::default());
        let registry = registry_over(store.clone());
        let mut collector = Collector::new(registry.clone());
        let happening = collector.begin().await.expect("a list of everything");
        let scene = Self {
            store,
            registry,
            collector,
            happening,
            heard: Revision::default(),
        };
        make_namespace(&scene.registry).await;
        scene
    }

    async fn make_map(&self, name: &str, owners: &[(&str, &str)]) -> String {
        make_map(&self.registry, name, owners).await
    }

    /// Deletes a config map.
    async fn delete(&self, name: &str, propagation: Propagation) {
        let deletion = Deletion {
            propagation: Some(propagation),
            ..Deletion::default()
        };
        let key = map(name);
        let deleted = self.registry.delete(maps(), &key, &deletion, Mode::Real);
        deleted.await.expect("it is there");
    }

    /// A config map, if it is there.
    async fn find(&self, name: &str) -> Option<Value> {
        let found = self.registry.get(maps(), "shop", name).await.ok()?;
        Some(read(&found).expect("JSON"))
    }

    /// Does this with the store, by nobody's leave, just before a moment of the collector's.
    fn meddle<F>(&self, when: Moment, what: impl FnOnce(Registry) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let registry = registry_over(Arc::new(self.store.store.clone()));
        self.store.meddle(when, what(registry));
    }

    /// What has happened and was not heard of yet.
    async fn news(&mut self) -> Vec<ResourceEvent> {
        let now = self.registry.store().revision().await.expect("a revision");
        let mut news = Vec::new();
        while self.heard < now {
            news.extend(self.happening.next().await.expect("the store goes on"));
            self.heard = news.last().map_or(now, |(_, event)| event.object.revision());
        }
        news
    }

    fn hear_of(&mut self, (resource, event): &ResourceEvent) {
        let seen = Seen::read(resource, &event.object).expect("an object");
        self.collector.known.hear(resource, event.change, &seen);
    }

    /// The collector hears of all that has happened.
    async fn hear(&mut self) {
        for event in self.news().await {
            self.hear_of(&event);
        }
    }

    async fn act(&mut self) {
        self.collector.carry_out().await.expect("the store goes on");
    }

    /// It acts on whatever it hears, one after the other, until nothing happens any more; gives the names of what has gone.
    async fn settle(&mut self) -> Vec<String> {
        self.act().await;
        let mut gone = Vec::new();
        loop {
            let news = self.news().await;
            if news.is_empty() {
                return gone;
            }
            for event in news {
                self.hear_of(&event);
                if event.1.change == Change::Deleted {
                    gone.push(meta::name(&read(&event.1.object).expect("JSON")).to_owned());
                }
                self.act().await;
            }
        }
    }
}

fn registry_over(store: SharedStore) -> Registry {
    Registry::new(store, SystemClock::shared(), Arc::new(TimeZones::built_in()))
}

fn maps() -> &'static Resource {
    Resource::of("v1", "ConfigMap").expect("config maps")
}

fn map(name: &str) -> Key {
    Key::new(maps().stored_as, "shop", name)
}

/// Makes a config map that blocks its owners, which are config maps, too; gives back its uid.
async fn make_map(registry: &Registry, name: &str, owners: &[(&str, &str)]) -> String {
    let metadata = json!({ "name": name, "ownerReferences": owner_references(owners) });
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata });
    let made = registry.create(maps(), "shop", object, Mode::Real, Owners::AsBefore);
    meta::uid(&read(&made.await.expect("an object")).expect("JSON")).to_owned()
}

/// References to config maps, whose deletion in the foreground they block.
fn owner_references(owners: &[(&str, &str)]) -> Value {
    let reference = |(name, uid): &(&str, &str)| json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "blockOwnerDeletion": true });
    owners.iter().map(reference).collect()
}

async fn make_namespace(registry: &Registry) {
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } });
    let made = registry.create(NAMESPACES, "", object, Mode::Real, Owners::AsBefore);
    made.await.expect("an object");
}

/// Makes a pod that somebody holds until [`let_go`].
async fn make_pod(registry: &Registry, name: &str) {
    let container = json!({ "name": "main", "image": "busybox" });
    let object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "finalizers": ["example.com/hold"] }, "spec": { "containers": [container] },
    });
    let made = registry.create(PODS, "shop", object, Mode::Real, Owners::AsBefore);
    made.await.expect("an object");
}

/// Lets an object go that somebody holds.
async fn let_go(registry: &Registry, key: &Key) {
    set(registry, key, &["metadata", "finalizers"], json!([])).await;
}

/// Changes what the collector does not care for of a config map.
async fn touch(registry: &Registry, name: &str) {
    set(registry, &map(name), &["metadata", "labels"], json!({ "a": "b" })).await;
}

/// Sets a field of an object, by its path, the API's own included.
async fn set(registry: &Registry, key: &Key, path: &[&str], value: Value) {
    let resource = super::owners::resource_of(key).expect("a resource");
    let change = |current: &Value| {
        let mut changed = current.clone();
        let field = path.iter().fold(&mut changed, |part, field| &mut part[field]);
        *field = value.clone();
        Ok(changed)
    };
    let written = registry.update(resource, key, Part::Any, Mode::Real, Owners::AsBefore, change);
    written.await.expect("it is there");
}
