//! Keeps a damaged database for a person to look at: it is renamed, with the log that belongs to it, and never touched again.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::schedule::Timestamp;
use crate::standalone::data_dir::suffixed;

/// Between the database's name and the moment at which it was put aside.
const MARK: &str = ".damaged-";

/// What SQLite puts after a database's name to name the log of its writes.
const LOG_SUFFIX: &str = "-wal";

/// How often the same second can put one aside.
const ATTEMPTS: u32 = 100;

/// The log of a database.
pub(super) fn log_of(database: &Path) -> PathBuf {
    suffixed(database, LOG_SUFFIX)
}

/// The index of the log, which is made anew from it whenever it is missing.
pub(super) fn index_of(database: &Path) -> PathBuf {
    suffixed(database, "-shm")
}

/// Puts a database and its log aside, and says where they are now.
///
/// The database goes first. Should the power fail in between, a log without a database is left, which is noticed; a
/// database without its log would look whole.
pub(super) fn put(database: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let kept = free_name(database, now)?;
    rename_if_there(database, &kept)?;
    rename_if_there(&log_of(database), &log_of(&kept))?;
    let _remade_when_needed = fs::remove_file(index_of(database));
    sync_folder(database)?;
    Ok(kept)
}

/// The database that was put aside last, if any was.
pub(super) fn find(database: &Path) -> io::Result<Option<PathBuf>> {
    let mut mark = database.file_name().unwrap_or_default().to_owned();
    mark.push(MARK);
    let mark = mark.to_string_lossy().into_owned();
    let mut last = None;
    for entry in fs::read_dir(folder_of(database))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&mark) {
            // A log may have been all that there was.
            let kept = name.strip_suffix(LOG_SUFFIX).unwrap_or(&name);
            last = last.max(Some(database.with_file_name(kept)));
        }
    }
    Ok(last)
}

/// Makes sure that the names in the folder of a file outlive a power failure.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder_of(file))?.sync_all()
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn free_name(database: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let stamp = now.format("%Y%m%dT%H%M%SZ");
    for attempt in 0..ATTEMPTS {
        let again = match attempt {
            0 => String::new(),
            attempt => format!("-{attempt}"),
        };
        let name = suffixed(database, &format!("{MARK}{stamp}{again}"));
        if !name.try_exists()? && !log_of(&name).try_exists()? {
            return Ok(name);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
