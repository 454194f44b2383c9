//! The contract, run by the store on disk; and what outlives the process, whatever ends it.

mod damage;
mod restarts;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{OpenError, SqliteOptions, SqliteStore};
use crate::schedule::Timestamp;
use crate::standalone::store::contract::contract_of;
use crate::standalone::store::{
    Answer, Key, Object, Page, Range, Revision, Scope, Store, WATCH_WINDOW_EVENTS, Watch,
};

contract_of!(Temporary::with_window, WATCH_WINDOW_EVENTS);

/// A store whose folder goes with it.
#[derive(Debug)]
struct Temporary {
    store: SqliteStore,
    _folder: TempDir,
}

impl Temporary {
    fn with_window(window_events: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let path = database(&folder);
        let opened = async { open_with(&path, window_events).await.unwrap() };
        let store = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(opened));
        Self {
            store,
            _folder: folder,
        }
    }
}

impl Store for Temporary {
    fn revision(&self) -> Answer<'_, Revision> {
        self.store.revision()
    }

    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Object> {
        self.store.get(key)
    }

    fn list<'a>(&'a self, scope: &'a Scope, range: Range) -> Answer<'a, Page> {
        self.store.list(scope, range)
    }

    fn create<'a>(&'a self, key: &'a Key, document: Value) -> Answer<'a, Object> {
        self.store.create(key, document)
    }

    fn update<'a>(&'a self, key: &'a Key, document: Value, expected: Revision) -> Answer<'a, Object> {
        self.store.update(key, document, expected)
    }

    fn delete<'a>(&'a self, key: &'a Key, last: Value, expected: Revision) -> Answer<'a, Object> {
        self.store.delete(key, last, expected)
    }

    fn watch<'a>(&'a self, scope: &'a Scope, after: Revision) -> Answer<'a, Box<dyn Watch>> {
        self.store.watch(scope, after)
    }

    fn close(&self) -> Answer<'_, ()> {
        self.store.close()
    }

    fn closed(&self) -> BoxFuture<'_, ()> {
        self.store.closed()
    }
}

fn now() -> Timestamp {
    "2026-11-24T16:03:44Z".parse().unwrap()
}

fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("punctual.db")
}

fn open(path: &Path) -> BoxFuture<'_, Result<SqliteStore, OpenError>> {
    Box::pin(open_with(path, WATCH_WINDOW_EVENTS))
}

async fn open_with(path: &Path, window_events: usize) -> Result<SqliteStore, OpenError> {
    let options = SqliteOptions {
        window_events,
        ..SqliteOptions::default()
    };
    let (store, put_aside) = SqliteStore::open(path, now(), &options).await?;
    assert_eq!(put_aside, None);
    Ok(store)
}

async fn open_empty(path: &Path) -> (SqliteStore, Option<PathBuf>) {
    let options = SqliteOptions {
        start_empty: true,
        ..SqliteOptions::default()
    };
    SqliteStore::open(path, now(), &options).await.unwrap()
}

fn key(name: &str) -> Key {
    Key::new("things", "default", name)
}

fn thing(value: u64) -> Value {
    json!({ "value": value, "padding": "x".repeat(200) })
}

/// Everything that can be asked of a store: the objects, and every event after `after`.
async fn everything(store: &dyn Store, after: Revision) -> String {
    let mut told = String::new();
    for resource in ["things", "others"] {
        let scope = Scope::all(resource);
        let page = store.list(&scope, Range::default()).await.unwrap();
        writeln!(told, "{resource} at {}: {:?}", page.revision, page.objects).unwrap();
        match store.watch(&scope, after).await {
            Ok(mut watch) => loop {
                let batch = watch.poll().await.unwrap();
                writeln!(told, "{:?}", batch.events).unwrap();
                if batch.events.is_empty() {
                    break;
                }
            },
            Err(error) => writeln!(told, "{error}").unwrap(),
        }
    }
    told
}

/// What is in the files at this moment, as a power failure would leave it.
fn snapshot(path: &Path) -> (TempDir, PathBuf) {
    let copy = TempDir::new().unwrap();
    let to = database(&copy);
    for (from, to) in [
        (path.to_owned(), to.clone()),
        (super::aside::log_of(path), super::aside::log_of(&to)),
    ] {
        if from.exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
    (copy, to)
}
