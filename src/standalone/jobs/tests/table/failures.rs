//! What a failed pod comes to.

use serde_json::{Value, json};

use super::{decisions, started, started_with};

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
fn pods_that_a_stop_of_the_node_has_ended() {
    let stopped = "failed stopped -1s, failed stopped -1s, failed stopped -1s";
    let three = |more: &Value| {
        let mut spec = json!({"completions": 3, "parallelism": 3, "backoffLimit": 1});
        json_patch::merge(&mut spec, more);
        spec
    };
    let rule = |action: &str| {
        let rule =
            json!({"action": action, "onPodConditions": [{"type": "DisruptionTarget", "status": "False"}]});
        three(&json!({"podFailurePolicy": {"rules": [rule]}}))
    };
    let indexed = |per_index: i32| {
        three(&json!({"completionMode": "Indexed", "backoffLimitPerIndex": per_index, "backoffLimit": null}))
    };
    let rows = [
        ("more than may fail", three(&json!({})), started(), stopped),
        (
            "none may be tried again",
            three(&json!({"backoffLimit": 0})),
            started(),
            stopped,
        ),
        (
            "beside one that has failed by itself",
            three(&json!({})),
            started(),
            "failed -11s, failed stopped -1s, active",
        ),
        ("no rule is about them", rule("FailJob"), started(), stopped),
        (
            "each index may be tried again",
            indexed(1),
            started(),
            "failed stopped index=0 -1s, failed index=1 -1s, succeeded index=2 -1s",
        ),
        (
            "no index may be tried again",
            indexed(0),
            started(),
            "failed stopped index=0 -1s, active index=1, succeeded index=2 -1s",
        ),
    ];
    insta::assert_snapshot!("stopped", decisions(&rows));
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
