//! What is there after a restart: everything that was acknowledged, and nothing else.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use super::{database, everything, key, now, open, open_with, snapshot, thing};
use crate::standalone::store::durable::aside::log_of;
use crate::standalone::store::durable::{OpenError, opening, schema};
use crate::standalone::store::{
    Change, Key, MemoryStore, Range, Revision, Scope, SharedStore, SqliteOptions, Store, StoreError,
};

/// A store in memory and one on disk are given the same writes; the one on disk is killed and opened again now and then,
/// from a copy of its files. They never differ in what they say, their events included.
#[tokio::test]
async fn a_restart_is_not_noticed() {
    let mut random = fastrand::Rng::with_seed(7);
    let memory = MemoryStore::with_window(60);
    let mut folder = TempDir::new().unwrap();
    let mut store = open_with(&database(&folder), 60).await.unwrap();
    for round in 0..12 {
        for value in 0..random.u64(1..60) {
            let name = format!("n{}", random.u8(..6));
            let key = Key::new(if random.bool() { "things" } else { "others" }, "default", name);
            let kind = random.u8(..3);
            let expected = memory.get(&key).await.map(|object| object.revision());
            let mut written = Vec::new();
            for store in [&memory as &dyn Store, &store] {
                written.push(match (&expected, kind) {
                    (Err(_), _) => store.create(&key, thing(value)).await.unwrap(),
                    (Ok(expected), 0) => store.delete(&key, thing(value), *expected).await.unwrap(),
                    (Ok(expected), _) => store.update(&key, thing(value), *expected).await.unwrap(),
                });
            }
            assert_eq!(written[0], written[1]);
        }
        let (copy, path) = snapshot(&database(&folder));
        let again = open_with(&path, 60).await.unwrap();
        let newest = memory.revision().await.unwrap();
        for back in [0, 1, 10, 40, 200] {
            let after = Revision(newest.0.saturating_sub(back));
            assert_eq!(
                everything(&again, after).await,
                everything(&memory, after).await,
                "round {round}, {back} back"
            );
        }
        (store, folder) = (again, copy);
    }
}

#[tokio::test]
async fn a_watch_goes_on_where_it_was_and_is_told_when_it_cannot() {
    let folder = TempDir::new().unwrap();
    let store = open_with(&database(&folder), 3).await.unwrap();
    let first = store.create(&key("a"), thing(1)).await.unwrap();
    let second = store.update(&key("a"), thing(2), first.revision()).await.unwrap();
    store
        .delete(&key("a"), thing(2), second.revision())
        .await
        .unwrap();
    store.create(&key("b"), thing(3)).await.unwrap();
    store.close().await.unwrap();

    let store = open_with(&database(&folder), 3).await.unwrap();
    let gone = store.watch(&Scope::all("things"), Revision(1)).await;
    assert!(matches!(gone.err(), Some(StoreError::Expired { oldest }) if oldest == first.revision()));
    let mut watch = store
        .watch(&Scope::all("things"), first.revision())
        .await
        .unwrap();
    let events = watch.poll().await.unwrap().events;
    let changes: Vec<_> = events.iter().map(|event| event.change).collect();
    assert_eq!(changes, [Change::Modified, Change::Deleted, Change::Added]);
    assert_eq!(events[0].previous.as_ref(), Some(&first));
}

/// The last thing that happened is a deletion, and even that is forgotten: its revision is not given away again.
#[tokio::test]
async fn a_revision_is_never_used_twice() {
    let folder = TempDir::new().unwrap();
    let mut newest = Revision(0);
    for _ in 0..5 {
        let store = open_with(&database(&folder), 0).await.unwrap();
        assert!(store.revision().await.unwrap() >= newest);
        let made = store.create(&key("a"), thing(1)).await.unwrap().revision();
        assert!(made > newest);
        newest = store.delete(&key("a"), thing(1), made).await.unwrap().revision();
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_forgotten_is_not_kept_on_disk() {
    let folder = TempDir::new().unwrap();
    let store = open_with(&database(&folder), 5).await.unwrap();
    let mut revision = store.create(&key("a"), thing(0)).await.unwrap().revision();
    for value in 0..700 {
        revision = store
            .update(&key("a"), thing(value), revision)
            .await
            .unwrap()
            .revision();
    }
    store.close().await.unwrap();
    let bytes = std::fs::metadata(database(&folder)).unwrap().len();
    // 700 rows of 250 bytes would be 175 kB; at most 500 and the window are there at a time.
    assert!(bytes < 250_000, "{bytes} bytes");
    let options = SqliteConnectOptions::new()
        .filename(database(&folder))
        .read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM writes")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(
        rows, 6,
        "the events of the window, and the version before the first"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_come_together_are_all_served() {
    let folder = TempDir::new().unwrap();
    let store: SharedStore = Arc::new(open(&database(&folder)).await.unwrap());
    let writers = (0..64).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            // Half of them want the same name: one gets it.
            let name = if writer % 2 == 0 {
                "same".to_owned()
            } else {
                format!("n{writer}")
            };
            store.create(&key(&name), thing(writer)).await
        })
    });
    let outcomes = futures::future::join_all(writers).await;
    let made = outcomes
        .iter()
        .filter(|outcome| outcome.as_ref().unwrap().is_ok())
        .count();
    assert_eq!(made, 33);
    let (_copy, path) = snapshot(&database(&folder));
    let again = open(&path).await.unwrap();
    assert_eq!(again.revision().await.unwrap(), Revision(1 + 33));
    assert_eq!(
        everything(&again, Revision(1)).await,
        everything(&*store, Revision(1)).await
    );
}

