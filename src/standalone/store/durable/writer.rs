//! The only one who writes: it commits what waits in groups, and forgets old events.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::batch::{Batch, Request};
use super::codes;
use super::database::{Backlog, Database};
use super::reserve::Reserve;
use super::shortage::Shortage;
use crate::standalone::data_dir::Obstacle;
use crate::standalone::store::state::{Forgotten, SharedState};
use crate::standalone::store::{Change, Revision, StoreError};
use crate::telemetry::chain;

/// The most writes in one transaction. It bounds what is in memory twice; a hundred share the cost of a sync well enough.
pub(super) const BATCH_WRITES: usize = 256;

/// Events are kept for at least so long, and for at most twice as long, as kube-apiserver lets etcd keep them
/// (`--etcd-compaction-interval`).
const FORGET_INTERVAL: Duration = Duration::from_mins(5);

/// How long nobody writes before the log is emptied into the database. What is there is checked better, and takes no room
/// twice.
const IDLE: Duration = Duration::from_secs(10);

/// How many rows are removed together, when nothing else is a reason: few enough for a pause that nobody notices.
const BACKLOG_ROWS: usize = 500;

/// What the writer is asked.
#[derive(Debug)]
pub(super) enum Order {
    Write(Request),
    /// Let go of the file.
    Close(oneshot::Sender<()>),
}

/// The task that writes. It ends when it is told to, or when nobody can ask it any more.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) database: Database,
    pub(super) state: SharedState,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) backlog: Backlog,
    pub(super) reserve: Reserve,
    /// The newest revision when old events were last forgotten.
    newest_then: Revision,
    /// Whether something was written since the log was emptied.
    pub(super) is_log_used: bool,
    /// What is remembered from one write to the next about a full disk.
    pub(super) shortage: Shortage,
    /// Whether the last transaction failed; only the first failure is logged.
    failing: bool,
}

impl Writer {
    pub(super) fn new(
        database: Database,
        reserve: Reserve,
        state: SharedState,
        orders: mpsc::Receiver<Order>,
        forgotten: Vec<Forgotten>,
    ) -> Self {
        let mut backlog = Backlog::default();
        backlog.extend(forgotten);
        let newest_then = state.read().revision();
        Self {
            database,
            state,
            orders,
            backlog,
            reserve,
            newest_then,
            is_log_used: true,
            shortage: Shortage::default(),
            failing: false,
        }
    }

