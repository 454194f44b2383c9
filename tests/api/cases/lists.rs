//! Lists: selectors, pages, the past.

use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod};
use kube::ResourceExt;
use kube::api::{ListParams, VersionMatch};
use serde_json::json;

use crate::cluster::{Cluster, POST, config_map, pod, refused, typed};

async fn names(cluster: &Cluster, params: &ListParams) -> Vec<String> {
    let list = cluster.config_maps().list(params).await.unwrap();
    // Every namespace of a real cluster has one of these.
    list.items
        .iter()
        .map(ResourceExt::name_any)
        .filter(|name| name != "kube-root-ca.crt")
        .collect()
}

async fn labelled(cluster: &Cluster, name: &str, labels: serde_json::Value) {
    let mut object: ConfigMap = config_map(name);
    object.metadata.labels = typed(labels);
    cluster.config_maps().create(&POST, &object).await.unwrap();
}

pub(crate) async fn labels_select(cluster: Cluster) {
    labelled(
        &cluster,
        "a",
        json!({ "app": "web", "tier": "front", "weight": "5" }),
    )
    .await;
    labelled(&cluster, "b", json!({ "app": "web", "tier": "back" })).await;
    labelled(
        &cluster,
        "c",
        json!({ "app": "db", "example.com/part-of": "shop" }),
    )
    .await;
    for (selector, expected) in [
        ("app=web", "a b"),
        ("app==web,tier=back", "b"),
        ("app!=web,app", "c"),
        ("app in (web, db)", "a b c"),
        ("app in (web),tier notin (front)", "b"),
        ("tier", "a b"),
        ("!tier,app", "c"),
        ("example.com/part-of=shop", "c"),
        ("weight>4", "a"),
        ("weight<5", ""),
        ("app=none", ""),
    ] {
        let found = names(&cluster, &ListParams::default().labels(selector)).await;
        assert_eq!(found.join(" "), expected, "{selector}");
    }
    let status = refused(
        cluster
            .config_maps()
            .list(&ListParams::default().labels("app in web"))
            .await,
    );
    assert_eq!(status.code, 400);
}

pub(crate) async fn fields_select(cluster: Cluster) {
    for name in ["a", "b"] {
        cluster.pods().create(&POST, &pod(name)).await.unwrap();
    }
    let pods = cluster.pods();
    let status = json!({ "status": { "phase": "Succeeded" } });
    pods.patch_status(
        "b",
        &kube::api::PatchParams::default(),
        &kube::api::Patch::Merge(status),
    )
    .await
    .unwrap();
    let here = format!("metadata.namespace={}", cluster.namespace);
    for (selector, expected) in [
        ("metadata.name=a", "a"),
        ("metadata.name!=a", "b"),
        (here.as_str(), "a b"),
        ("metadata.namespace=elsewhere", ""),
        ("status.phase=Pending", "a"),
        ("status.phase=Succeeded,metadata.name=a", ""),
        ("spec.nodeName=", "a b"),
        ("spec.restartPolicy=Never", "a b"),
        ("status.podIPs=", "a b"),
    ] {
        let list = pods.list(&ListParams::default().fields(selector)).await.unwrap();
        let found: Vec<String> = list.items.iter().map(|pod: &Pod| pod.name_any()).collect();
        assert_eq!(found.join(" "), expected, "{selector}");
    }
    let status = refused(pods.list(&ListParams::default().fields("spec.colour=red")).await);
    assert_eq!(status.message, "field label not supported: spec.colour");

    let event: Event = typed(json!({
        "metadata": { "name": "e" },
        "involvedObject": { "kind": "Pod", "name": "a", "namespace": cluster.namespace, "uid": "u" },
        "reason": "Started",
        "type": "Normal",
    }));
    let events = cluster.api::<Event>();
    events.create(&POST, &event).await.unwrap();
    let about = "involvedObject.kind=Pod,involvedObject.name=a,involvedObject.uid=u,type!=Warning";
    assert_eq!(
        events
            .list(&ListParams::default().fields(about))
            .await
            .unwrap()
            .items
            .len(),
        1
    );
}

