//! What trouble with the API server does, and what it does not do to others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Request;
use kube::client::Body;
use punctual::clock::SystemClock;
use punctual::controller::{Charge, Leadership};
use punctual::submit::{open_gate, watched_client};
use punctual::telemetry::Metrics;
use serde_json::json;

use crate::world::{Fate, World, answer, creates_job, eventually, faulty, hangs, start};

#[tokio::test]
async fn a_namespace_whose_webhook_hangs_does_not_hold_up_another() {
    let world = World::new().await;
    world.namespace("hangs").await;
    for n in 0..100 {
        world
            .every_second("hangs", &format!("stuck-{n}"), json!({}))
            .await;
    }
    world.every_second("default", "tick", json!({})).await;
    let hang = |request: &Request<Body>| {
        if creates_job(request, "hangs") {
            hangs()
        } else {
            Fate::Sent
        }
    };
    let hanging = faulty(&world.client, Arc::new(hang));
    let _running = start(hanging, Charge::default(), Leadership::always());
    eventually("the other namespace runs every second", || async {
        world.jobs("default").await.len() >= 3
    })
    .await;
    assert_eq!(world.jobs("hangs").await.len(), 0);
}

#[tokio::test]
async fn a_fault_of_our_own_does_not_leave_a_cronjob_busy_for_ever() {
    let world = World::new().await;
    world.every_second("default", "tick", json!({})).await;
    let attempts = AtomicUsize::new(0);
    let panic_once = move |request: &Request<Body>| {
        let first = creates_job(request, "default") && attempts.fetch_add(1, Ordering::SeqCst) == 0;
        assert!(!first, "on purpose");
        Fate::Sent
    };
    let _running = start(
        faulty(&world.client, Arc::new(panic_once)),
        Charge::default(),
        Leadership::always(),
    );
    eventually("it is tried again", || async {
        world.jobs("default").await.len() >= 2
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_and_a_server_error_lead_to_the_same_job_once() {
    let world = World::new().await;
    world
        .every_second("default", "tick", json!({ "spec": { "schedule": "@every 5s" } }))
        .await;
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let fail = move |request: &Request<Body>| {
        if !creates_job(request, "default") {
            return Fate::Sent;
        }
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => answer(500, &[], &json!("etcd is away")),
            1 => Fate::AnswerLost,
            _ => Fate::Sent,
        }
    };
    let _running = start(
        faulty(&world.client, Arc::new(fail)),
        Charge::default(),
        Leadership::always(),
    );
    eventually("it is started", || async {
        world.jobs("default").await.len() == 1
    })
    .await;
    eventually("it is recorded", || async {
        let path = "/apis/batch/v1/namespaces/default/cronjobs/tick";
        let cronjob = world.send("GET", path, &json!(null)).await;
        cronjob["status"]["active"]
            .as_array()
            .is_some_and(|active| active.len() == 1)
    })
    .await;
    assert!(attempts.load(Ordering::SeqCst) <= 3);
    assert_eq!(world.jobs("default").await.len(), 1);
}

#[tokio::test]
async fn a_server_that_asks_for_patience_gets_it() {
    let world = World::new().await;
    world.every_second("default", "tick", json!({})).await;
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&attempts);
    let turn_away = move |request: &Request<Body>| {
        if !creates_job(request, "default") {
            return Fate::Sent;
        }
        noted.lock().expect("no panic").push(Instant::now());
        answer(429, &[("Retry-After", "3")], &json!("Too many requests"))
    };
    let busy = faulty(&world.client, Arc::new(turn_away));
    let client = watched_client(&busy, &Metrics::default(), &SystemClock::shared(), open_gate());
    let _running = start(client, Charge::default(), Leadership::always());
    eventually("it is tried twice", || async {
        attempts.lock().expect("no panic").len() >= 2
    })
    .await;
    let attempts = attempts.lock().expect("no panic");
    let pause = attempts[1] - attempts[0];
    assert!(pause >= Duration::from_secs(3), "{pause:?}");
}

#[tokio::test]
async fn a_namespace_that_is_being_deleted_is_left_in_peace() {
    let world = World::new().await;
    world.every_second("default", "tick", json!({})).await;
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden",
        "message": "unable to create new content in namespace default because it is being terminated",
        "details": { "causes": [{ "reason": "NamespaceTerminating", "field": "metadata.namespace" }] },
    });
    let refuse = move |request: &Request<Body>| {
        if !creates_job(request, "default") {
            return Fate::Sent;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        answer(403, &[], &status)
    };
    let ending = faulty(&world.client, Arc::new(refuse));
    let _running = start(ending, Charge::default(), Leadership::always());
    eventually("it is tried", || async { attempts.load(Ordering::SeqCst) == 1 }).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        attempts.load(Ordering::SeqCst),
        1,
        "it is not tried at every due instant"
    );
    assert_eq!(world.events("default", "FailedCreate").await.len(), 0);
}

