//! The store: a queue to the writer, and reads from memory.

use std::path::{Path, PathBuf};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::batch::Request;
use super::error::OpenError;
use super::opening::{self, Opened, SqliteOptions};
use super::schema::MIGRATIONS;
use super::writer::{BATCH_WRITES, Order, Writer};
use crate::schedule::Timestamp;
use crate::standalone::store::state::SharedState;
use crate::standalone::store::{
    Answer, Change, Key, Object, Page, Range, Revision, Scope, Store, StoreError, Watch,
};

/// How many writes wait while a transaction is under way; more than that wait to be let into the queue.
const QUEUE_WRITES: usize = 4 * BATCH_WRITES;

/// A store on disk. Clones share it.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    state: SharedState,
    orders: mpsc::Sender<Order>,
}

/// The writer is not there any more.
#[derive(Debug, thiserror::Error)]
#[error("the database is closed")]
struct Closed;

impl SqliteStore {
    /// Opens the database at a path, or makes it where there was none. `now` dates what is put aside; a damaged
    /// database that was put aside for an empty one is returned. Must be called on a tokio runtime.
    ///
    /// The caller sees to it that no other process uses the file.
    ///
    /// # Errors
    ///
    /// When the database is damaged, of a newer version, or can't be read or made.
    pub async fn open(
        path: &Path,
        now: Timestamp,
        options: &SqliteOptions,
    ) -> Result<(Self, Option<PathBuf>), OpenError> {
        let opened = opening::open(path, now, options, MIGRATIONS).await?;
        Ok(Self::start(opened))
    }

    pub(super) fn start(opened: Opened) -> (Self, Option<PathBuf>) {
        let Opened {
            database,
            loaded,
            reserve,
            put_aside,
        } = opened;
        let state = SharedState::new(loaded.state);
        let (orders, queue) = mpsc::channel(QUEUE_WRITES);
        let writer = Writer::new(database, reserve, state.clone(), queue, loaded.forgotten);
        tokio::spawn(writer.run());
        (Self { state, orders }, put_aside)
    }

    async fn write(
        &self,
        change: Change,
        key: &Key,
        document: Value,
        expected: Option<Revision>,
    ) -> Result<Object, StoreError> {
        let (answer, written) = oneshot::channel();
        let request = Request {
            change,
            key: key.clone(),
            document,
            expected,
            answer,
        };
        let sent = self.orders.send(Order::Write(request)).await;
        sent.map_err(|_| StoreError::unavailable(Closed))?;
        written.await.map_err(|_| StoreError::unavailable(Closed))?
    }
}

impl Store for SqliteStore {
    fn revision(&self) -> Answer<'_, Revision> {
        async { Ok(self.state.read().revision()) }.boxed()
    }

    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Object> {
        async { self.state.get(key) }.boxed()
    }

    fn list<'a>(&'a self, scope: &'a Scope, range: Range) -> Answer<'a, Page> {
        async move { self.state.list(scope, &range) }.boxed()
    }

    fn create<'a>(&'a self, key: &'a Key, document: Value) -> Answer<'a, Object> {
        self.write(Change::Added, key, document, None).boxed()
    }

    fn update<'a>(&'a self, key: &'a Key, document: Value, expected: Revision) -> Answer<'a, Object> {
        self.write(Change::Modified, key, document, Some(expected))
            .boxed()
    }

    fn delete<'a>(&'a self, key: &'a Key, last: Value, expected: Revision) -> Answer<'a, Object> {
        self.write(Change::Deleted, key, last, Some(expected)).boxed()
    }

    fn watch<'a>(&'a self, scope: &'a Scope, after: Revision) -> Answer<'a, Box<dyn Watch>> {
        async move { self.state.watch(scope, after) }.boxed()
    }

    fn close(&self) -> Answer<'_, ()> {
        async {
            let (done, closed) = oneshot::channel();
            if self.orders.send(Order::Close(done)).await.is_ok() {
                // Closed twice is closed.
                let _closed = closed.await;
            }
            Ok(())
        }
        .boxed()
    }

    fn closed(&self) -> BoxFuture<'_, ()> {
        self.orders.closed().boxed()
    }
}
