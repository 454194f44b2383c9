//! What every store promises those who watch.

use serde_json::Value;

use super::{Maker, NOTHING, THINGS, fill, key, thing, value, values};
use crate::standalone::store::{Change, Event, Key, Range, Revision, Scope, StoreError, Watch};

/// The next events of a watch as words.
async fn told(watch: &mut Box<dyn Watch>) -> Vec<String> {
    let batch = watch.next().await.unwrap();
    batch
        .events
        .iter()
        .map(|event| format!("{:?} {} {}", event.change, event.place.name, value(&event.object)))
        .collect()
}

pub(in crate::standalone::store) async fn a_watch_continues_a_list(new: impl Maker) {
    let store = new(None);
    fill(&*store, &["a", "b"]).await;
    let page = store.list(&Scope::all(THINGS), Range::default()).await.unwrap();
    let mut watch = store.watch(&Scope::all(THINGS), page.revision).await.unwrap();
    let quiet = watch.poll().await.unwrap();
    assert_eq!((quiet.events, quiet.reached), (vec![], page.revision));
    let created = store.create(&key("default", "c"), thing(5)).await.unwrap();
    store
        .update(&key("default", "c"), thing(6), created.revision())
        .await
        .unwrap();
    assert_eq!(told(&mut watch).await, ["Added c 5", "Modified c 6"]);
    let mut from_start = store.watch(&Scope::all(THINGS), Revision(1)).await.unwrap();
    assert_eq!(
        told(&mut from_start).await,
        ["Added a 0", "Added b 1", "Added c 5", "Modified c 6"]
    );
}

pub(in crate::standalone::store) async fn a_deletion_is_told_with_the_last_version(new: impl Maker) {
    let store = new(None);
    let created = store.create(&key("default", "a"), thing(1)).await.unwrap();
    let mut watch = store
        .watch(&Scope::all(THINGS), created.revision())
        .await
        .unwrap();
    let deleted = store
        .delete(&key("default", "a"), thing(1), created.revision())
        .await
        .unwrap();
    let batch = watch.next().await.unwrap();
    let place = key("default", "a").place;
    let event = Event {
        change: Change::Deleted,
        place,
        object: deleted.clone(),
        previous: Some(created),
    };
    assert_eq!(batch.events, [event]);
    assert_eq!(batch.reached, deleted.revision());
    assert_eq!(
        deleted.read::<Value>().unwrap()["metadata"]["resourceVersion"],
        deleted.revision().to_string()
    );
}

pub(in crate::standalone::store) async fn a_watch_sees_only_its_scope(new: impl Maker) {
    let store = new(None);
    let now = store.revision().await.unwrap();
    let mut watch = store.watch(&Scope::namespace(THINGS, "a"), now).await.unwrap();
    store
        .create(&key("b", "other-namespace"), thing(1))
        .await
        .unwrap();
    store
        .create(&Key::new("others", "a", "other-resource"), thing(2))
        .await
        .unwrap();
    let last = store.create(&key("a", "mine"), thing(3)).await.unwrap();
    let elsewhere = store.create(&key("b", "later"), thing(4)).await.unwrap();
    let batch = watch.next().await.unwrap();
    assert_eq!(
        batch.events.iter().map(|event| &event.object).collect::<Vec<_>>(),
        [&last]
    );
    assert_eq!(
        batch.reached,
        elsewhere.revision(),
        "what is not of the scope has been passed over"
    );
}

pub(in crate::standalone::store) async fn a_watcher_that_lags_is_told_so(new: impl Maker) {
    let store = new(Some(3));
    let start = store.revision().await.unwrap();
    let scope = Scope::all(THINGS);
    let mut watch = store.watch(&scope, start).await.unwrap();
    fill(&*store, &["a", "b", "c"]).await;
    let page = Range {
        at: Some(start),
        ..Range::default()
    };
    assert_eq!(values(&*store, &scope, page.clone()).await, NOTHING);
    fill(&*store, &["d"]).await;
    assert!(matches!(watch.next().await, Err(StoreError::Expired { oldest }) if oldest == start.next()));
    assert!(matches!(
        store.watch(&scope, start).await,
        Err(StoreError::Expired { .. })
    ));
    assert!(matches!(
        store.list(&scope, page).await,
        Err(StoreError::Expired { .. })
    ));
    let mut resumed = store.watch(&scope, start.next()).await.unwrap();
    assert_eq!(told(&mut resumed).await, ["Added b 1", "Added c 2", "Added d 0"]);
}

pub(in crate::standalone::store) async fn a_watch_that_is_dropped_half_way_loses_nothing(new: impl Maker) {
    let store = new(None);
    let mut watch = store.watch(&Scope::all(THINGS), Revision(1)).await.unwrap();
    for value_of in 0..20 {
        let waiting = watch.next();
        let patience = std::time::Duration::from_millis(1);
        assert!(
            tokio::time::timeout(patience, waiting).await.is_err(),
            "there is nothing to tell yet"
        );
        store
            .create(&key("default", &format!("n{value_of}")), thing(value_of))
            .await
            .unwrap();
        assert_eq!(told(&mut watch).await, [format!("Added n{value_of} {value_of}")]);
    }
}
