//! A container's output, on its way from the engine to its log.
//!
//! The engine keeps the output and dates each line, so copying can begin anew at any time, also by another `punctual`:
//! what is in the log already, as its dates tell, is passed over.

use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error as ApiError;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt;
use tokio::sync::watch;

use super::follow::{ASK_AGAIN, instant};
use super::is_missing;
use crate::clock::SharedClock;
use crate::schedule::Timestamp;
use crate::standalone::logs::{Line, Reader, Stream, Writer};

/// How many lines that are there already are written at one time.
const LINES_AT_ONCE: usize = 256;

/// What cut a copy off.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error(transparent)]
    Engine(#[from] ApiError),
    #[error(transparent)]
    Disk(#[from] std::io::Error),
}

/// Copies what a container writes to its log, until the engine has no more.
pub(super) async fn copy(
    engine: &Docker,
    container: &str,
    log: &Path,
    wrote: &watch::Sender<u64>,
    clock: &SharedClock,
) {
    // What is the same every second is told once.
    let mut told = String::new();
    let mut begun = None;
    loop {
        let copied = async {
            let copying = match &mut begun {
                Some(copying) => copying,
                begun => begun.insert(Copying::begin(log.to_owned()).await?),
            };
            copying.follow(engine, container, wrote, clock).await
        };
        let cut_off = match copied.await {
            Ok(()) => return,
            Err(CopyError::Engine(error)) if is_missing(&error) => return,
            Err(cut_off) => cut_off,
        };
        let why = cut_off.to_string();
        if why != told {
            tracing::warn!(container, path = %log.display(), error = why, "the output of a container is not copied to its log at the moment; it is tried again every second");
            told = why;
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// A copy that goes on, however often it is cut off.
struct Copying {
    writer: Writer,
    copied: Copied,
}

impl Copying {
    /// Looks what is in the log already, which may be much.
    async fn begin(log: PathBuf) -> std::io::Result<Self> {
        let begin = move || {
            let writer = Writer::open(&log)?;
            let copied = Copied::before(&log)?;
            Ok(Self { writer, copied })
        };
        let begun = tokio::task::spawn_blocking(begin).await;
        begun.map_err(std::io::Error::other)?
    }

    /// Copies what comes, from the beginning of what the engine has.
    async fn follow(
        &mut self,
        engine: &Docker,
        container: &str,
        wrote: &watch::Sender<u64>,
        clock: &SharedClock,
    ) -> Result<(), CopyError> {
        self.copied.begin_anew();
        let options = LogsOptionsBuilder::new()
            .follow(true)
            .stdout(true)
            .stderr(true)
            .timestamps(true);
        let output = engine.logs(container, Some(options.build()));
        let mut output = std::pin::pin!(output.ready_chunks(LINES_AT_ONCE));
        while let Some(pieces) = output.next().await {
            let mut cut_off = Ok(());
            for piece in pieces {
                match piece {
                    Ok(piece) => {
                        if let Some(line) = line(&piece).filter(|line| self.copied.is_new(line)) {
                            self.writer.push(&line);
                        }
                    }
                    Err(error) => cut_off = Err(error),
                }
            }
            self.writer.flush(clock.now());
            wrote.send_modify(|count| *count += 1);
            cut_off?;
        }
        Ok(())
    }
}

/// How far each stream was copied.
#[derive(Debug, Default)]
struct Copied {
    stdout: Option<Mark>,
    stderr: Option<Mark>,
}

/// The last date of a stream, which only go forward, and how many lines have it: an engine gives those one date that it
/// has read at once.
#[derive(Debug)]
struct Mark {
    at: Timestamp,
    lines: usize,
    /// How many of them the engine has handed on since it was asked last.
    seen: usize,
}

impl Copied {
    /// What a log holds already.
    fn before(log: &Path) -> std::io::Result<Self> {
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

    /// The engine hands everything on once more.
    fn begin_anew(&mut self) {
        for mark in [&mut self.stdout, &mut self.stderr].into_iter().flatten() {
            mark.seen = 0;
        }
    }

    /// Whether a line was not copied before; from now on it was. Lines are asked for in their order.
    fn is_new(&mut self, line: &Line) -> bool {
        let mark = match line.stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        match mark {
            Some(mark) if line.at < mark.at => false,
            Some(mark) if line.at == mark.at => {
                mark.seen += 1;
                let is_new = mark.seen > mark.lines;
                mark.lines = mark.lines.max(mark.seen);
                is_new
            }
            mark => {
                let at = line.at;
                *mark = Some(Mark {
                    at,
                    lines: 1,
                    seen: 1,
                });
                true
            }
        }
    }
}

/// What the engine hands on, as a line of the log or a piece of one. It has put the time before each; without it, as
/// after a cut, it is none.
fn line(piece: &LogOutput) -> Option<Line> {
    let (stream, bytes) = match piece {
        LogOutput::StdErr { message } => (Stream::Stderr, message),
        LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
            (Stream::Stdout, message)
        }
    };
    let space = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (time, text) = bytes.split_at(space);
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let ends = text.ends_with(b"\n");
    Some(Line {
        at: instant(std::str::from_utf8(time).ok()?)?,
        stream,
        ends,
        text: text.strip_suffix(b"\n").unwrap_or(text).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut {
            message: text.to_owned().into(),
        }
    }

    #[test]
    fn the_engine_dates_each_line() {
        let read = line(&out("2026-11-24T16:00:00.000000005Z hello  there\n")).unwrap();
        assert_eq!(read.time(), "2026-11-24T16:00:00.000000005Z");
        assert_eq!((read.text.as_slice(), read.ends), (&b"hello  there"[..], true));
        let piece = line(&out("2026-11-24T16:00:00Z begun")).unwrap();
        assert_eq!((piece.text.as_slice(), piece.ends), (&b"begun"[..], false));
        assert_eq!(line(&out("no date\n")), None);
    }

    #[test]
    fn what_is_in_the_log_is_not_copied_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.log");
        let dated = |second: u32, stream| {
            let text = format!("2026-11-24T16:00:{second:02}Z line\n");
            Line {
                stream,
                ..line(&out(&text)).unwrap()
            }
        };
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
        copied.begin_anew();
        assert!(!old.iter().any(|line| copied.is_new(line)));
        let new = [
            dated(1, Stream::Stderr),
            dated(3, Stream::Stdout),
            dated(4, Stream::Stdout),
            dated(4, Stream::Stdout),
        ];
        assert!(new.iter().all(|line| copied.is_new(line)));
        copied.begin_anew();
        assert!(!old.iter().chain(&new).any(|line| copied.is_new(line)));
    }
}
