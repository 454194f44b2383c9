//! An end for a process that a test waits for: whoever reads from it or waits for it goes on then, and fails.

use std::convert::Infallible;
use std::process::{Child, Command};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Long enough that only a test that hangs takes it.
const LONGEST: Duration = Duration::from_mins(5);

/// Kills a process that is there for too long, unless this is dropped before.
#[derive(Debug)]
pub(crate) struct Deadline(#[allow(dead_code, reason = "it is heard when it is dropped")] Sender<Infallible>);

impl Deadline {
    pub(crate) fn of(child: &Child) -> Self {
        let process = child.id().to_string();
        let (held, dropped) = channel();
        std::thread::spawn(move || {
            if dropped.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
                eprintln!("process {process} is there for too long, and is killed");
                let _killed = Command::new("kill").args(["-KILL", &process]).status();
            }
        });
        Self(held)
    }
}
