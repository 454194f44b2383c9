//! Prints lines without waiting for whoever reads them: a pager that waits for a key, a terminal that was halted.
//!
//! A thread of its own writes. When it is behind, printing waits, and can be given up like any other wait.

use tokio::sync::{mpsc, oneshot};

use crate::cli::{complain, say};

/// How many lines wait for a slow reader before whoever prints has to.
const LINES_QUEUE: usize = 64;

/// A line, and where it goes.
#[derive(Debug)]
pub(super) enum Line {
    /// To standard output.
    Said(String),
    /// To standard error.
    Complained(String),
}

#[derive(Debug)]
pub(super) struct Printer {
    queue: mpsc::Sender<Line>,
    /// A line that waits for room.
    waiting: Option<Line>,
    /// Heard when everything is written.
    written: oneshot::Receiver<()>,
}

impl Printer {
    pub(super) fn start() -> Self {
        let (queue, mut lines) = mpsc::channel(LINES_QUEUE);
        let (done, written) = oneshot::channel();
        std::thread::spawn(move || {
            while let Some(line) = lines.blocking_recv() {
                match line {
                    Line::Said(text) => say(&text),
                    Line::Complained(text) => complain(&text),
                }
            }
            let _nobody_waits = done.send(());
        });
        Printer {
            queue,
            waiting: None,
            written,
        }
    }

    /// Prints a line. Given up while it waits for room, it is printed before the next one.
    pub(super) async fn print(&mut self, line: Line) {
        self.make_room().await;
        self.waiting = Some(line);
        self.make_room().await;
    }

    async fn make_room(&mut self) {
        if self.waiting.is_some()
            && let Ok(room) = self.queue.reserve().await
            && let Some(line) = self.waiting.take()
        {
            room.send(line);
        }
    }

    /// Waits until everything is written.
    pub(super) async fn close(mut self) {
        self.make_room().await;
        drop(self.queue);
        let _written = self.written.await;
    }
}
