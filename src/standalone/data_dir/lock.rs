//! One process at a time: a file that is locked for as long as its holder lives.
//!
//! The kernel lets the lock go when the process ends, however it ends, so a crash leaves nothing to clean up. What is
//! written in the file is for people only.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use super::DataDirError;
use super::files::private_file;

/// The file's name.
pub(super) const LOCK_FILE: &str = "lock";

/// A process id is shorter than this, whatever somebody wrote into the file.
const PID_BYTES_MAX: u64 = 16;

/// The lock, held for as long as this lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a folder.
    pub(super) fn take(folder: &Path) -> Result<Lock, DataDirError> {
        let path = folder.join(LOCK_FILE);
        let failed = |source| DataDirError::io("written", &path, source);
        let opened = private_file()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::InUse {
                    path: folder.to_owned(),
                    pid: holder(&file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(DataDirError::io("locked", &path, source)),
        }
        let _on_a_full_disk_nobody_is_named = sign(&mut file);
        Ok(Lock { _file: file })
    }
}

/// Writes who holds the lock.
fn sign(file: &mut File) -> std::io::Result<()> {
    // In the room that it has: a full disk may have no other.
    file.rewind()?;
    let text = format!("{}\n", std::process::id());
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_data()
}

/// Who holds the lock, by what is written in it.
fn holder(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
