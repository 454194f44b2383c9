//! What is done when the disk is full, step by step, so that a person can make room through the API.
//!
//! 1. The log of writes is moved into the database: what is in both takes room twice.
//! 2. The room that was set aside is used. From then on nothing new is taken, for each change and deletion needs some.
//! 3. The history is dropped with each write: only the objects themselves stay on disk, in the room that they have. Who
//!    watches still reads the events from memory; after a restart they list anew.
//! 4. What the database does not need any more is given back to the disk, and when there is enough, all is as before.

use std::time::Duration;

use tokio::time::Instant;

use super::writer::Writer;
use crate::standalone::store::Revision;

/// How often room is looked for in the database.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is remembered from one write to the next.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    /// Whether people were told of it.
    is_told: bool,
    /// When room was looked for last.
    looked: Option<Instant>,
    /// Up to where the history was dropped.
    dropped: Revision,
}

impl Writer {
    /// Whether something new is taken.
    pub(super) async fn takes_more(&mut self) -> bool {
        let takes_more = self.reserve.is_held() || (self.find_room().await && self.reserve.is_held());
        let was_told = std::mem::replace(&mut self.shortage.is_told, !takes_more);
        let database = self.database.path().display();
        let (obstacle, wanted) = (self.reserve.obstacle(), self.reserve.wanted() / 1024);
        if !takes_more && !was_told {
            tracing::error!(
                %database,
                "{obstacle}; changes and deletions still have a little room that was set aside, and nothing new is taken until \
                 {wanted} KiB are free"
            );
        } else if takes_more && was_told {
            tracing::warn!(%database, "there is room again");
        }
        takes_more
    }

    /// Gives back what the database takes and does not need. Whether that was tried.
    async fn find_room(&mut self) -> bool {
        let looked = self.shortage.looked;
        if looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return false;
        }
        self.shortage.looked = Some(Instant::now());
        let _where_there_is_room_to = self.empty_log().await;
        self.drop_history().await;
        if let Err(error) = self.database.give_back().await {
            tracing::debug!(%error, "the database could not give room back");
        }
        true
    }

    /// Makes room for one more try at a write. Whether there was any.
    pub(super) async fn make_room(&mut self) -> bool {
        if self.is_log_used && self.empty_log().await.is_ok() {
            return true;
        }
        // With it, the log may be emptied after all.
        self.is_log_used = self.reserve.spend();
        self.is_log_used
    }

    /// Removes from the database what is there for watchers only.
    pub(super) async fn drop_history(&mut self) {
        let history = {
            let state = self.state.read();
            let since = std::mem::replace(&mut self.shortage.dropped, state.revision());
            state.events_after(since)
        };
        self.backlog.extend(history);
        if !self.backlog.is_empty() {
            self.forget().await;
        }
    }
}
