//! Volumes on disk.
//!
//! Everything can be done again after a crash, and what containers have written to an `emptyDir` is never touched. The
//! containers of a pod share its volumes, so this is done for one of them at a time (see `attempts`).

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::path::Path;

use super::content::{Content, Contents, File};
use super::mount::{self, Bind};
use super::{VolumeError, ownership, versions};
use crate::standalone::data_dir::{PodDir, create_private, private_file};
use crate::standalone::runtime::volumes::within;

/// A folder of files that containers read, whoever they run as.
pub(super) const READABLE: u32 = 0o755;
/// An `emptyDir`: whoever a container runs as may write, as in Kubernetes.
const ANYONE: u32 = 0o777;

/// Makes the volumes of a pod, one folder each, for a group if there is one (`fsGroup`).
///
/// # Errors
///
/// What the disk refuses; a path of this machine that is not what its volume says.
pub(in super::super) fn store(
    contents: &Contents,
    pod: &PodDir,
    group: Option<u32>,
) -> Result<(), VolumeError> {
    let folder = &pod.volumes();
    for (name, content) in contents {
        let path = &pod.volume(name);
        let failed = || VolumeError::io(name, path);
        let own = |is_read_only| {
            move |path: &Path| group.map_or(Ok(()), |group| ownership::give(path, group, is_read_only))
        };
        match content {
            Content::Empty => {
                private(name, folder)?;
                made(path, ANYONE)
                    .and_then(|()| own(false)(path))
                    .map_err(failed())?;
            }
            Content::Files(files) => {
                private(name, folder)?;
                let own = own(true);
                made(path, READABLE)
                    .and_then(|()| versions::replace(path, files, own))
                    .and_then(|()| own(path))
                    .map_err(failed())?;
            }
            // It is not the pod's own.
            Content::Host { path, kind } => host(name, path, kind)?,
        }
    }
    Ok(())
}

/// Makes the folder of a `subPath` that is not there yet, and sees to it that it lies in its volume: a container that
/// has written a link there must not reach what lies outside.
///
/// # Errors
///
/// What the disk refuses; a path that leads out of its volume.
pub(in super::super) fn settle(bind: &Bind, container: &str) -> Result<(), VolumeError> {
    let Some(root) = &bind.made_in else {
        return Ok(());
    };
    let volume = root.display().to_string();
    let failed = || VolumeError::io(&volume, &bind.source);
    // As open as the volume is: who may write there may write here.
    let mode = fs::metadata(root).map_err(failed())?.permissions().mode();
    match within::reach(root, &bind.source, mode) {
        Ok(_there) => Ok(()),
        Err(error) if within::is_refused(&error) => Err(VolumeError::BadSubPath {
            container: container.to_owned(),
            volume,
            sub_path: bind.source.display().to_string(),
        }),
        Err(error) => Err(failed()(error)),
    }
}

/// Makes the folders at which an engine is to mount what lies in mounts of files (`MakeNestedMountpoints` in the kubelet):
/// nothing can be made there once those are mounted, for nobody can write to them.
///
/// # Errors
///
/// What the disk refuses; a path that leads out of its volume.
pub(in super::super) fn make_mount_points(binds: &[Bind]) -> io::Result<()> {
    let binds = mount::in_order(binds).unwrap_or_default();
    for (at, (path, bind)) in binds.iter().enumerate() {
        if let Some((inside, outer)) = mount::around(path, &binds[..at])
            && outer.read_only
            && !outer.is_host
            && bind.source.is_dir()
        {
            outer.reach(inside).map_err(bind.not_laid_out())?;
        }
    }
    Ok(())
}

/// Only the owner comes in from outside; containers see what is beneath, through their own mounts.
fn private(volume: &str, folder: &Path) -> Result<(), VolumeError> {
    let made = create_private(folder).map_err(io::Error::other);
    made.map_err(VolumeError::io(volume, folder))
}

/// Makes a folder with a mode that the umask has no say in. One that is there keeps the mode it has.
pub(super) fn made(folder: &Path, mode: u32) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => fs::set_permissions(folder, fs::Permissions::from_mode(mode)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes a file. A secret is readable by its owner alone until it has the mode it is meant to have.
pub(super) fn put(path: &Path, file: &File) -> io::Result<()> {
    let mut made = private_file().write(true).create_new(true).open(path)?;
    made.write_all(&file.bytes)?;
    fs::set_permissions(path, fs::Permissions::from_mode(file.mode))
}

/// Checks, and where it is asked for makes, a path of this machine (`hostPath.type`).
fn host(volume: &str, path: &Path, kind: &str) -> Result<(), VolumeError> {
    match kind {
        "DirectoryOrCreate" if !path.exists() => {
            return fs::DirBuilder::new()
                .recursive(true)
                .mode(READABLE)
                .create(path)
                .map_err(VolumeError::io(volume, path));
        }
        "FileOrCreate" if !path.exists() => {
            return fs::File::create(path)
                .map(drop)
                .map_err(VolumeError::io(volume, path));
        }
        _ => {}
    }
    let there = fs::metadata(path).map(|metadata| metadata.file_type());
    let (wanted, is) = match kind {
        "Directory" | "DirectoryOrCreate" => ("folder", there.is_ok_and(|kind| kind.is_dir())),
        "File" | "FileOrCreate" => ("file", there.is_ok_and(|kind| kind.is_file())),
        "Socket" => ("socket", there.is_ok_and(|kind| kind.is_socket())),
        "CharDevice" => ("character device", there.is_ok_and(|kind| kind.is_char_device())),
        "BlockDevice" => ("block device", there.is_ok_and(|kind| kind.is_block_device())),
        _ => ("path that exists", there.is_ok()),
    };
    if is {
        Ok(())
    } else {
        Err(VolumeError::HostPath {
            volume: volume.to_owned(),
            path: path.to_owned(),
            wanted,
        })
    }
}
