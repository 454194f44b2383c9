//! Which CronJobs are run: namespaces, selector, and the hand-over by annotation.

use std::time::Duration;

use punctual::controller::{Charge, Leadership};
use punctual::manifest::Adoption;
use serde_json::json;

use crate::world::{World, eventually, start};

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
