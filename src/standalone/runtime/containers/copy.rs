//! A container's output, on its way from the engine to its log.
//!
//! The engine keeps the output and dates each line, so copying can begin anew at any time, also by another `punctual`:
//! what was copied before is passed over (`copied`). An engine may stop handing on at any time, as if that were all
//! (Podman does now and then): so it is asked once more when the container has ended, which is when it has everything.
//!
//! What is followed is not always all: Podman leaves lines out, here and there, of what it has still to hand on when the
//! container has ended. So where much comes, the container is looked at before any of it is taken: what was handed on while
//! it ran is complete, and the rest is asked for anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error as ApiError;
use bollard::query_parameters::LogsOptionsBuilder;
use chrono::TimeDelta;
use futures::StreamExt;
use tokio::sync::watch;
use tokio::time::Instant;

use super::copied::Copied;
use super::follow::{ASK_AGAIN, inspect, instant};
use super::is_missing;
use crate::clock::SharedClock;
use crate::schedule::Timestamp;
use crate::standalone::logs::{Line, Stream, Writer};

/// How many lines that are there already are written at one time.
const LINES_AT_ONCE: usize = 256;

/// How many lines may come of a container that was not looked at meanwhile. So few are handed on before Podman leaves any out,
/// and most containers write no more at one time.
const LINES_UNLOOKED: usize = 64;

/// How long what comes is taken without another look at the container. Podman leaves nothing out in the first 250 ms after an
/// end (`POLL_DURATION` of its `nxadm/tail`).
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How far back the engine is asked for lines that it may have handed on already: those of the two streams, and those
/// that came at one time, are not quite in the order of their dates.
const ASKED_TWICE: TimeDelta = TimeDelta::minutes(1);

/// How long a copy goes on that is over what cut it off before: the next time is news, even if the cause is the same.
const RECOVERED_AFTER: Duration = Duration::from_mins(1);

