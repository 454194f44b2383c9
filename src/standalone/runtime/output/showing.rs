//! One container's part in what is shown: a task of its own hands on what it wrote and what happened to it, in that order.
//!
//! The container's life never waits for it, so that an end is recorded when it is there, not when it is shown. Lines come
//! from the log, which has them whoever reads. When whoever shows them is behind, they wait there for a while; then they
//! are left out, and counted.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::clock::SharedClock;
use crate::schedule::Timestamp;
use crate::standalone::logs::Reader;
use crate::standalone::runtime::output::{Origin, Output, What};

/// How long lines wait for somebody who has stopped to take any: longer than a busy terminal takes to breathe.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long lines of a container that has ended wait for somebody who takes some, but slowly. It bounds how many logs of
/// ended containers are open.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);

/// How often a log is tried again that can't be read.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// How much of one container waits to be shown: a start, a log and an end make three, and restarts have pauses that are
/// longer than any log waits.
const SHOWN_QUEUE: usize = 64;

/// Where a container's life leaves what is to be shown.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct Sink {
    pub(in crate::standalone::runtime) origin: Arc<Origin>,
    queue: mpsc::Sender<Shown>,
    output: Output,
}

/// What is shown of a container.
#[derive(Debug)]
enum Shown {
    Happened(Timestamp, What),
    Written(Box<Log>),
}

/// A log that is followed.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct Log {
    pub(in crate::standalone::runtime) reader: Reader,
    /// Tells when to look.
    pub(in crate::standalone::runtime) writes: watch::Receiver<u64>,
    /// Whether nothing is added any more; it is over as well when nobody can tell that any more.
    pub(in crate::standalone::runtime) is_over: watch::Receiver<bool>,
}

impl Sink {
    /// Begins to show what happens to a container, until this is dropped and all of it was shown.
    pub(in crate::standalone::runtime) fn open(
        output: Output,
        origin: Arc<Origin>,
        clock: SharedClock,
    ) -> Self {
        let (queue, shown) = mpsc::channel(SHOWN_QUEUE);
        let opened = output.open(&origin);
        let showing = Showing {
            output: output.clone(),
            origin: Arc::clone(&origin),
            clock,
            last: None,
        };
        tokio::spawn(async move {
            showing.run(shown).await;
            drop(opened);
        });
        Self {
            origin,
            queue,
            output,
        }
    }

    /// Has shown what happened.
    pub(in crate::standalone::runtime) fn tell(&self, at: Timestamp, what: What) {
        self.leave(Shown::Happened(at, what));
    }

    /// Has shown what happens meanwhile, beside the log that is followed.
    pub(in crate::standalone::runtime) fn tell_beside(&self, at: Timestamp, what: What) {
        self.output.try_send(&self.origin, at, what);
    }

    /// Has shown what is in a log, and is added to it.
    pub(in crate::standalone::runtime) fn follow(&self, log: Log) {
        self.leave(Shown::Written(Box::new(log)));
    }

    fn leave(&self, shown: Shown) {
        // More waits than a container brings about: then it is not shown, for its life does not wait.
        let _full = self.queue.try_send(shown);
    }
}

/// Shows what happens to one container.
struct Showing {
    output: Output,
    origin: Arc<Origin>,
    clock: SharedClock,
    /// When the last line was written. It is often read a moment after the end, and still comes first.
    last: Option<Timestamp>,
}

impl Showing {
    async fn run(mut self, mut queue: mpsc::Receiver<Shown>) {
        while let Some(shown) = queue.recv().await {
            match shown {
                Shown::Happened(at, what) => {
                    let at = self.last.into_iter().fold(at, Timestamp::max);
                    self.output.send(&self.origin, at, what).await;
                }
                Shown::Written(log) => self.show(*log).await,
            }
        }
    }

    /// Hands on what is in a log, and what is added to it until it is over.
    async fn show(&mut self, mut log: Log) {
        let mut over_since = None;
        let mut left_out = 0;
        let mut is_unread = false;
        loop {
            let is_over = *log.is_over.borrow_and_update() || log.is_over.has_changed().is_err();
            if is_over && over_since.is_none() {
                over_since = Some(Instant::now());
            }
            let lines = match log.reader.read() {
                Ok(lines) => lines,
                Err(why) if over_since.is_some_and(|since| since.elapsed() >= SHOWN_WITHIN) => {
                    self.tell_unread(unread_for_good(&self.origin, &why)).await;
                    break;
                }
                Err(why) => {
                    if !std::mem::replace(&mut is_unread, true) {
                        self.tell_unread(format!(
                            "what it writes can't be read, which is tried again every second: {why}"
                        ))
                        .await;
                    }
                    tokio::time::sleep(READ_AGAIN).await;
                    continue;
                }
            };
            is_unread = false;
            if lines.is_empty() {
                if is_over {
                    break;
                }
                tokio::select! {
                    Ok(()) = log.writes.changed() => {}
                    _ = log.is_over.changed() => {}
                }
            }
            for line in lines {
                self.last = self.last.max(Some(line.at));
                if !self.is_taken(over_since).await {
                    left_out += u64::from(line.ends);
                    continue;
                }
                self.tell_left_out(line.at, std::mem::take(&mut left_out)).await;
                let what = What::Line {
                    stream: line.stream,
                    text: String::from_utf8_lossy(&line.text).into_owned(),
                    ends: line.ends,
                };
                self.output.send(&self.origin, line.at, what).await;
            }
            // What is left out is a lot, and others have to do as well.
            tokio::task::yield_now().await;
        }
        if let Some(at) = self.last {
            self.tell_left_out(at, left_out).await;
        }
    }

