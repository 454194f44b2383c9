//! `punctual backfill` against `punctual up`, on one machine.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backfill::NIGHTS;
use crate::deadline::Deadline;
use crate::{command, exit_code, interrupt, punctual, text};

/// The whole of it: a controller, a Job controller and processes. What is backfilled is active like any run, and leaves
/// no trace in what is known of the schedule.
#[test]
fn it_works_with_punctual_up() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let manifest = folder.path().join("cron.yaml");
    std::fs::write(&manifest, NIGHTLY).expect("a file");
    let up = Up::start(&data, &manifest);
    let backfill = punctual(
        &[
            &[
                "backfill",
                "nightly",
                "--yes",
                "--max-active",
                "2",
                "-o",
                "json",
                "--data-dir",
            ],
            &[data.to_str().expect("UTF-8")][..],
            &NIGHTS[..],
        ]
        .concat(),
    );
    assert_eq!(
        exit_code(&backfill),
        0,
        "{}{}",
        text(&backfill.stdout),
        text(&backfill.stderr)
    );
    let said = text(&backfill.stdout);
    let summary: Value = serde_json::from_str(said.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&summary["started"], &summary["succeeded"]),
        (&json!(4), &json!(4)),
        "{said}"
    );

    let get = punctual(&[
        "get",
        "nightly",
        "-o",
        "json",
        "--data-dir",
        data.to_str().expect("UTF-8"),
    ]);
    let view: Value = serde_json::from_str(&text(&get.stdout)).expect("JSON");
    for nothing in [
        "lastDue",
        "lastSuccessfulTime",
        "lastResult",
        "streak",
        "latenessSeconds",
    ] {
        assert_eq!(view[nothing], Value::Null, "{nothing} of {view}");
    }
    up.stop();
}

/// It is due at half past two only, and its history would keep one Job of four.
const NIGHTLY: &str = "
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
spec:
  schedule: 30 2 * * *
  concurrencyPolicy: Allow
  successfulJobsHistoryLimit: 1
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: main
              image: none
              command: ['true']
";

/// A `punctual up`, which is stopped in the end.
struct Up(Child, #[allow(dead_code, reason = "it is only held")] Deadline);

impl Up {
    fn start(data: &Path, manifest: &Path) -> Up {
        let words = [
            "up",
            manifest.to_str().expect("UTF-8"),
            "--data-dir",
            data.to_str().expect("UTF-8"),
        ];
        let mut up = command(&words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("punctual can be started");
        let end = Deadline::of(&up);
        let mut output = BufReader::new(up.stdout.take().expect("piped"))
            .lines()
            .map_while(Result::ok);
        assert!(
            output.any(|line| line.contains("nightly")),
            "it lists what it runs"
        );
        std::thread::spawn(move || output.for_each(drop));
        Up(up, end)
    }

    fn stop(mut self) {
        interrupt(&self.0);
        self.0.wait().expect("it ends");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _nobody_asks_how = self.0.wait();
    }
}
