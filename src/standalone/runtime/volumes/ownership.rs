//! The group of a volume (`fsGroup`): what is in it is its group's, to read or to write.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::standalone::runtime::volumes::within::Place;

/// What is made in a folder with it has the folder's group.
const SET_GROUP: u32 = 0o2000;

/// What the group may do, by the kubelet's rule: with files that containers may change, with others, with folders.
const CHANGED: u32 = 0o660;
const READ: u32 = 0o440;
const ENTERED: u32 = 0o110;

/// How many folders lie in each other in a volume that is given away; what is deeper stays as it is. Each is held open,
/// and what a process makes meanwhile must not use up what we may open.
const DEEPEST: usize = 128;

/// Gives a volume to its group, once: the volume's own folder comes last, and has it when all has.
///
/// Who may not give it away (not root, and not in that group) leaves it as it is.
pub(super) fn give(volume: &Path, group: u32, is_read_only: bool) -> io::Result<()> {
    let volume = Place::folder(volume)?;
    let metadata = volume.metadata()?;
    if metadata.gid() == group && metadata.mode() & SET_GROUP != 0 {
        return Ok(());
    }
    match give_all(&volume, group, if is_read_only { READ } else { CHANGED }, DEEPEST) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

fn give_all(place: &Place, group: u32, allowed: u32, deeper: usize) -> io::Result<()> {
    let kind = place.metadata()?;
    if kind.is_dir() && deeper > 0 {
        for entry in place.entries()? {
            give_all(&entry, group, allowed, deeper - 1)?;
        }
    }
    place.set_group(group)?;
    if kind.is_symlink() {
        return Ok(());
    }
    let of_folder = if kind.is_dir() { SET_GROUP | ENTERED } else { 0 };
    place.set_mode(kind.permissions().mode() | allowed | of_folder)
}
