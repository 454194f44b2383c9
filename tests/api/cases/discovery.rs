//! Discovery, as kubectl and kube's own discovery read it.

use kube::discovery::{Discovery, Scope};

use serde_json::json;

use crate::cluster::Cluster;

pub(crate) async fn clients_find_what_is_served(cluster: Cluster) {
    assert_eq!(cluster.client.apiserver_version().await.unwrap().major, "1");
    let found = Discovery::new(cluster.client.clone()).run().await.unwrap();
    for (group, kind, plural, scope) in [
        ("", "ConfigMap", "configmaps", Scope::Namespaced),
        ("", "Event", "events", Scope::Namespaced),
        ("", "Namespace", "namespaces", Scope::Cluster),
        ("", "Node", "nodes", Scope::Cluster),
        ("", "Pod", "pods", Scope::Namespaced),
        ("", "Secret", "secrets", Scope::Namespaced),
        ("", "ServiceAccount", "serviceaccounts", Scope::Namespaced),
        ("batch", "CronJob", "cronjobs", Scope::Namespaced),
        ("batch", "Job", "jobs", Scope::Namespaced),
        ("coordination.k8s.io", "Lease", "leases", Scope::Namespaced),
        ("events.k8s.io", "Event", "events", Scope::Namespaced),
    ] {
        let served = found.get(group).unwrap().recommended_kind(kind).unwrap();
        assert_eq!(
            (served.0.plural.as_str(), &served.1.scope),
            (plural, &scope),
            "{group} {kind}"
        );
    }
    for health in ["/livez", "/readyz"] {
        let request = http::Request::get(health).body(Vec::new()).unwrap();
        assert_eq!(cluster.client.request_text(request).await.unwrap(), "ok");
    }
}

/// What clients in other languages send, and what they look into.
pub(crate) async fn clients_of_all_sorts_are_understood(cluster: Cluster) {
    for path in [
        "/version/",
        "/api/",
        "/apis/",
        "/apis/batch/",
        "/api/v1/",
        "/apis/batch/v1/",
    ] {
        cluster.send("GET", path, None).await.expect(path);
    }
    let review = json!({ "spec": { "resourceAttributes": { "verb": "get", "resource": "pods" } } });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer = cluster.send("POST", path, Some(&review)).await.unwrap();
    assert_eq!(
        (&answer["kind"], &answer["status"]["allowed"]),
        (&json!("SelfSubjectAccessReview"), &json!(true))
    );
    for (method, path, code) in [("GET", "/api/v1/nothings", 404), ("PUT", "/api/v1/pods", 405)] {
        let refused = cluster.send(method, path, Some(&json!({}))).await.unwrap_err();
        assert_eq!(refused.code, code);
        assert!(refused.details.is_some(), "{path}");
    }
}

/// `kubectl apply --prune` looks for all of them.
pub(crate) async fn kinds_that_one_machine_has_not_are_known(cluster: Cluster) {
    let found = Discovery::new(cluster.client.clone()).run().await.unwrap();
    for (group, version, kind) in [
        ("", "v1", "Endpoints"),
        ("", "v1", "PersistentVolume"),
        ("", "v1", "PersistentVolumeClaim"),
        ("", "v1", "ReplicationController"),
        ("", "v1", "Service"),
        ("apps", "v1", "DaemonSet"),
        ("apps", "v1", "Deployment"),
        ("apps", "v1", "ReplicaSet"),
        ("apps", "v1", "StatefulSet"),
        ("networking.k8s.io", "v1", "Ingress"),
        ("policy", "v1", "PodDisruptionBudget"),
        ("rbac.authorization.k8s.io", "v1", "Role"),
        ("rbac.authorization.k8s.io", "v1", "RoleBinding"),
    ] {
        let (resource, _) = found.get(group).unwrap().recommended_kind(kind).unwrap();
        assert_eq!(resource.version, version, "{kind}");
        let root = if group.is_empty() {
            "/api/v1".to_owned()
        } else {
            format!("/apis/{group}/{version}")
        };
        let path = format!("{root}/{}?labelSelector=no%3Dbody", resource.plural);
        let list = cluster.send("GET", &path, None).await.unwrap();
        assert_eq!(list["items"], json!([]), "{kind}");
        let path = match kind {
            "PersistentVolume" => format!("{root}/{}/none", resource.plural),
            _ => format!("{root}/namespaces/{}/{}/none", cluster.namespace, resource.plural),
        };
        let patch = json!({ "metadata": { "labels": {} } });
        let changes = [("DELETE", None), ("PATCH", Some(&patch))];
        for (method, body) in changes {
            let merge = "application/merge-patch+json";
            let gone = cluster.send_as(merge, method, &path, body).await.unwrap_err();
            assert_eq!(gone.code, 404, "{method} {kind}: {}", gone.message);
        }
        if kind != "Service" {
            let none = path.replace("/none", "?labelSelector=no%3Dbody");
            let deleted = cluster.send("DELETE", &none, None).await.unwrap();
            let items = deleted["items"].as_array();
            assert!(items.is_none_or(Vec::is_empty), "{kind}: {deleted}");
        }
        if cluster.is_embedded() && kind != "PersistentVolume" {
            let path = format!("{root}/namespaces/{}/{}", cluster.namespace, resource.plural);
            let refused = cluster.send("POST", &path, Some(&json!({}))).await.unwrap_err();
            assert_eq!(refused.code, 405);
            assert!(
                refused
                    .message
                    .contains("can't be made or changed on one machine"),
                "{}",
                refused.message
            );
        }
    }
}
