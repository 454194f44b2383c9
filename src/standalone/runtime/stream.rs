//! Reading what a process writes.
//!
//! A stream ends when everybody who can write to it has closed it. A descendant that outlives the process may hold it
//! open for days, so after the process has ended only what is already in the pipe is read, and a short while is given
//! for the rest. Time that a slow reader of ours takes does not count: what the process wrote is never lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::lines::{Lines, Piece};
use super::output::{Origin, Output, Stream, What};
use crate::clock::SharedClock;

/// How long after the end of a process its streams may stay open without a word.
pub(super) const PIPE_GRACE: Duration = Duration::from_millis(250);

/// How much is read after the end of a process: what fits in a pipe, which is all that it can have left behind.
const PIPE_CAPACITY: usize = 64 * 1024;

/// How much is read at a time.
const CHUNK: usize = 8 * 1024;

/// Where lines go.
#[derive(Debug, Clone)]
pub(super) struct Sink {
    pub(super) origin: Arc<Origin>,
    pub(super) output: Output,
    pub(super) clock: SharedClock,
}

impl Sink {
    /// Hands on what happened now.
    pub(super) async fn tell(&self, what: What) {
        self.output.send(&self.origin, self.clock.now(), what).await;
    }

    async fn line(&self, stream: Stream, piece: Piece) {
        self.tell(What::Line {
            stream,
            text: piece.text,
            ends: piece.ends,
        })
        .await;
    }
}

/// Reads a stream to its end, line by line. `ended` tells when the process ended.
pub(super) async fn pump(
    mut reader: impl AsyncRead + Unpin,
    stream: Stream,
    sink: Sink,
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
        for piece in lines.push(&chunk[..read]) {
            sink.line(stream, piece).await;
        }
    }
    if let Some(piece) = lines.finish() {
        sink.line(stream, piece).await;
    }
}