/// A list in which the schedule of one CronJob is a number.
#[tokio::test]
async fn an_object_that_cannot_be_read_hides_no_other() {
    let world = World::new().await;
    let broken = world.every_second("default", "broken", json!({})).await;
    world.every_second("default", "tick", json!({})).await;
    let path = "/apis/batch/v1/cronjobs";
    let mut list = world.send("GET", path, &json!(null)).await;
    assert_eq!(list["items"][0]["metadata"]["name"], "broken");
    list["items"][0]["spec"]["schedule"] = json!(5);
    let spoil = move |request: &Request<Body>| {
        let is_watch = request
            .uri()
            .query()
            .is_some_and(|query| query.contains("watch=true"));
        if request.uri().path() == path && !is_watch {
            answer(200, &[], &list)
        } else {
            Fate::Sent
        }
    };
    let client = faulty(&world.client, Arc::new(spoil));
    let _running = start(client, Charge::default(), Leadership::always());
    eventually("the other runs", || async {
        world.jobs("default").await.len() >= 2
    })
    .await;
    let jobs = world.jobs("default").await;
    assert!(jobs.iter().all(|job| job.starts_with("tick-")), "{jobs:?}");
    let told = world.events("default", "MalformedCronJob").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0].involved_object.uid.as_deref(),
        broken["metadata"]["uid"].as_str()
    );
    insta::assert_snapshot!(told[0].message.as_deref().unwrap_or_default(), @"Not run, because this CronJob can't be read: spec.schedule: invalid type: integer `5`, expected a string");
}

/// A run that shows no pod is ended when it is known that there is none, and not before.
#[tokio::test]
async fn pods_that_cannot_be_looked_at_now_are_looked_at_again() {
    let world = World::new().await;
    let waits = json!({
        "metadata": { "annotations": { "punctual.dev/pending-deadline": "1s" } },
        "spec": { "concurrencyPolicy": "Forbid" },
    });
    world.every_second("default", "waits", waits).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let fail_twice = move |request: &Request<Body>| {
        let is_question = request.uri().path() == "/api/v1/namespaces/default/pods";
        if is_question && counted.fetch_add(1, Ordering::SeqCst) < 2 {
            return answer(500, &[], &json!("etcd is away"));
        }
        Fate::Sent
    };
    let client = faulty(&world.client, Arc::new(fail_twice));
    let _running = start(client, Charge::default(), Leadership::always());
    eventually("a Job is started", || async {
        !world.jobs("default").await.is_empty()
    })
    .await;
    let job = world.jobs("default").await.remove(0);
    let path = format!("/apis/batch/v1/namespaces/default/jobs/{job}/status");
    let long_ago = json!({ "status": { "startTime": "2026-01-01T00:00:00Z" } });
    world.send("PATCH", &path, &long_ago).await;
    eventually("it is ended", || async {
        !world.jobs("default").await.contains(&job)
    })
    .await;
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    eventually("it is told", || async {
        !world.events("default", "RunNeverStarted").await.is_empty()
    })
    .await;
    let told = world.events("default", "RunNeverStarted").await;
    let said = told[0].message.as_deref().unwrap_or_default();
    assert!(said.contains("no pod of it could be created"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_read_is_told_at_its_cronjob_and_stops_nothing() {
    let world = World::new().await;
    let tick = world.every_second("default", "tick", json!({})).await;
    let owner = |name: &str, uid: &serde_json::Value| json!([{ "apiVersion": "batch/v1", "kind": "CronJob", "name": name, "uid": uid, "controller": true }]);
    let spoilt = |name: &str, owners: serde_json::Value| {
        json!({
            "metadata": { "name": name, "namespace": "default", "uid": name, "resourceVersion": "1", "ownerReferences": owners },
            "status": { "succeeded": "many" },
        })
    };
    let list = json!({
        "apiVersion": "batch/v1", "kind": "JobList", "metadata": { "resourceVersion": "1" },
        "items": [
            spoilt("spoilt", owner("tick", &tick["metadata"]["uid"])),
            spoilt("of-nobody", owner("other", &json!("unknown"))),
            spoilt("alone", json!("no list")),
        ],
    });
    let spoil = move |request: &Request<Body>| {
        let is_watch = request
            .uri()
            .query()
            .is_some_and(|query| query.contains("watch=true"));
        if request.method() == "GET" && request.uri().path() == "/apis/batch/v1/jobs" && !is_watch {
            answer(200, &[], &list)
        } else {
            Fate::Sent
        }
    };
    let client = faulty(&world.client, Arc::new(spoil));
    let _running = start(client, Charge::default(), Leadership::always());
    eventually("it runs all the same", || async {
        world.jobs("default").await.len() >= 2
    })
    .await;
    let told = world.events("default", "MalformedJob").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].involved_object.name.as_deref(), Some("tick"));
    insta::assert_snapshot!(told[0].message.as_deref().unwrap_or_default(), @"Job spoilt can't be read: status.succeeded: invalid type: string \"many\", expected i32. Until it can, it counts for what was known of it before");
}
