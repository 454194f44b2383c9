//! What kube's runtime builds on: watchers, reflectors, event recorders.

use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Event as CoreEvent};
use kube::api::{DeleteParams, ListParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::reflector;
use kube::runtime::watcher::{self, Config, watcher};
use kube::{Resource, ResourceExt};

use crate::cluster::{Cluster, POST, config_map, cron_job, eventually};

pub(crate) async fn a_watcher_sees_what_happens(cluster: Cluster) {
    see_what_happens(cluster, Config::default()).await;
}

pub(crate) async fn a_streaming_watcher_sees_what_happens(cluster: Cluster) {
    see_what_happens(cluster, Config::default().streaming_lists()).await;
}

/// A watcher recovers from what goes wrong by itself, and a server that is busy refuses now and then: one that streams a
/// list does so when its cache does not catch up in time.
async fn see_what_happens(cluster: Cluster, config: Config) {
    let api = cluster.config_maps();
    api.create(&POST, &config_map("a")).await.unwrap();
    let events = watcher(api.clone(), config.fields("metadata.name!=kube-root-ca.crt"));
    let mut events = events.default_backoff().boxed();
    let mut told = Vec::new();
    while told.len() < 6 {
        let event = match events.next().await.expect("a watcher never ends") {
            Ok(event) => event,
            Err(error) => {
                eprintln!("the watcher tries again: {error}");
                continue;
            }
        };
        let news = match event {
            watcher::Event::Init => {
                // It begins anew where it has not come to the end of the list.
                told.clear();
                "init".to_owned()
            }
            watcher::Event::InitApply(object) => format!("there {}", object.name_any()),
            watcher::Event::InitDone => {
                api.create(&POST, &config_map("b")).await.unwrap();
                api.delete("a", &DeleteParams::default()).await.unwrap();
                api.delete("b", &DeleteParams::default()).await.unwrap();
                "done".to_owned()
            }
            watcher::Event::Apply(object) => format!("applied {}", object.name_any()),
            watcher::Event::Delete(object) => format!("deleted {}", object.name_any()),
        };
        told.push(news);
    }
    assert_eq!(
        told,
        ["init", "there a", "done", "applied b", "deleted a", "deleted b"]
    );
}

pub(crate) async fn a_reflector_mirrors_the_server(cluster: Cluster) {
    let api = cluster.config_maps();
    let (reader, writer) = reflector::store::<ConfigMap>();
    let stream = watcher(api.clone(), Config::default().labels("mirror"))
        .reflect(writer)
        .applied_objects();
    let mirror = tokio::spawn(stream.for_each(|_| async {}));
    reader.wait_until_ready().await.unwrap();
    for number in 0..20 {
        let mut object = config_map(&format!("n{number}"));
        object.labels_mut().insert("mirror".to_owned(), "yes".to_owned());
        api.create(&POST, &object).await.unwrap();
    }
    api.delete_collection(
        &DeleteParams::default(),
        &ListParams::default().fields("metadata.name=n7"),
    )
    .await
    .unwrap();
    eventually("the mirror shows nineteen", || async { reader.len() == 19 }).await;
    mirror.abort();
}

pub(crate) async fn events_are_recorded(cluster: Cluster) {
    let about = cluster
        .cron_jobs()
        .create(&POST, &cron_job("nightly"))
        .await
        .unwrap();
    let reporter = Reporter {
        controller: "cronjob-controller".to_owned(),
        instance: None,
    };
    let recorder = Recorder::new(cluster.client.clone(), reporter);
    let event = Event {
        type_: EventType::Normal,
        reason: "SuccessfulCreate".to_owned(),
        note: Some("Created job nightly-1".to_owned()),
        action: "Create".to_owned(),
        secondary: None,
    };
    for _ in 0..2 {
        recorder.publish(&event, &about.object_ref(&())).await.unwrap();
    }
    let params = ListParams::default().fields("involvedObject.name=nightly");
    let events = cluster.api::<CoreEvent>().list(&params).await.unwrap().items;
    assert_eq!(events.len(), 1, "the second is counted, not added");
    assert_eq!(events[0].message.as_deref(), Some("Created job nightly-1"));
    assert_eq!(events[0].series.as_ref().and_then(|series| series.count), Some(2));
}
