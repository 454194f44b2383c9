//! What is told on the CronJob itself.

use std::sync::Arc;

use http::Request;
use k8s_openapi::api::core::v1::Event;
use kube::client::Body;
use punctual::clock::{Clock, SystemClock};
use punctual::controller::{Charge, Leadership};
use punctual::schedule::TimeZones;
use serde_json::json;

use crate::world::{Fate, World, answer, creates_job, eventually, faulty, start};

#[tokio::test]
async fn what_happens_is_an_event_on_the_cronjob() {
    let world = World::new().await;
    let created = world.every_second("default", "tick", json!({})).await;
    let running = world.controller();
    eventually("two events", || async {
        world.events("default", "SuccessfulCreate").await.len() >= 2
    })
    .await;
    let metrics = running
        .teller
        .metrics()
        .render(&TimeZones::built_in(), SystemClock.now());
    for counted in [
        r#"punctual_events_total{outcome="written"}"#,
        r#"punctual_runs_total{outcome="started"}"#,
    ] {
        assert!(metrics.contains(counted), "{counted} in {metrics}");
    }
    let jobs = world.jobs("default").await;
    for event in world.events("default", "SuccessfulCreate").await {
        let about = &event.involved_object;
        assert_eq!(about.uid.as_deref(), created["metadata"]["uid"].as_str());
        assert_eq!(about.kind.as_deref(), Some("CronJob"));
        assert_eq!(event.type_.as_deref(), Some("Normal"));
        assert_eq!(event.reporting_component.as_deref(), Some("punctual"));
        let message = event.message.unwrap_or_default();
        let job = message.strip_prefix("Created job ").expect("Kubernetes' words");
        assert!(jobs.iter().any(|name| name == job), "{job}");
    }
}

#[tokio::test]
async fn a_cronjob_that_is_stuck_has_one_event_also_after_a_restart() {
    let world = World::new().await;
    world.every_second("default", "tick", json!({})).await;
    let quota = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "exceeded quota: jobs",
    });
    let refuse = move |request: &Request<Body>| {
        if creates_job(request, "default") {
            answer(403, &[], &quota)
        } else {
            Fate::Sent
        }
    };
    let refusing = faulty(&world.client, Arc::new(refuse));
    let count = |events: &[Event]| events.iter().filter_map(|event| event.count).sum::<i32>();
    for restart in 1..=2 {
        let _running = start(refusing.clone(), Charge::default(), Leadership::always());
        eventually("told", || async {
            count(&world.events("default", "FailedCreate").await) >= restart
        })
        .await;
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    }
    let events = world.events("default", "FailedCreate").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        events[0].count,
        Some(2),
        "one write for each of the two processes"
    );
    assert_eq!(
        events[0].message.as_deref(),
        Some("Error creating job: exceeded quota: jobs")
    );
    assert_eq!(events[0].type_.as_deref(), Some("Warning"));
}
