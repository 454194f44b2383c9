//! Writing a log, and keeping it from growing without end.
//!
//! A log must not stop the work: what can't be written is left out, a line says so, and another how much it was when there is
//! room again; a file that can't be set aside goes on growing, and a line says that. Logs never take the last of the room: the
//! database is on the same disk, and a log can only be deleted when it can still be written down that its pod is.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::line::Line;
use super::{FILE_BYTES, FILES, next_number, set_aside};
use crate::schedule::Timestamp;
use crate::standalone::data_dir::{Obstacle, largest_file, private_file, suffixed};

/// How much room a log leaves on its disk, in bytes, and on a small disk which part of it.
const ROOM_LEFT: u64 = 32 * 1024 * 1024;
const PART_LEFT: u64 = 4;

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
    /// How many lines are left out since the last one that was written, and why the last of them was.
    left_out: Option<(u64, io::Error)>,
    /// Whether the file could not be set aside the last time.
    is_stuck: bool,
}

impl Writer {
    /// Opens a log to add to it; makes it, and the folder that it is in, when they are not there.
    ///
    /// # Errors
    ///
    /// When it can't be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let most = largest_file().unwrap_or(u64::MAX);
        // Half of what a file may hold, so that what is written at one time fits in.
        Self::with_limit(path, FILE_BYTES.min(most / 2))
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
            left_out: None,
            is_stuck: false,
        })
    }

    /// Takes a line; it is in the file after the next [`Writer::flush`].
    pub fn push(&mut self, line: &Line) {
        line.write(&mut self.waiting);
        self.waiting_lines += 1;
    }

    /// Writes what was taken. `now` dates the line that says what was left out.
    pub fn flush(&mut self, now: Timestamp) {
        if self.waiting.is_empty() && self.left_out.is_none() {
            return;
        }
        let mut text = self.left_out.as_ref().map_or_else(Vec::new, |(lines, why)| {
            note(
                now,
                &format!("{lines} lines could not be kept: {}", self.shown(why)),
            )
        });
        text.append(&mut self.waiting);
        let lines = std::mem::take(&mut self.waiting_lines);
        match self.write(&text) {
            Ok(()) => self.left_out = None,
            Err(why) => {
                let before = self.left_out.take();
                if before.is_none() {
                    // It may end before there is room again, so this one line takes of what is left for others.
                    let said = format!("lines are left out from here on: {}", self.shown(&why));
                    let _full = self.append(&note(now, &said));
                }
                self.left_out = Some((before.map_or(0, |(lines, _)| lines) + lines, why));
            }
        }
        if self.bytes >= self.bytes_max {
            self.set_aside(now);
        }
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        if has_room(&self.file, text.len() as u64) {
            self.append(text)
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(text);
        match &written {
            Ok(()) => self.bytes += text.len() as u64,
            // Half a line would spoil the next one. If that fails as well, a reader skips it.
            Err(_why) => drop(self.file.set_len(self.bytes)),
        }
        written
    }

    /// Why something could not be written, in words.
    fn shown(&self, why: &io::Error) -> String {
        match Obstacle::behind(why, &self.path) {
            Some(Obstacle::Full | Obstacle::Quota) => "the disk was full".to_owned(),
            Some(obstacle) => obstacle.to_string(),
            None => why.to_string(),
        }
    }

    /// Sets the file aside, or else goes on with it until that can be done, and says so once.
    fn set_aside(&mut self, now: Timestamp) {
        let rotated = self.rotate();
        let was_stuck = std::mem::replace(&mut self.is_stuck, rotated.is_err());
        if let Err(why) = rotated
            && !was_stuck
        {
            let said = format!(
                "this file of the log can't be set aside, and goes on growing: {}",
                self.shown(&why)
            );
            // It is told where it can be told.
            let _full = self.write(&note(now, &said));
        }
    }

    /// Sets the file aside and begins a new one. Whatever was done of it before an error does not have to be done again.
    fn rotate(&mut self) -> io::Result<()> {
        let aside = set_aside(&self.path)?;
        let name = suffixed(&self.path, &format!(".{}", next_number(&aside)));
        match std::fs::rename(&self.path, &name) {
            // It was set aside, or somebody has removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
        self.file = open(&self.path)?;
        self.bytes = 0;
        let too_many = (aside.len() + 2).saturating_sub(FILES);
        for (_, path) in aside.iter().take(too_many) {
            // One that can't be removed is one of too many the next time as well.
            let _stays = std::fs::remove_file(path);
        }
        Ok(())
    }
}

/// A line of our own, as it stands in a log.
fn note(now: Timestamp, said: &str) -> Vec<u8> {
    let mut text = Vec::new();
    Line::note(now, said).write(&mut text);
    text
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
    private_file().read(true).append(true).create(true).open(path)
}

/// A crash may have cut the last line off.
fn ends_with_line_end(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