    async fn tell_unread(&self, message: String) {
        self.output
            .send(&self.origin, self.clock.now(), What::Unread { message })
            .await;
    }

    async fn tell_left_out(&self, at: Timestamp, lines: u64) {
        if lines > 0 {
            self.output.send(&self.origin, at, What::LeftOut { lines }).await;
        }
    }

    /// Waits until a line is taken, as long as it may; whether it is.
    async fn is_taken(&mut self, over_since: Option<Instant>) -> bool {
        loop {
            let Some(got_on) = *self.output.pace.borrow_and_update() else {
                return true;
            };
            let stalled = got_on + PATIENCE;
            let late = over_since.map_or(stalled, |since| since + SHOWN_WITHIN);
            let until = stalled.min(late);
            if until <= Instant::now() {
                return false;
            }
            tokio::select! {
                changed = self.output.pace.changed() => if changed.is_err() { return true },
                () = sleep_until(until) => return false,
            }
        }
    }
}

/// What is said of a log that is not shown, or not to its end, as it can't be read.
pub(in crate::standalone::runtime) fn unread_for_good(origin: &Origin, why: &io::Error) -> String {
    format!(
        "not all that it wrote is shown, as it can't be read: {why}; {} may have it",
        origin.logs_command()
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;
    use crate::clock::{Clock as _, SystemClock};
    use crate::standalone::logs::{Line, Stream, Writer};
    use crate::standalone::runtime::output::{Outlet, Pace, channel};

    /// A log of three lines that is over, and the end of its process; what is shown of it while the reader behaves so.
    async fn story(reader: impl AsyncFnOnce(&watch::Sender<Pace>)) -> String {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("0.log");
        write(&path);
        shown_of(&path, reader).await
    }

    fn write(path: &Path) {
        let at = Timestamp::from_timestamp(1_795_000_000, 0).unwrap();
        let mut writer = Writer::open(path).unwrap();
        for text in ["one", "two", "three"] {
            writer.push(&Line {
                at,
                stream: Stream::Stdout,
                ends: true,
                text: text.into(),
            });
        }
        writer.flush(at);
    }

    /// What is shown of a log that is over.
    async fn shown_of(path: &Path, reader: impl AsyncFnOnce(&watch::Sender<Pace>)) -> String {
        let (output, Outlet { mut events, pace, .. }) = channel();
        pace.send_replace(Some(Instant::now()));
        let origin = Origin {
            namespace: "default".into(),
            job: None,
            index: None,
            pod: "pod".into(),
            container: "main".into(),
            is_alone: true,
        };
        let sink = Sink::open(output, Arc::new(origin), SystemClock::shared());
        sink.follow(Log {
            reader: Reader::at_start(path),
            writes: watch::channel(0).1,
            is_over: watch::channel(true).1,
        });
        let what = What::Ended {
            exit_code: 0,
            signal: None,
            unseen: None,
        };
        // It does not wait, whoever reads.
        sink.tell(SystemClock.now(), what);
        drop(sink);
        reader(&pace).await;
        let mut words = Vec::new();
        while let Some(event) = events.recv().await {
            words.push(match event.what {
                What::Line { text, .. } => text,
                What::LeftOut { lines } => format!("({lines} left out)"),
                What::Ended { .. } => "ended".to_owned(),
                What::Unread { message } => message,
                other => format!("{other:?}"),
            });
        }
        words.join(", ")
    }

    /// Its folder is a file meanwhile.
    #[tokio::test(start_paused = true)]
    async fn what_can_not_be_read_is_told_and_shown_when_it_can() {
        let folder = TempDir::new().unwrap();
        let (pod, log) = (folder.path().join("pod"), folder.path().join("pod/0.log"));
        std::fs::write(&pod, "").unwrap();
        let shows = async |pace: &watch::Sender<_>| {
            pace.send_replace(None);
            tokio::time::sleep(10 * READ_AGAIN).await;
        };
        let mends = async |pace: &watch::Sender<_>| {
            shows(pace).await;
            std::fs::remove_file(&pod).unwrap();
            write(&log);
        };
        let never = shown_of(&log, shows).await;
        let later = shown_of(&log, mends).await;
        insta::assert_snapshot!(format!("{never}\n{later}"), @r"
        what it writes can't be read, which is tried again every second: Not a directory (os error 20), not all that it wrote is shown, as it can't be read: Not a directory (os error 20); kubectl logs pod -n default -c main may have it, ended
        what it writes can't be read, which is tried again every second: Not a directory (os error 20), one, two, three, ended
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_not_waited_for() {
        assert_eq!(story(async |_pace| ()).await, "(3 left out), ended");
    }

    #[tokio::test(start_paused = true)]
    async fn who_catches_up_is_shown_everything() {
        let catches_up = async |pace: &watch::Sender<_>| {
            for _ in 0..5 {
                tokio::time::sleep(PATIENCE / 2).await;
                pace.send_replace(Some(Instant::now()));
            }
            pace.send_replace(None);
        };
        assert_eq!(story(catches_up).await, "one, two, three, ended");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_for_ever_is_not_waited_for_for_ever() {
        let is_slow = async |pace: &watch::Sender<_>| {
            let begun = Instant::now();
            while begun.elapsed() < 2 * SHOWN_WITHIN {
                tokio::time::sleep(PATIENCE / 2).await;
                pace.send_replace(Some(Instant::now()));
            }
        };
        assert_eq!(story(is_slow).await, "(3 left out), ended");
    }
}
