//! What lies below a folder that others can write to, without following what they have put there.
//!
//! Whoever runs as a pod's user can put a link in its volumes, in the place of a folder at any moment, and may be led
//! by it to no more than it can reach itself. So a [`Place`] is held open, and everything is done to what was opened:
//! a path that is looked up again may lead elsewhere by then.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, Gid, Mode, OFlags, chownat, mkdirat, openat, readlinkat, symlinkat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

/// A file or folder (or link) that is held, not opened to be read: that has no effect on a pipe or a device.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct Place(File);

impl Place {
    /// A folder whose path is ours, or the user's: links in it are followed.
    pub(in crate::standalone::runtime) fn folder(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, path, flags, Mode::empty())?.into()))
    }

    /// What has this name in the folder, whatever it is.
    fn open(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(openat(&self.0, name, flags, Mode::empty())?.into()))
    }

    /// What has this name in the folder; a folder with this mode, in which the umask has no say, when nothing has.
    ///
    /// # Errors
    ///
    /// What the disk refuses; a link ([`is_refused`]).
    pub(super) fn open_or_make(&self, name: &OsStr, mode: u32) -> io::Result<Self> {
        let found = match self.open(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match mkdirat(&self.0, name, Mode::RWXU)
            {
                Ok(()) => {
                    let made = self.open(name)?;
                    if made.metadata()?.is_dir() {
                        made.set_mode(mode)?;
                    }
                    made
                }
                // A process of the pod was faster.
                Err(Errno::EXIST) => self.open(name)?,
                Err(error) => return Err(error.into()),
            },
            found => found?,
        };
        if found.metadata()?.is_symlink() {
            return Err(refused());
        }
        Ok(found)
    }

    /// What lies at a relative path without `..`; folders are made on the way.
    ///
    /// # Errors
    ///
    /// As [`Place::open_or_make`].
    pub(in crate::standalone::runtime) fn walk(self, path: &Path, mode: u32) -> io::Result<Self> {
        path.iter()
            .try_fold(self, |folder, name| folder.open_or_make(name, mode))
    }

    /// Makes a link in the folder, also in the place of one that we have made before. Nothing else is taken away for it.
    ///
    /// # Errors
    ///
    /// What the disk refuses; [`io::ErrorKind::AlreadyExists`], when anything but a link of ours has the name.
    pub(in crate::standalone::runtime) fn link(&self, name: &OsStr, target: &Path) -> io::Result<()> {
        match symlinkat(target, &self.0, name) {
            Err(Errno::EXIST) => {}
            made => return Ok(made?),
        }
        let there = self.open(name)?.metadata()?;
        if !there.is_symlink() || there.uid() != geteuid().as_raw() {
            return Err(Errno::EXIST.into());
        }
        // What runs already may be looking through it.
        if readlinkat(&self.0, name, Vec::new())?.to_bytes() == target.as_os_str().as_bytes() {
            return Ok(());
        }
        unlinkat(&self.0, name, AtFlags::empty())?;
        Ok(symlinkat(target, &self.0, name)?)
    }

    /// What is in the folder. What vanishes meanwhile is not.
    pub(super) fn entries(&self) -> io::Result<Vec<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let readable = openat(&self.0, ".", flags, Mode::empty())?;
        let mut places = Vec::new();
        for entry in Dir::new(readable)? {
            let name = OsString::from(OsStr::from_bytes(entry?.file_name().to_bytes()));
            if name == "." || name == ".." {
                continue;
            }
            match self.open(&name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                place => places.push(place?),
            }
        }
        Ok(places)
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    pub(super) fn set_group(&self, group: u32) -> io::Result<()> {
        let group = Some(Gid::from_raw(group));
        Ok(chownat(&self.0, "", None, group, AtFlags::EMPTY_PATH)?)
    }

    /// Not for links, which have no mode.
    pub(super) fn set_mode(&self, mode: u32) -> io::Result<()> {
        // The kernel changes no mode through what is merely held; by this path it finds the same file again.
        let held = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        fs::set_permissions(held, Permissions::from_mode(mode))
    }
}

/// What lies at a path below a folder that is ours, or the user's. Links on the way that lead to where they are, inside
/// the folder, are good; folders that are missing are made with this mode.
///
/// # Errors
///
/// What the disk refuses; a path that leads out, or that is changed at this moment ([`is_refused`]).
pub(in crate::standalone::runtime) fn reach(root: &Path, path: &Path, mode: u32) -> io::Result<Place> {
    let real_root = root.canonicalize()?;
    for there in path.ancestors() {
        let real = match there.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound && there != root => continue,
            real => real?,
        };
        let (Ok(inside), Ok(missing)) = (real.strip_prefix(&real_root), path.strip_prefix(there)) else {
            return Err(refused());
        };
        return Place::folder(&real_root)?.walk(&inside.join(missing), mode);
    }
    Err(refused())
}

/// Whether a link was in the way.
pub(in crate::standalone::runtime) fn is_refused(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

fn refused() -> io::Error {
    Errno::LOOP.into()
}