    /// Writes until it is told to close.
    pub(super) async fn run(mut self) {
        let mut tick = interval_at(Instant::now() + FORGET_INTERVAL, FORGET_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut orders = Vec::with_capacity(BATCH_WRITES);
        let mut closing = None;
        while closing.is_none() {
            tokio::select! {
                received = self.orders.recv_many(&mut orders, BATCH_WRITES) => {
                    if received == 0 {
                        break;
                    }
                    closing = self.write(&mut orders).await;
                }
                _ = tick.tick() => self.forget_old().await,
                () = sleep(IDLE), if self.is_log_used => {
                    let _again_after_the_next_write = self.empty_log().await;
                }
            }
        }
        // Who writes from now on is told that the store is closed.
        self.orders.close();
        if !self.backlog.is_empty() {
            self.forget().await;
        }
        // What is set aside stays so: it is what the next start begins with on a full disk.
        if self.empty_log().await.is_err() {
            self.reserve.spend();
        }
        if let Err(error) = self.database.close().await {
            tracing::warn!(%error, "the database could not be closed in peace; nothing is lost");
        }
        if let Some(closing) = closing {
            let _gone = closing.send(());
        }
    }

    /// Carries orders out, up to the one to close.
    async fn write(&mut self, orders: &mut Vec<Order>) -> Option<oneshot::Sender<()>> {
        let mut closing = None;
        let mut batch = Batch::default();
        let takes_more = self.takes_more().await;
        for order in orders.drain(..) {
            match order {
                Order::Write(request) if request.change == Change::Added && !takes_more => {
                    let _gone = request.answer.send(Err(self.refusal()));
                }
                Order::Write(request) => batch.take(request, &self.state.read()),
                Order::Close(done) => closing = Some(done),
            }
            if !takes_more {
                // Each for itself, for there may be room for one and not for all.
                self.commit(std::mem::take(&mut batch)).await;
                self.drop_history().await;
            }
        }
        self.commit(batch).await;
        if self.backlog.len() >= BACKLOG_ROWS {
            self.forget().await;
        }
        closing
    }

    async fn commit(&mut self, mut batch: Batch) {
        if batch.writes().is_empty() {
            return;
        }
        let mut appended = self.database.append(batch.writes()).await;
        while appended.as_ref().is_err_and(|error| self.is_short(error)) && self.make_room().await {
            appended = self.database.append(batch.writes()).await;
        }
        if let Err(error) = appended {
            let is_short = self.is_short(&error);
            batch.fail(self.failure(error, "a write failed"));
            if is_short {
                // It is told with what follows from it.
                self.takes_more().await;
            }
            return;
        }
        self.recover();
        {
            let mut state = self.state.write();
            for write in batch.take_writes() {
                self.backlog.extend(state.apply(write));
            }
        }
        batch.succeed();
    }

    /// Moves the log into the database. It is not tried again before the next write.
    pub(super) async fn empty_log(&mut self) -> Result<(), sqlx::Error> {
        self.is_log_used = false;
        self.database.empty_log().await
    }

    /// Forgets the events that were there at the last tick already.
    async fn forget_old(&mut self) {
        let forgotten = {
            let mut state = self.state.write();
            let until = std::mem::replace(&mut self.newest_then, state.revision());
            state.forget_until(until)
        };
        self.backlog.extend(forgotten);
        if !self.backlog.is_empty() {
            self.forget().await;
        }
    }

    /// Removes what is forgotten from the database. What fails is done with the next.
    pub(super) async fn forget(&mut self) {
        match self.database.forget(&self.backlog).await {
            Ok(()) => {
                self.backlog.clear();
                self.recover();
            }
            Err(error) => {
                let _answer_to_nobody = self.failure(error, "old events could not be removed");
            }
        }
    }

    /// Whether a write found no room, and would with more.
    fn is_short(&self, error: &sqlx::Error) -> bool {
        self.obstacle(error).is_some_and(Obstacle::is_shortage)
    }

    fn obstacle(&self, error: &sqlx::Error) -> Option<Obstacle> {
        codes::obstacle(error, self.database.path())
    }

    /// What is answered to each of those whose writes failed. It is reported, unless there was no room: that is told elsewhere
    /// (`shortage`).
    fn failure(&mut self, error: sqlx::Error, what: &str) -> impl Fn() -> StoreError + use<> {
        let obstacle = self.obstacle(&error);
        let (path, wanted, error) = (
            self.database.path().to_owned(),
            self.reserve.wanted(),
            Arc::new(error),
        );
        let failure = move || match obstacle {
            Some(obstacle) => refusal(path.clone(), obstacle, wanted),
            None => StoreError::unavailable(Arc::clone(&error)),
        };
        if !obstacle.is_some_and(Obstacle::is_shortage) {
            self.report(&failure(), what);
        }
        failure
    }

    /// What is answered where nothing new is taken.
    fn refusal(&self) -> StoreError {
        refusal(
            self.database.path().to_owned(),
            self.reserve.obstacle(),
            self.reserve.wanted(),
        )
    }

    fn report(&mut self, error: &StoreError, what: &str) {
        if !std::mem::replace(&mut self.failing, true) {
            let path = self.database.path().display();
            tracing::error!(error = chain(error), database = %path, "{what}; it is tried again with every write");
        }
    }

    /// A transaction was written.
    fn recover(&mut self) {
        self.is_log_used = true;
        if std::mem::replace(&mut self.failing, false) {
            tracing::warn!(database = %self.database.path().display(), "the database takes writes again");
        }
    }
}

fn refusal(path: PathBuf, obstacle: Obstacle, wanted: u64) -> StoreError {
    match obstacle {
        Obstacle::Full => StoreError::Full { path, wanted },
        _ => StoreError::Unwritable { path, obstacle },
    }
}
