//! Reading a log from its beginning or its end, through the files that it consists of.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::files;
use super::line::Line;

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// A place in a log, and the way on from there.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    /// The file that is being read. Nothing before the log's first file was seen.
    file: Option<File>,
    /// A line whose end was not there yet.
    open: Vec<u8>,
    chunk: Vec<u8>,
}

impl Reader {
    /// Reads a log from its beginning, or what is kept of it. It need not be there yet.
    pub fn at_start(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            open: Vec::new(),
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
        match File::open(path) {
            Ok(mut file) => {
                file.seek(SeekFrom::End(0))?;
                reader.file = Some(file);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
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
                lines.extend(Line::parse(&self.open[begun..begun + length]));
                begun += length + 1;
            }
            self.open.drain(..begun);
        }
        Ok(lines)
    }

    /// Reads bytes from the file at hand, or from the one after it.
    fn read_chunk(&mut self) -> io::Result<usize> {
        loop {
            if let Some(file) = &mut self.file {
                let read = file.read(&mut self.chunk)?;
                if read > 0 {
                    return Ok(read);
                }
            }
            let Some(next) = self.next_file()? else {
                return Ok(0);
            };
            // The writer may have written here between our last read and setting the file aside.
            if let Some(file) = &mut self.file {
                let read = file.read(&mut self.chunk)?;
                if read > 0 {
                    return Ok(read);
                }
            }
            self.open.clear();
            self.file = Some(next);
        }
    }

    /// The file after the one that is being read, when there is one.
    fn next_file(&self) -> io::Result<Option<File>> {
        let now = match &self.file {
            Some(file) => {
                let inode = file.metadata()?.ino();
                match std::fs::metadata(&self.path) {
                    Ok(current) if current.ino() == inode => return Ok(None),
                    _ => Some(inode),
                }
            }
            None => None,
        };
        let files = match files(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            files => files?,
        };
        let is_now =
            |path: &PathBuf| now.is_some() && std::fs::metadata(path).map(|file| file.ino()).ok() == now;
        let next = files
            .iter()
            .position(|(_, path)| is_now(path))
            .map_or(0, |position| position + 1);
        // One may be removed while we look: the next is taken then.
        for (_, path) in files.iter().skip(next) {
            match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                file => return file.map(Some),
            }
        }
        Ok(None)
    }
}
