//! Which CronJobs are run: namespaces, selector, and the hand-over by annotation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Request;
use kube::client::Body;
use punctual::controller::{Charge, Leadership};
use punctual::manifest::Adoption;
use serde_json::json;

use crate::world::{Fate, World, answer, eventually, faulty, start};

#[tokio::test]
async fn opted_in_means_those_that_are_annotated_and_their_real_pause() {
    let world = World::new().await;
    let managed = |pause: &str| {
        json!({
            "metadata": { "annotations": { "punctual.dev/managed": "true", "punctual.dev/suspend": pause } },
            "spec": { "suspend": true },
        })
    };
    world.every_second("default", "ours", managed("false")).await;
    world.every_second("default", "paused", managed("true")).await;
    world.every_second("default", "theirs", json!({})).await;
    let mistake = json!({ "metadata": { "annotations": { "punctual.dev/managed": "yes" } } });
    world.every_second("default", "unclear", mistake).await;
    let charge = Charge {
        adoption: Adoption::OptedIn,
        ..Charge::default()
    };
    let _running = start(world.client.clone(), charge, Leadership::always());

    eventually("ours runs twice", || async {
        world.jobs("default").await.len() >= 2
    })
    .await;
    let jobs = world.jobs("default").await;
    assert!(jobs.iter().all(|job| job.starts_with("ours-")), "{jobs:?}");

    eventually("the mistake is told", || async {
        world.events("default", "InvalidAnnotation").await.len() == 1
    })
    .await;
    let told = world.events("default", "InvalidAnnotation").await;
    insta::assert_snapshot!(
        told[0].message.as_deref().unwrap_or_default(),
        @r#"annotation punctual.dev/managed is "yes"; write "true" or "false", in quotes. Until then it is left to the built-in controller"#
    );

    // Handed over while it runs, and handed back.
    let path = |name: &str| format!("/apis/batch/v1/namespaces/default/cronjobs/{name}");
    let theirs = json!({ "metadata": { "annotations": { "punctual.dev/managed": "true" } } });
    world.send("PATCH", &path("theirs"), &theirs).await;
    eventually("it runs once handed over", || async {
        world
            .jobs("default")
            .await
            .iter()
            .any(|job| job.starts_with("theirs-"))
    })
    .await;
    let back = json!({ "metadata": { "annotations": { "punctual.dev/managed": null } } });
    world.send("PATCH", &path("theirs"), &back).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let count = |jobs: Vec<String>| jobs.iter().filter(|job| job.starts_with("theirs-")).count();
    let before = count(world.jobs("default").await);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(
        count(world.jobs("default").await),
        before,
        "handed back, it is left alone"
    );
}

#[tokio::test]
async fn namespaces_and_a_selector_narrow_the_charge() {
    let world = World::new().await;
    for namespace in ["a", "b", "c"] {
        world.namespace(namespace).await;
        let batch = json!({ "metadata": { "labels": { "tier": "batch" } } });
        world.every_second(namespace, "labelled", batch).await;
        world.every_second(namespace, "plain", json!({})).await;
    }
    let charge = Charge {
        namespaces: vec!["a".into(), "b".into()],
        selector: Some("tier=batch".into()),
        ..Charge::default()
    };
    let _running = start(world.client.clone(), charge, Leadership::always());

    for namespace in ["a", "b"] {
        eventually("it runs", || async { world.jobs(namespace).await.len() >= 2 }).await;
        let jobs = world.jobs(namespace).await;
        assert!(jobs.iter().all(|job| job.starts_with("labelled-")), "{jobs:?}");
    }
    assert_eq!(world.jobs("c").await, [""; 0]);
}

/// Its Role went with a namespace that was deleted, and is there again with a new one. What is known of its CronJobs alone is
/// not enough to run them.
#[tokio::test]
async fn a_namespace_that_may_not_be_listed_holds_up_no_other_and_joins_when_it_may() {
    for hidden in ["cronjobs", "jobs"] {
        let world = World::new().await;
        for namespace in ["a", "b"] {
            world.namespace(namespace).await;
            world.every_second(namespace, "tick", json!({})).await;
        }
        let is_refused = Arc::new(AtomicBool::new(true));
        let path = format!("/apis/batch/v1/namespaces/b/{hidden}");
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden",
            "message": format!("{hidden}.batch is forbidden: User \"punctual\" cannot list resource in the namespace \"b\""),
        });
        let refuse = {
            let is_refused = Arc::clone(&is_refused);
            move |request: &Request<Body>| {
                let lists = request.method() == "GET" && request.uri().path() == path;
                if lists && is_refused.load(Ordering::SeqCst) {
                    answer(403, &[], &status)
                } else {
                    Fate::Sent
                }
            }
        };
        let charge = Charge {
            namespaces: vec!["a".into(), "b".into()],
            ..Charge::default()
        };
        let client = faulty(&world.client, Arc::new(refuse));
        let running = start(client, charge, Leadership::always());
        eventually("the other runs", || async { world.jobs("a").await.len() >= 2 }).await;
        assert_eq!(world.jobs("b").await, [""; 0], "{hidden}");
        assert!(running.health.is_ready(), "{hidden}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(running.health.readiness(), @"ok, but none is run in b, where they may not be listed; the log says why");
        }
        is_refused.store(false, Ordering::SeqCst);
        eventually("it runs", || async { !world.jobs("b").await.is_empty() }).await;
        assert_eq!(running.health.readiness(), "ok\n");
    }
}

/// A permission is taken away while the controller runs, or was never there.
#[tokio::test]
async fn what_may_be_listed_and_not_watched_is_run_as_it_was_and_told() {
    let world = World::new().await;
    world.every_second("default", "tick", json!({})).await;
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden",
        "message": "cronjobs.batch is forbidden: User \"punctual\" cannot watch resource",
    });
    let refuse = move |request: &Request<Body>| {
        let watches = request
            .uri()
            .query()
            .is_some_and(|query| query.contains("watch=true"));
        if watches && request.uri().path() == "/apis/batch/v1/cronjobs" {
            answer(403, &[], &status)
        } else {
            Fate::Sent
        }
    };
    let client = faulty(&world.client, Arc::new(refuse));
    let running = start(client, Charge::default(), Leadership::always());
    eventually("it runs", || async { world.jobs("default").await.len() >= 2 }).await;
    // It is not told at once: an API server that has just started refuses everything for a moment.
    for _ in 0..900 {
        if running.health.readiness() != "ok\n" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    insta::assert_snapshot!(running.health.readiness(), @"ok, but no change is seen in any namespace, where they may not be watched any more; the log says why");
}
