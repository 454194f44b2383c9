//! Prints lines without waiting for whoever reads them: a pager that waits for a key, a terminal that was halted, a log
//! collector that hangs. What is shown or logged is never a brake on what runs.
//!
//! A thread of its own writes. It says how it gets on, so that lines that are kept elsewhere wait there. When it is far
//! behind, lines are left out until it has caught up, and then it is said how many.

use std::collections::VecDeque;
use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use tokio::sync::watch;
use tokio::time::Instant;

/// How many bytes wait for a slow reader before it counts as behind: what a terminal shows in a moment.
const BEHIND: usize = 1024 * 1024;

/// How many bytes wait for a slow reader at most. What can't wait elsewhere (decisions, the ends of runs, the log) has the
/// rest of this: tens of thousands of lines.
const WAITING_MAX: usize = 8 * 1024 * 1024;

/// How many bytes are written at one time: enough to make the calls of the system cheap, little enough that a slow reader
/// is seen to get on.
const AT_ONE_TIME: usize = 16 * 1024;

/// How whoever reads keeps up: nothing when he does, else the last moment at which he got on.
pub type Pace = Option<Instant>;

/// A line, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// To standard output.
    Said(String),
    /// To standard error.
    Complained(String),
}

impl Line {
    fn text(&self) -> &str {
        match self {
            Line::Said(text) | Line::Complained(text) => text,
        }
    }

    /// With its end.
    fn bytes(&self) -> usize {
        self.text().len() + 1
    }
}

/// Has a thread print lines, in their order. Clones have the same one.
#[derive(Clone)]
pub struct Printer(Arc<Shared>);

/// Prints that so many lines were left out.
pub type Notice = fn(&Printer, u64);

struct Shared {
    queue: Mutex<Queue>,
    /// Something has come, or was written.
    changed: Condvar,
    notice: Notice,
}

/// What waits.
#[derive(Default)]
struct Queue {
    lines: VecDeque<Line>,
    /// How many bytes wait: those of the lines, and what is being written.
    waiting: usize,
    /// Whether lines are left out.
    is_full: bool,
    /// How many were, and this was not said.
    left_out: u64,
    pace: watch::Sender<Pace>,
}

impl Queue {
    fn add(&mut self, line: Line) {
        self.waiting += line.bytes();
        self.lines.push_back(line);
        let is_behind = self.is_behind();
        self.pace.send_if_modified(|pace| {
            let begins = pace.is_none() && is_behind;
            if begins {
                *pace = Some(Instant::now());
            }
            begins
        });
    }

    /// Takes lines that go to the same place, as many as are written at one time.
    fn take(&mut self) -> Vec<Line> {
        let mut taken: Vec<Line> = Vec::new();
        let mut bytes = 0;
        while bytes < AT_ONE_TIME {
            let goes_there = |line: &mut Line| match taken.first() {
                Some(first) => std::mem::discriminant(first) == std::mem::discriminant(line),
                None => true,
            };
            let Some(line) = self.lines.pop_front_if(goes_there) else {
                break;
            };
            bytes += line.bytes();
            taken.push(line);
        }
        taken
    }

    fn written(&mut self, bytes: usize) {
        self.waiting -= bytes;
        let is_behind = self.is_behind();
        self.pace.send_if_modified(|pace| {
            let was_behind = pace.is_some();
            *pace = is_behind.then(Instant::now);
            was_behind
        });
    }

    fn is_behind(&self) -> bool {
        self.waiting > BEHIND
    }
}

impl Printer {
    /// Starts to write to standard output and standard error, in colour where that is a terminal.
    pub fn start(notice: Notice) -> Self {
        Self::start_to(notice, write)
    }

