//! What every store promises, as tests. A new store runs them with [`contract_of`] and its constructor, which takes the
//! number of events that its window holds.

use serde_json::{Value, json};

use super::{Key, Object, Place, Range, Revision, Scope, SharedStore, Store, StoreError};

/// The resource of the tests.
const THINGS: &str = "things";

/// Runs every promise against the stores that `$new(window)` makes.
macro_rules! contract_of {
    ($new:expr, $window:expr) => {
        contract_of! { @each $new, $window;
            what_was_created_is_read_back
            a_name_is_taken_once
            a_write_is_based_on_the_version_that_is_there
            every_write_takes_the_next_revision
            a_list_is_in_order_and_within_its_scope
            pages_agree_with_each_other_whatever_happens_between
            a_revision_that_has_not_happened_is_refused
            a_watch_continues_a_list
            a_deletion_is_told_with_the_last_version
            a_watch_sees_only_its_scope
            a_watcher_that_lags_is_told_so
            a_watch_that_is_dropped_half_way_loses_nothing
            nothing_is_lost_or_told_twice_between_list_and_watch
            of_several_writers_at_one_version_one_wins
        }
    };
    (@each $new:expr, $window:expr; $($promise:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                $crate::standalone::store::contract::$promise(|window: Option<usize>| {
                    std::sync::Arc::new($new(window.unwrap_or($window))) as $crate::standalone::store::SharedStore
                })
                .await;
            }
        )*
    };
}
pub(super) use contract_of;

mod races;
mod watches;

pub(super) use races::{
    nothing_is_lost_or_told_twice_between_list_and_watch, of_several_writers_at_one_version_one_wins,
};
pub(super) use watches::{
    a_deletion_is_told_with_the_last_version, a_watch_continues_a_list, a_watch_sees_only_its_scope,
    a_watch_that_is_dropped_half_way_loses_nothing, a_watcher_that_lags_is_told_so,
};

/// Makes a store whose window holds so many events.
pub(super) trait Maker: Fn(Option<usize>) -> SharedStore {}
impl<F: Fn(Option<usize>) -> SharedStore> Maker for F {}

const NOTHING: [i64; 0] = [];

fn key(namespace: &str, name: &str) -> Key {
    Key::new(THINGS, namespace, name)
}

fn thing(value: i64) -> Value {
    json!({ "metadata": { "labels": { "a": "b" } }, "value": value })
}

fn value(object: &Object) -> i64 {
    object.read::<Value>().unwrap()["value"].as_i64().unwrap()
}

async fn fill(store: &dyn Store, names: &[&str]) {
    for (value_of, name) in (0..).zip(names) {
        store
            .create(&key("default", name), thing(value_of))
            .await
            .unwrap();
    }
}

/// The values of a list.
async fn values(store: &dyn Store, scope: &Scope, range: Range) -> Vec<i64> {
    store
        .list(scope, range)
        .await
        .unwrap()
        .objects
        .iter()
        .map(value)
        .collect()
}

pub(super) async fn what_was_created_is_read_back(new: impl Maker) {
    let store = new(None);
    let key = key("default", "a");
    assert!(matches!(store.get(&key).await, Err(StoreError::NotFound)));
    let created = store.create(&key, thing(7)).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap(), created);
    let document: Value = created.read().unwrap();
    assert_eq!(
        document["metadata"]["resourceVersion"],
        created.revision().to_string()
    );
    assert_eq!(document["metadata"]["labels"]["a"], "b");
    assert_eq!(document["value"], 7);
}

pub(super) async fn a_name_is_taken_once(new: impl Maker) {
    let store = new(None);
    store.create(&key("default", "a"), thing(1)).await.unwrap();
    assert!(matches!(
        store.create(&key("default", "a"), thing(2)).await,
        Err(StoreError::AlreadyExists)
    ));
    store.create(&key("other", "a"), thing(3)).await.unwrap();
    store
        .create(&Key::new("others", "default", "a"), thing(4))
        .await
        .unwrap();
    assert_eq!(value(&store.get(&key("default", "a")).await.unwrap()), 1);
}

pub(super) async fn a_write_is_based_on_the_version_that_is_there(new: impl Maker) {
    let store = new(None);
    let key = key("default", "a");
    assert!(matches!(
        store.update(&key, thing(0), Revision(1)).await,
        Err(StoreError::NotFound)
    ));
    assert!(matches!(
        store.delete(&key, thing(0), Revision(1)).await,
        Err(StoreError::NotFound)
    ));
    let first = store.create(&key, thing(1)).await.unwrap().revision();
    let second = store.update(&key, thing(2), first).await.unwrap().revision();
    assert!(
        matches!(store.update(&key, thing(3), first).await, Err(StoreError::Conflict { found }) if found == second)
    );
    assert!(
        matches!(store.delete(&key, thing(3), first).await, Err(StoreError::Conflict { found }) if found == second)
    );
    assert_eq!(value(&store.get(&key).await.unwrap()), 2);
    store.delete(&key, thing(2), second).await.unwrap();
    assert!(matches!(store.get(&key).await, Err(StoreError::NotFound)));
}

