//! What every store promises when many write and read at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Maker, THINGS, key, thing};
use crate::standalone::store::{Change, Event, Object, Range, Revision, Scope, SharedStore, StoreError};

/// Writers write in no order; readers list and watch at any moment. Each reader that plays the events over its list must
/// end with what the store ends with, and see every revision of its scope once.
pub(in crate::standalone::store) async fn nothing_is_lost_or_told_twice_between_list_and_watch(
    new: impl Maker,
) {
    const WRITERS: u64 = 4;
    const WRITES: u64 = 300;
    let store = new(None);
    let writers: Vec<_> = (0..WRITERS)
        .map(|seed| tokio::spawn(write_at_random(Arc::clone(&store), seed, WRITES)))
        .collect();
    let readers: Vec<_> = (0..6).map(|_| tokio::spawn(follow(Arc::clone(&store)))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    store.create(&key("default", "the-end"), thing(-1)).await.unwrap();
    let last = store
        .list(&Scope::all(THINGS), Range::default())
        .await
        .unwrap()
        .objects;
    for reader in readers {
        assert_eq!(reader.await.unwrap(), last);
    }
}

async fn write_at_random(store: SharedStore, seed: u64, writes: u64) {
    let mut state = seed + 1;
    for value_of in 0..writes {
        // A generator by Knuth: enough to choose a name.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let key = key("default", &format!("n{}", (state >> 33) % 8));
        let document = thing(i64::try_from(value_of).unwrap());
        // Losing a race is part of the game; any other failure is not.
        let outcome = match store.get(&key).await {
            Ok(found) if state.is_multiple_of(3) => store.delete(&key, document, found.revision()).await,
            Ok(found) => store.update(&key, document, found.revision()).await,
            Err(_) => store.create(&key, document).await,
        };
        match outcome {
            Ok(_) | Err(StoreError::NotFound | StoreError::AlreadyExists | StoreError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        tokio::task::yield_now().await;
    }
}

/// Lists, watches until the end, and gives what it then believes is there.
async fn follow(store: SharedStore) -> Vec<Object> {
    let scope = Scope::all(THINGS);
    let page = store.list(&scope, Range::default()).await.unwrap();
    let mut from_start = store.watch(&scope, Revision(1)).await.unwrap();
    let mut from_list = store.watch(&scope, page.revision).await.unwrap();

    // What a watcher from the very start believes at the revision of the list is the list.
    let mut believed = BTreeMap::new();
    let mut reached = Revision(1);
    while reached < page.revision {
        let batch = from_start.poll().await.unwrap();
        reached = batch.reached;
        let events = batch.events.into_iter();
        events
            .filter(|event| event.object.revision() <= page.revision)
            .for_each(|event| apply(&mut believed, event));
    }
    assert_eq!(believed.values().cloned().collect::<Vec<_>>(), page.objects);

    let mut reached = page.revision;
    while !believed.contains_key("the-end") {
        for event in from_list.next().await.unwrap().events {
            assert!(event.object.revision() > reached, "told in order, and once");
            reached = event.object.revision();
            apply(&mut believed, event);
        }
    }
    believed.into_values().collect()
}

fn apply(believed: &mut BTreeMap<String, Object>, event: Event) {
    assert_eq!(
        believed.get(&event.place.name),
        event.previous.as_ref(),
        "an event follows the version before"
    );
    if event.change == Change::Deleted {
        believed.remove(&event.place.name);
    } else {
        believed.insert(event.place.name, event.object);
    }
}

pub(in crate::standalone::store) async fn of_several_writers_at_one_version_one_wins(new: impl Maker) {
    let store = new(None);
    let key = key("default", "a");
    let base = store.create(&key, thing(0)).await.unwrap().revision();
    let attempts = (1..=16).map(|value_of| {
        let (store, key) = (Arc::clone(&store), key.clone());
        tokio::spawn(async move { store.update(&key, thing(value_of), base).await.is_ok() })
    });
    let outcomes = futures::future::join_all(attempts).await;
    assert_eq!(
        outcomes
            .into_iter()
            .filter(|outcome| *outcome.as_ref().unwrap())
            .count(),
        1
    );
}
