//! Files and folders that only their owner can read.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::DataDirError;

/// The mode of a folder that only its owner gets into.
pub(super) const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// Makes a folder, and those above it that are missing, with mode 0700. One that is there stays as it is.
///
/// # Errors
///
/// When it cannot be made.
pub fn create_private(path: &Path) -> Result<(), DataDirError> {
    builder()
        .recursive(true)
        .create(path)
        .map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                DataDirError::NotAFolder { path: path.into() }
            }
            _ => DataDirError::make(path, source),
        })
}

/// Makes a folder with mode 0700 that was not there before, in one that is.
///
/// # Errors
///
/// When it cannot be made.
pub fn create_new_private(path: &Path) -> Result<(), DataDirError> {
    builder()
        .create(path)
        .map_err(|source| DataDirError::make(path, source))
}

fn builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(PRIVATE_FOLDER);
    builder
}

/// How a file is opened that has mode 0600 if it is made by that.
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(PRIVATE_FILE);
    options
}

/// A path with something after its last component.
pub fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Writes a file of mode 0600 in one step: whoever reads it, and whenever the power fails, finds the old text or the
/// new one.
///
/// # Errors
///
/// When it cannot be written; the old text is still there.
pub fn write_private(path: &Path, text: &[u8]) -> Result<(), DataDirError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let draft = path.with_file_name(name);
    let written = replace(path, &draft, text);
    if written.is_err() {
        // What matters is why it could not be written.
        let _left_behind = std::fs::remove_file(&draft);
    }
    written.map_err(|source| DataDirError::io("written", path, source))
}

fn replace(path: &Path, draft: &Path, text: &[u8]) -> io::Result<()> {
    // A draft that a crash has left behind may have been cut off anywhere.
    match std::fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private_file().write(true).create_new(true).open(draft)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(draft, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
