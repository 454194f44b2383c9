//! Why a database cannot be used, in words for the person who has to act on it.

use std::io;
use std::path::PathBuf;

use crate::standalone::data_dir::Obstacle;

/// Why a database cannot be used. In every case it is as it was found, and nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What is in it can't be trusted. It was put aside just now.
    #[error(
        "the database {} is damaged: {what}.\n\
         It is kept, as it was found, as {}.\n\
         Nothing was started: without it punctual does not know which runs there have been and what still runs. Put a \
         backup of it in its place, or begin with an empty one: --start-empty",
        path.display(),
        kept.display()
    )]
    Damaged {
        /// Where it was.
        path: PathBuf,
        /// Where it is now.
        kept: PathBuf,
        /// What was found.
        what: String,
    },

    /// There is none, because it was damaged and put aside by an earlier start.
    #[error(
        "there is no database {}, because it was damaged; it is kept as {}.\n\
         Nothing was started: without it punctual does not know which runs there have been and what still runs. Put a \
         backup of it in its place, or begin with an empty one: --start-empty",
        path.display(),
        kept.display()
    )]
    PutAside {
        /// Where it should be.
        path: PathBuf,
        /// Where the damaged one is.
        kept: PathBuf,
    },

    /// There is none, though pods have left what only pods of a database leave.
    #[error(
        "there is no database {}, and yet there is what its pods have left: {}.\n\
         Nothing was started: without it punctual does not know which runs there have been and what still runs. Put it, or \
         a backup of it, in its place, or begin with an empty one, which ends what still runs and deletes its logs: \
         --start-empty",
        path.display(),
        pods.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// What is there.
        pods: PathBuf,
    },

    /// A newer version of this program wrote it.
    #[error(
        "the database {} was written by a newer punctual ({punctual}): it has version {version}, and this punctual ({}) \
         knows versions up to {known}. Use the newer one, or name another folder with --data-dir",
        path.display(),
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        version: i64,
        /// The newest version that is known here.
        known: i64,
        /// The version of the program that wrote it.
        punctual: String,
    },

    /// It, or what belongs to it, can't be written, and without that it can't be read either.
    #[error(
        "the database {} can't be used: {obstacle}. It is as it was; start again when that is done.",
        path.display()
    )]
    Unwritable {
        /// The database.
        path: PathBuf,
        /// Why not, and what to do.
        obstacle: Obstacle,
    },

    /// It can't be opened or read.
    #[error("the database {} can't be used", path.display())]
    Unusable {
        /// The database.
        path: PathBuf,
        /// Why not.
        source: sqlx::Error,
    },

    /// Its folder does not let itself be used.
    #[error("{} can't be {action}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read`, `made` or `put aside`.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
}
