//! Carrying decisions out, against a scripted API: which requests are made in which order, and what comes of answers
//! that are not the wished ones. A request that is not in the script, or one that is missing, fails the test.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube::Client;
use kube::client::Body;

use super::super::carry_out::{Outcome, carry_out, without};
use super::super::decide;
use super::*;
use crate::standalone::instants::to_time;

/// A request as `METHOD /path`, and what is answered: a code and an object.
type Exchange = (&'static str, u16, Value);

/// A client of an API that answers from a script.
fn scripted(script: Vec<Exchange>) -> (Client, Arc<Mutex<Vec<Exchange>>>) {
    let script = Arc::new(Mutex::new(script));
    let left = script.clone();
    let answer = move |request: Request<Body>| {
        let mut script = script.lock().unwrap();
        let asked = format!("{} {}", request.method(), request.uri().path());
        let next = script.iter().position(|(wanted, ..)| asked.starts_with(wanted));
        assert_eq!(next, Some(0), "{asked} is not what comes next in {script:#?}");
        let (_, code, object) = script.remove(0);
        let body = Body::from(object.to_string().into_bytes());
        async move { Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap()) }
    };
    (Client::new(tower::service_fn(answer), "shop"), left)
}

fn refusal(code: u16, reason: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "no", "reason": reason, "code": code,
    })
}

/// Decides for a Job and its pods, and carries it out against a script, which must be used up.
async fn carried_out(job: Job, pods: Vec<Pod>, script: Vec<Exchange>) -> Outcome {
    let decision = decide(&job, &pods, &Past::default(), noon());
    let (client, left) = scripted(script);
    let outcome = Box::pin(carry_out(client, Arc::new(job), decision, pods)).await;
    assert!(
        left.lock().unwrap().is_empty(),
        "not asked: {:#?}",
        left.lock().unwrap()
    );
    outcome
}

fn told_of(outcome: &Outcome) -> Vec<&str> {
    outcome.events.iter().map(|event| event.reason.as_str()).collect()
}

fn answer<K: serde::Serialize>(object: &K) -> Value {
    serde_json::to_value(object).unwrap()
}

#[tokio::test]
async fn a_pod_is_made_and_then_counted_as_active() {
    let job = job(&json!({}));
    let made = pod(1, "active");
    let script = vec![
        ("POST /api/v1/namespaces/shop/pods", 201, answer(&made)),
        (
            "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
            200,
            answer(&job),
        ),
    ];
    let outcome = carried_out(job, Vec::new(), script).await;
    assert_eq!(outcome.pods, [made]);
    assert_eq!(told_of(&outcome), ["SuccessfulCreate"]);
    assert!(!outcome.failed);
}

#[tokio::test]
async fn a_pod_that_was_made_already_is_taken_for_made() {
    let job = job(&json!({}));
    let made = pod(1, "active");
    let script = vec![
        (
            "POST /api/v1/namespaces/shop/pods",
            409,
            refusal(409, "AlreadyExists"),
        ),
        ("GET /api/v1/namespaces/shop/pods/report-", 200, answer(&made)),
        (
            "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
            200,
            answer(&job),
        ),
    ];
    let outcome = carried_out(job, Vec::new(), script).await;
    assert_eq!(
        (outcome.pods, outcome.foreign.len(), outcome.failed),
        (vec![made], 0, false)
    );
}

#[tokio::test]
async fn a_name_that_another_pod_has_is_noted() {
    let job = job(&json!({}));
    let mut other = pod(1, "active");
    other.metadata.owner_references = None;
    let script = vec![
        (
            "POST /api/v1/namespaces/shop/pods",
            409,
            refusal(409, "AlreadyExists"),
        ),
        ("GET /api/v1/namespaces/shop/pods/report-", 200, answer(&other)),
        (
            "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
            200,
            answer(&job),
        ),
    ];
    let outcome = carried_out(job, Vec::new(), script).await;
    assert_eq!(
        (outcome.pods.len(), outcome.foreign, outcome.failed),
        (0, vec![other], false)
    );
}

#[tokio::test]
async fn a_pod_that_is_refused_is_told_and_tried_again() {
    let job = job(&json!({}));
    let script = vec![
        (
            "POST /api/v1/namespaces/shop/pods",
            403,
            refusal(403, "Forbidden"),
        ),
        (
            "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
            200,
            answer(&job),
        ),
    ];
    let outcome = carried_out(job, Vec::new(), script).await;
    assert!(outcome.failed);
    assert_eq!(told_of(&outcome), ["FailedCreate"]);
}

#[tokio::test]
async fn after_a_refusal_no_more_pods_are_made() {
    let job = job(&json!({"completions": 9, "parallelism": 9}));
    let create = "POST /api/v1/namespaces/shop/pods";
    let script = vec![
        (create, 201, answer(&pod(1, "active"))),
        (create, 201, answer(&pod(2, "active"))),
        (create, 403, refusal(403, "Forbidden")),
        (
            "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
            200,
            answer(&job),
        ),
    ];
    let outcome = carried_out(job, Vec::new(), script).await;
    assert!(outcome.failed);
    assert_eq!(
        told_of(&outcome),
        ["SuccessfulCreate", "SuccessfulCreate", "FailedCreate"]
    );
    assert_eq!(outcome.events[2].message, "Error creating: no");
    let counted = |active| {
        without(
            JobStatus {
                active: Some(active),
                ..JobStatus::default()
            },
            7,
        )
        .active
    };
    assert_eq!([9, 7].map(counted), [Some(2), None]);
}

