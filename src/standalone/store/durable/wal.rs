//! Whether the log of writes is whole.
//!
//! SQLite reads its log up to the first frame that is not what was written, and takes the rest for what a crash has left of a
//! transaction that nobody was told of. After damage in the middle that is wrong, and every write after it is lost
//! without a word. The two can be told apart: a transaction is synced before the next one begins, so only the last one can
//! be half written.
//!
//! Source: "WAL-mode File Format" of SQLite's documentation.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// The first bytes of a log, without the last bit, which says in which order the bytes of a word are summed up.
const MAGIC: u32 = 0x377f_0682;

/// The sizes that a page can have.
const PAGE_BYTES: std::ops::RangeInclusive<u32> = 512..=65_536;

/// Two sums over everything before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sums(u32, u32);

impl Sums {
    fn add(mut self, bytes: &[u8], read: fn([u8; 4]) -> u32) -> Self {
        for pair in bytes.chunks_exact(8) {
            self.0 = self.0.wrapping_add(read(word(pair, 0))).wrapping_add(self.1);
            self.1 = self.1.wrapping_add(read(word(pair, 4))).wrapping_add(self.0);
        }
        self
    }
}

/// Whether everything in a log can be read that was acknowledged, as far as the log itself can tell. One that is not there
/// is whole.
pub(super) fn is_whole(log: &Path) -> io::Result<bool> {
    let file = match File::open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let mut file = BufReader::new(file);
    let mut header = [0; HEADER_BYTES];
    if !fill(&mut file, &mut header)? {
        return Ok(true);
    }
    let number = |at| u32::from_be_bytes(word(&header, at));
    let read = if number(0) & 1 == 1 {
        u32::from_be_bytes
    } else {
        u32::from_le_bytes
    };
    let mut sums = Sums::default().add(&header[..24], read);
    let mut is_read = number(0) & !1 == MAGIC && sums == Sums(number(24), number(28));
    let page_bytes = number(8);
    if !PAGE_BYTES.contains(&page_bytes) {
        // Nothing was written yet, or nothing can be told.
        return Ok(is_read || header == [0; HEADER_BYTES]);
    }
    let salts = &header[16..24];
    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes as usize];
    // A transaction that has ended in what is not read any more.
    let mut has_ended = false;
    while fill(&mut file, &mut frame)? {
        let is_of_this_log = &frame[8..16] == salts;
        if has_ended && is_of_this_log {
            return Ok(false);
        }
        sums = sums
            .add(&frame[..8], read)
            .add(&frame[FRAME_HEADER_BYTES..], read);
        let written = Sums(
            u32::from_be_bytes(word(&frame, 16)),
            u32::from_be_bytes(word(&frame, 20)),
        );
        is_read = is_read && is_of_this_log && sums == written;
        let ends_transaction = word(&frame, 4) != [0; 4];
        has_ended = has_ended || (!is_read && is_of_this_log && ends_transaction);
    }
    Ok(true)
}

fn word(bytes: &[u8], at: usize) -> [u8; 4] {
    std::array::from_fn(|offset| bytes[at + offset])
}

/// Reads as much as there is room for; whether there was so much.
fn fill(file: &mut impl Read, room: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(room) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
