//! Discovery, as kubectl and kube's own discovery read it.

use kube::discovery::{Discovery, Scope};

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
