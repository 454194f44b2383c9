//! The ways in which a store says no.

use std::path::PathBuf;

use super::Revision;
use crate::standalone::data_dir::Obstacle;

/// Why a store refused. The API turns each into the Kubernetes answer and adds the object's name.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no object under this key.
    #[error("there is no such object")]
    NotFound,

    /// A create met an object that is already there.
    #[error("there is already such an object")]
    AlreadyExists,

    /// The object is no longer at the revision that the writer had read.
    #[error("the object is at revision {found}, which is not the one that the write is based on")]
    Conflict {
        /// The revision that the object is at.
        found: Revision,
    },

    /// The history that the reader asks for is no longer kept.
    #[error("history before revision {oldest} is no longer kept")]
    Expired {
        /// The oldest revision that can still be continued.
        oldest: Revision,
    },

    /// The reader asks for a revision that has not happened: it speaks of another store, or of one that was lost.
    #[error("the newest revision is {newest}, the one asked for has not happened")]
    Ahead {
        /// The newest revision.
        newest: Revision,
    },

    /// The disk is full. Nothing of the write was kept, and nothing that was acknowledged before is lost.
    #[error(
        "the disk is full: nothing was written; make room for {}, at least {} KiB",
        path.display(),
        wanted / 1024
    )]
    Full {
        /// The file that could not grow.
        path: PathBuf,
        /// How many bytes have to be free before it is tried again with something new.
        wanted: u64,
    },

    /// The disk takes nothing for another reason. Nothing of the write was kept, and nothing before it is lost.
    #[error("nothing was written to {}: {obstacle}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        obstacle: Obstacle,
    },

    /// The store itself failed. Whether a write happened is then unknown.
    #[error("the store failed")]
    Unavailable {
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// A failure of the store itself.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable {
            source: source.into(),
        }
    }
}
