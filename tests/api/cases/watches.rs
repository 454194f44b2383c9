//! Watches: what is seen, in which order, and from when.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::pin::Pin;

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use serde_json::json;

use crate::cluster::{Cluster, POST, config_map};

type Events = Pin<Box<dyn Stream<Item = kube::Result<WatchEvent<ConfigMap>>> + Send>>;

async fn watch(cluster: &Cluster, params: &WatchParams, from: &str) -> Events {
    cluster.config_maps().watch(params, from).await.unwrap().boxed()
}

async fn revision(cluster: &Cluster) -> String {
    cluster
        .config_maps()
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap()
}

/// The next `count` events as words.
async fn told(events: &mut Events, count: usize) -> String {
    let mut told = String::new();
    for _ in 0..count {
        let (what, name) = match events.try_next().await.unwrap().expect("another event") {
            WatchEvent::Added(object) => ("+", object.name_any()),
            WatchEvent::Modified(object) => ("~", object.name_any()),
            WatchEvent::Deleted(object) => ("-", object.name_any()),
            WatchEvent::Bookmark(_) => ("=", String::new()),
            WatchEvent::Error(status) => panic!("{status:?}"),
        };
        if name != "kube-root-ca.crt" {
            write!(told, "{what}{name} ").unwrap();
        }
    }
    told.trim_end().to_owned()
}

async fn create(cluster: &Cluster, name: &str) {
    let made = cluster.config_maps().create(&POST, &config_map(name)).await;
    made.unwrap();
}

