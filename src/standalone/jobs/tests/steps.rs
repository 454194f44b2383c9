//! What a decision leaves to nobody: the pod itself, word for word.

use super::super::{complete_new_job, decide};
use super::*;

fn first_pod(spec: &Value) -> String {
    let decision = decide(&job(spec), &[], noon());
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
    assert_eq!(decide(&job, &[], at(0)).create, decide(&job, &[], at(77)).create);
}

#[test]
fn a_new_job_gets_a_selector_and_its_labels() {
    let mut job = job(&json!({}));
    complete_new_job(&mut job);
    let spec = job.spec.as_ref().unwrap();
    insta::assert_snapshot!(serde_json::to_string(&spec.selector).unwrap(), @r#"{"matchLabels":{"batch.kubernetes.io/controller-uid":"j-1"}}"#);
    insta::assert_snapshot!(serde_json::to_string(&spec.template.metadata).unwrap(), @r#"{"annotations":{"note":"kept"},"labels":{"app":"report","batch.kubernetes.io/controller-uid":"j-1","batch.kubernetes.io/job-name":"report","controller-uid":"j-1","job-name":"report"}}"#);
    let again = job.clone();
    complete_new_job(&mut job);
    assert_eq!(job, again);
}

#[test]
fn a_new_job_with_a_selector_of_its_own_keeps_it() {
    let mut job = job(&json!({"manualSelector": true, "selector": {"matchLabels": {"app": "report"}}}));
    let before = job.clone();
    complete_new_job(&mut job);
    assert_eq!(job, before);
}