#[tokio::test]
async fn a_closed_store_takes_no_writes() {
    let folder = TempDir::new().unwrap();
    let store = open(&database(&folder)).await.unwrap();
    store.close().await.unwrap();
    store.close().await.unwrap();
    let refused = store.create(&key("a"), thing(1)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
}

/// The log is cut off anywhere: what remains is a beginning of what was written, never a mixture.
#[tokio::test]
async fn a_power_failure_leaves_a_beginning() {
    let mut random = fastrand::Rng::with_seed(11);
    let folder = TempDir::new().unwrap();
    let path = database(&folder);
    let store = open(&path).await.unwrap();
    let log = log_of(&path);
    let mut lengths = Vec::new();
    for value in 0..30 {
        store
            .create(&key(&format!("n{value:02}")), thing(value))
            .await
            .unwrap();
        lengths.push(std::fs::metadata(&log).unwrap().len());
    }
    for _ in 0..40 {
        let (_copy, path) = snapshot(&path);
        let cut = random.u64(..=lengths[29]);
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(log_of(&path))
            .unwrap();
        file.set_len(cut).unwrap();
        let again = open(&path).await.unwrap();
        let objects = again
            .list(&Scope::all("things"), Range::default())
            .await
            .unwrap()
            .objects;
        let synced = lengths.iter().filter(|length| **length <= cut).count();
        assert_eq!(objects.len(), synced, "cut at {cut}");
        assert_eq!(
            again.revision().await.unwrap().0,
            1 + u64::try_from(synced).unwrap()
        );
    }
}

#[tokio::test]
async fn an_older_database_is_taken_on_and_a_newer_one_refused() {
    const NEXT: &[&str] = &[
        schema::MIGRATIONS[0],
        "CREATE TABLE more (a INTEGER PRIMARY KEY) STRICT;",
    ];
    let folder = TempDir::new().unwrap();
    let path = database(&folder);
    let store = open(&path).await.unwrap();
    store.create(&key("a"), thing(1)).await.unwrap();
    let before = everything(&store, Revision(1)).await;
    store.close().await.unwrap();

    let options = SqliteOptions::default();
    let opened = opening::open(&path, now(), &options, NEXT).await.unwrap();
    let (store, _) = super::SqliteStore::start(opened);
    assert_eq!(everything(&store, Revision(1)).await, before);
    store.close().await.unwrap();

    let bytes = std::fs::read(&path).unwrap();
    let refused = open(&path).await.unwrap_err();
    assert!(
        matches!(
            refused,
            OpenError::Newer {
                version: 2,
                known: 1,
                ..
            }
        ),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is as it was");
}

/// What nobody has written to for a while has an empty log.
#[tokio::test]
async fn a_log_is_emptied_when_nobody_writes() {
    let folder = TempDir::new().unwrap();
    let path = database(&folder);
    let store = open(&path).await.unwrap();
    store.create(&key("one"), thing(1)).await.unwrap();
    let begun = std::time::Instant::now();
    while std::fs::metadata(log_of(&path)).unwrap().len() > 0 {
        assert!(begun.elapsed().as_secs() < 60, "it is not emptied");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    store.create(&key("two"), thing(2)).await.unwrap();
    let (_copy, killed) = snapshot(&path);
    let expected = everything(&store, Revision(1)).await;
    assert_eq!(
        everything(&open(&killed).await.unwrap(), Revision(1)).await,
        expected
    );
}
