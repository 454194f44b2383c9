//! Bytes into lines.
//!
//! A line is handed on when it ends, when it reaches [`LONGEST_LINE`], or when the stream ends without a line end. A
//! long line comes in pieces, cut between characters, so that memory is bounded whatever a process writes.

use crate::schedule::Timestamp;
use crate::standalone::logs::{Line, Stream};

/// The longest line that is handed on in one piece, in bytes. Container engines cut at the same length.
pub const LONGEST_LINE: usize = 16 * 1024;

/// A line, or a piece of a long one.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::standalone::runtime) struct Piece {
    /// The text, without the line end.
    pub(super) text: Vec<u8>,
    /// Whether the line ends here.
    pub(super) ends: bool,
}

impl Piece {
    /// As a line of a log.
    pub(in crate::standalone::runtime) fn into_line(self, at: Timestamp, stream: Stream) -> Line {
        Line {
            at,
            stream,
            ends: self.ends,
            text: self.text,
        }
    }
}

/// Collects the bytes of one stream.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The beginning of a line whose end has not come; shorter than [`LONGEST_LINE`].
    open: Vec<u8>,
}

impl Lines {
    /// Takes bytes in, gives back the lines that they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let room = &bytes[..bytes.len().min(LONGEST_LINE - self.open.len())];
            if let Some(end) = room.iter().position(|byte| *byte == b'\n') {
                self.open.extend_from_slice(&room[..end]);
                bytes = &bytes[end + 1..];
                pieces.push(self.piece(true));
            } else {
                self.open.extend_from_slice(room);
                bytes = &bytes[room.len()..];
                if self.open.len() == LONGEST_LINE {
                    pieces.push(self.cut());
                }
            }
        }
        pieces
    }

    /// The stream ended: what is left, if a line was not ended. It stays without an end, so that a log gives back what was
    /// written, byte for byte, as it does in a cluster.
    pub(super) fn finish(mut self) -> Option<Piece> {
        (!self.open.is_empty()).then(|| self.piece(false))
    }

    fn piece(&mut self, ends: bool) -> Piece {
        let text = std::mem::take(&mut self.open);
        Piece { text, ends }
    }

    /// Hands on a line that is full, but keeps the bytes of a character that has only begun.
    fn cut(&mut self) -> Piece {
        let begun = self.open.split_off(last_whole_character(&self.open));
        let piece = self.piece(false);
        self.open = begun;
        piece
    }
}

/// Where the last character that is whole ends. Bytes that are not UTF-8 count as whole.
fn last_whole_character(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        Some(chunk) if could_continue(chunk.invalid()) => bytes.len() - chunk.invalid().len(),
        _ => bytes.len(),
    }
}

/// Whether these bytes are the beginning of a character.
fn could_continue(bytes: &[u8]) -> bool {
    // A decoder reports no length for an error that more bytes could mend.
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> Piece {
        Piece {
            text: text.into(),
            ends: true,
        }
    }

    fn unended(text: &str) -> Piece {
        Piece {
            text: text.into(),
            ends: false,
        }
    }

    #[test]
    fn lines_end_at_line_ends() {
        let mut lines = Lines::default();
        assert_eq!(
            lines.push(b"one\ntwo\n\nthr"),
            [line("one"), line("two"), line("")]
        );
        assert_eq!(lines.push(b"ee\n"), [line("three")]);
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn a_line_without_an_end_is_handed_on_when_the_stream_ends() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"no newline"), []);
        assert_eq!(lines.finish(), Some(unended("no newline")));
    }

    #[test]
    fn a_long_line_comes_in_pieces() {
        let mut lines = Lines::default();
        let pieces = lines.push(&vec![b'x'; 2 * LONGEST_LINE + 1]);
        assert_eq!(
            pieces
                .iter()
                .map(|piece| (piece.text.len(), piece.ends))
                .collect::<Vec<_>>(),
            [(LONGEST_LINE, false); 2]
        );
        assert_eq!(lines.push(b"\n"), [line("x")]);
    }

    #[test]
    fn a_cut_falls_between_characters() {
        let text = format!("{}ü rest", "x".repeat(LONGEST_LINE - 1));
        let mut lines = Lines::default();
        let cut = unended(&"x".repeat(LONGEST_LINE - 1));
        assert_eq!(lines.push(text.as_bytes()), [cut]);
        assert_eq!(lines.finish(), Some(unended("ü rest")));
    }

    #[test]
    fn bytes_that_are_not_utf8_stay_as_they_are() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"caf\xe9\n")[0].text, b"caf\xe9");
        assert_eq!(lines.push(&[0xff; LONGEST_LINE]).len(), 1);
    }

    proptest! {
        #[test]
        fn how_bytes_arrive_does_not_matter(text in "[a-zü\n]{0,200}", at in 0_usize..200) {
            let bytes = text.as_bytes();
            let (first, second) = bytes.split_at(at.min(bytes.len()));
            let mut parted = Lines::default();
            let mut pieces = parted.push(first);
            pieces.extend(parted.push(second));
            pieces.extend(parted.finish());
            prop_assert_eq!(pieces.into_iter().map(|piece| String::from_utf8(piece.text).unwrap()).collect::<Vec<_>>(), text.lines().collect::<Vec<_>>());
        }
    }
}