async fn label(cluster: &Cluster, name: &str, value: &str) {
    let patch = Patch::Merge(json!({ "metadata": { "labels": { "phase": value } } }));
    cluster
        .config_maps()
        .patch(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

pub(crate) async fn a_watch_goes_on_where_a_list_ended(cluster: Cluster) {
    let api = cluster.config_maps();
    create(&cluster, "before").await;
    let from = revision(&cluster).await;
    create(&cluster, "a").await;
    label(&cluster, "a", "one").await;
    let mut events = watch(&cluster, &WatchParams::default(), &from).await;
    api.delete("a", &DeleteParams::default()).await.unwrap();
    create(&cluster, "b").await;
    assert_eq!(told(&mut events, 4).await, "+a ~a -a +b");
    let mut again = watch(&cluster, &WatchParams::default(), &from).await;
    assert_eq!(told(&mut again, 4).await, "+a ~a -a +b");
}

pub(crate) async fn a_watch_begins_with_what_is_there(cluster: Cluster) {
    let api = cluster.config_maps();
    // A server may send bookmarks as often as it likes.
    let params = WatchParams::default().fields("metadata.name!=kube-root-ca.crt");
    let params = params.disable_bookmarks();
    create(&cluster, "a").await;
    create(&cluster, "b").await;
    let mut events = watch(&cluster, &params, "0").await;
    assert_eq!(told(&mut events, 2).await, "+a +b");
    api.delete("a", &DeleteParams::default()).await.unwrap();
    assert_eq!(told(&mut events, 1).await, "-a");
}

/// An object that begins to match appears; one that ceases to is gone, and shown as it last matched.
pub(crate) async fn a_selector_decides_what_is_seen(cluster: Cluster) {
    let from = revision(&cluster).await;
    let mut events = watch(&cluster, &WatchParams::default().labels("phase=on"), &from).await;
    create(&cluster, "a").await;
    label(&cluster, "a", "on").await;
    let patch = Patch::Merge(json!({ "data": { "key": "other" } }));
    cluster
        .config_maps()
        .patch("a", &PatchParams::default(), &patch)
        .await
        .unwrap();
    label(&cluster, "a", "off").await;
    assert_eq!(told(&mut events, 2).await, "+a ~a");
    let Some(WatchEvent::Deleted(last)) = events.try_next().await.unwrap() else {
        panic!("expected a deletion")
    };
    assert_eq!(last.labels()["phase"], "on");
    let now = cluster.config_maps().get("a").await.unwrap();
    assert_eq!(last.resource_version(), now.resource_version());
    cluster
        .config_maps()
        .delete("a", &DeleteParams::default())
        .await
        .unwrap();
    create(&cluster, "b").await;
    label(&cluster, "b", "on").await;
    assert_eq!(told(&mut events, 1).await, "+b");
}

pub(crate) async fn a_watch_ends_when_it_was_asked_to(cluster: Cluster) {
    let from = revision(&cluster).await;
    let params = WatchParams {
        timeout: Some(1),
        bookmarks: true,
        ..WatchParams::default()
    };
    let events = watch(&cluster, &params, &from).await;
    let all: Vec<_> = events.try_collect().await.unwrap();
    assert!(
        all.iter().all(|event| matches!(event, WatchEvent::Bookmark(_))),
        "{all:?}"
    );
}

/// `sendInitialEvents`: a list as a watch.
async fn streamed_list(cluster: &Cluster) -> Events {
    let params = WatchParams::default().fields("metadata.name!=kube-root-ca.crt");
    watch(cluster, &params.initial_events(), "").await
}

/// The revision in the bookmark by which a streamed list ends.
async fn end_of_list(events: &mut Events) -> String {
    let Some(WatchEvent::Bookmark(mark)) = events.try_next().await.unwrap() else {
        panic!("expected a bookmark")
    };
    assert_eq!(mark.metadata.annotations["k8s.io/initial-events-end"], "true");
    mark.metadata.resource_version
}

pub(crate) async fn a_list_can_be_streamed(cluster: Cluster) {
    create(&cluster, "a").await;
    let mut events = streamed_list(&cluster).await;
    assert_eq!(told(&mut events, 1).await, "+a");
    let end = end_of_list(&mut events).await;
    create(&cluster, "b").await;
    assert_eq!(told(&mut events, 1).await, "+b");
    let mut resumed = watch(&cluster, &WatchParams::default(), &end).await;
    assert_eq!(told(&mut resumed, 1).await, "+b");
    // A watch from the beginning, as older clients ask for it, is one as well.
    let params = WatchParams::default().fields("metadata.name!=kube-root-ca.crt");
    for from in ["", "0"] {
        let mut events = watch(&cluster, &params, from).await;
        assert_eq!(told(&mut events, 2).await, "+a +b");
        end_of_list(&mut events).await;
    }
}

/// A long one comes in parts, of which the client sees nothing.
pub(crate) async fn a_long_list_can_be_streamed(cluster: Cluster) {
    let names: Vec<String> = (0..300).map(|number| format!("map-{number:03}")).collect();
    for name in &names {
        create(&cluster, name).await;
    }
    let mut events = streamed_list(&cluster).await;
    let told = told(&mut events, names.len()).await;
    // Older servers tell them in no order.
    let mut told: Vec<&str> = told.split(' ').collect();
    told.sort_unstable();
    assert_eq!(told.join(" "), format!("+{}", names.join(" +")));
    end_of_list(&mut events).await;
}

/// Ten watchers start at different moments while four writers write; all end with what is there.
pub(crate) async fn nothing_is_missed_while_many_write(cluster: Cluster) {
    let writers: Vec<_> = (0..4)
        .map(|writer| tokio::spawn(write(cluster.clone(), writer)))
        .collect();
    let mut watchers = Vec::new();
    for _ in 0..10 {
        watchers.push(tokio::spawn(follow(cluster.clone())));
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    create(&cluster, "the-end").await;
    let list = cluster.config_maps().list(&ListParams::default()).await.unwrap();
    let expected: BTreeMap<String, ConfigMap> = list
        .items
        .into_iter()
        .map(|object| (object.name_any(), object))
        .collect();
    for watcher in watchers {
        assert_eq!(watcher.await.unwrap(), expected);
    }
}

/// Creates, changes and deletes a few objects of its own, in an order that looks random and is the same every time.
async fn write(cluster: Cluster, writer: u32) {
    let api = cluster.config_maps();
    for step in 0..60_u32 {
        let name = format!("w{writer}-{}", (step * 7 + writer) % 5);
        if step % 3 == 2 {
            let _ = api.delete(&name, &DeleteParams::default()).await;
        } else if api.create(&POST, &config_map(&name)).await.is_err() {
            label(&cluster, &name, &step.to_string()).await;
        }
    }
}

async fn follow(cluster: Cluster) -> BTreeMap<String, ConfigMap> {
    let list = cluster.config_maps().list(&ListParams::default()).await.unwrap();
    let mut revision: u64 = list.metadata.resource_version.as_ref().unwrap().parse().unwrap();
    let mut believed: BTreeMap<String, ConfigMap> = list
        .items
        .into_iter()
        .map(|object| (object.name_any(), object))
        .collect();
    let mut events = watch(&cluster, &WatchParams::default(), &revision.to_string()).await;
    while !believed.contains_key("the-end") {
        let event = events.try_next().await.unwrap().expect("the watch goes on");
        let (WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object)) = &event
        else {
            panic!("unexpected {event:?}");
        };
        let seen: u64 = object.resource_version().unwrap().parse().unwrap();
        assert!(seen > revision, "in order, and once");
        revision = seen;
        let known = believed.remove(&object.name_any()).is_some();
        assert_eq!(
            known,
            !matches!(event, WatchEvent::Added(_)),
            "what is added is new, and nothing else is"
        );
        if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event {
            believed.insert(object.name_any(), object);
        }
    }
    believed
}

/// Watches had paths of their own before they were lists that go on.
pub(crate) async fn watches_have_older_paths(cluster: Cluster) {
    let namespace = cluster.namespace.as_str();
    for name in ["a", "b"] {
        cluster
            .create(serde_json::to_value(config_map(name)).unwrap())
            .await;
    }
    let names = async |path: &str| {
        let request = http::Request::get(format!("/api/v1/watch/{path}?timeoutSeconds=1")).body(Vec::new());
        let lines = cluster
            .client
            .request_text(request.unwrap())
            .await
            .expect("a watch");
        let mut names: Vec<String> = lines
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an event"))
            .filter(|event| event["object"]["metadata"]["namespace"] == namespace)
            .map(|event| event["object"]["metadata"]["name"].to_string())
            .filter(|name| name.len() == 3)
            .collect();
        names.sort();
        names.concat()
    };
    assert_eq!(
        names(&format!("namespaces/{namespace}/configmaps")).await,
        r#""a""b""#
    );
    assert_eq!(
        names(&format!("namespaces/{namespace}/configmaps/b")).await,
        r#""b""#
    );
    assert_eq!(names("configmaps").await, r#""a""b""#);
}
