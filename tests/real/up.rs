//! A `punctual up` as its user has it: the binary, a folder, manifests.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::deadline::Deadline;

/// Long enough that only a case that hangs takes it.
const PATIENCE: Duration = Duration::from_mins(1);

/// It ends with the test, however that ends.
pub(crate) struct Up {
    child: Child,
    /// Holds the manifests and, in `data`, what it keeps.
    pub(crate) folder: Arc<TempDir>,
    events: Receiver<Value>,
    _end: Deadline,
}

impl Up {
    /// Starts it with these manifests, and waits until its kubeconfig is there.
    pub(crate) fn start(manifests: &str, more: &[&str]) -> Up {
        Up::start_in(Arc::new(tempfile::tempdir().unwrap()), manifests, more)
    }

    /// Starts it in a folder that there is.
    pub(crate) fn start_in(folder: Arc<TempDir>, manifests: &str, more: &[&str]) -> Up {
        let file = folder.path().join("manifests.yaml");
        std::fs::write(&file, manifests).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .args(["up", "-o", "json", "--data-dir"])
            .arg(folder.path().join("data"))
            .args(more)
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, events) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Nobody may be listening any more.
                let _unheard = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let up = Up {
            _end: Deadline::of(&child),
            child,
            folder,
            events,
        };
        assert_eq!(up.next().expect("the first event")["event"], "serving");
        up
    }

    fn next(&self) -> Option<Value> {
        self.events.recv_timeout(PATIENCE).ok()
    }

    /// Waits for an event of this name.
    pub(crate) fn until(&self, event: &str) -> Value {
        loop {
            let next = self.next().unwrap_or_else(|| panic!("no {event}"));
            if next["event"] == event {
                return next;
            }
        }
    }

    /// Kills it outright; the folder that it had.
    pub(crate) fn kill(mut self) -> Arc<TempDir> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Arc::clone(&self.folder)
    }

    /// What happens until so many Jobs have ended.
    pub(crate) fn until_ended(&self, jobs: usize) -> Vec<Value> {
        let is_end = |event: &Value| matches!(event["event"].as_str(), Some("jobSucceeded" | "jobFailed"));
        let mut events = Vec::new();
        while events.iter().filter(|event| is_end(event)).count() < jobs {
            let next = self.next();
            events.push(next.unwrap_or_else(|| panic!("{jobs} Jobs do not end: {events:#?}")));
        }
        events
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // Twice: the second one ends what still runs.
        for _ in 0..2 {
            let _told = Command::new("kill")
                .args(["-INT", &self.child.id().to_string()])
                .status();
            std::thread::sleep(Duration::from_millis(200));
        }
        let _its_end = self.child.wait();
    }
}
