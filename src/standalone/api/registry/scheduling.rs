//! Which node a pod is given to: the only one that there is.

use serde_json::Value;

use super::Registry;
use crate::standalone::api::meta;
use crate::standalone::api::resource::{PODS, Resource};
use crate::standalone::api::strategy::is_gated;

impl Registry {
    /// Gives a pod to the node, unless it names one already or is kept back (`schedulingGates`).
    pub(super) fn schedule(&self, resource: &Resource, document: &mut Value) {
        if resource.stored_as != PODS.stored_as || is_gated(document) {
            return;
        }
        if let (Some(node), Some(spec)) = (self.node, meta::spec(document)) {
            meta::default(spec, "nodeName", node);
        }
    }

    /// Whether a pod names another node. Nobody would ever tell that it has ended, so nobody can wait for that; in a
    /// cluster the pod garbage collector removes it.
    pub(super) fn is_elsewhere(&self, resource: &Resource, document: &Value) -> bool {
        let names = |node: &str| {
            let named = document["spec"]["nodeName"].as_str();
            named.is_some_and(|named| named != node)
        };
        resource.stored_as == PODS.stored_as && self.node.is_some_and(names)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::{Deletion, Mode, Owners, Part, read};
    use super::*;
    use crate::clock::SystemClock;
    use crate::schedule::TimeZones;
    use crate::standalone::api::error::ApiError;
    use crate::standalone::api::resource::NAMESPACES;
    use crate::standalone::store::{Key, MemoryStore};

    /// A registry with a node, and a namespace.
    async fn registry() -> (Registry, &'static Resource) {
        let zones = Arc::new(TimeZones::built_in());
        let registry = Registry {
            node: Some("here"),
            ..Registry::new(Arc::new(MemoryStore::new()), SystemClock::shared(), zones)
        };
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } });
        let made = registry
            .create(NAMESPACES, "", namespace, Mode::Real, Owners::AsBefore)
            .await;
        made.expect("a namespace");
        (registry, Resource::of("v1", "Pod").expect("pods"))
    }

    fn pod(more: &Value) -> Value {
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" },
            "spec": { "containers": [{ "name": "main", "image": "busybox" }] },
        });
        json_patch::merge(&mut pod["spec"], more);
        pod
    }

    #[tokio::test]
    async fn a_pod_is_given_to_the_node_once_nothing_keeps_it_back() {
        let (registry, pods) = registry().await;
        let gated = pod(&json!({ "schedulingGates": [{ "name": "example.com/quota" }] }));
        let made = registry
            .create(pods, "shop", gated, Mode::Real, Owners::AsBefore)
            .await;
        let made = read(&made.expect("a pod")).expect("JSON");
        assert_eq!(made["spec"].get("nodeName"), None);
        assert_eq!(made["status"]["conditions"][0]["reason"], "SchedulingGated");
        let let_go = |pod: &Value| {
            let mut pod = pod.clone();
            pod["spec"]["schedulingGates"] = json!([]);
            Ok(pod)
        };
        let key = Key::new(pods.stored_as, "shop", "a");
        let update = registry.update(pods, &key, Part::Main, Mode::Real, Owners::AsBefore, let_go);
        let given = read(&update.await.expect("a pod")).expect("JSON");
        assert_eq!(given["spec"]["nodeName"], "here");
    }

    #[tokio::test]
    async fn a_pod_of_another_node_goes_at_once() {
        let (registry, pods) = registry().await;
        let foreign = pod(&json!({ "nodeName": "there" }));
        let made = registry
            .create(pods, "shop", foreign, Mode::Real, Owners::AsBefore)
            .await;
        made.expect("a pod");
        let key = Key::new(pods.stored_as, "shop", "a");
        let deleted = registry
            .delete(pods, &key, &Deletion::default(), Mode::Real)
            .await;
        deleted.expect("it is deleted");
        let gone = registry.get(pods, "shop", "a").await;
        assert!(matches!(gone, Err(ApiError::NotFound { .. })), "{gone:?}");
    }
}
