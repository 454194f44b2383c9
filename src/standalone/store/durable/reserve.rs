//! Room that is set aside for the day on which the disk is full.
//!
//! A file of zeros beside the database. When a write finds no room the file goes, and until it can be made again nothing new
//! is taken: what is left is for changes and deletions, which is how room is made.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::aside;

/// How much room is set aside, in bytes: some hundred writes, and the log that they go through.
const BYTES: usize = 1024 * 1024;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    is_held: bool,
}

impl Reserve {
    /// The room beside a database. What an earlier process has set aside is given back first: opening needs a little.
    pub(super) fn beside(database: &Path) -> Self {
        let mut reserve = Self {
            path: aside::suffixed(database, ".reserve"),
            is_held: true,
        };
        reserve.spend();
        reserve
    }

    /// Whether there is room for something new: sets it aside, where that is not done.
    pub(super) fn is_held(&mut self) -> bool {
        if !self.is_held {
            self.is_held = self.make().is_ok();
            if !self.is_held {
                self.spend();
            }
        }
        self.is_held
    }

    /// There has to be as much again, or what was spent a moment ago would be set aside before anybody can use it.
    fn make(&self) -> io::Result<()> {
        let disk = rustix::fs::statvfs(self.path.parent().unwrap_or(Path::new(".")))?;
        if disk.f_bavail * disk.f_frsize < 2 * BYTES as u64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        options.open(&self.path)?.write_all(&vec![0; BYTES])
    }

    /// Gives the room to whoever needs it.
    pub(super) fn spend(&mut self) {
        let _not_there = fs::remove_file(&self.path);
        self.is_held = false;
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn room_is_set_aside_spent_and_set_aside_again() {
        let folder = TempDir::new().unwrap();
        let database = folder.path().join("db");
        let file = folder.path().join("db.reserve");
        let mut reserve = Reserve::beside(&database);
        assert!(!file.exists());
        assert!(reserve.is_held());
        assert_eq!(fs::metadata(&file).unwrap().len(), 1024 * 1024);
        reserve.spend();
        assert!(!file.exists());
        assert!(reserve.is_held() && file.exists());
        drop(Reserve::beside(&database));
        assert!(!file.exists(), "what was set aside before is given back");
        let mut nowhere = Reserve::beside(&folder.path().join("none/db"));
        assert!(!nowhere.is_held());
    }
}
