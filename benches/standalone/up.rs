//! `punctual up` as a process of its own, over a data folder that goes with it.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A running `punctual up`. Dropped, it is told to end and waited for.
pub(crate) struct Up {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    _folder: TempDir,
}

impl Up {
    /// Starts it with a manifest, or with none when that is empty.
    pub(crate) fn start(manifest: &str) -> Up {
        // Not in a temporary folder, which may be in memory.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let path = folder.path().join("manifest.yaml");
        std::fs::write(&path, manifest).expect("a file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .args(["up", "-o", "json", "--data-dir"])
            .arg(folder.path().join("data"))
            .args(Some(&path).filter(|_| !manifest.is_empty()))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("punctual can be started");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Up {
            child,
            lines,
            _folder: folder,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next event of this name.
    pub(crate) fn next(&mut self, name: &str) -> Value {
        loop {
            let line = self.lines.next().expect("it goes on").expect("UTF-8");
            let event: Value = serde_json::from_str(&line).expect("JSON");
            if event["event"] == name {
                return event;
            }
        }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        // Twice: what still runs is of no interest.
        for _ in 0..2 {
            let _told = Command::new("kill").args(["-INT", &pid]).status();
        }
        // It would wait for a reader.
        for _line in self.lines.by_ref() {}
        let _ended = self.child.wait();
    }
}

/// A CronJob whose process ends at once.
pub(crate) fn cronjob(number: usize, schedule: &str) -> String {
    format!(
        "---\n{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: bench-{number}}}, spec: {{schedule: '{schedule}', \
         successfulJobsHistoryLimit: 1, jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [\
         {{name: main, image: none, command: ['true']}}]}}}}}}}}}}}}\n"
    )
}