/// What cut a copy off.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error(transparent)]
    Engine(#[from] ApiError),
    #[error(transparent)]
    Disk(#[from] std::io::Error),
}

/// Copies what a container writes to its log, until it has ended and the engine has no more.
pub(super) async fn copy(
    engine: &Docker,
    container: &str,
    log: &Path,
    wrote: &watch::Sender<u64>,
    mut has_ended: watch::Receiver<bool>,
    clock: &SharedClock,
) {
    // What is the same every second is told once.
    let mut told = String::new();
    let mut begun = None;
    loop {
        let since = Instant::now();
        let is_all = *has_ended.borrow();
        let copied = async {
            let copying = match &mut begun {
                Some(copying) => copying,
                begun => begun.insert(Copying::begin(log.to_owned()).await?),
            };
            copying.go_on(engine, container, !is_all, wrote, clock).await
        };
        let cut_off = match copied.await {
            Ok(()) if is_all => return,
            Ok(()) => {
                // Somebody may be starting it anew.
                let end = has_ended.wait_for(|has_ended| *has_ended);
                let _ended_or_late = tokio::time::timeout(ASK_AGAIN, end).await;
                continue;
            }
            Err(CopyError::Engine(error)) if is_missing(&error) => return,
            Err(cut_off) => cut_off,
        };
        let why = cut_off.to_string();
        if why != told || since.elapsed() >= RECOVERED_AFTER {
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
    /// The date of the last line that was copied here, and when it came.
    last: Option<(Timestamp, Instant)>,
}

impl Copying {
    /// Looks what is in the log already, which may be much.
    async fn begin(log: PathBuf) -> std::io::Result<Self> {
        let begin = move || {
            let writer = Writer::open(&log)?;
            let copied = Copied::before(&log)?;
            Ok(Self {
                writer,
                copied,
                last: None,
            })
        };
        let begun = tokio::task::spawn_blocking(begin).await;
        begun.map_err(std::io::Error::other)?
    }

    /// Copies what there is, from where it was cut off, or else from the beginning of what the engine has; and what comes,
    /// if that is to be followed.
    async fn go_on(
        &mut self,
        engine: &Docker,
        container: &str,
        is_followed: bool,
        wrote: &watch::Sender<u64>,
        clock: &SharedClock,
    ) -> Result<(), CopyError> {
        let last = self.last.map(|(at, came)| (at, came.elapsed()));
        let since = last.map_or(0, |(at, ago)| asked_since(at, ago, clock.now()));
        self.copied.begin_anew(since);
        let options = LogsOptionsBuilder::new()
            .follow(is_followed)
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .since(since);
        let output = engine.logs(container, Some(options.build()));
        let mut output = std::pin::pin!(output.ready_chunks(LINES_AT_ONCE));
        // Of a container that has ended before, any may be left out.
        let (mut looked, mut unlooked) = (None, LINES_UNLOOKED);
        while let Some(pieces) = output.next().await {
            unlooked += pieces.len();
            let is_seen = looked.is_some_and(|looked: Instant| looked.elapsed() < LOOK_EVERY);
            if is_followed && unlooked > LINES_UNLOOKED && !is_seen {
                (looked, unlooked) = (Some(Instant::now()), 0);
                if !runs(engine, container).await.unwrap_or(false) {
                    return Ok(());
                }
            }
            let mut cut_off = Ok(());
            for piece in pieces {
                match piece {
                    Ok(piece) => {
                        if let Some(line) = line(&piece).filter(|line| self.copied.is_new(line)) {
                            self.writer.push(&line);
                            self.last = Some((line.at, Instant::now()));
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

/// Whether a container has not ended.
async fn runs(engine: &Docker, container: &str) -> Result<bool, ApiError> {
    let state = inspect(engine, container).await?.state;
    Ok(state.and_then(|state| state.running).unwrap_or_default())
}

/// From when on lines are asked for when the last one has this date and came so long ago, in seconds since 1970. Those
/// after it may have earlier dates, when the clock was set back meanwhile.
fn asked_since(last: Timestamp, ago: Duration, now: Timestamp) -> i32 {
    let back = TimeDelta::from_std(ago)
        .ok()
        .and_then(|ago| now.checked_sub_signed(ago));
    let first = back.map_or(last, |back| last.min(back));
    let since = first.checked_sub_signed(ASKED_TWICE);
    // 0, or a date that there is no number for, asks for all.
    since.map_or(0, |since| {
        i32::try_from(since.timestamp()).unwrap_or_default().max(0)
    })
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
    use std::ops::Range;

    use bollard::API_DEFAULT_VERSION;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixListener;

    use super::*;
    use crate::clock::SystemClock;

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
    fn the_engine_is_asked_for_what_may_have_come_since_the_last_line() {
        let at = |text: &str| instant(text).unwrap();
        let asked = |last: &str, ago: u64, now: &str| {
            let since = asked_since(at(last), Duration::from_secs(ago), at(now));
            Timestamp::from_timestamp(since.into(), 0).unwrap().to_rfc3339()
        };
        let rows = [
            (
                "a second ago",
                asked("2026-11-24T16:00:00Z", 1, "2026-11-24T16:00:01Z"),
            ),
            (
                "long ago",
                asked("2026-11-24T10:00:00Z", 21_600, "2026-11-24T16:00:00Z"),
            ),
            (
                "set back by an hour since",
                asked("2026-11-24T16:00:00Z", 600, "2026-11-24T15:10:00Z"),
            ),
            (
                "set back before all time",
                asked("2026-11-24T16:00:00Z", 600, "1970-01-01T00:00:05Z"),
            ),
            (
                "an engine ahead of us",
                asked("2026-11-24T16:00:00Z", 600, "2026-11-24T16:05:00Z"),
            ),
        ];
        let rows = rows.map(|(what, since)| format!("{what}: {since}"));
        insta::assert_snapshot!(rows.join("\n"), @r"
        a second ago: 2026-11-24T15:59:00+00:00
        long ago: 2026-11-24T09:59:00+00:00
        set back by an hour since: 2026-11-24T14:59:00+00:00
        set back before all time: 1970-01-01T00:00:00+00:00
        an engine ahead of us: 2026-11-24T15:54:00+00:00
        ");
    }

    /// An engine with a container that has written these numbers, and runs as often as it is looked at.
    struct FakeEngine {
        numbers: Range<u32>,
        /// Whether it runs at this look.
        runs: fn(u32) -> bool,
        /// Whether this one of those who follow it gets, after a while, this number; each gets the first one.
        followed: fn(u32, u32) -> bool,
    }

    async fn hand_on(listener: UnixListener, engine: FakeEngine) {
        let FakeEngine {
            numbers,
            runs,
            followed,
        } = engine;
        let (mut looks, mut followers) = (0, 0);
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut asked = vec![0; 4096];
            let read = connection.read(&mut asked).await.unwrap();
            if read == 0 {
                continue;
            }
            let asked = String::from_utf8_lossy(&asked[..read]);
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type";
            if !asked.contains("/logs") {
                let runs = runs(looks);
                looks += 1;
                let state = format!("{head}: application/json\r\n\r\n{{\"State\":{{\"Running\":{runs}}}}}");
                connection.write_all(state.as_bytes()).await.unwrap();
                continue;
            }
            let is_followed = asked.contains("follow=true");
            let head = format!("{head}: application/octet-stream\r\n\r\n");
            connection.write_all(head.as_bytes()).await.unwrap();
            let piece = |number: u32| {
                let line = format!("2026-11-24T16:00:00Z {number}\n");
                let length = u32::try_from(line.len()).unwrap().to_be_bytes();
                [[1, 0, 0, 0].as_slice(), &length, line.as_bytes()].concat()
            };
            let (first, rest) = (numbers.start, numbers.start + 1..numbers.end);
            connection.write_all(&piece(first)).await.unwrap();
            if is_followed {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let rest = rest.filter(|number| !is_followed || followed(followers, *number));
            let rest: Vec<u8> = rest.flat_map(piece).collect();
            followers += u32::from(is_followed);
            connection.write_all(&rest).await.unwrap();
        }
    }

    /// The numbers in the log of a container that has ended after so many times that something came.
    async fn copied(fake: FakeEngine, times: u64) -> Vec<u32> {
        let folder = tempfile::tempdir().unwrap();
        let (socket, log) = (folder.path().join("engine.sock"), folder.path().join("0.log"));
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(hand_on(listener, fake));
        let engine =
            Docker::connect_with_unix(&socket.display().to_string(), 20, API_DEFAULT_VERSION).unwrap();
        let (wrote, mut writes) = watch::channel(0);
        let (end, has_ended) = watch::channel(false);
        let clock = SystemClock::shared();
        let copied = copy(&engine, "main", &log, &wrote, has_ended, &clock);
        let ending = async {
            writes.wait_for(|wrote| *wrote >= times).await.unwrap();
            tokio::time::sleep(2 * LOOK_EVERY).await;
            end.send_replace(true);
        };
        let both = async { tokio::join!(copied, ending) };
        tokio::time::timeout(Duration::from_mins(1), both).await.unwrap();
        let written = std::fs::read_to_string(&log).unwrap();
        let texts = written.lines().filter_map(|line| line.rsplit(' ').next());
        texts.map(|text| text.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn what_an_engine_keeps_back_is_asked_for_when_the_container_has_ended() {
        let engine = FakeEngine {
            numbers: 0..2,
            runs: |look| look == 0,
            followed: |_, _| false,
        };
        assert_eq!(copied(engine, 1).await, [0, 1]);
    }

    #[tokio::test]
    async fn what_an_engine_leaves_out_as_the_container_has_ended_is_not_missing() {
        let numbers = 0..2_000;
        let engine = FakeEngine {
            numbers: numbers.clone(),
            runs: |look| look == 0,
            followed: |_, number| number < 1_000 || number % 3 == 0,
        };
        assert!(copied(engine, 1).await.into_iter().eq(numbers));
    }

    /// `docker restart`: what it writes then comes while it runs.
    #[tokio::test]
    async fn a_container_that_somebody_starts_anew_is_followed_on() {
        let engine = FakeEngine {
            numbers: 0..2,
            runs: |look| look != 1,
            followed: |follower, _| follower > 0,
        };
        assert_eq!(copied(engine, 2).await, [0, 1]);
    }
}
