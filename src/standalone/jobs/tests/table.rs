//! One row, one rule: a Job, its pods, what is decided. The rows follow the cases of Kubernetes'
//! `job_controller_test.go` (`TestControllerSyncJob` and its neighbours).

use std::fmt::Write;

use super::super::decide;
use super::*;

/// Decides each row at noon and writes the decisions down, one a line.
fn decisions(rows: &[(&str, Value, Value, &str)]) -> String {
    let mut table = String::new();
    for (name, spec, status, pods_in_words) in rows {
        let mut job = job(spec);
        if !status.is_null() {
            job = with_status(job, status);
        }
        let decision = decide(&job, &pods(pods_in_words), noon());
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
    merge(&mut status, more);
    status
}

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

#[test]
#[expect(clippy::too_many_lines, reason = "a table is as long as it has rows")]
fn failures() {
    let limit = |limit: i32| json!({"backoffLimit": limit});
    let on_failure =
        |limit: i32| json!({"backoffLimit": limit, "template": {"spec": {"restartPolicy": "OnFailure"}}});
    let failed = |count: i32| started_with(&json!({"failed": count}));
    let rows = [
        (
            "2 completions, 1 parallel, one failed, back-off not over",
            json!({"completions": 2}),
            started(),
            "failed -3s",
        ),
        (
            "2 completions, 1 parallel, one failed, back-off over",
            json!({"completions": 2}),
            started(),
            "failed -10s",
        ),
        (
            "second failure in a row, back-off doubled",
            json!({}),
            failed(1),
            "failed counted -40s, failed -15s",
        ),
        (
            "third failure in a row, back-off doubled again",
            json!({}),
            failed(2),
            "failed counted -90s, failed counted -60s, failed -15s",
        ),
        (
            "a success starts the row anew",
            json!({"completions": 3}),
            started_with(&json!({"failed": 2, "succeeded": 1})),
            "failed counted -90s, failed counted -60s, succeeded counted -50s, failed -12s",
        ),
        (
            "back-off limit 0, one failed",
            limit(0),
            started_with(&json!({"active": 1})),
            "failed -1s",
        ),
        (
            "back-off limit 2, two failed",
            limit(2),
            failed(1),
            "failed counted -60s, failed -30s",
        ),
        (
            "back-off limit 2, three failed",
            limit(2),
            failed(2),
            "failed counted -60s, failed counted -50s, failed -30s",
        ),
        (
            "back-off limit reached, others at work",
            json!({"completions": 3, "parallelism": 3, "backoffLimit": 0}),
            started(),
            "active, ready, failed -1s",
        ),
        (
            "its last pod has not ended",
            limit(0),
            started_with(&json!({
                "failed": 1,
                "conditions": [{"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}],
            })),
            "failed counted -9s, terminating counted",
        ),
        (
            "its last pod has ended",
            limit(0),
            started_with(&json!({
                "failed": 2,
                "conditions": [{"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}],
            })),
            "failed counted -9s, failed counted -1s",
        ),
        (
            "restarted in place, below the limit",
            on_failure(3),
            started(),
            "active restarts=2",
        ),
        (
            "restarted in place, at the limit",
            on_failure(3),
            started(),
            "active restarts=3",
        ),
        (
            "restarted in place, limit 0",
            on_failure(0),
            started(),
            "active restarts=1",
        ),
        ("never restarted, limit 0", on_failure(0), started(), "active"),
        (
            "restarts do not count with restartPolicy Never",
            limit(0),
            started(),
            "active restarts=5",
        ),
        (
            "a pod that is deleted counts as failed and is replaced",
            json!({}),
            started(),
            "terminating",
        ),
        (
            "a pod that is deleted counts when it has ended, if so wanted",
            json!({"podReplacementPolicy": "Failed"}),
            started(),
            "terminating",
        ),
    ];
    insta::assert_snapshot!("failures", decisions(&rows));
}

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
        ("finished, kept", json!({}), finished.clone(), "succeeded counted"),
        ("finished, a pod still held", json!({}), finished, "succeeded"),
    ];
    insta::assert_snapshot!("time", decisions(&rows));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table is as long as it has rows")]
fn indexed() {
    let four_two = json!({"completions": 4, "parallelism": 2, "completionMode": "Indexed"});
    let per_index = json!({
        "completions": 3, "parallelism": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 1,
    });
    let with = |more: Value| {
        let mut spec = per_index.clone();
        merge(&mut spec, &more);
        spec
    };
    let completed = |indexes: &str, succeeded: i32| {
        started_with(&json!({"completedIndexes": indexes, "succeeded": succeeded}))
    };
    let rows = [
        ("starts", four_two.clone(), Value::Null, ""),
        (
            "an index is completed, the next starts",
            four_two.clone(),
            started(),
            "succeeded index=0 -1s, active index=1",
        ),
        (
            "an index that failed starts again after the back-off",
            four_two.clone(),
            started(),
            "failed index=0 -20s, active index=1",
        ),
        (
            "a second pod of an index is discarded",
            four_two.clone(),
            started(),
            "active index=1, ready index=1",
        ),
        (
            "a pod without an index is discarded",
            four_two.clone(),
            started(),
            "active, active index=0",
        ),
        (
            "a pod beyond the last index is discarded",
            four_two.clone(),
            started(),
            "active index=4, active index=0",
        ),
        (
            "a second success of an index does not count",
            four_two.clone(),
            completed("0", 1),
            "succeeded index=0 -1s, active index=1",
        ),
        (
            "the last index",
            four_two.clone(),
            completed("0-2", 3),
            "succeeded index=3 -1s",
        ),
        (
            "per index: an index waits for its own back-off, and its pod is kept",
            per_index.clone(),
            started(),
            "failed index=0 before=0 -5s, active index=1, active index=2",
        ),
        (
            "per index: its next pod carries the count",
            per_index.clone(),
            started(),
            "failed index=0 before=0 -15s, active index=1, active index=2",
        ),
        (
            "per index: the pod before is let go",
            per_index.clone(),
            started(),
            "failed index=0 before=0 -15s, active index=0 before=1, active index=1, active index=2",
        ),
        (
            "per index: an index has failed",
            per_index.clone(),
            started(),
            "failed index=0 before=1 -15s, active index=1, active index=2",
        ),
        (
            "per index: the others have succeeded",
            per_index.clone(),
            started_with(
                &json!({"completedIndexes": "1,2", "succeeded": 2, "failedIndexes": "0", "failed": 2}),
            ),
            "",
        ),
        (
            "per index: too many indexes have failed",
            with(json!({"maxFailedIndexes": 0})),
            started(),
            "failed index=0 before=1 -15s, active index=1, active index=2",
        ),
        (
            "success policy: met",
            with(json!({"successPolicy": {"rules": [{"succeededIndexes": "1"}]}})),
            started(),
            "active index=0, succeeded index=1 -1s, ready index=2",
        ),
        (
            "success policy: not met",
            with(json!({"successPolicy": {"rules": [{"succeededIndexes": "0"}]}})),
            started(),
            "active index=0, succeeded index=1 -1s, ready index=2",
        ),
    ];
    insta::assert_snapshot!("indexed", decisions(&rows));
}

#[test]
fn pod_failure_policy() {
    let policy = |action: &str| {
        json!({"completions": 2, "parallelism": 2, "podFailurePolicy": {"rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": action, "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}},
        ]}})
    };
    let rows = [
        (
            "FailJob",
            policy("FailJob"),
            started(),
            "active, failed exit=42 -1s",
        ),
        (
            "FailJob, another code",
            policy("FailJob"),
            started(),
            "active, failed exit=41 -11s",
        ),
        (
            "Ignore",
            policy("Ignore"),
            started(),
            "active, failed exit=42 -11s",
        ),
        ("Count", policy("Count"), started(), "active, failed exit=42 -11s"),
        (
            "a pod that is being deleted is not judged before it has ended",
            policy("FailJob"),
            started(),
            "active, terminating",
        ),
    ];
    insta::assert_snapshot!("pod_failure_policy", decisions(&rows));
}
