//! Reading what a process writes.
//!
//! A stream ends when everybody who can write to it has closed it. A descendant that can't be killed may hold it open
//! for days, so after the process has ended only what is already in the pipe is read, and a short while is given for
//! the rest.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::lines::{Lines, Piece};

/// How long after the end of a process its streams may stay open without a word.
pub(super) const PIPE_GRACE: Duration = Duration::from_millis(250);

/// How much is read after the end of a process: what fits in a pipe, which is all that it can have left behind.
const PIPE_CAPACITY: usize = 64 * 1024;

/// How much is read at a time.
const CHUNK: usize = 16 * 1024;

/// Reads a stream to its end, line by line. `ended` tells when the process ended.
pub(in crate::standalone::runtime) async fn pump(
    mut reader: impl AsyncRead + Unpin,
    mut sink: impl FnMut(Vec<Piece>),
    mut ended: watch::Receiver<Option<Instant>>,
) {
    let mut lines = Lines::default();
    let mut chunk = vec![0; CHUNK];
    let mut left_behind = PIPE_CAPACITY;
    loop {
        let ended_at = *ended.borrow_and_update();
        let read = match ended_at {
            None => tokio::select! {
                read = reader.read(&mut chunk) => read.unwrap_or(0),
                _ = ended.changed() => continue,
            },
            // A read that has something to give is done even when the moment has passed.
            Some(at) => match timeout_at(at + PIPE_GRACE, reader.read(&mut chunk)).await {
                Ok(Ok(read)) if left_behind > 0 => read,
                _ => 0,
            },
        };
        if read == 0 {
            break;
        }
        if ended_at.is_some() {
            left_behind = left_behind.saturating_sub(read);
        }
        let pieces = lines.push(&chunk[..read]);
        if !pieces.is_empty() {
            sink(pieces);
        }
    }
    sink(lines.finish().into_iter().collect());
}
