//! Room that is set aside for the day on which the disk is full.
//!
//! A file beside the database that holds nothing. When a write finds no room the file goes, and until it can be made again
//! nothing new is taken: what is left is for changes and deletions, which is how room is made.
//!
//! The log of writes takes room until it is moved into the database, which needs as much room again before the log's is
//! given back. So both sizes follow that of the disk, and there is always enough set aside to empty the log. A limit on the
//! size of a file counts as such a disk: when the database comes near to it, nothing new is taken.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::standalone::data_dir::{Obstacle, largest_file, private_file, suffixed};

/// Which part of a disk is set aside.
const PART: u64 = 16;

/// The most that is set aside, in bytes: room for a log of the size that is usual for SQLite, and for some thousand writes.
const MOST: u64 = 8 * 1024 * 1024;

/// The least: room for a log of some objects.
const LEAST: u64 = 256 * 1024;

/// How much room is set aside on a disk of so many bytes.
fn share_of(disk: u64) -> u64 {
    (disk / PART).clamp(LEAST, MOST)
}

/// How many bytes are set aside on the disk of a database. It can't take more of it than one file may.
fn share_beside(database: &Path) -> u64 {
    let disk = statvfs(folder_of(database)).map_or(u64::MAX, |disk| disk.f_blocks * disk.f_frsize);
    share_of(disk.min(largest_file().unwrap_or(u64::MAX)))
}

/// How long the log of writes becomes before it is moved into a database, in bytes.
pub(super) fn log_bytes(database: &Path) -> u64 {
    share_beside(database) / 2
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// The file that holds the room, and how much that is.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    database: PathBuf,
    bytes: u64,
    is_held: bool,
    /// Why it could not be set aside the last time that it could not.
    obstacle: Obstacle,
}

impl Reserve {
    /// The room beside a database. What an earlier process has set aside is given back first: opening needs a little.
    pub(super) fn beside(database: &Path) -> Self {
        let mut reserve = Self {
            path: suffixed(database, ".reserve"),
            database: database.to_owned(),
            bytes: share_beside(database),
            is_held: true,
            obstacle: Obstacle::Full,
        };
        reserve.spend();
        reserve
    }

    /// Whether there is room for something new: sets it aside, where that is not done.
    pub(super) fn is_held(&mut self) -> bool {
        let held = if self.is_held {
            self.leave_growth(self.bytes)
        } else {
            self.make()
        };
        self.is_held = held.is_ok();
        if let Err(error) = held {
            self.obstacle = Obstacle::behind(&error, &self.path).unwrap_or(Obstacle::Full);
            self.spend();
        }
        self.is_held
    }

    /// Why there is no room for something new.
    pub(super) fn obstacle(&self) -> Obstacle {
        self.obstacle
    }

    /// How many bytes have to be free before room is set aside again.
    pub(super) fn wanted(&self) -> u64 {
        2 * self.bytes
    }

    /// There has to be as much again, or what was spent a moment ago would be set aside before anybody can use it.
    fn make(&self) -> io::Result<()> {
        let disk = statvfs(folder_of(&self.path))?;
        if disk.f_bavail * disk.f_frsize < self.wanted() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.leave_growth(self.wanted())?;
        let mut options = private_file();
        let options = options.write(true).create(true).truncate(true);
        take(&options.open(&self.path)?, self.bytes)
    }

    /// Fails where the database may not become longer by so many bytes: to set something aside makes no room for that.
    fn leave_growth(&self, bytes: u64) -> io::Result<()> {
        match largest_file() {
            Some(most) if most.saturating_sub(fs::metadata(&self.database)?.len()) < bytes => {
                Err(io::ErrorKind::FileTooLarge.into())
            }
            _ => Ok(()),
        }
    }

    /// Gives the room to whoever needs it. Whether there was any.
    pub(super) fn spend(&mut self) -> bool {
        self.is_held = false;
        fs::remove_file(&self.path).is_ok()
    }
}

/// Makes a file so long, with the room that this takes.
fn take(mut file: &File, bytes: u64) -> io::Result<()> {
    if fallocate(file, FallocateFlags::empty(), 0, bytes).is_ok() {
        return Ok(());
    }
    // Not every file system can do that, and then zeros take the room.
    let zeros = io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut file)?;
    debug_assert_eq!(zeros, bytes);
    file.flush()
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
        assert_eq!(fs::metadata(&file).unwrap().len(), share_beside(&database));
        assert!(reserve.spend());
        assert!(!file.exists() && !reserve.spend());
        assert!(reserve.is_held() && file.exists());
        drop(Reserve::beside(&database));
        assert!(!file.exists(), "what was set aside before is given back");
        let mut nowhere = Reserve::beside(&folder.path().join("none/db"));
        assert!(!nowhere.is_held());
    }

    #[test]
    fn a_small_disk_is_not_taken_whole() {
        const MEBIBYTE: u64 = 1024 * 1024;
        for (disk, share) in [
            (MEBIBYTE, 256 * 1024),
            (6 * MEBIBYTE, 384 * 1024),
            (16 * MEBIBYTE, MEBIBYTE),
            (1024 * MEBIBYTE, 8 * MEBIBYTE),
        ] {
            assert_eq!(share_of(disk), share, "{disk}");
        }
    }
}
