//! Events, and what keeps them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::events::sweep;
use super::{Key, Meddler, Moment, Scene, Store as _, registry_over, run, set};

fn event() -> Key {
    Key::new("events", "shop", "event")
}

/// An event that was last seen years ago.
fn old() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "lastTimestamp": "2020-01-01T00:00:00Z",
        "metadata": { "namespace": "shop", "name": "event", "uid": "event" },
        "involvedObject": { "namespace": "shop" },
    })
}

#[tokio::test]
async fn an_event_that_is_seen_again_meanwhile_stays() {
    let scene = Scene::begin().await;
    scene.store.create(&event(), old()).await.expect("an event");
    scene.meddle(Moment::BeforeDelete, async |registry| {
        let now = json!(registry.now().to_rfc3339());
        set(&registry, &event(), &["lastTimestamp"], now).await;
    });
    sweep(&scene.registry).await.expect("the store goes on");
    assert!(scene.store.get(&event()).await.is_ok());
}

/// Nobody can watch this store, so the collector begins anew every second.
#[tokio::test(start_paused = true)]
async fn old_events_go_however_the_rest_fares() {
    let store = Arc::new(Meddler::blind());
    store.create(&event(), old()).await.expect("an event");
    let registry = registry_over(store.clone());
    let ended = tokio::time::timeout(Duration::from_mins(5), run(registry)).await;
    assert!(ended.is_err(), "it goes on for ever");
    assert!(store.get(&event()).await.is_err());
}
