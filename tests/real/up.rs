//! A `punctual up` as its user has it: the binary, a folder, manifests.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;

/// It ends with the test, however that ends, and what it runs ends with it.
pub(crate) struct Up {
    process: Option<Process>,
    /// Holds the manifests and, in `data`, what it keeps.
    pub(crate) folder: Arc<TempDir>,
}

impl Up {
    /// Starts it with these manifests, and waits until its kubeconfig is there.
    pub(crate) fn start(manifests: &str, more: &[&str]) -> Up {
        Up::start_in(Arc::new(tempfile::tempdir().unwrap()), manifests, more)
    }

    /// Starts it in a folder that there is.
    pub(crate) fn start_in(folder: Arc<TempDir>, manifests: &str, more: &[&str]) -> Up {
        let data = folder.path().join("data").display().to_string();
        Up::begin(folder, manifests, &[&["--data-dir", &data], more].concat())
    }

    /// Starts one that keeps nothing.
    pub(crate) fn ephemeral(manifests: &str, more: &[&str]) -> Up {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Up::begin(folder, manifests, &[&["--ephemeral"], more].concat())
    }

    fn begin(folder: Arc<TempDir>, manifests: &str, more: &[&str]) -> Up {
        let file = folder.path().join("manifests.yaml");
        std::fs::write(&file, manifests).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_punctual"));
        command.args(["up", "-o", "json"]).args(more).arg(file);
        let process = Some(Process::start(&mut command));
        let up = Up { process, folder };
        assert_eq!(up.next().expect("the first event")["event"], "serving");
        up
    }

    fn next(&self) -> Option<Value> {
        let line = self.process.as_ref()?.line()?;
        Some(serde_json::from_str(&line).unwrap())
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
        self.process.take().unwrap().kill();
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
        let Some(process) = self.process.take() else {
            return;
        };
        // Twice: the second one ends what still runs.
        process.signal("INT");
        std::thread::sleep(Duration::from_millis(200));
        process.signal("INT");
        process.ended();
    }
}
