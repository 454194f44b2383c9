//! Deadlines, suspension, and the time to live.

use serde_json::{Value, json};

use super::super::{at, rfc3339};
use super::{decisions, started, started_with};

#[test]
fn time() {
    let deadline = json!({"activeDeadlineSeconds": 599});
    let finished = json!({
        "startTime": rfc3339(at(-600)), "succeeded": 1, "completionTime": rfc3339(at(-60)),
        "conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": rfc3339(at(-60))}],
    });
    let rows = [
        (
            "before the deadline",
            json!({"activeDeadlineSeconds": 600}),
            started(),
            "active",
        ),
        ("at the deadline", deadline.clone(), started(), "ready"),
        (
            "at the deadline, nothing at work",
            deadline.clone(),
            started_with(&json!({"failed": 1})),
            "failed counted -5s",
        ),
        (
            "a suspended Job has no deadline",
            json!({"activeDeadlineSeconds": 1, "suspend": true}),
            started(),
            "",
        ),
        ("starts, with a deadline", deadline, Value::Null, ""),
        (
            "suspended from the start",
            json!({"suspend": true}),
            Value::Null,
            "",
        ),
        (
            "suspended with nothing to do",
            json!({"suspend": true, "completions": 0}),
            Value::Null,
            "",
        ),
        (
            "suspended while at work",
            json!({"parallelism": 2, "completions": 2, "suspend": true}),
            started_with(&json!({"active": 2})),
            "ready, active",
        ),
        (
            "stays suspended",
            json!({"suspend": true}),
            json!({
                "ready": 0, "terminating": 0, "uncountedTerminatedPods": {},
                "conditions": [{"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended"}],
            }),
            "",
        ),
        (
            "resumed",
            json!({}),
            json!({
                "ready": 0, "terminating": 0, "uncountedTerminatedPods": {},
                "conditions": [{"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended"}],
            }),
            "",
        ),
        (
            "discarded pods are no failures",
            json!({}),
            started(),
            "terminating counted",
        ),
        (
            "finished, time to live over",
            json!({"ttlSecondsAfterFinished": 60}),
            finished.clone(),
            "succeeded counted",
        ),
        (
            "finished, time to live not over",
            json!({"ttlSecondsAfterFinished": 61}),
            finished.clone(),
            "succeeded counted",
        ),
        (
            "another controller's, finished, time to live over",
            json!({"ttlSecondsAfterFinished": 60, "managedBy": "example.com/other"}),
            finished.clone(),
            "succeeded",
        ),
        (
            "another controller's, finished, time to live not over",
            json!({"ttlSecondsAfterFinished": 61, "managedBy": "example.com/other"}),
            finished.clone(),
            "succeeded",
        ),
        ("finished, kept", json!({}), finished.clone(), "succeeded counted"),
        ("finished, a pod still held", json!({}), finished, "succeeded"),
    ];
    insta::assert_snapshot!("time", decisions(&rows));
}
