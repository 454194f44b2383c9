//! Prints lines without waiting for whoever reads them: a pager that waits for a key, a terminal that was halted, a log
//! collector that hangs. What is shown is never a brake on what runs.
//!
//! A thread of its own writes. It says how it gets on, so that lines that are kept elsewhere wait there; when it is far
//! behind, lines are left out, and counted.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use crate::standalone::runtime::Pace;

/// How many bytes wait for a slow reader before it counts as behind: what a terminal shows in a moment.
const BEHIND: usize = 1024 * 1024;

/// How many bytes wait for a slow reader at most. What can't wait elsewhere (decisions, the ends of runs) has the rest of
/// this: tens of thousands of lines.
const WAITING_MAX: usize = 8 * 1024 * 1024;

/// How many bytes are written at one time: enough to make the calls of the system cheap, little enough that a slow reader
/// is seen to get on.
const AT_ONE_TIME: usize = 16 * 1024;

/// A line, and where it goes.
#[derive(Debug)]
pub(super) enum Line {
    /// To standard output.
    Said(String),
    /// To standard error.
    Complained(String),
}

impl Line {
    fn bytes(&self) -> usize {
        match self {
            Line::Said(text) | Line::Complained(text) => text.len() + 1,
        }
    }
}

#[derive(Debug)]
pub(super) struct Printer {
    /// Bounded by what is `waiting`.
    queue: mpsc::UnboundedSender<Line>,
    progress: Arc<Progress>,
    /// How many lines are left out since the last one that was taken, and how that is said.
    left_out: u64,
    notice: fn(u64) -> String,
    /// Heard when everything is written.
    written: oneshot::Receiver<()>,
}

/// How the writing gets on.
#[derive(Debug)]
struct Progress {
    /// How many bytes wait.
    waiting: AtomicUsize,
    pace: watch::Sender<Pace>,
}

impl Progress {
    fn add(&self, bytes: usize) {
        self.waiting.fetch_add(bytes, Ordering::SeqCst);
        self.pace.send_if_modified(|pace| {
            let begins = pace.is_none() && self.is_behind();
            if begins {
                *pace = Some(Instant::now());
            }
            begins
        });
    }

    fn take(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::SeqCst);
        self.pace.send_if_modified(|pace| {
            let was_behind = pace.is_some();
            *pace = self.is_behind().then(Instant::now);
            was_behind
        });
    }

    fn is_behind(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > BEHIND
    }
}

impl Printer {
    /// Starts to write. `pace` hears how that gets on; `notice` says that lines were left out.
    pub(super) fn start(pace: watch::Sender<Pace>, notice: fn(u64) -> String) -> Self {
        let (queue, lines) = mpsc::unbounded_channel();
        let (done, written) = oneshot::channel();
        let waiting = AtomicUsize::new(0);
        let progress = Arc::new(Progress { waiting, pace });
        let writing = Arc::clone(&progress);
        std::thread::spawn(move || {
            write_all(lines, &writing);
            let _nobody_waits = done.send(());
        });
        Printer {
            queue,
            progress,
            left_out: 0,
            notice,
            written,
        }
    }

    /// Prints a line, unless too many wait already.
    pub(super) fn print(&mut self, line: Line) {
        let waiting = self.progress.waiting.load(Ordering::SeqCst);
        if waiting + line.bytes() > WAITING_MAX {
            self.left_out += 1;
            return;
        }
        self.say_left_out();
        self.hand_over(line);
    }

    fn say_left_out(&mut self) {
        if self.left_out > 0 {
            let notice = (self.notice)(std::mem::take(&mut self.left_out));
            self.hand_over(Line::Said(notice));
        }
    }

    fn hand_over(&self, line: Line) {
        self.progress.add(line.bytes());
        // The thread ends after this does.
        let _written = self.queue.send(line);
    }

    /// Prints a last line, and waits until everything is written, but no longer than this.
    pub(super) async fn close(mut self, last: Line, patience: Duration) {
        self.say_left_out();
        self.hand_over(last);
        drop(self.queue);
        let _nobody_reads = timeout(patience, self.written).await;
    }
}

/// Writes lines, as many as there are at one time.
fn write_all(mut lines: mpsc::UnboundedReceiver<Line>, progress: &Progress) {
    let on_stdout = AutoStream::choice(&std::io::stdout());
    let on_stderr = AutoStream::choice(&std::io::stderr());
    let mut next = lines.blocking_recv();
    while let Some(first) = next.take() {
        let is_said = matches!(first, Line::Said(_));
        let mut bytes = 0;
        let mut text = String::new();
        let mut line = Some(first);
        while let Some(Line::Said(more) | Line::Complained(more)) = &line {
            let colours = if is_said { on_stdout } else { on_stderr };
            push_line(&mut text, more, colours);
            bytes += more.len() + 1;
            line = lines.try_recv().ok();
            let goes_elsewhere = |line: &Line| matches!(line, Line::Said(_)) != is_said;
            if bytes >= AT_ONE_TIME || line.as_ref().is_some_and(goes_elsewhere) {
                break;
            }
        }
        // Whoever reads them may stop at any time.
        let _closed = if is_said {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        } else {
            std::io::stderr().lock().write_all(text.as_bytes())
        };
        progress.take(bytes);
        next = line.or_else(|| lines.blocking_recv());
    }
}

fn push_line(text: &mut String, line: &str, colours: ColorChoice) {
    if colours == ColorChoice::Never {
        text.extend(strip_str(line));
    } else {
        text.push_str(line);
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_behind_is_so_since_it_last_got_on() {
        let (pace, paced) = watch::channel(None);
        let waiting = AtomicUsize::new(0);
        let progress = Progress { waiting, pace };
        progress.add(BEHIND);
        assert_eq!(*paced.borrow(), None);
        progress.add(BEHIND);
        let since = paced.borrow().expect("it is behind");
        progress.add(1);
        assert_eq!(*paced.borrow(), Some(since), "nothing was written");
        progress.take(1);
        assert!(paced.borrow().is_some_and(|now| now >= since), "it got on");
        progress.take(BEHIND);
        assert_eq!(*paced.borrow(), None);
    }
}
