//! Why nothing can be written in a place, in words for the person who has to act on it.
//!
//! The system says by one number that a disk has no room and that it can hold no more files, and SQLite does not pass on what
//! the system says. So the place is looked at after a failure, and where that told nothing, a write is tried there.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};
use rustix::io::Errno;
use rustix::process::{Resource, Signal, getrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::{private_file, suffixed};

/// How long a file has to be able to become, in bytes: what a database takes that holds nothing.
const LEAST_LENGTH: u64 = 256 * 1024;

/// What keeps a place from being written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The disk has no room.
    Full,
    /// The disk holds as many files as it can.
    NoMoreFiles,
    /// The user may not have more of the disk.
    Quota,
    /// Nobody can write to the file system.
    ReadOnly,
    /// No file of this process may be larger than so many bytes.
    TooLarge(u64),
    /// It is not open to this user.
    Closed,
    /// It was moved, removed or replaced while it was in use.
    Gone,
    /// The disk can't do it.
    Broken,
}

impl Obstacle {
    /// What the system has said of a write to a place. Nothing, where it is not the place that is in the way.
    pub fn behind(error: &io::Error, place: &Path) -> Option<Self> {
        match error.kind() {
            io::ErrorKind::StorageFull if holds_no_more_files(place) => Some(Self::NoMoreFiles),
            io::ErrorKind::StorageFull => Some(Self::Full),
            io::ErrorKind::QuotaExceeded => Some(Self::Quota),
            io::ErrorKind::ReadOnlyFilesystem => Some(Self::ReadOnly),
            io::ErrorKind::FileTooLarge => largest_file().map(Self::TooLarge),
            io::ErrorKind::PermissionDenied => Some(Self::Closed),
            _ if Errno::from_io_error(error) == Some(Errno::IO) => Some(Self::Broken),
            _ if Errno::from_io_error(error) == Some(Errno::STALE) => Some(Self::Gone),
            _ => None,
        }
    }

    /// What keeps these files, which lie in one folder, from growing. Nothing, where nothing does.
    pub fn to(files: &[PathBuf]) -> Option<Self> {
        let first = files.first()?;
        let is_closed =
            |file: &PathBuf| file.exists() && access(file, Access::WRITE_OK) == Err(Errno::ACCESS);
        if files.iter().any(is_closed) {
            return Some(Self::Closed);
        }
        let lengths = files.iter().filter_map(|file| fs::metadata(file).ok());
        let longest = lengths.map(|metadata| metadata.len()).max().unwrap_or_default();
        let error = try_beside(first, longest.max(LEAST_LENGTH)).err()?;
        Self::behind(&error, first)
    }

    /// Whether there is too little of something, so that what is removed makes room for something else.
    pub fn is_shortage(self) -> bool {
        match self {
            Self::Full | Self::NoMoreFiles | Self::Quota | Self::TooLarge(_) => true,
            Self::ReadOnly | Self::Closed | Self::Gone | Self::Broken => false,
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the disk is full: make room",
            Self::NoMoreFiles => {
                "the disk can hold no more files, though it may have room (`df -i` counts them): remove some"
            }
            Self::Quota => "your disk quota is used up: make room",
            Self::ReadOnly => {
                "the file system is read-only, perhaps since an error that `dmesg` shows: make it writable again"
            }
            Self::TooLarge(bytes) => {
                return write!(
                    f,
                    "no file may be larger than {} KiB: start with a higher `ulimit -f`, or `LimitFSIZE=` of a service",
                    bytes / 1024
                );
            }
            Self::Closed => "it is closed to this user: give it to the user that punctual runs as, with mode u+rw",
            Self::Gone => {
                "it was moved, removed or replaced while it was in use: put it back, or start again with what is there"
            }
            Self::Broken => {
                "the disk fails, in a way that `dmesg` shows: copy what can be read of it to another one"
            }
        })
    }
}

/// How large a file of this process may be, in bytes.
pub fn largest_file() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// Has a write beyond that fail, where it would end the process without a word; what is started is ended by it as ever. Must
/// be called on a tokio runtime.
pub fn survive_too_large() {
    // Where the signal can't be caught, it is as it was.
    let _caught = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()));
}

fn holds_no_more_files(place: &Path) -> bool {
    let mut folders = place
        .ancestors()
        .skip(1)
        .filter_map(|folder| statvfs(folder).ok());
    // Some file systems do not count.
    folders
        .next()
        .is_some_and(|disk| disk.f_files > 0 && disk.f_favail == 0)
}

/// Tries to make a file beside this one with a byte after so many, which take no room.
fn try_beside(file: &Path, bytes: u64) -> io::Result<()> {
    let name = suffixed(file, ".try");
    let made = private_file()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&name)?;
    let written = made.write_all_at(&[0], bytes);
    fs::remove_file(name)?;
    written
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_the_system_says_is_told_with_what_to_do() {
        let told = |errno: Errno| {
            let obstacle = Obstacle::behind(&errno.into(), Path::new("/proc/self/nothing"));
            obstacle.map_or("nothing".to_owned(), |obstacle| obstacle.to_string())
        };
        let mut told: Vec<String> = [
            Errno::NOSPC,
            Errno::DQUOT,
            Errno::ROFS,
            Errno::ACCESS,
            Errno::IO,
            Errno::STALE,
            Errno::NOENT,
        ]
        .map(told)
        .into();
        told.extend([Obstacle::NoMoreFiles, Obstacle::TooLarge(2_048_000)].map(|one| one.to_string()));
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn nothing_is_in_the_way_of_files_that_can_grow() {
        let folder = TempDir::new().unwrap();
        let files = ["db", "db-wal"].map(|name| folder.path().join(name));
        assert_eq!(Obstacle::to(&files), None);
        fs::write(&files[1], "text").unwrap();
        assert_eq!(Obstacle::to(&files), None);
        let names = fs::read_dir(folder.path()).unwrap();
        assert_eq!(names.count(), 1, "nothing is left behind");
        assert_eq!(
            Obstacle::to(&[PathBuf::from("/proc/none/db")]),
            None,
            "not the place's fault"
        );
    }
}
