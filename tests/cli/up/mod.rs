//! `punctual up`, with real processes.

mod images;
mod refusals;
mod runs;
mod watch;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::{command, exit_code, interrupt, punctual, text};

/// A manifest in a folder of its own, which goes with it.
struct Manifest {
    folder: TempDir,
}

impl Manifest {
    fn new(text: &str) -> Manifest {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("cron.yaml"), text).expect("a file");
        Manifest { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("cron.yaml")
    }

    /// What `up -o json --for …` reports, and its exit code.
    fn run_for(&self, duration: &str) -> (Vec<Value>, i32) {
        let path = self.path();
        let output = punctual(&[
            "up",
            path.to_str().expect("UTF-8"),
            "--for",
            duration,
            "-o",
            "json",
            "--ephemeral",
        ]);
        let events = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        (events, exit_code(&output))
    }
}

/// How long anything may take that is waited for: only a test that hangs takes it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A `punctual up` that runs beside the test. It is killed when this is dropped.
struct Up {
    child: Child,
    lines: Receiver<String>,
}

impl Up {
    fn start(arguments: &[&str]) -> Up {
        let mut child = command(&[&["up"], arguments].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("punctual can be started");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (heard, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut lines = output.lines().map_while(Result::ok);
            lines.try_for_each(|line| heard.send(line))
        });
        Up { child, lines }
    }

    /// One that follows a folder and tells what happens as JSON.
    fn follow(folder: &Path) -> Up {
        let folder = folder.to_str().expect("UTF-8");
        Up::start(&["--watch", "--ephemeral", "-o", "json", folder])
    }

    /// Waits for a line.
    fn line(&mut self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if is_it(&line) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("{what}: {error}, after {before:#?}"),
            }
        }
    }

    /// Waits until something of a kind is told, of whatever has this name; an empty one stands for all.
    fn event(&mut self, kind: &str, name: &str) -> Value {
        self.any_event(&[kind], name)
    }

    fn any_event(&mut self, kinds: &[&str], name: &str) -> Value {
        let line = self.line(&format!("{kinds:?} of {name:?}"), |line| {
            let event = json(line);
            let is_of_kind = kinds.iter().any(|kind| event["event"] == *kind);
            is_of_kind && (name.is_empty() || event["name"] == name)
        });
        json(&line)
    }

    fn interrupt(&self) {
        interrupt(&self.child);
    }

    /// What it still shows before it ends in peace.
    fn rest(mut self) -> Vec<String> {
        let end = Instant::now() + PATIENCE;
        let mut rest = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {rest:#?}"),
            }
        }
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0), "{rest:#?}");
        rest
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

fn cronjob(name: &str, schedule: &str, command: &str) -> String {
    format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}}}, spec: {{schedule: {schedule:?}, \
         jobTemplate: {{spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: Never, containers: [\
         {{name: main, image: busybox, command: [sh, -c, {command:?}]}}]}}}}}}}}}}}}\n"
    )
}

fn events<'a>(all: &'a [Value], kind: &str) -> Vec<&'a Value> {
    all.iter().filter(|event| event["event"] == kind).collect()
}

fn decisions<'a>(all: &'a [Value], reason: &str) -> Vec<&'a Value> {
    events(all, "decision")
        .into_iter()
        .filter(|event| event["reason"] == reason)
        .collect()
}

/// A Job of one pod that relies on its image's entrypoint.
const IMAGE_ONLY: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: image-only}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {}}
    spec:
      restartPolicy: Never
      containers: [{name: main, image: 'greeter:7', args: [from, the pod]}]
";