pub(crate) async fn pages_make_a_whole(cluster: Cluster) {
    for number in 0..7 {
        labelled(
            &cluster,
            &format!("n{number}"),
            json!({ "odd": (number % 2).to_string() }),
        )
        .await;
    }
    let mut params = ListParams::default().labels("odd").limit(3);
    let mut found = Vec::new();
    let mut pages = Vec::new();
    let mut revisions = Vec::new();
    loop {
        let page = cluster.config_maps().list(&params).await.unwrap();
        // What happens between two pages belongs to the next list.
        labelled(
            &cluster,
            &format!("n0-late-{}", pages.len()),
            json!({ "odd": "0" }),
        )
        .await;
        pages.push(page.items.len());
        found.extend(page.items.iter().map(ResourceExt::name_any));
        revisions.push(page.metadata.resource_version.clone());
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    assert_eq!(pages, [3, 3, 1]);
    assert_eq!(found.join(" "), "n0 n1 n2 n3 n4 n5 n6");
    assert!(
        revisions.iter().all(|revision| *revision == revisions[0]),
        "one list, one revision"
    );

    let odd = ListParams::default().labels("odd=1").limit(2);
    let page = cluster.config_maps().list(&odd).await.unwrap();
    assert_eq!(
        page.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(),
        ["n1", "n3"]
    );
    let token = page.metadata.continue_.unwrap();
    let page = cluster
        .config_maps()
        .list(&odd.continue_token(&token))
        .await
        .unwrap();
    assert_eq!(
        page.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(),
        ["n5"]
    );

    let status = refused(
        cluster
            .config_maps()
            .list(&ListParams::default().continue_token("nonsense"))
            .await,
    );
    assert_eq!(status.code, 400);
}

pub(crate) async fn a_list_can_be_of_the_past(cluster: Cluster) {
    labelled(&cluster, "a", json!({ "mine": "yes" })).await;
    let mine = ListParams::default().labels("mine");
    let then = cluster
        .config_maps()
        .list(&mine)
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    labelled(&cluster, "b", json!({ "mine": "yes" })).await;
    let exact = mine.clone().at(&then).matching(VersionMatch::Exact);
    assert_eq!(names(&cluster, &exact).await, ["a"]);
    let newer = mine.clone().at(&then).matching(VersionMatch::NotOlderThan);
    assert_eq!(names(&cluster, &newer).await, ["a", "b"]);
    assert_eq!(
        names(&cluster, &mine.at("0").matching(VersionMatch::NotOlderThan)).await,
        ["a", "b"]
    );
}

pub(crate) async fn the_list_of_a_namespace_that_is_not_there_is_empty(cluster: Cluster) {
    let api: kube::Api<ConfigMap> = kube::Api::namespaced(cluster.client.clone(), "nowhere");
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 0);
}

/// So a client that sends one twice, or one that is malformed, has an answer.
pub(crate) async fn of_a_parameter_that_is_there_twice_the_first_counts(cluster: Cluster) {
    for name in ["a", "b"] {
        cluster
            .config_maps()
            .create(&POST, &config_map(name))
            .await
            .unwrap();
    }
    let path = format!("/api/v1/namespaces/{}/configmaps", cluster.namespace);
    let chosen = "fieldSelector=metadata.name%3Da";
    for (query, count) in [
        (format!("{chosen}&fieldSelector=metadata.name%3Dnone"), 1),
        (format!("labelSelector=%zz&{chosen}"), 1),
        (format!("{chosen}&limit=1;limit=2"), 1),
    ] {
        let listed = cluster
            .send("GET", &format!("{path}?{query}"), None)
            .await
            .unwrap();
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(count), "{query}");
    }
}
