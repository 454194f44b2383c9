//! The files of a volume, always all of one version, also for who reads them while they are replaced.
//!
//! ```text
//!  colour   -> ..data/colour
//!  ..data   -> ..2
//!  ..2/colour
//! ```
//!
//! A version is written beside the one before it, and then a single link is turned. It is the kubelet's layout
//! (`atomic_writer.go`), which programs know that watch their configuration. All of it can be done again after a crash.
//!
//! A link in a version leads to what is mounted there (see `root`), and goes over into the next.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::content::File;
use super::store::{READABLE, made, put};

/// What our own names at the top of a volume begin with, and no others.
const RESERVED: &str = "..";

/// The link to the version that holds.
const DATA: &str = "..data";
/// A link before it takes its place.
const NEXT: &str = "..next";

type Files = BTreeMap<PathBuf, File>;

/// Whether a path in a volume is for us alone; Kubernetes refuses such paths as well.
pub(super) fn is_reserved(path: &Path) -> bool {
    path.as_os_str()
        .as_encoded_bytes()
        .starts_with(RESERVED.as_bytes())
}

/// Has these files in a volume, and none of a version before. A new version is handed to `finish` before anybody sees it.
pub(super) fn replace(
    volume: &Path,
    files: &Files,
    finish: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let current = fs::read_link(volume.join(DATA)).ok();
    let is_current = |version: &PathBuf| holds(&volume.join(version), files);
    let version = if let Some(version) = current.clone().filter(is_current) {
        version
    } else {
        let version = after(current.as_deref());
        let folder = volume.join(&version);
        write(&folder, files)?;
        if let Some(current) = &current {
            take_over_links(&volume.join(current), &folder)?;
        }
        finish(&folder)?;
        turn(volume, OsStr::new(DATA), &version)?;
        version
    };
    let names = files.keys().filter_map(|path| path.iter().next()).collect();
    show(volume, &names)?;
    sweep(volume, &names, &version)
}

/// The name of the next version.
fn after(version: Option<&Path>) -> PathBuf {
    let number = version.and_then(|version| version.to_str()?.strip_prefix(RESERVED)?.parse::<u64>().ok());
    PathBuf::from(format!(
        "{RESERVED}{}",
        number.unwrap_or_default().wrapping_add(1)
    ))
}

/// Whether a version has exactly these files. One that can't be read has not.
fn holds(version: &Path, files: &Files) -> bool {
    let is_same = |path: &PathBuf| {
        let wanted = path.strip_prefix(version).ok().and_then(|path| files.get(path));
        wanted.is_some_and(|file| fs::read(path).is_ok_and(|bytes| bytes == file.bytes))
    };
    let there = walk(version).map(|there| there.into_iter().filter(|path| !path.is_symlink()).collect());
    there.is_ok_and(|there: Vec<_>| there.len() == files.len() && there.iter().all(is_same))
}

/// Makes the links of one version in the next, where that has nothing in their places.
fn take_over_links(version: &Path, next: &Path) -> io::Result<()> {
    for path in walk(version).unwrap_or_default() {
        let (Ok(target), Ok(place)) = (fs::read_link(&path), path.strip_prefix(version)) else {
            continue;
        };
        let made = make_folders(next, place.parent()).and_then(|()| symlink(target, next.join(place)));
        made.or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => Ok(()),
            _ => Err(error),
        })?;
    }
    Ok(())
}

/// The files below a folder.
fn walk(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let to = if entry.file_type()?.is_dir() {
                &mut folders
            } else {
                &mut files
            };
            to.push(entry.path());
        }
    }
    Ok(files)
}

/// Writes a version, also in the place of one that a crash has left.
fn write(version: &Path, files: &Files) -> io::Result<()> {
    remove(version)?;
    made(version, READABLE)?;
    for (path, file) in files {
        make_folders(version, path.parent())?;
        put(&version.join(path), file)?;
    }
    Ok(())
}

/// Makes the folders of a path in a version.
fn make_folders(version: &Path, path: Option<&Path>) -> io::Result<()> {
    let mut folder = version.to_owned();
    for name in path.into_iter().flat_map(Path::iter) {
        folder.push(name);
        made(&folder, READABLE)?;
    }
    Ok(())
}

/// Links each name at the top of the volume to what has it in the version that holds.
fn show(volume: &Path, names: &BTreeSet<&OsStr>) -> io::Result<()> {
    for name in names {
        let target = Path::new(DATA).join(name);
        if fs::read_link(volume.join(name)).is_ok_and(|there| there == target) {
            continue;
        }
        // An earlier `punctual` has put the files here themselves.
        if fs::symlink_metadata(volume.join(name)).is_ok_and(|there| there.is_dir()) {
            remove(&volume.join(name))?;
        }
        turn(volume, name, &target)?;
    }
    Ok(())
}

/// Makes a link, or turns one that is there: at each moment the name leads to one or the other.
fn turn(volume: &Path, name: &OsStr, target: &Path) -> io::Result<()> {
    let next = volume.join(NEXT);
    remove(&next)?;
    symlink(target, &next)?;
    fs::rename(next, volume.join(name))
}

/// Removes what is left of versions before: their folders, and the links to what there is no longer.
fn sweep(volume: &Path, names: &BTreeSet<&OsStr>, version: &Path) -> io::Result<()> {
    for entry in fs::read_dir(volume)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let is_left = if is_reserved(Path::new(&name)) {
            name != DATA && name != version
        } else {
            let is_ours = fs::read_link(&path).is_ok_and(|target| target.starts_with(DATA));
            is_ours && !names.contains(&*name)
        };
        if is_left {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes what has a name, if anything has: a folder with all that is in it, whatever the modes of its files.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
