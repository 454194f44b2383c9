//! Reading a log from its beginning or its end, through the files that it consists of.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::line::Line;
use super::{next_number, set_aside};

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// What is read in the place of what went before it was.
const MISSED: &str =
    "lines are missing here, as the log grew faster than it was read, and only its last files are kept";

/// A place in a log, and the way on from there.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    /// The file that is being read, with the number that it has or gets. Nothing before the log's first file was seen.
    file: Option<(u64, File)>,
    /// A line whose end was not there yet.
    open: Vec<u8>,
    /// Whether a file that was to be read had gone, which the next line is told with.
    misses: bool,
    chunk: Vec<u8>,
}

impl Reader {
    /// Reads a log from its beginning, or what is kept of it. It need not be there yet.
    pub fn at_start(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            open: Vec::new(),
            misses: false,
            chunk: vec![0; CHUNK],
        }
    }

    /// Reads what is added to a log from now on.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn at_end(path: &Path) -> io::Result<Self> {
        let mut reader = Self::at_start(path);
        if let Some(mut file) = open_if_there(path)? {
            file.seek(SeekFrom::End(0))?;
            reader.file = Some((number_of(&file, &set_aside(path)?)?, file));
        }
        Ok(reader)
    }

    /// Some of the lines that are there and were not read yet; none, when all were.
    ///
    /// # Errors
    ///
    /// When the log can't be read.
    pub fn read(&mut self) -> io::Result<VecDeque<Line>> {
        let mut lines = VecDeque::new();
        while lines.is_empty() {
            let read = self.read_chunk()?;
            if read == 0 {
                break;
            }
            self.open.extend_from_slice(&self.chunk[..read]);
            let mut begun = 0;
            while let Some(length) = self.open[begun..].iter().position(|byte| *byte == b'\n') {
                if let Some(line) = Line::parse(&self.open[begun..begun + length]) {
                    if std::mem::take(&mut self.misses) {
                        lines.push_back(Line::note(line.at, MISSED));
                    }
                    lines.push_back(line);
                }
                begun += length + 1;
            }
            self.open.drain(..begun);
        }
        Ok(lines)
    }

    /// Reads bytes from the file at hand, or from the one after it.
    fn read_chunk(&mut self) -> io::Result<usize> {
        loop {
            if let Some((_, file)) = &mut self.file {
                let read = file.read(&mut self.chunk)?;
                if read > 0 {
                    return Ok(read);
                }
            }
            let Some(next) = self.next_file()? else {
                return Ok(0);
            };
            // The writer may have written here between our last read and setting the file aside.
            if let Some((_, file)) = &mut self.file {
                let read = file.read(&mut self.chunk)?;
                if read > 0 {
                    return Ok(read);
                }
            }
            self.open.clear();
            self.misses |= self.file.as_ref().is_some_and(|(before, _)| next.0 > before + 1);
            self.file = Some(next);
        }
    }

    /// The file after the one that is being read, when there is one, and its number.
    fn next_file(&self) -> io::Result<Option<(u64, File)>> {
        if let Some((_, file)) = &self.file
            && let Ok(current) = std::fs::metadata(&self.path)
            && current.ino() == file.metadata()?.ino()
        {
            return Ok(None);
        }
        // Before it is seen what was set aside: if this one is meanwhile, it is among them, and none between is passed over.
        let current = open_if_there(&self.path)?;
        let set_aside = match set_aside(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            files => files?,
        };
        let before = self.file.as_ref().map_or(0, |(number, _)| *number);
        // One may be removed while we look: the next is taken then.
        for (number, path) in set_aside.iter().filter(|(number, _)| *number > before) {
            if let Some(file) = open_if_there(path)? {
                return Ok(Some((*number, file)));
            }
        }
        let numbered = |file| Ok((number_of(&file, &set_aside)?, file));
        current.map(numbered).transpose()
    }
}

/// The number of a file that was the one that is written to, before it was seen what was set aside.
fn number_of(file: &File, set_aside: &[(u64, PathBuf)]) -> io::Result<u64> {
    let inode = file.metadata()?.ino();
    let is_it = |path: &Path| std::fs::metadata(path).is_ok_and(|found| found.ino() == inode);
    let found = set_aside.iter().find(|(_, path)| is_it(path));
    Ok(found.map_or_else(|| next_number(set_aside), |(number, _)| *number))
}

fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.map(Some),
    }
}
