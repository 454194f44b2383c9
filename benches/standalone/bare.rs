//! What a bare loop reaches on this machine: it sleeps until a due instant and starts processes, one after the other.
//!
//! By themselves, and each under a supervisor of `punctual`, which is told on its standard input what to start and records
//! when it did: the work that cannot be left out when a process is to outlive whoever started it. The supervisors are
//! started when the processes are due, or ahead of that, as `punctual` does.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;

use punctual::clock::{Clock, SystemClock};
use punctual::schedule::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::starts::Lateness;

/// What a supervisor says when the end is recorded.
const END: u8 = b'.';

/// Starts `true` so many times at each of some instants, so many seconds apart.
pub(crate) fn processes(count: usize, instants: usize, seconds: i64) -> Vec<Lateness> {
    let clock = SystemClock;
    let round = |due| {
        sleep_until(due);
        let start = |_| {
            let child = Command::new("true")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn();
            (clock.now() - due, child.expect("true can be started"))
        };
        let (lateness, children): (Lateness, Vec<Child>) = (0..count).map(start).unzip();
        for mut child in children {
            child.wait().expect("true ends");
        }
        lateness
    };
    instants_from_now(instants, seconds).map(round).collect()
}

/// When supervisors are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Supervisors {
    /// When their processes are due.
    WhenDue,
    /// Before that.
    Ahead,
}

/// The same, each under a supervisor.
pub(crate) fn supervised(
    supervisors: Supervisors,
    count: usize,
    instants: usize,
    seconds: i64,
) -> Vec<Lateness> {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let round = |due: Timestamp| {
        let round = folder.path().join(due.timestamp().to_string());
        let mut attempts = (0..count).map(|number| Attempt::supervised(&round.join(number.to_string())));
        let ahead = if supervisors == Supervisors::Ahead {
            count
        } else {
            0
        };
        let ahead: Vec<Attempt> = attempts.by_ref().take(ahead).collect();
        sleep_until(due);
        let attempts: Vec<Attempt> = ahead.into_iter().chain(attempts).map(Attempt::start).collect();
        let mut lateness: Lateness = attempts
            .into_iter()
            .map(|attempt| attempt.started() - due)
            .collect();
        lateness.sort();
        lateness
    };
    instants_from_now(instants, seconds).map(round).collect()
}

/// Full seconds, so many seconds apart, the first after as many.
fn instants_from_now(instants: usize, seconds: i64) -> impl Iterator<Item = Timestamp> {
    let first = SystemClock.now().timestamp() + 1 + seconds;
    let all = (first..).step_by(usize::try_from(seconds).expect("a small number"));
    all.take(instants)
        .map(|second| Timestamp::from_timestamp(second, 0).expect("a time"))
}

fn sleep_until(due: Timestamp) {
    sleep((due - SystemClock.now()).to_std().unwrap_or_default());
}

/// A process under a supervisor.
struct Attempt {
    folder: PathBuf,
    supervisor: Child,
    connection: UnixStream,
}

impl Attempt {
    /// Starts a supervisor.
    fn supervised(folder: &Path) -> Attempt {
        std::fs::create_dir_all(folder).expect("a folder");
        let (connection, theirs) = UnixStream::pair().expect("a connection");
        let supervisor = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .arg("supervise")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .spawn();
        Attempt {
            folder: folder.to_owned(),
            supervisor: supervisor.expect("a supervisor can be started"),
            connection,
        }
    }

    /// Says what it is to do, without waiting for it.
    fn start(mut self) -> Attempt {
        let folder = &self.folder;
        let path = std::env::var("PATH").unwrap_or_default();
        let commission = json!({
            "folder": folder,
            "log": folder.join("log"),
            "invocation": {
                "program": "true", "arguments": [], "variables": { "PATH": path }, "working_dir": "/",
            },
            "group": null,
            "grace_seconds": 30,
            "is_bound": false,
        });
        writeln!(self.connection, "{commission}").expect("a supervisor");
        self
    }

    /// Waits for the end; when the process was started, as the supervisor has recorded it.
    fn started(mut self) -> Timestamp {
        // When the end is recorded, the supervisor says so and waits to be let go; or it is gone.
        let mut bytes = [0; 64];
        while let Ok(read @ 1..) = self.connection.read(&mut bytes) {
            if bytes[..read].contains(&END) {
                break;
            }
        }
        drop(self.connection);
        self.supervisor.wait().expect("the supervisor ends");
        let records = std::fs::read_to_string(self.folder.join("state")).expect("records");
        let mut records = records
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let started = records
            .find(|record| record["record"] == "started")
            .expect("a start");
        let at = started["at"].as_str().and_then(|at| at.parse().ok());
        at.expect("a time")
    }
}
