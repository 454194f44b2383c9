//! Indexes, their own retries, and the policy of success.

use serde_json::{Value, json};

use super::{decisions, started, started_with};

#[test]
#[expect(clippy::too_many_lines, reason = "a table is as long as it has rows")]
fn indexed() {
    let four_two = json!({"completions": 4, "parallelism": 2, "completionMode": "Indexed"});
    let per_index = json!({
        "completions": 3, "parallelism": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 1,
    });
    let with = |more: Value| {
        let mut spec = per_index.clone();
        json_patch::merge(&mut spec, &more);
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
            "made smaller: what is beyond the last index does not count any more",
            json!({"completions": 2, "parallelism": 2, "completionMode": "Indexed"}),
            completed("1-3", 3),
            "active index=0, active index=4",
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
