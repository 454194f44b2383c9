//! The way of another user to what its pod has for it, through folders that are ours.

use std::io;
use std::os::unix::fs::chown;

use crate::standalone::data_dir::{DataDir, PodDir, private_file};

/// Opens it for the user of an attempt, and makes the file for its last words, which the user can't make.
pub(super) fn open(
    data: &DataDir,
    pod: &PodDir,
    (container, attempt): (&str, u32),
    (user, has_volumes): (u32, bool),
) -> io::Result<()> {
    match data.let_pass(pod, container) {
        // It misses nothing but the file for its last words.
        Err(_closed) if !has_volumes => return Ok(()),
        passed => passed?,
    }
    let message = pod.message(container, attempt);
    private_file().create(true).append(true).open(&message)?;
    chown(message, Some(user), None)
}
