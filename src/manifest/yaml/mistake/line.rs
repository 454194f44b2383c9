//! One line of a text, for mistakes that are recognised by the line they stand on.

use crate::manifest::source::{Source, Span};

/// A line of a text.
#[derive(Clone, Copy)]
pub(super) struct Line<'s> {
    /// Where it starts, in bytes.
    pub start: usize,
    /// What it says, without its end.
    pub text: &'s str,
}

impl<'s> Line<'s> {
    /// The line that the byte `at` is on.
    pub(super) fn around(text: &'s str, at: usize) -> Line<'s> {
        let at = (0..=at.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        Line {
            start,
            text: &text[start..end],
        }
    }

    /// The line before this one.
    pub(super) fn previous(&self, source: &'s Source) -> Option<Line<'s>> {
        (self.start > 0).then(|| Line::around(&source.text, self.start - 1))
    }

    /// The line before, and this one: some mistakes are noticed a line late.
    pub(super) fn and_previous(&self, source: &'s Source) -> impl Iterator<Item = Line<'s>> {
        self.previous(source).into_iter().chain([*self])
    }

    /// This line, and the one after it: some mistakes are where the value of a line goes on.
    pub(super) fn and_next(&self, source: &'s Source) -> impl Iterator<Item = Line<'s>> {
        let end = self.start + self.text.len();
        let next = (end < source.text.len()).then(|| Line::around(&source.text, end + 1));
        std::iter::once(*self).chain(next)
    }

    /// Where the bytes `at` of this line are in the text.
    pub(super) fn span(&self, at: Span) -> Span {
        self.start + at.start..self.start + at.end
    }

    /// The line without its indentation and the dashes of lists, and where that begins.
    pub(super) fn content(&self) -> (usize, &'s str) {
        let content = self.text.trim_start_matches([' ', '-']);
        (self.text.len() - content.len(), content.trim_end())
    }

    /// The key, and the value with its place, of a line that says `key: value`.
    pub(super) fn key_value(&self) -> Option<(&'s str, &'s str, Span)> {
        let (key, value) = self.text.split_once(": ")?;
        let indent = value.len() - value.trim_start().len();
        let start = self.start + key.len() + 2 + indent;
        let value = value.split(" #").next().unwrap_or(value).trim();
        let key = key.trim_start_matches([' ', '-']).trim();
        Some((key, value, start..start + value.len()))
    }
}
