//! Ephemeral folders of processes that were killed: nobody uses them any more, and each still holds a token.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use super::NAME;
use super::lock::{LOCK_FILE, Lock};

/// How long ago the folder was changed last. One that is being made may not be locked yet.
const LEAST_AGE: Duration = Duration::from_mins(1);

/// Removes those that are ours. What can't be removed stays, for the next.
pub(super) fn remove(temporary: &Path) {
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        let path = entry.path();
        if is_left(&entry).unwrap_or(false)
            && let Ok(_held) = Lock::take(&path)
            && let Err(error) = remove_whole(&path)
        {
            tracing::warn!(path = %path.display(), %error, "a temporary folder of an earlier punctual could not be removed");
        }
    }
}

/// Removes such a folder, or as much of it as can be. Its lock goes last: by that the next start knows what is left.
pub(super) fn remove_whole(folder: &Path) -> io::Result<()> {
    let mut failed = Ok(());
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        let removed = match entry.file_type() {
            _ if entry.file_name() == LOCK_FILE => Ok(()),
            Ok(kind) if kind.is_dir() => fs::remove_dir_all(path),
            _ => fs::remove_file(path),
        };
        // Somebody else may have been first.
        failed = failed.and(removed.or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        }));
    }
    failed.and_then(|()| fs::remove_dir_all(folder))
}

/// Whether it is such a folder; it may still be in use.
fn is_left(entry: &DirEntry) -> io::Result<bool> {
    let name = entry.file_name();
    let id = name
        .to_str()
        .and_then(|name| name.strip_prefix(NAME)?.strip_prefix('-'));
    if id.is_none_or(|id| uuid::Uuid::parse_str(id).is_err()) {
        return Ok(false);
    }
    let metadata = entry.metadata()?;
    let is_ours = metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw();
    let age = metadata.modified()?.elapsed().unwrap_or_default();
    Ok(is_ours && age >= LEAST_AGE && entry.path().join(LOCK_FILE).is_file())
}
