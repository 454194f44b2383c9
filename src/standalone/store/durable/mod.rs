//! Everything on disk before it is acknowledged: the store of `punctual up`.
//!
//! ```text
//!  create, update, delete ──▶ queue ──▶ writer ──▶ one transaction ──▶ state ──▶ answers
//!                                        (one)      on disk, synced      │
//!  get, list, watch ◀────────────────────────────────────────────────────┘
//! ```
//!
//! **Reads come from memory**, which is loaded once, at the start. The controllers in this process list and watch
//! all the time, and the objects of one machine are few: ten thousand CronJobs are 20 MB. Memory is bounded by
//! the objects and by the window of recent events, the same as in [`MemoryStore`](super::MemoryStore), which answers from
//! the same code.
//!
//! **Writes are committed in groups.** One task takes every write that waits, checks each against what the ones
//! before it leave behind, and puts all of them into one transaction: one sync of the disk, however many they are.
//! Only when it is on disk do readers see a write and does the writer hear of it. So nobody, the
//! controllers in this process included, ever acts on something that a crash could take back.
//!
//! **The table of writes is the watch window.** A row is one write: the object as it was then. The newest row of a name is
//! the object; the rows before it are what watchers read. Reading them in order rebuilds both, so a watch goes on
//! over a restart. A row is removed when its event has left the window and a newer one has taken its place.
//!
//! | file | one idea |
//! |---|---|
//! | `store` | the store: a queue to the writer, reads from memory |
//! | `writer` | checks writes, commits them in groups, forgets old events |
//! | `batch` | the writes of one transaction, and who waits for them |
//! | `reserve` | room that is set aside for the day on which the disk is full |
//! | `shortage` | what is done when the disk is full |
//! | `database` | the statements, and how the file is opened |
//! | `schema` | the tables, version by version |
//! | `load` | reads everything without changing anything, and trusts nothing |
//! | `codes` | what SQLite's result codes mean to us |
//! | `wal` | whether the log of writes is whole |
//! | `opening` | what is done about a database that is missing, old, too new or damaged |
//! | `aside` | keeps a damaged database for a person to look at |

mod aside;
mod batch;
mod checksum;
mod codes;
mod database;
mod error;
mod load;
mod opening;
mod reserve;
mod schema;
mod shortage;
mod store;
mod wal;
mod writer;

#[cfg(test)]
mod tests;

pub use error::OpenError;
pub use opening::SqliteOptions;
pub use store::SqliteStore;
