//! A part of the expression that knows where it stands.

use std::ops::Range;

/// A part of a text, and the byte at which it begins there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Piece<'a> {
    /// The whole text.
    pub(super) fn whole(text: &'a str) -> Piece<'a> {
        Piece { text, at: 0 }
    }

    /// Its bytes in the whole text.
    pub(super) fn span(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// The part of it that `part`, a slice of its text beginning `offset` bytes into it, is.
    fn part(self, offset: usize, part: &'a str) -> Piece<'a> {
        Piece {
            text: part,
            at: self.at + offset,
        }
    }

    /// What is left after its first `bytes` bytes, which must end a character.
    pub(super) fn skip(self, bytes: usize) -> Piece<'a> {
        self.part(bytes, &self.text[bytes..])
    }

    /// Its first `bytes` bytes, which must end a character.
    pub(super) fn take(self, bytes: usize) -> Piece<'a> {
        self.part(0, &self.text[..bytes])
    }

    /// Without the blanks at both ends.
    pub(super) fn trim(self) -> Piece<'a> {
        let leading = self.text.len() - self.text.trim_start().len();
        self.part(leading, self.text.trim())
    }

    /// The pieces between the separators, empty ones included.
    pub(super) fn split(self, separator: char) -> impl Iterator<Item = Piece<'a>> {
        let mut offset = 0;
        self.text.split(separator).map(move |part| {
            let piece = self.part(offset, part);
            offset += part.len() + separator.len_utf8();
            piece
        })
    }

    /// The pieces between blanks, which are all that Unicode calls white space, as for Go's `strings.Fields`.
    pub(super) fn words(self) -> impl Iterator<Item = Piece<'a>> {
        let mut offset = 0;
        let words = self.text.split(char::is_whitespace).zip(self.blanks());
        words
            .map(move |(word, blank)| {
                let piece = self.part(offset, word);
                offset += word.len() + blank;
                piece
            })
            .filter(|piece| !piece.text.is_empty())
    }

    /// The length of each blank, and of nothing at the end.
    fn blanks(self) -> impl Iterator<Item = usize> + 'a {
        self.text
            .chars()
            .filter(|c| c.is_whitespace())
            .map(char::len_utf8)
            .chain([0])
    }

    /// The first character that fits, as a piece.
    pub(super) fn find(self, fits: impl Fn(char) -> bool) -> Option<Piece<'a>> {
        let (offset, found) = self.text.char_indices().find(|(_, c)| fits(*c))?;
        Some(self.skip(offset).take(found.len_utf8()))
    }
}
