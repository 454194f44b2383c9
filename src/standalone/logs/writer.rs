//! Writing a log, and keeping it from growing without end.
//!
//! A full disk must not stop the work: what can't be written is left out, and a line says how much when there is room
//! again. Logs never take the last of the room: the database is on the same disk, and a log can only be deleted when it
//! can still be written down that its pod is.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::line::{Line, Stream};
use super::{FILE_BYTES, FILES, files};
use crate::schedule::Timestamp;

/// How much room a log leaves on its disk, in bytes, and on a small disk which part of it.
const ROOM_LEFT: u64 = 32 * 1024 * 1024;
const PART_LEFT: u64 = 4;

/// What only the owner can read.
const PRIVATE_FILE: u32 = 0o600;

/// Writes one log.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    /// How long the file is.
    bytes: u64,
    /// How long it becomes before it is set aside.
    bytes_max: u64,
    /// Lines that are not in the file yet.
    waiting: Vec<u8>,
    waiting_lines: u64,
    /// How many lines are left out since the last one that was written.
    left_out: u64,
}

impl Writer {
    /// Opens a log to add to it; makes it, and the folder that it is in, when they are not there.
    ///
    /// # Errors
    ///
    /// When it can't be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, FILE_BYTES)
    }

    pub(super) fn with_limit(path: &Path, bytes_max: u64) -> io::Result<Self> {
        let mut file = match open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
                open(path)?
            }
            file => file?,
        };
        let mut bytes = file.metadata()?.len();
        if bytes > 0 && !ends_with_line_end(&mut file)? {
            file.write_all(b"\n")?;
            bytes += 1;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            bytes,
            bytes_max,
            waiting: Vec::new(),
            waiting_lines: 0,
            left_out: 0,
        })
    }

    /// Takes a line; it is in the file after the next [`Writer::flush`].
    pub fn push(&mut self, line: &Line) {
        line.write(&mut self.waiting);
        self.waiting_lines += 1;
    }

    /// Writes what was taken. `now` dates the line that says what was left out.
    pub fn flush(&mut self, now: Timestamp) {
        if self.waiting.is_empty() {
            return;
        }
        let mut text = Vec::new();
        if self.left_out > 0 {
            let note = format!(
                "punctual: {} lines could not be kept: the disk was full",
                self.left_out
            );
            let note = Line {
                at: now,
                stream: Stream::Stderr,
                ends: true,
                text: note.into_bytes(),
            };
            note.write(&mut text);
        }
        text.append(&mut self.waiting);
        let written = if has_room(&self.file, text.len() as u64) {
            self.file.write_all(&text)
        } else {
            Err(io::ErrorKind::StorageFull.into())
        };
        match written {
            Ok(()) => {
                self.bytes += text.len() as u64;
                self.left_out = 0;
            }
            Err(_full) => {
                // Half a line would spoil the next one. If that fails as well, a reader skips it.
                let _as_it_was = self.file.set_len(self.bytes);
                self.left_out += self.waiting_lines;
            }
        }
        self.waiting_lines = 0;
        if self.bytes >= self.bytes_max {
            // A file that can't be set aside goes on growing until it can.
            let _tried_again = self.rotate();
        }
    }

    /// Sets the file aside and begins a new one.
    fn rotate(&mut self) -> io::Result<()> {
        let files = files(&self.path)?;
        let aside = &files[..files.len() - 1];
        let next = aside.last().map_or(1, |(number, _)| number + 1);
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{next}"));
        std::fs::rename(&self.path, &name)?;
        let too_many = (aside.len() + 2).saturating_sub(FILES);
        for (_, path) in aside.iter().take(too_many) {
            std::fs::remove_file(path)?;
        }
        self.file = open(&self.path)?;
        self.bytes = 0;
        Ok(())
    }
}

/// Whether so many bytes can be written and enough room is left. Where that can't be told, it is tried.
fn has_room(file: &File, bytes: u64) -> bool {
    rustix::fs::fstatvfs(file).map_or(true, |disk| {
        let (free, all) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
        leaves_room(bytes, free, all)
    })
}

pub(super) fn leaves_room(bytes: u64, free: u64, all: u64) -> bool {
    free.saturating_sub(bytes) >= room_left(all)
}

fn room_left(all: u64) -> u64 {
    ROOM_LEFT.min(all / PART_LEFT)
}

/// Whether logs in a folder soon find no room: there is not half as much again as what they leave.
pub fn room_is_short(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|disk| {
        let (free, all) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
        !leaves_room(room_left(all) / 2, free, all)
    })
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .append(true)
        .create(true)
        .mode(PRIVATE_FILE)
        .open(path)
}

/// A crash may have cut the last line off.
fn ends_with_line_end(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
