//! A `punctual` beside a test: what it shows is read as it comes, every wait for it has an end, and it is gone when the
//! test is.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::deadline::Deadline;

/// Long enough that only a test that hangs takes it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A `punctual` under way. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    shown: Arc<Shown>,
    said: Option<JoinHandle<String>>,
    _end: Deadline,
}

/// One that has ended by itself, or as it was told.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code, if no signal ended it.
    pub(crate) code: Option<i32>,
    /// The lines that nobody had taken.
    pub(crate) rest: Vec<String>,
    /// All of its standard error.
    pub(crate) said: String,
}

#[derive(Default)]
struct Shown {
    so_far: Mutex<SoFar>,
    more: Condvar,
}

#[derive(Default)]
struct SoFar {
    lines: Vec<String>,
    /// How many of them have been taken.
    taken: usize,
    is_all: bool,
}

impl Process {
    /// Starts one, and reads what it shows.
    pub(crate) fn start(command: &mut Command) -> Process {
        let mut up = Process::unread(command);
        let output = BufReader::new(up.child.stdout.take().expect("piped"));
        let shown = Arc::clone(&up.shown);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                shown.so_far().lines.push(line);
                shown.more.notify_all();
            }
            shown.so_far().is_all = true;
            shown.more.notify_all();
        });
        up
    }

    /// Starts one whose standard output nobody reads.
    pub(crate) fn unread(command: &mut Command) -> Process {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("punctual can be started");
        let mut stderr = child.stderr.take().expect("piped");
        let said = std::thread::spawn(move || {
            let mut said = String::new();
            // What is not UTF-8 would show as missing.
            let _cut = stderr.read_to_string(&mut said);
            said
        });
        Process {
            _end: Deadline::of(&child),
            child,
            shown: Arc::default(),
            said: Some(said),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has shown.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.shown.so_far().lines.clone()
    }

    /// Takes the next line; nothing, when that was all.
    pub(crate) fn line(&self) -> Option<String> {
        let waits = |so_far: &mut SoFar| so_far.lines.len() == so_far.taken && !so_far.is_all;
        let waited = self
            .shown
            .more
            .wait_timeout_while(self.shown.so_far(), PATIENCE, waits);
        let (mut so_far, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        let line = so_far.lines.get(so_far.taken).cloned();
        so_far.taken += usize::from(line.is_some());
        assert!(!waited.timed_out(), "nothing is shown after {:#?}", so_far.lines);
        line
    }

    /// Takes lines until one is as wanted.
    pub(crate) fn line_where(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        while let Some(line) = self.line() {
            if is_it(&line) {
                return line;
            }
            assert!(Instant::now() < end, "{what}: not within patience");
        }
        panic!("{what}: it has ended, after {:#?}", self.shown());
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &self.pid().to_string()])
            .status();
        assert!(sent.expect("kill can be started").success());
    }

    /// Kills it outright.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Ends it with Ctrl-C.
    pub(crate) fn interrupt(self) -> Ended {
        self.signal("INT");
        self.ended()
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Ended {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let said = self.said.take().map(JoinHandle::join);
        let mut rest = Vec::new();
        let is_read = self.child.stdout.is_none();
        while is_read && let Some(line) = self.line() {
            rest.push(line);
        }
        Ended {
            code: status.code(),
            rest,
            said: said.expect("it is ended once").expect("it was read"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Shown {
    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
