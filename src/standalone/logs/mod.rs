//! What containers write, kept in files: one format, one writer, one reader.
//!
//! A log is a text file with a line for each line that was written:
//!
//! ```text
//! 2026-11-24T16:00:00.123456789Z stdout F hello, world
//! ```
//!
//! the time in UTC, the stream, `F` for a full line or `P` for a piece of one that is longer than
//! [`LONGEST_LINE`](crate::standalone::runtime::LONGEST_LINE), and the bytes as they were written. Container engines
//! for Kubernetes write the same (CRI), so that what reads their logs reads these.
//!
//! A file that has grown to [`FILE_BYTES`] is set aside as `….log.1`, `….log.2` and so on, counting up, and the oldest
//! goes when there are more than [`FILES`]. A reader that is in the middle of one goes on with the next; one that is so slow that
//! this has gone reads a line that says so.

mod line;
mod query;
mod reader;
mod source;
mod writer;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub use line::{Line, Stream};
pub use query::{LogQuery, Selection};
pub use reader::Reader;
pub use source::{NoLog, Source};
pub use writer::{Writer, room_is_short};

/// How large a file of a log becomes before it is set aside. The kubelet's default, `containerLogMaxSize`.
pub const FILE_BYTES: u64 = 10 * 1024 * 1024;

/// How many files a log has at most, the one that is written to among them. The kubelet's default,
/// `containerLogMaxFiles`.
pub const FILES: usize = 5;

/// Whether anything of a log is kept. Of a container that was started there is a log, until somebody makes room.
pub fn is_kept(path: &Path) -> bool {
    path.exists() || set_aside(path).is_ok_and(|files| !files.is_empty())
}

/// The files of a log that were set aside, with their numbers, oldest first.
fn set_aside(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let entry_name = entry.file_name();
        let number = entry_name
            .to_str()
            .and_then(|entry| entry.strip_prefix(&name)?.strip_prefix('.')?.parse().ok());
        if let Some(number) = number {
            files.push((number, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

/// The number that the file gets that is written to, once it is set aside as well.
fn next_number(set_aside: &[(u64, PathBuf)]) -> u64 {
    set_aside.last().map_or(1, |(number, _)| number + 1)
}
