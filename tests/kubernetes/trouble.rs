//! A namespace that gets no Job, beside one that does; and what a Job is made of.

use std::net::TcpListener;
use std::time::Duration;

use kube::ResourceExt;
use serde_json::json;

use crate::control_plane::Guarded;
use crate::world::{World, eventually, lateness, seconds};

/// A webhook that takes connections and never says a word. It is asked about the Jobs of one namespace, and after so many
/// seconds they are admitted (`Ignore`) or refused (`Fail`).
async fn hanging_webhook(world: &World, namespace: &str, seconds_long: u32, policy: &str) -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": format!("hangs-{namespace}") },
        "webhooks": [{
            "name": "hangs.example.com",
            "rules": [{ "apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"] }],
            "clientConfig": { "url": format!("https://{address}/") },
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } },
            "timeoutSeconds": seconds_long, "failurePolicy": policy, "sideEffects": "None", "admissionReviewVersions": ["v1"],
        }],
    });
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    world.send("POST", path, &webhook).await.expect("a webhook");
    // kube-apiserver notices it by a watch.
    seconds(2).await;
    listener
}

/// A second namespace, in which a CronJob is due every second.
async fn neighbour(world: &World) -> String {
    let namespace = format!("{}-well", world.namespace);
    let object = json!({ "metadata": { "name": namespace } });
    world
        .send("POST", "/api/v1/namespaces", &object)
        .await
        .expect("a namespace");
    world.cronjob_in(&namespace, "tick", "@every 1s", json!({})).await;
    namespace
}

/// Runs at every second, and on time.
async fn runs_on_time(world: &World, namespace: &str) {
    eventually("the neighbour runs", || async {
        world.jobs_in(namespace).await.len() >= 5
    })
    .await;
    let jobs = world.jobs_in(namespace).await;
    let mut late: Vec<i64> = jobs.iter().map(lateness).collect();
    late.sort_unstable();
    // The first was due before the controller was there.
    assert!(late[late.len() - 2] <= 1, "{late:?} s late");
}

pub(crate) async fn a_webhook_that_hangs_holds_up_its_namespace_only(world: World) {
    let _webhook = hanging_webhook(&world, &world.namespace, 30, "Fail").await;
    for number in 0..100 {
        world
            .cronjob(&format!("stuck-{number}"), "@every 1s", json!({}))
            .await;
    }
    let well = neighbour(&world).await;
    let _controller = world.controller("one", &["--namespace", &well]);
    runs_on_time(&world, &well).await;
    assert_eq!(world.jobs().await.len(), 0);
}

/// What a webhook has no say in comes late by its patience, which is ten seconds by default, and comes.
pub(crate) async fn a_webhook_that_hangs_and_is_ignored_stops_nothing(world: World) {
    let _webhook = hanging_webhook(&world, &world.namespace, 10, "Ignore").await;
    world.cronjob("late", "@every 5s", json!({})).await;
    let _controller = world.controller("one", &[]);
    eventually("it runs", || async { !world.jobs_of("late").await.is_empty() }).await;
    assert_eq!(world.events("FailedCreate").await.len(), 0);
}

pub(crate) async fn a_full_quota_holds_up_its_namespace_only(world: World) {
    let none = json!({ "count/jobs.batch": "0" });
    let quota = json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "full" }, "spec": { "hard": none } });
    let path = format!("/api/v1/namespaces/{}/resourcequotas", world.namespace);
    world.send("POST", &path, &quota).await.expect("a quota");
    let counted = json!({ "status": { "hard": none, "used": none } });
    world
        .send("PATCH", &format!("{path}/full/status"), &counted)
        .await
        .expect("it is counted");
    for number in 0..20 {
        world
            .cronjob(&format!("full-{number}"), "@every 1s", json!({}))
            .await;
    }
    let well = neighbour(&world).await;
    let _controller = world.controller("one", &["--namespace", &well]);
    runs_on_time(&world, &well).await;
    assert_eq!(world.jobs().await.len(), 0);
    eventually("each is told", || async {
        world.events("FailedCreate").await.len() >= 20
    })
    .await;
    let told = world.events("FailedCreate").await;
    assert_eq!(
        told.len(),
        20,
        "one event for each CronJob, however long it is stuck"
    );
    let message = told[0].message.clone().unwrap_or_default();
    assert!(message.contains("exceeded quota: full"), "{message}");
}

pub(crate) async fn what_a_template_says_reaches_the_job(world: World) {
    let template = json!({ "spec": { "jobTemplate": {
        "metadata": { "labels": { "team": "a" }, "annotations": { "why": "because" } },
        "spec": {
            "backoffLimitPerIndex": 1, "completionMode": "Indexed", "completions": 3, "parallelism": 2,
            "podReplacementPolicy": "Failed", "ttlSecondsAfterFinished": 600, "managedBy": "example.com/queue",
            "successPolicy": { "rules": [{ "succeededCount": 2 }] },
        },
    } } });
    let made = world.cronjob("full", "@every 1s", template).await;
    let _controller = world.controller("one", &[]);
    eventually("it runs", || async { !world.jobs_of("full").await.is_empty() }).await;
    let job = &world.jobs_of("full").await[0];
    let asked = serde_json::to_value(made.spec.job_template.spec).expect("JSON");
    let got = serde_json::to_value(&job.spec).expect("JSON");
    for (field, value) in asked.as_object().expect("an object") {
        if field == "template" {
            assert_eq!(&got[field]["spec"], &value["spec"]);
        } else {
            assert_eq!(&got[field], value, "{field}");
        }
    }
    assert_eq!(job.labels()["team"], "a");
    assert_eq!(job.annotations()["why"], "because");
}

/// A controller that has just been sent the first SIGTERM, and the webhook that its requests wait for.
async fn told_to_stop_while_a_request_hangs(world: &World) -> (Guarded, TcpListener) {
    let webhook = hanging_webhook(world, &world.namespace, 30, "Fail").await;
    world.cronjob("stuck", "@every 1s", json!({})).await;
    let controller = world.controller("one", &[]);
    eventually("it leads", || async { !world.leader().await.is_empty() }).await;
    seconds(3).await;
    controller.signal("TERM");
    (controller, webhook)
}

pub(crate) async fn a_second_signal_insists(world: World) {
    let (controller, _webhook) = told_to_stop_while_a_request_hangs(&world).await;
    // What is under way is waited for, for a second.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!controller.has_ended(), "a request is under way");
    controller.signal("TERM");
    assert_eq!(controller.exit_code(Duration::from_secs(30)).await, 1);
}

/// Nor does the lease wait for it: others are to go on.
pub(crate) async fn a_request_that_hangs_does_not_hold_up_the_end(world: World) {
    let (controller, _webhook) = told_to_stop_while_a_request_hangs(&world).await;
    // The request itself is answered after thirty seconds.
    assert_eq!(controller.exit_code(Duration::from_secs(6)).await, 0);
    assert_eq!(world.leader().await, "");
}

pub(crate) async fn a_schedule_of_minutes_runs_at_the_minute(world: World) {
    world.cronjob("minutely", "* * * * *", json!({})).await;
    let _controller = world.controller("one", &[]);
    for _ in 0..90 {
        if !world.jobs_of("minutely").await.is_empty() {
            break;
        }
        seconds(1).await;
    }
    let jobs = world.jobs_of("minutely").await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(lateness(&jobs[0]), 0);
    let minutes = crate::world::due(&jobs[0]) / 60;
    assert_eq!(jobs[0].name_any(), format!("minutely-{minutes}"));
}
