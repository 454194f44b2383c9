//! Jobs that are being deleted, and are held by somebody's finalizer.

use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::super::{at, job};
use super::{decisions_of, started, started_with};
use crate::standalone::instants::to_time;

fn deleted(spec: &Value) -> Job {
    let mut job = job(spec);
    job.metadata.deletion_timestamp = Some(to_time(at(-1)));
    job
}

#[test]
fn deletion() {
    let two = json!({"completions": 2, "parallelism": 2});
    let rows = [
        (
            "its pods are let go, and go on",
            two.clone(),
            started_with(&json!({"active": 2})),
            "ready, active",
        ),
        (
            "no pods are made",
            two.clone(),
            started_with(&json!({"active": 2})),
            "active counted",
        ),
        (
            "a success is recorded",
            two.clone(),
            started_with(&json!({"active": 2})),
            "active counted, succeeded -1s",
        ),
        (
            "what has ended uncounted is not active any more",
            two.clone(),
            started_with(&json!({"active": 1, "ready": 1})),
            "failed counted -1s",
        ),
        (
            "it may finish all the same",
            json!({"completions": 1}),
            started_with(&json!({"active": 1})),
            "succeeded -1s",
        ),
        (
            "too many pods are left alone",
            json!({"completions": 1}),
            started(),
            "active counted, active counted",
        ),
        (
            "it is not told to be suspended",
            json!({"suspend": true}),
            started_with(&json!({"active": 1})),
            "active counted",
        ),
    ];
    insta::assert_snapshot!("deletion", decisions_of(&rows, deleted));
}
