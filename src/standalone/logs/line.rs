//! One line of a log: written and read back.

use std::io::Write as _;

use chrono::SecondsFormat;

use crate::schedule::Timestamp;

/// The two streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The word in a log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A line that was written, or a piece of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was read from the process.
    pub at: Timestamp,
    /// Where the process wrote it.
    pub stream: Stream,
    /// Whether the line ends here.
    pub ends: bool,
    /// What was written, without the line end.
    pub text: Vec<u8>,
}

impl Line {
    /// A line of our own, between those of a container.
    pub(super) fn note(at: Timestamp, said: &str) -> Line {
        Line {
            at,
            stream: Stream::Stderr,
            ends: true,
            text: format!("punctual: {said}").into_bytes(),
        }
    }

    /// Writes the line as it stands in a log.
    pub(in crate::standalone) fn write(&self, log: &mut Vec<u8>) {
        let tag = if self.ends { 'F' } else { 'P' };
        let (time, stream) = (self.time(), self.stream.as_str());
        // A vector takes everything.
        let _infallible = write!(log, "{time} {stream} {tag} ");
        log.extend_from_slice(&self.text);
        log.push(b'\n');
    }

    /// The time as it stands in a log: to the nanosecond, always of the same length.
    pub fn time(&self) -> String {
        self.at.to_rfc3339_opts(SecondsFormat::Nanos, true)
    }

    /// Reads a line of a log. Nothing, when it is none: a crash may have cut it off.
    pub(super) fn parse(line: &[u8]) -> Option<Line> {
        let mut words = line.splitn(4, |byte| *byte == b' ');
        let mut word = || words.next();
        let at = std::str::from_utf8(word()?).ok()?;
        let at = chrono::DateTime::parse_from_rfc3339(at).ok()?.to_utc();
        let stream = match word()? {
            b"stdout" => Stream::Stdout,
            b"stderr" => Stream::Stderr,
            _ => return None,
        };
        let ends = match word()? {
            b"F" => true,
            b"P" => false,
            _ => return None,
        };
        let text = word()?.to_owned();
        Some(Line {
            at,
            stream,
            ends,
            text,
        })
    }
}
