//! The way of another user to what its pod has for it, through folders that are ours.

use std::fs::File;
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, chown};

use crate::standalone::data_dir::{DataDir, PodDir};

/// What only the owner can read.
const PRIVATE_FILE: u32 = 0o600;

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
    let mut options = File::options();
    let options = options.create(true).append(true).mode(PRIVATE_FILE);
    options.open(&message)?;
    chown(message, Some(user), None)
}
