//! `punctual backfill` against `punctual up`, on one machine.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backfill::NIGHTS;
use crate::process::Process;
use crate::{command, exit_code, punctual, text};

/// The whole of it: a controller, a Job controller and processes. What is backfilled is active like any run, and leaves
/// no trace in what is known of the schedule.
#[test]
fn it_works_with_punctual_up() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let manifest = folder.path().join("cron.yaml");
    std::fs::write(&manifest, NIGHTLY).expect("a file");
    let (data, manifest) = (data.to_str().expect("UTF-8"), manifest.to_str().expect("UTF-8"));
    let up = Process::start(&mut command(&["up", manifest, "--data-dir", data]));
    up.line_where("it lists what it runs", |line| line.contains("nightly"));
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
            &[data][..],
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

    let get = punctual(&["get", "nightly", "-o", "json", "--data-dir", data]);
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
    assert_eq!(up.interrupt().code, Some(0));
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
