//! How far a container's output was copied to its log, by which a line that the engine hands on once more is known.
//!
//! The dates of the lines tell, and they don't tell more than that: a clock may be set back.

use std::path::Path;

use crate::schedule::Timestamp;
use crate::standalone::logs::{Line, Reader, Stream};

/// How far each stream was copied.
#[derive(Debug, Default)]
pub(super) struct Copied {
    stdout: Option<Mark>,
    stderr: Option<Mark>,
}

impl Copied {
    /// What a log holds already.
    pub(super) fn before(log: &Path) -> std::io::Result<Self> {
        let mut copied = Self::default();
        let mut reader = Reader::at_start(log);
        loop {
            let lines = reader.read()?;
            if lines.is_empty() {
                return Ok(copied);
            }
            for line in &lines {
                copied.is_new(line);
            }
        }
    }

    /// The engine hands everything on once more that has come since; `since` is in seconds since 1970.
    pub(super) fn begin_anew(&mut self, since: i32) {
        let marks = [&mut self.stdout, &mut self.stderr];
        for mark in marks.into_iter().flatten() {
            mark.begin_anew(since);
        }
    }

    /// Whether a line was not copied before; from now on it was. Lines are asked for in their order.
    pub(super) fn is_new(&mut self, line: &Line) -> bool {
        let mark = match line.stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        match mark {
            Some(mark) => mark.is_new(line.at),
            mark => {
                *mark = Some(Mark::first(line.at));
                true
            }
        }
    }
}

/// The last line of a stream, by which it is known when the engine hands it on once more.
#[derive(Debug)]
struct Mark {
    at: Timestamp,
    /// How many lines at the end have this date: an engine gives those one date that it has read at once.
    lines: usize,
    /// How many of them the engine has handed on since it was asked last.
    seen: usize,
    /// The latest date of all, which is another one when the clock was set back.
    latest: Timestamp,
    /// Whether all that comes is new, whatever its date.
    is_passed: bool,
}

impl Mark {
    fn first(at: Timestamp) -> Self {
        Self {
            at,
            lines: 1,
            seen: 0,
            latest: at,
            is_passed: true,
        }
    }

    fn begin_anew(&mut self, since: i32) {
        self.seen = 0;
        self.is_passed = self.latest.timestamp() < since.into();
    }

    fn is_new(&mut self, at: Timestamp) -> bool {
        if self.is_passed || at > self.latest {
            self.lines = if at == self.at { self.lines + 1 } else { 1 };
            (self.at, self.latest, self.is_passed) = (at, self.latest.max(at), true);
            return true;
        }
        if at == self.at {
            self.seen += 1;
            self.is_passed = self.seen == self.lines;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standalone::logs::Writer;

    fn dated(second: u32, stream: Stream) -> Line {
        let at = format!("2026-11-24T16:00:{second:02}Z");
        Line {
            at: at.parse().unwrap(),
            stream,
            ends: true,
            text: b"line".to_vec(),
        }
    }

    #[test]
    fn what_is_in_the_log_is_not_copied_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.log");
        let old = [
            dated(2, Stream::Stdout),
            dated(1, Stream::Stderr),
            dated(3, Stream::Stdout),
            dated(3, Stream::Stdout),
        ];
        let mut writer = Writer::open(&path).unwrap();
        for line in &old {
            writer.push(line);
        }
        writer.flush(Timestamp::default());
        let mut copied = Copied::before(&path).unwrap();
        copied.begin_anew(0);
        assert!(!old.iter().any(|line| copied.is_new(line)));
        let new = [
            dated(1, Stream::Stderr),
            dated(3, Stream::Stdout),
            dated(4, Stream::Stdout),
            dated(4, Stream::Stdout),
        ];
        assert!(new.iter().all(|line| copied.is_new(line)));
        copied.begin_anew(0);
        assert!(!old.iter().chain(&new).any(|line| copied.is_new(line)));
    }

    #[test]
    fn a_clock_that_is_set_back_costs_no_line_and_doubles_none() {
        let (all, later) = (Timestamp::default(), dated(8, Stream::Stdout).at);
        let mut copied = Copied::default();
        let mut is_new = |seconds: &[u32], then_since: Timestamp| {
            let new = seconds
                .iter()
                .filter(|second| copied.is_new(&dated(**second, Stream::Stdout)));
            let new: Vec<_> = new.copied().collect();
            copied.begin_anew(then_since.timestamp().try_into().unwrap());
            new
        };
        assert_eq!(is_new(&[5, 2, 3, 3], all), [5, 2, 3, 3], "what runs");
        assert_eq!(is_new(&[5, 2, 3, 3, 3, 1, 4], all), [3, 1, 4], "after a cut");
        assert_eq!(
            is_new(&[3, 1, 4, 4, 6], all),
            [4, 6],
            "and one more, from the middle"
        );
        assert_eq!(is_new(&[7, 4], later), [7, 4], "without what was copied last");
        assert_eq!(
            is_new(&[2], all),
            [2],
            "of what is older than what is asked for, nothing comes again"
        );
    }
}
