//! What a decision leaves to nobody: the pod itself, word for word.

use super::super::decide;
use super::*;

fn first_pod(spec: &Value) -> String {
    let decision = decide::<Pod>(&job(spec), &[], noon());
    serde_json::to_string_pretty(&decision.create[0]).unwrap()
}

#[test]
fn a_pod_of_a_plain_job() {
    insta::assert_snapshot!("a_plain_pod", first_pod(&json!({})));
}

#[test]
fn a_pod_of_an_indexed_job() {
    let spec = json!({"completions": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 1});
    insta::assert_snapshot!("an_indexed_pod", first_pod(&spec));
}

#[test]
fn the_same_job_gets_the_same_pods_however_often_it_is_asked() {
    let job = job(&json!({"parallelism": 3, "completions": 9}));
    assert_eq!(
        decide::<Pod>(&job, &[], at(0)).create,
        decide::<Pod>(&job, &[], at(77)).create
    );
}
