//! Objects by name, one revision that counts every write, and what changed since.
//!
//! This is what etcd is to kube-apiserver, cut down to what the embedded API asks of it. A store knows JSON documents and
//! revisions; it knows nothing of kinds, defaults, finalizers or selectors, which are the API's business.
//!
//! | | what it is |
//! |---|---|
//! | [`Key`], [`Scope`], [`Revision`], [`Object`], [`Event`] | the nouns |
//! | [`StoreError`] | the ways in which a store says no |
//! | [`Store`], [`Watch`] | the interface; a database implements the same one |
//! | [`MemoryStore`] | everything in memory, gone with the process |
//! | [`SqliteStore`] | the same, and on disk before a write is acknowledged |
//!
//! # What every store promises
//!
//! - Writes are linear: each takes the next revision, and a reader that sees revision *n* sees all writes up to *n*.
//! - A watch that starts at the revision of a list continues it exactly: no change is lost and none is told twice.
//! - A revision that is too old to be answered is refused as [`StoreError::Expired`], never answered in part.
//!
//! The promises are written down as tests in `contract.rs`, which every store runs.

mod collection;
mod durable;
mod error;
mod memory;
mod object;
mod state;
mod traits;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod tests;

pub use durable::{OpenError, SqliteOptions, SqliteStore};
pub use error::StoreError;
pub use memory::{MemoryStore, WATCH_WINDOW_BYTES, WATCH_WINDOW_EVENTS};
pub use object::{Change, Event, Key, Object, Place, Revision, Scope};
pub use traits::{Answer, Batch, Page, Range, SharedStore, Store, WATCH_BATCH_EVENTS, Watch};
