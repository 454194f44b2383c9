//! Why a data folder cannot be used, in words for the person who has to act on it.

use std::io;
use std::path::{Path, PathBuf};

use super::Obstacle;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Nothing says where the user's files are.
    #[error("there is no home folder to keep data in: set HOME, or name a folder with --data-dir")]
    NoHome,

    /// Another process uses it.
    #[error(
        "the data folder {} is in use by another punctual{}; stop that one, or name another folder with --data-dir",
        path.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that has it, where it could be read.
        pid: Option<u32>,
    },

    /// The path names something else.
    #[error("{} is not a folder; move it away, or name another data folder with --data-dir", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },

    /// It belongs to another user, who could make us start any process.
    #[error(
        "the data folder {} belongs to user {owner}, and this process runs as user {user}; name a folder of your own \
         with --data-dir",
        path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// The uid of its owner.
        owner: u32,
        /// The uid of this process.
        user: u32,
    },

    /// Other users could write to it.
    #[error(
        "others can write to the data folder {} (mode {mode:04o}), and so start processes as you; if all that is in it \
         is yours: chmod 700 {}",
        path.display(),
        path.display()
    )]
    Writable {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },

    /// Other users can read it, and it is not a folder that was made for us.
    #[error(
        "the data folder {} holds other things, and others can read it (mode {mode:04o}); name one of its own with \
         --data-dir, such as {}",
        path.display(),
        path.join("punctual").display()
    )]
    Readable {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },

    /// Another user could put another folder in its place.
    #[error(
        "everybody can write to {} (mode {mode:04o}), and so put another folder in the place of the data folder {}; \
         chmod o-w {}, or name another folder with --data-dir",
        parent.display(),
        path.display(),
        parent.display()
    )]
    Replaceable {
        /// The data folder.
        path: PathBuf,
        /// The folder above it that everybody can write to.
        parent: PathBuf,
        /// The permissions of that.
        mode: u32,
    },

    /// A file or folder in it could not be made, read or written.
    #[error("{} could not be {action}{}", path.display(), remedy(path, source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `made`, `read`, `written` or `removed`.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl DataDirError {
    /// A file or folder could not be made.
    pub(super) fn make(path: &Path, source: io::Error) -> Self {
        Self::io("made", path, source)
    }

    /// A file or folder could not be made, read, written or removed, in this word.
    pub(in crate::standalone) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, action, source }
    }
}

/// What to do about the errors of a machine that is full or locked down.
fn remedy(path: &Path, error: &io::Error) -> String {
    match Obstacle::behind(error, path) {
        Some(Obstacle::Closed) => " (name a folder of your own with --data-dir)".to_owned(),
        Some(obstacle) => format!(" ({obstacle}, or name a folder on another disk with --data-dir)"),
        None => String::new(),
    }
}