pub(super) async fn every_write_takes_the_next_revision(new: impl Maker) {
    let store = new(None);
    let before = store.revision().await.unwrap();
    assert!(before > Revision(0), "zero means \"any\" in the API");
    let created = store
        .create(&key("default", "a"), thing(1))
        .await
        .unwrap()
        .revision();
    let elsewhere = store
        .create(&Key::new("others", "", "b"), thing(1))
        .await
        .unwrap()
        .revision();
    let updated = store
        .update(&key("default", "a"), thing(2), created)
        .await
        .unwrap()
        .revision();
    let _ = store.create(&key("default", "a"), thing(2)).await.unwrap_err();
    let deleted = store
        .delete(&key("default", "a"), thing(2), updated)
        .await
        .unwrap()
        .revision();
    let expected = [1, 2, 3, 4].map(|n| Revision(before.0 + n));
    assert_eq!([created, elsewhere, updated, deleted], expected);
    assert_eq!(store.revision().await.unwrap(), deleted);
}

pub(super) async fn a_list_is_in_order_and_within_its_scope(new: impl Maker) {
    let store = new(None);
    for (place, value_of) in [
        (("b", "x"), 3),
        (("a", "y"), 2),
        (("a", "x"), 1),
        (("ab", "a"), 9),
    ] {
        store
            .create(&key(place.0, place.1), thing(value_of))
            .await
            .unwrap();
    }
    assert_eq!(
        values(&*store, &Scope::all(THINGS), Range::default()).await,
        [1, 2, 9, 3]
    );
    assert_eq!(
        values(&*store, &Scope::namespace(THINGS, "a"), Range::default()).await,
        [1, 2]
    );
    assert_eq!(
        values(&*store, &Scope::namespace(THINGS, "none"), Range::default()).await,
        NOTHING
    );
    assert_eq!(
        values(&*store, &Scope::all("nothing"), Range::default()).await,
        NOTHING
    );
}

pub(super) async fn pages_agree_with_each_other_whatever_happens_between(new: impl Maker) {
    let store = new(None);
    fill(&*store, &["a", "b", "c", "d", "e"]).await;
    let scope = Scope::namespace(THINGS, "default");
    let first = store
        .list(
            &scope,
            Range {
                limit: Some(2),
                ..Range::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(first.remaining, 3);
    let after = first.more_after.clone().unwrap();
    assert_eq!(
        after,
        Place {
            namespace: "default".to_owned(),
            name: "b".to_owned()
        }
    );

    let revision_of = async |name| store.get(&key("default", name)).await.unwrap().revision();
    store.create(&key("default", "bb"), thing(100)).await.unwrap();
    store
        .delete(&key("default", "c"), thing(2), revision_of("c").await)
        .await
        .unwrap();
    store
        .update(&key("default", "d"), thing(101), revision_of("d").await)
        .await
        .unwrap();
    store
        .update(&key("default", "d"), thing(102), revision_of("d").await)
        .await
        .unwrap();
    store
        .delete(&key("default", "e"), thing(4), revision_of("e").await)
        .await
        .unwrap();
    store.create(&key("default", "e"), thing(103)).await.unwrap();

    let rest = Range {
        after: Some(after),
        limit: Some(10),
        at: Some(first.revision),
    };
    let second = store.list(&scope, rest).await.unwrap();
    assert_eq!(second.objects.iter().map(value).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(
        (second.revision, second.more_after, second.remaining),
        (first.revision, None, 0)
    );
    assert_eq!(
        values(&*store, &scope, Range::default()).await,
        [0, 1, 100, 102, 103]
    );
}

pub(super) async fn a_revision_that_has_not_happened_is_refused(new: impl Maker) {
    let store = new(None);
    let newest = store.revision().await.unwrap();
    let scope = Scope::all(THINGS);
    let range = Range {
        at: Some(newest.next()),
        ..Range::default()
    };
    assert!(matches!(store.list(&scope, range).await, Err(StoreError::Ahead { newest: n }) if n == newest));
    assert!(matches!(
        store.watch(&scope, newest.next()).await,
        Err(StoreError::Ahead { .. })
    ));
}
