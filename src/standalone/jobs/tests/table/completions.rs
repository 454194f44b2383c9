//! How many pods run, and when enough have succeeded.

use serde_json::{Value, json};

use super::{decisions, started, started_with};

#[test]
#[expect(clippy::too_many_lines, reason = "a table is as long as it has rows")]
fn fixed_completions() {
    let two_five = json!({"completions": 5, "parallelism": 2, "backoffLimit": 6});
    let rows = [
        ("one shot starts", json!({}), Value::Null, ""),
        ("job starts", two_five.clone(), Value::Null, ""),
        (
            "correct number of pods",
            two_five.clone(),
            started(),
            "active, active",
        ),
        (
            "correct number of pods, one ready",
            two_five.clone(),
            started(),
            "ready, active",
        ),
        (
            "too few active pods",
            two_five.clone(),
            started_with(&json!({"succeeded": 1})),
            "active, succeeded counted",
        ),
        (
            "too few active pods, with a terminating one",
            two_five.clone(),
            started(),
            "active, terminating",
        ),
        (
            "too many active pods",
            two_five.clone(),
            started(),
            "ready, active, pending",
        ),
        (
            "too many active pods for what is left",
            two_five.clone(),
            started_with(&json!({"succeeded": 4})),
            "active, active",
        ),
        (
            "a success is recorded and replaced",
            two_five.clone(),
            started(),
            "active, succeeded -1s",
        ),
        (
            "a success is counted once released",
            two_five.clone(),
            started_with(&json!({"uncountedTerminatedPods": {"succeeded": ["u2"]}})),
            "active, succeeded counted -1s",
        ),
        (
            "a success is counted once gone",
            two_five.clone(),
            started_with(&json!({"uncountedTerminatedPods": {"succeeded": ["u9"]}})),
            "active, active",
        ),
        (
            "a release that failed is done again",
            two_five.clone(),
            started_with(&json!({"uncountedTerminatedPods": {"succeeded": ["u2"]}})),
            "active, succeeded -1s",
        ),
        (
            "a deleted success is counted",
            two_five.clone(),
            started(),
            "active, succeeded terminating -1s",
        ),
        (
            "last success",
            json!({"completions": 1}),
            started_with(&json!({"active": 1})),
            "succeeded -1s",
        ),
        (
            "last success, released",
            json!({"completions": 1}),
            started_with(&json!({
                "uncountedTerminatedPods": {"succeeded": ["u1"]},
                "conditions": [{"type": "SuccessCriteriaMet", "status": "True", "reason": "CompletionsReached", "message": "Reached expected number of succeeded pods"}],
            })),
            "succeeded counted -1s",
        ),
        (
            "last success, while one is terminating",
            json!({"completions": 1}),
            started_with(&json!({"succeeded": 1})),
            "succeeded counted -9s, terminating counted",
        ),
        (
            "no completions wanted",
            json!({"completions": 0}),
            Value::Null,
            "",
        ),
        (
            "no parallelism",
            json!({"completions": 2, "parallelism": 0}),
            started(),
            "",
        ),
        (
            "pods of another namespace that name it as their owner",
            json!({"backoffLimit": 0}),
            started_with(&json!({"active": 1})),
            "active, failed elsewhere -30s, succeeded elsewhere -30s",
        ),
        (
            "another controller's",
            json!({"managedBy": "kueue.x-k8s.io/multikueue"}),
            Value::Null,
            "",
        ),
        (
            "our own by name",
            json!({"managedBy": "kubernetes.io/job-controller"}),
            Value::Null,
            "",
        ),
    ];
    insta::assert_snapshot!("fixed_completions", decisions(&rows));
}

#[test]
fn work_queue() {
    let queue = json!({"parallelism": 3});
    let rows = [
        ("workers start", queue.clone(), Value::Null, ""),
        (
            "a failed worker is replaced after the back-off",
            queue.clone(),
            started(),
            "active, active, failed -5s",
        ),
        (
            "a failed worker is replaced",
            queue.clone(),
            started(),
            "active, active, failed -15s",
        ),
        (
            "once one succeeded no workers start",
            queue.clone(),
            started(),
            "active, succeeded -1s",
        ),
        (
            "once one succeeded those that run go on",
            queue.clone(),
            started_with(&json!({"succeeded": 1})),
            "active, active, succeeded counted -1s",
        ),
        (
            "a failure after a success does not start another",
            queue.clone(),
            started_with(&json!({"succeeded": 1})),
            "active, failed -20s, succeeded counted -30s",
        ),
        (
            "all have ended",
            queue.clone(),
            started_with(&json!({"succeeded": 2})),
            "succeeded -1s, succeeded counted -2s, succeeded counted -2s",
        ),
        (
            "parallelism was lowered",
            json!({"parallelism": 1}),
            started(),
            "active, ready, active",
        ),
    ];
    insta::assert_snapshot!("work_queue", decisions(&rows));
}
