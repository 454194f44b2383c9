//! What a decision leaves to nobody: the pod itself, word for word.

use super::super::decide;
use super::*;

fn first_pod(spec: &Value) -> String {
    let decision = decide::<Pod>(&job(spec), &[], &Past::default(), noon());
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

/// The counts are what the back-off of an index, and its limit, go by.
#[test]
fn a_pod_that_a_stop_of_the_node_has_ended_is_not_counted_by_the_next_of_its_index() {
    let spec = json!({"completions": 1, "completionMode": "Indexed", "backoffLimitPerIndex": 6});
    for (ended, expected) in [
        ("failed index=0 before=2 -99s", ["3", "0"]),
        ("failed stopped index=0 before=2 -1s", ["2", "0"]),
    ] {
        let job = with_status(job(&spec), &json!({"startTime": rfc3339(at(-600))}));
        let decision = decide(&job, &pods(ended), &Past::default(), noon());
        let annotations = decision.create[0].metadata.annotations.clone().unwrap();
        let counted = ["failure", "ignored-failure"].map(|which| {
            let annotation = annotations.get(&format!("batch.kubernetes.io/job-index-{which}-count"));
            annotation.map_or("0", String::as_str)
        });
        assert_eq!(counted, expected, "{ended}");
    }
}

#[test]
fn the_same_job_gets_the_same_pods_however_often_it_is_asked() {
    let job = job(&json!({"parallelism": 3, "completions": 9}));
    assert_eq!(
        decide::<Pod>(&job, &[], &Past::default(), at(0)).create,
        decide::<Pod>(&job, &[], &Past::default(), at(77)).create
    );
}

#[test]
fn before_a_stop_no_pod_is_made_and_nothing_is_written_twice() {
    let mut job = job(&json!({}));
    // The failed pod is counted first; then it is time to try again, which is left to whoever comes after.
    for (failed, writes) in [
        ("failed -60s", true),
        ("failed counted -60s", true),
        ("failed counted -60s", false),
    ] {
        let decision = decide(&job, &pods(failed), &Past::default(), at(0)).without_new_pods(&job);
        assert!(decision.create.is_empty());
        assert_eq!(decision.status.is_some(), writes, "{failed}: {}", told(&decision));
        job.status = decision.status.or(job.status);
    }
    let later = decide(&job, &pods("failed counted -60s"), &Past::default(), at(0));
    assert_eq!(later.create.len(), 1, "only the stop keeps it from another pod");
}