    /// Starts to write. What is written at one time goes to the same place.
    fn start_to(notice: Notice, write: impl Fn(&[Line]) + Send + 'static) -> Self {
        let shared = Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            notice,
        };
        let printer = Printer(Arc::new(shared));
        let writing = printer.clone();
        std::thread::spawn(move || writing.write_all(write));
        printer
    }

    /// Says from now on how it gets on.
    pub fn keep(&self, pace: watch::Sender<Pace>) {
        let mut queue = self.queue();
        pace.send_replace(queue.is_behind().then(Instant::now));
        queue.pace = pace;
    }

    /// Prints a line, unless too many wait already.
    pub fn print(&self, line: Line) {
        let mut queue = self.queue();
        queue.is_full |= queue.waiting > 0 && queue.waiting + line.bytes() > WAITING_MAX;
        if queue.is_full {
            queue.left_out += 1;
            return;
        }
        queue.add(line);
        self.0.changed.notify_all();
    }

    /// Prints a line however many wait: the last words, and that others were left out.
    pub fn insist(&self, line: Line) {
        self.say_left_out();
        self.queue().add(line);
        self.0.changed.notify_all();
    }

    /// Waits until everything is written, but no longer than this.
    pub fn finish(&self, patience: Duration) {
        let is_left = |queue: &mut Queue| queue.waiting > 0 || queue.left_out > 0;
        let wait = self.0.changed.wait_timeout_while(self.queue(), patience, is_left);
        drop(wait);
    }

    /// Ends that lines are left out, if they are.
    fn say_left_out(&self) {
        let mut queue = self.queue();
        if !std::mem::take(&mut queue.is_full) {
            return;
        }
        let lines = queue.left_out;
        // It is printed by the same queue, and whoever waits for the end waits for it.
        drop(queue);
        (self.0.notice)(self, lines);
        self.queue().left_out -= lines;
        self.0.changed.notify_all();
    }

    /// Writes lines, as many as there are at one time, for ever.
    fn write_all(&self, write: impl Fn(&[Line])) {
        loop {
            let is_idle = |queue: &mut Queue| queue.lines.is_empty();
            let queue = self.0.changed.wait_while(self.queue(), is_idle);
            let lines = queue.unwrap_or_else(PoisonError::into_inner).take();
            write(&lines);
            let mut queue = self.queue();
            queue.written(lines.iter().map(Line::bytes).sum());
            let has_caught_up = !queue.is_behind();
            drop(queue);
            self.0.changed.notify_all();
            if has_caught_up {
                self.say_left_out();
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Printer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printer")
            .field("waiting", &self.queue().waiting)
            .finish_non_exhaustive()
    }
}

/// Writes lines that go to the same place, in colour where that is a terminal.
fn write(lines: &[Line]) {
    // Whoever reads them may stop at any time.
    let _closed = match lines.first() {
        Some(Line::Said(_)) => {
            let mut stdout = std::io::stdout().lock();
            let text = text(lines, AutoStream::choice(&stdout));
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        }
        Some(Line::Complained(_)) => {
            let mut stderr = std::io::stderr().lock();
            let text = text(lines, AutoStream::choice(&stderr));
            stderr.write_all(text.as_bytes())
        }
        None => Ok(()),
    };
}

fn text(lines: &[Line], colours: ColorChoice) -> String {
    let mut text = String::new();
    for line in lines {
        if colours == ColorChoice::Never {
            text.extend(strip_str(line.text()));
        } else {
            text.push_str(line.text());
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Long enough that only what hangs takes it.
    const PATIENCE: Duration = Duration::from_mins(1);

    fn line(bytes: usize) -> Line {
        Line::Said("x".repeat(bytes - 1))
    }

    #[test]
    fn who_is_behind_is_so_since_it_last_got_on() {
        let (pace, paced) = watch::channel(None);
        let mut queue = Queue {
            pace,
            ..Queue::default()
        };
        queue.add(line(BEHIND));
        assert_eq!(*paced.borrow(), None);
        queue.add(line(BEHIND));
        let since = paced.borrow().expect("it is behind");
        queue.add(line(1));
        assert_eq!(*paced.borrow(), Some(since), "nothing was written");
        queue.written(1);
        assert!(paced.borrow().is_some_and(|now| now >= since), "it got on");
        queue.written(BEHIND);
        assert_eq!(*paced.borrow(), None);
    }

    #[test]
    fn what_goes_elsewhere_is_written_after_what_came_before_it() {
        let mut queue = Queue::default();
        let [first, second] = ["1", "2"].map(|text| Line::Said(text.into()));
        let third = Line::Complained("3".into());
        for line in [&first, &second, &third, &first] {
            queue.add(line.clone());
        }
        let taken = std::iter::from_fn(|| Some(queue.take()).filter(|lines| !lines.is_empty()));
        assert_eq!(
            taken.collect::<Vec<_>>(),
            [vec![first.clone(), second], vec![third], vec![first]]
        );
    }

    #[test]
    fn who_reads_nothing_is_not_waited_for_and_learns_later_what_was_left_out() {
        let (reads, is_read) = mpsc::channel::<()>();
        let (written, read) = mpsc::channel();
        let notice: Notice = |printer, lines| printer.insist(Line::Said(format!("{lines} left out")));
        let printer = Printer::start_to(notice, move |lines: &[Line]| {
            let _ends_with_the_test = is_read.recv();
            for line in lines {
                let _nobody_asks = written.send(line.text().len().min(9).to_string() + &line.text()[..1]);
            }
        });
        // Two are all that is taken.
        for _ in 0..5 {
            printer.print(line(WAITING_MAX / 2));
        }
        printer.finish(Duration::from_millis(1));
        assert_eq!(read.try_iter().count(), 0, "nothing was read");
        drop(reads);
        printer.finish(PATIENCE);
        printer.print(Line::Complained("and goes on".into()));
        printer.finish(PATIENCE);
        assert_eq!(read.try_iter().collect::<Vec<_>>(), ["9x", "9x", "93", "9a"]);
    }

    #[test]
    fn the_last_words_are_not_left_out() {
        let (written, read) = mpsc::channel();
        let (reads, is_read) = mpsc::channel::<()>();
        let notice: Notice = |printer, lines| printer.insist(Line::Said(format!("{lines} left out")));
        let printer = Printer::start_to(notice, move |lines: &[Line]| {
            let _ends_with_the_test = is_read.recv();
            for line in lines.iter().filter(|line| line.bytes() < 100) {
                let _nobody_asks = written.send(line.text().to_owned());
            }
        });
        for _ in 0..3 {
            printer.print(line(WAITING_MAX / 2));
        }
        printer.insist(Line::Said("3 started".into()));
        drop(reads);
        printer.finish(PATIENCE);
        assert_eq!(read.try_iter().collect::<Vec<_>>(), ["1 left out", "3 started"]);
    }
}
