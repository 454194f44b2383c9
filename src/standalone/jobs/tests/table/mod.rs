//! One row, one rule: a Job, its pods, what is decided. The rows follow the cases of Kubernetes'
//! `job_controller_test.go` (`TestControllerSyncJob` and its neighbours).

mod completions;
mod deletion;
mod failures;
mod indexed;
mod time;

use std::fmt::Write;

use super::super::decide;
use super::*;

/// Decides each row at noon and writes the decisions down, one a line.
fn decisions(rows: &[(&str, Value, Value, &str)]) -> String {
    decisions_of(rows, job)
}

/// The same, of Jobs that are made of a spec in another way.
fn decisions_of(rows: &[(&str, Value, Value, &str)], job: impl Fn(&Value) -> Job) -> String {
    let mut table = String::new();
    for (name, spec, status, pods_in_words) in rows {
        let mut job = job(spec);
        if !status.is_null() {
            job = with_status(job, status);
        }
        let decision = decide(&job, &pods(pods_in_words), &Past::default(), noon());
        writeln!(table, "{name}\n    {}", told(&decision)).unwrap();
    }
    table
}

/// A Job that has started ten minutes ago.
fn started() -> Value {
    json!({"startTime": rfc3339(at(-600)), "ready": 0, "terminating": 0, "uncountedTerminatedPods": {}})
}

fn started_with(more: &Value) -> Value {
    let mut status = started();
    json_patch::merge(&mut status, more);
    status
}
