//! The folder that a process with volumes starts in: each of its mounts is a link there, to the volume's own folder.
//!
//! It stands for the root of a container, so a relative mount path, which Kubernetes takes from there, leads a process to
//! the same file in both.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::volumes::Bind;

/// Makes the folder with its links, anew when it is there; nothing, when there is nothing to link. What the process
/// finds at its place on this machine anyway needs no link.
pub(super) fn make(folder: &Path, binds: &[Bind]) -> io::Result<Option<PathBuf>> {
    let own = |bind: &&Bind| bind.source != Path::new(&bind.target);
    let mut links: Vec<&Bind> = binds.iter().filter(own).collect();
    if links.is_empty() {
        return Ok(None);
    }
    // What is mounted in another mount comes after it.
    links.sort_by_key(|bind| &bind.target);
    for bind in links {
        let link = folder.join(bind.target.trim_start_matches('/'));
        fs::create_dir_all(link.parent().unwrap_or(folder))?;
        match fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => symlink(&bind.source, &link)?,
        }
    }
    Ok(Some(folder.to_owned()))
}
