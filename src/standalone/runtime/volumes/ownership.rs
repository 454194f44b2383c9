//! The group of a volume (`fsGroup`): what is in it is its group's, to read or to write.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown};
use std::path::Path;

/// What is made in a folder with it has the folder's group.
const SET_GROUP: u32 = 0o2000;

/// What the group may do, by the kubelet's rule: with files that containers may change, with others, with folders.
const CHANGED: u32 = 0o660;
const READ: u32 = 0o440;
const ENTERED: u32 = 0o110;

/// Gives a volume to its group, once: the volume's own folder comes last, and has it when all has.
///
/// Who may not give it away (not root, and not in that group) leaves it as it is.
pub(super) fn give(volume: &Path, group: u32, is_read_only: bool) -> io::Result<()> {
    let metadata = fs::metadata(volume)?;
    if metadata.gid() == group && metadata.mode() & SET_GROUP != 0 {
        return Ok(());
    }
    match give_all(volume, group, if is_read_only { READ } else { CHANGED }) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

fn give_all(path: &Path, group: u32, allowed: u32) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?;
    if kind.is_dir() {
        for entry in fs::read_dir(path)? {
            give_all(&entry?.path(), group, allowed)?;
        }
    }
    lchown(path, None, Some(group))?;
    if kind.is_symlink() {
        return Ok(());
    }
    let of_folder = if kind.is_dir() { SET_GROUP | ENTERED } else { 0 };
    let mode = kind.permissions().mode() | allowed | of_folder;
    fs::set_permissions(path, Permissions::from_mode(mode))
}
