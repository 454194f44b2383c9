//! What a bare loop reaches on this machine: it sleeps until a due instant and starts processes, one after the other.
//!
//! Once by itself, and once each under a supervisor of `punctual`, which is told on its standard input what to start and
//! records when it did: the work that cannot be left out when a process is to outlive whoever started it.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;

use chrono::TimeDelta;
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
    at_instants(instants, seconds, |due| {
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
    })
}

/// The same, each under a supervisor.
pub(crate) fn supervised(count: usize, instants: usize, seconds: i64) -> Vec<Lateness> {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    at_instants(instants, seconds, |due| {
        let round = folder.path().join(due.timestamp().to_string());
        let attempts: Vec<Attempt> = (0..count)
            .map(|number| Attempt::start(&round.join(number.to_string())))
            .collect();
        let mut lateness: Lateness = attempts
            .into_iter()
            .map(|attempt| attempt.started() - due)
            .collect();
        lateness.sort();
        lateness
    })
}

fn at_instants(instants: usize, seconds: i64, start: impl Fn(Timestamp) -> Lateness) -> Vec<Lateness> {
    let clock = SystemClock;
    let mut due = full_second_after(clock.now());
    let mut rounds = Vec::new();
    for _ in 0..instants {
        due += TimeDelta::seconds(seconds);
        sleep((due - clock.now()).to_std().unwrap_or_default());
        rounds.push(start(due));
    }
    rounds
}

fn full_second_after(instant: Timestamp) -> Timestamp {
    Timestamp::from_timestamp(instant.timestamp() + 1, 0).expect("a time")
}

/// A process under a supervisor.
struct Attempt {
    folder: PathBuf,
    supervisor: Child,
    connection: UnixStream,
}

impl Attempt {
    /// Starts a supervisor and says what it is to do, without waiting for it.
    fn start(folder: &Path) -> Attempt {
        std::fs::create_dir_all(folder).expect("a folder");
        let (mut connection, theirs) = UnixStream::pair().expect("a connection");
        let supervisor = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .arg("supervise")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .spawn();
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
        writeln!(connection, "{commission}").expect("a supervisor");
        Attempt {
            folder: folder.to_owned(),
            supervisor: supervisor.expect("a supervisor can be started"),
            connection,
        }
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
