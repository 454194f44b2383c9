//! Which lines of a log are asked for, and how they are shown: the rules of `kubectl logs`.

use std::collections::VecDeque;

use super::Line;
use crate::schedule::Timestamp;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Only lines from this instant on.
    pub since: Option<Timestamp>,
    /// Only so many lines, the last ones.
    pub tail_lines: Option<usize>,
    /// Whether each line begins with its time.
    pub timestamps: bool,
    /// No more than so many bytes.
    pub limit_bytes: Option<usize>,
}

/// The lines that are asked for, as they come.
///
/// What was there when the question was asked goes through [`Selection::past`] and then [`Selection::turn`]; what is
/// written after that goes through [`Selection::show`].
#[derive(Debug)]
pub struct Selection {
    query: LogQuery,
    /// The last lines of the past, when only those are asked for.
    last: VecDeque<Line>,
    /// How many of `last` end a line.
    last_ended: usize,
    /// How many bytes may still be shown.
    left: Option<usize>,
    /// Whether a line was begun that has not ended.
    inside: bool,
}

impl Selection {
    /// Nothing has been shown yet.
    pub fn new(query: LogQuery) -> Self {
        Self {
            left: query.limit_bytes,
            query,
            last: VecDeque::new(),
            last_ended: 0,
            inside: false,
        }
    }

    /// Takes a line of the past. What of it is to be shown at once: nothing, when only the last lines are asked for.
    pub fn past(&mut self, line: Line) -> Vec<u8> {
        let Some(wanted) = self.query.tail_lines else {
            return self.show(&line);
        };
        self.last_ended += usize::from(line.ends);
        self.last.push_back(line);
        // The pieces of a long line count as one line.
        let open = usize::from(self.last.back().is_some_and(|line| !line.ends));
        while self.last_ended + open > wanted {
            let ended = self.last.pop_front().is_none_or(|line| line.ends);
            self.last_ended -= usize::from(ended);
            if self.last.is_empty() {
                break;
            }
        }
        Vec::new()
    }

    /// The past is over: the last lines of it, when only those are asked for.
    pub fn turn(&mut self) -> Vec<u8> {
        let last = std::mem::take(&mut self.last);
        last.iter().flat_map(|line| self.show(line)).collect()
    }

    /// A line as it is shown; nothing when it is not asked for.
    pub fn show(&mut self, line: &Line) -> Vec<u8> {
        let mut text = Vec::new();
        if self.query.since.is_some_and(|since| line.at < since) {
            return text;
        }
        if self.query.timestamps && !self.inside {
            text.extend_from_slice(line.time().as_bytes());
            text.push(b' ');
        }
        text.extend_from_slice(&line.text);
        if line.ends {
            text.push(b'\n');
        }
        self.inside = !line.ends;
        if let Some(left) = &mut self.left {
            text.truncate(*left);
            *left -= text.len();
        }
        text
    }

    /// Whether nothing more is to be shown.
    pub fn is_full(&self) -> bool {
        self.left == Some(0)
    }
}