#[tokio::test]
async fn a_pod_is_let_go_only_when_it_is_written_down() {
    let job = job(&json!({}));
    let pods = pods("succeeded -1s");
    let mut released = pods[0].clone();
    released.metadata.finalizers = None;
    let script = vec![
        (
            "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
            200,
            answer(&job),
        ),
        ("PATCH /api/v1/namespaces/shop/pods/p1", 200, answer(&released)),
    ];
    let outcome = carried_out(job, pods, script).await;
    assert_eq!(outcome.pods, [released]);
}

#[tokio::test]
async fn a_job_that_has_changed_stops_everything_after() {
    let job = job(&json!({"backoffLimit": 0, "completions": 2, "parallelism": 2}));
    let script = vec![(
        "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
        409,
        refusal(409, "Conflict"),
    )];
    let outcome = carried_out(job, pods("failed -1s, active"), script).await;
    assert!(outcome.job.is_none() && outcome.pods.is_empty() && outcome.events.is_empty());
    assert!(
        !outcome.failed,
        "the watch tells of the change; trying again by the clock is not needed"
    );
}

/// What is asked, and answered, when a pod has changed since the decision; `last` is what is done with it then.
fn overtaken(job: &Job, newer: &Pod, last: &'static str) -> Vec<Exchange> {
    vec![
        (
            "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
            200,
            answer(job),
        ),
        (
            "PATCH /api/v1/namespaces/shop/pods/p1",
            409,
            refusal(409, "Conflict"),
        ),
        ("GET /api/v1/namespaces/shop/pods/p1", 200, answer(newer)),
        (last, 200, answer(newer)),
    ]
}

#[tokio::test]
async fn a_pod_that_has_changed_is_let_go_as_it_is_now() {
    let job = job(&json!({}));
    let pods = pods("succeeded -1s");
    let newer = pods[0].clone();
    let script = overtaken(&job, &newer, "PATCH /api/v1/namespaces/shop/pods/p1");
    assert!(!carried_out(job, pods, script).await.failed);
}

#[tokio::test]
async fn a_pod_that_has_ended_meanwhile_is_decided_on_anew() {
    let mut job = job(&json!({"suspend": true}));
    job.status = Some(serde_json::from_value(json!({"active": 1})).unwrap());
    let newer = pod(1, "succeeded -1s");
    let script = overtaken(&job, &newer, "DELETE /api/v1/namespaces/shop/pods/p1");
    let outcome = carried_out(job, pods("active"), script).await;
    assert_eq!(outcome.pods, [newer], "still held until its success is counted");
}

#[tokio::test]
async fn a_status_that_is_refused_is_told() {
    let job = job(&json!({}));
    let script = vec![(
        "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
        422,
        refusal(422, "Invalid"),
    )];
    let outcome = carried_out(job, pods("succeeded -1s"), script).await;
    assert!(outcome.failed);
    assert_eq!(told_of(&outcome), ["FailedUpdate"]);
}

/// A Job whose pods have a label, with a pod that has lost its owner.
fn orphaned() -> (Job, Pod) {
    let mut job = job(&json!({"selector": {"matchLabels": {"job-name": "report"}}}));
    job.metadata.uid = Some("j-1".to_owned());
    let mut orphan = pod(1, "active counted");
    orphan.metadata.owner_references = None;
    orphan.metadata.labels = Some([("job-name".to_owned(), "report".to_owned())].into());
    (job, orphan)
}

#[tokio::test]
async fn a_pod_that_is_the_jobs_by_its_labels_is_taken_over_before_anything_else() {
    let (job, orphan) = orphaned();
    let script = vec![
        (
            "GET /apis/batch/v1/namespaces/shop/jobs/report",
            200,
            answer(&job),
        ),
        (
            "PATCH /api/v1/namespaces/shop/pods/p1",
            200,
            answer(&pod(1, "active")),
        ),
    ];
    let outcome = carried_out(job, vec![orphan], script).await;
    assert_eq!(outcome.pods, [pod(1, "active")]);
    assert!(!outcome.failed);
}

#[tokio::test]
async fn a_job_that_is_being_deleted_takes_nothing_over() {
    let (job, orphan) = orphaned();
    let mut deleted = job.clone();
    deleted.metadata.deletion_timestamp = Some(to_time(noon()));
    let script = vec![(
        "GET /apis/batch/v1/namespaces/shop/jobs/report",
        200,
        answer(&deleted),
    )];
    let outcome = carried_out(job, vec![orphan], script).await;
    assert!(outcome.pods.is_empty() && !outcome.failed);
}

#[tokio::test]
async fn a_pod_without_the_jobs_labels_is_let_go() {
    let (job, mut taken) = orphaned();
    taken.metadata.labels = None;
    taken.metadata.owner_references = pod(1, "active").metadata.owner_references;
    let script = vec![("PATCH /api/v1/namespaces/shop/pods/p1", 200, answer(&taken))];
    let outcome = carried_out(job, vec![taken.clone()], script).await;
    assert_eq!(outcome.pods, [taken]);
}

#[tokio::test]
async fn a_pod_that_the_selector_does_not_match_is_not_made() {
    let no_index = json!({"matchExpressions": [
        {"key": "batch.kubernetes.io/job-completion-index", "operator": "DoesNotExist"},
    ]});
    let job = job(&json!({"completions": 3, "completionMode": "Indexed", "selector": no_index}));
    let script = vec![(
        "PUT /apis/batch/v1/namespaces/shop/jobs/report/status",
        200,
        answer(&job),
    )];
    let outcome = carried_out(job, Vec::new(), script).await;
    assert!(outcome.failed && outcome.pods.is_empty());
    assert_eq!(told_of(&outcome), ["FailedCreate"]);
}
