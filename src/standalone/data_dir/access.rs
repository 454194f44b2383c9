//! Whether a folder can be trusted: who owns it, and who else gets at it.
//!
//! The judgement is a function of what was seen, so that it can be tested without being another user.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::DataDirError;
use super::files::PRIVATE_FOLDER;
use super::lock::LOCK_FILE;

/// Others may pass through, to what they know of and is open to them, and see no names.
const PASSABLE: u32 = 0o711;
const WRITABLE_BY_OTHERS: u32 = 0o022;
const WRITABLE_BY_EVERYBODY: u32 = 0o002;
const PASSABLE_BY_OTHERS: u32 = 0o001;
const OF_OTHERS: u32 = 0o077;
/// Of a folder: only the owner of a file may rename or remove it.
const STICKY: u32 = 0o1000;

/// What is seen of a folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Whose it is.
    pub(super) owner: u32,
    /// Its permissions, the sticky bit among them.
    pub(super) mode: u32,
    /// Whether it was made for us: there is nothing in it yet, or we have used it before.
    pub(super) is_for_us: bool,
}

/// What is to be done about a folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is private already.
    Use,
    /// It is ours, and others can look into it: nothing is in it that they could have changed.
    MakePrivate,
}

/// Checks that a folder is ours alone, and makes it so where that is safe.
pub(super) fn check(path: &Path) -> Result<(), DataDirError> {
    let failed = |source| DataDirError::io("read", path, source);
    let metadata = fs::metadata(path).map_err(failed)?;
    let seen = Seen {
        owner: metadata.uid(),
        mode: permissions(&metadata),
        is_for_us: is_for_us(path).map_err(failed)?,
    };
    // As it really lies: a link may lead through folders that its own path does not show.
    let real = path.canonicalize().map_err(failed)?;
    check_above(path, &real)?;
    match judge(path, seen, rustix::process::geteuid().as_raw())? {
        Verdict::Use => Ok(()),
        Verdict::MakePrivate => fs::set_permissions(path, Permissions::from_mode(PRIVATE_FOLDER))
            .map_err(|source| DataDirError::io("made private", path, source)),
    }
}

/// What is to be done about a folder, by a process of this user.
pub(super) fn judge(path: &Path, seen: Seen, user: u32) -> Result<Verdict, DataDirError> {
    let path = || PathBuf::from(path);
    let mode = seen.mode;
    if seen.owner != user {
        let owner = seen.owner;
        return Err(DataDirError::NotOurs {
            path: path(),
            owner,
            user,
        });
    }
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(DataDirError::Writable { path: path(), mode });
    }
    match mode & !PASSABLE & 0o777 {
        0 => Ok(Verdict::Use),
        _ if seen.is_for_us => Ok(Verdict::MakePrivate),
        _ => Err(DataDirError::Readable { path: path(), mode }),
    }
}

/// Lets others pass through a folder of ours.
pub(super) fn let_pass(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(PASSABLE))
}

/// Makes what lies in a folder private, but for these folders: it was kept from others by the folder alone, whoever put it
/// there.
pub(super) fn close(folder: &Path, but: &[&Path]) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let metadata = match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        let mode = permissions(&metadata);
        if metadata.is_symlink() || mode & OF_OTHERS == 0 || but.contains(&path.as_path()) {
            continue;
        }
        match fs::set_permissions(path, Permissions::from_mode(mode & !OF_OTHERS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Whether others can pass through a folder.
pub(super) fn is_passable(folder: &Path) -> io::Result<bool> {
    Ok(permissions(&fs::metadata(folder)?) & PASSABLE_BY_OTHERS != 0)
}

/// The folder above this one that others can't pass through.
pub(super) fn closed_above(path: &Path) -> io::Result<Option<PathBuf>> {
    let real = path.canonicalize()?;
    for folder in real.ancestors().skip(1) {
        if !is_passable(folder)? {
            return Ok(Some(folder.to_owned()));
        }
    }
    Ok(None)
}

/// Checks that not everybody can put another folder in the place of this one.
///
/// Those who own a folder above are trusted, as is the group that can write to it: a user's own group owns folders on many
/// systems, and in a container the owners of what is mounted are often nobody who is known there.
fn check_above(path: &Path, real: &Path) -> Result<(), DataDirError> {
    for parent in real.ancestors().skip(1) {
        let metadata = fs::metadata(parent).map_err(|source| DataDirError::io("read", parent, source))?;
        let mode = permissions(&metadata);
        if mode & WRITABLE_BY_EVERYBODY != 0 && mode & STICKY == 0 {
            let (path, parent) = (path.to_owned(), parent.to_owned());
            return Err(DataDirError::Replaceable { path, parent, mode });
        }
    }
    Ok(())
}

fn permissions(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o7777
}

fn is_for_us(path: &Path) -> io::Result<bool> {
    let is_empty = fs::read_dir(path)?.next().is_none();
    Ok(is_empty || path.join(LOCK_FILE).exists())
}
