//! Databases that can't be trusted: each is noticed, kept as it was found, and nothing begins anew by itself.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use tempfile::TempDir;

use super::{database, everything, key, open, open_empty, snapshot, thing};
use crate::standalone::store::durable::{OpenError, aside, wal};
use crate::standalone::store::{Revision, Store};

/// A database with some objects in it, closed, or killed with a log.
async fn filled(closed: bool) -> (TempDir, std::path::PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = database(&folder);
    let store = open(&path).await.unwrap();
    for value in 0..40 {
        store
            .create(&key(&format!("n{value}")), thing(value))
            .await
            .unwrap();
    }
    if closed {
        store.close().await.unwrap();
        return (folder, path);
    }
    snapshot(&path)
}

/// Opens what is damaged: it is refused, and kept byte for byte with its log; so is the next start, and the one after
/// that begins anew, because it was told to.
async fn is_refused_and_kept(path: &Path) -> String {
    let read = |path: &Path| fs::read(path).ok();
    let before = (
        read(path),
        read(&aside::log_of(path)).filter(|log| !log.is_empty()),
    );
    let error = open(path).await.unwrap_err();
    let OpenError::Damaged { kept, .. } = &error else {
        panic!("{error:?}");
    };
    let after = (
        read(kept),
        read(&aside::log_of(kept)).filter(|log| !log.is_empty()),
    );
    assert!(before == after, "it is as it was");
    let again = open(path).await.unwrap_err();
    assert!(
        matches!(&again, OpenError::PutAside { kept: there, .. } if there == kept),
        "{again:?}"
    );
    let (store, _) = open_empty(path).await;
    assert!(
        store.revision().await.unwrap() > Revision(1_000_000),
        "ahead of all that was known"
    );
    store.create(&key("new"), thing(1)).await.unwrap();
    store.close().await.unwrap();
    open(path)
        .await
        .expect("from now on it is a database like any other")
        .close()
        .await
        .unwrap();
    assert!(
        after
            == (
                read(kept),
                read(&aside::log_of(kept)).filter(|log| !log.is_empty())
            )
    );
    error
        .to_string()
        .replace(&path.parent().unwrap().display().to_string(), "/data")
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_kept() {
    let (_folder, path) = filled(true).await;
    fs::write(&path, "kind: CronJob\n".repeat(1_000)).unwrap();
    assert_snapshot!(is_refused_and_kept(&path).await);
}

#[tokio::test]
async fn a_database_without_its_end_is_refused_and_kept() {
    for (closed, left) in [
        (true, 0),
        (true, 1),
        (true, 3),
        (true, 5_000),
        (true, 12_288),
        (false, 0),
        (false, 100),
    ] {
        let (_folder, path) = filled(closed).await;
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(left).unwrap();
        is_refused_and_kept(&path).await;
    }
}

#[tokio::test]
async fn a_log_without_its_database_is_refused_and_kept() {
    let (_folder, path) = filled(false).await;
    fs::remove_file(&path).unwrap();
    is_refused_and_kept(&path).await;
}

/// One bit is flipped, anywhere. Either it is noticed, or it was of no importance.
#[tokio::test]
async fn a_flipped_bit_is_noticed_wherever_it_matters() {
    let mut random = fastrand::Rng::with_seed(3);
    let (_folder, path) = filled(true).await;
    let whole = fs::read(&path).unwrap();
    let expected = {
        let (_copy, path) = snapshot(&path);
        everything(&open(&path).await.unwrap(), Revision(1)).await
    };
    let mut noticed = 0;
    for _ in 0..150 {
        let (_copy, path) = snapshot(&path);
        let mut bytes = whole.clone();
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
        fs::write(&path, &bytes).unwrap();
        match open(&path).await {
            Ok(store) => assert_eq!(everything(&store, Revision(1)).await, expected, "bit at {at}"),
            Err(OpenError::Damaged { kept, .. }) => {
                assert!(fs::read(kept).unwrap() == bytes);
                noticed += 1;
            }
            Err(OpenError::Newer { .. }) => noticed += 1,
            Err(error) => panic!("bit at {at}: {error:?}"),
        }
    }
    assert!(noticed > 50, "{noticed} of 150 lie where they matter");
}

/// A crash while the very first database is made leaves a draft, which is no database.
#[tokio::test]
async fn a_draft_is_no_hindrance() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("punctual.db.new"), "half").unwrap();
    open(&database(&folder)).await.unwrap();
}

/// SQLite itself would read up to there, and say nothing.
#[tokio::test]
async fn a_log_that_is_damaged_in_the_middle_is_noticed() {
    let (_folder, path) = filled(false).await;
    let log = aside::log_of(&path);
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    assert_snapshot!(is_refused_and_kept(&path).await, @r"
    the database /data/punctual.db is damaged: a part of the log of its last writes is not what was written, and more was written after it.
    It is kept, as it was found, as /data/punctual.db.damaged-20261124T160344Z.
    Nothing was started: without it punctual does not know which runs there have been and what still runs. Put a backup of it in its place, or begin with an empty one: --start-empty
    ");
}

/// The last transaction may be half written: nobody was told of it.
#[tokio::test]
async fn a_log_that_a_crash_has_cut_off_is_whole() {
    let (_folder, path) = filled(false).await;
    let log = aside::log_of(&path);
    let bytes = fs::read(&log).unwrap();
    for cut in [
        bytes.len() - 1,
        bytes.len() - 2_000,
        bytes.len() / 2,
        40,
        32,
        10,
        0,
    ] {
        fs::write(&log, &bytes[..cut]).unwrap();
        assert!(wal::is_whole(&log).unwrap(), "{cut}");
    }
    let mut torn = bytes.clone();
    *torn.last_mut().unwrap() ^= 1;
    fs::write(&log, torn).unwrap();
    assert!(wal::is_whole(&log).unwrap());
}

#[tokio::test]
async fn nothing_is_acknowledged_that_the_next_start_will_not_know() {
    let folder = TempDir::new().unwrap();
    let path = database(&folder);
    let store = open(&path).await.unwrap();
    store.create(&key("before"), thing(1)).await.unwrap();
    let away = folder.path().join("away");
    fs::rename(&path, &away).unwrap();
    let refusal = store.create(&key("meanwhile"), thing(2)).await.unwrap_err();
    let told = refusal
        .to_string()
        .replace(&*folder.path().to_string_lossy(), "DATA");
    assert_snapshot!(told, @"nothing was written to DATA/punctual.db: it was moved, removed or replaced while it was in use: put it back, or start again with what is there");
    fs::copy(&away, &path).unwrap();
    let replaced = store.create(&key("meanwhile"), thing(2)).await;
    replaced.expect_err("it is another file");
    fs::rename(&away, &path).unwrap();
    store.create(&key("after"), thing(3)).await.unwrap();
    store.close().await.unwrap();
    let store = open(&path).await.unwrap();
    for (name, is_there) in [("before", true), ("meanwhile", false), ("after", true)] {
        assert_eq!(store.get(&key(name)).await.is_ok(), is_there, "{name}");
    }
}
