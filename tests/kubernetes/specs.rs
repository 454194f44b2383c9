//! What Kubernetes' end-to-end specification of CronJobs asks of a controller, case by case, with schedules of seconds.
//!
//! Its twelfth, "should support CronJob API operations", is one of the API contract (`tests/api`), which runs against both
//! servers, too. Jobs are ended by the case itself: no node runs them.

use kube::ResourceExt;
use kube::api::{DeleteParams, PropagationPolicy};
use serde_json::json;

use crate::world::{World, cronjob, due, eventually, seconds};

/// "should schedule multiple jobs concurrently"
pub(crate) async fn jobs_run_concurrently_where_that_is_allowed(world: World) {
    world
        .cronjob(
            "allow",
            "@every 1s",
            json!({ "spec": { "concurrencyPolicy": "Allow" } }),
        )
        .await;
    let _controller = world.controller("one", &[]);
    eventually("two are active", || async { world.active("allow").await >= 2 }).await;
    assert!(world.jobs_of("allow").await.len() >= 2);
}

/// "should not schedule jobs when suspended"
pub(crate) async fn a_suspended_cronjob_starts_nothing(world: World) {
    world
        .cronjob("paused", "@every 1s", json!({ "spec": { "suspend": true } }))
        .await;
    world.cronjob("witness", "@every 1s", json!({})).await;
    let _controller = world.controller("one", &[]);
    eventually("another runs", || async {
        world.jobs_of("witness").await.len() >= 3
    })
    .await;
    assert_eq!(world.active("paused").await, 0);
    assert_eq!(world.jobs_of("paused").await.len(), 0);
}

/// "should not schedule new jobs when `ForbidConcurrent`"
pub(crate) async fn forbid_starts_no_second_job(world: World) {
    world
        .cronjob(
            "forbid",
            "@every 1s",
            json!({ "spec": { "concurrencyPolicy": "Forbid" } }),
        )
        .await;
    world.cronjob("witness", "@every 1s", json!({})).await;
    let _controller = world.controller("one", &[]);
    eventually("one is active", || async { world.active("forbid").await == 1 }).await;
    let before = world.jobs_of("witness").await.len();
    eventually("another runs on", || async {
        world.jobs_of("witness").await.len() >= before + 3
    })
    .await;
    assert_eq!(world.jobs_of("forbid").await.len(), 1);
    assert_eq!(world.active("forbid").await, 1);
}

/// "should replace jobs when `ReplaceConcurrent`"
pub(crate) async fn replace_puts_a_new_job_in_place_of_the_old(world: World) {
    world
        .cronjob(
            "replace",
            "@every 2s",
            json!({ "spec": { "concurrencyPolicy": "Replace" } }),
        )
        .await;
    let _controller = world.controller("one", &[]);
    eventually("one is active", || async { world.active("replace").await == 1 }).await;
    let first = world.jobs_of("replace").await[0].name_any();
    eventually("another is in its place", || async {
        let jobs = world.jobs_of("replace").await;
        let live: Vec<_> = jobs
            .iter()
            .filter(|job| job.metadata.deletion_timestamp.is_none())
            .collect();
        assert!(live.len() <= 1, "{live:?}");
        live.first().is_some_and(|job| job.name_any() != first)
    })
    .await;
}

/// "should be able to schedule after more than 100 missed schedule"
pub(crate) async fn one_job_is_started_after_more_than_a_hundred_missed(world: World) {
    let forbid = json!({ "spec": { "concurrencyPolicy": "Forbid" } });
    world.cronjob("missed", "@every 1s", forbid).await;
    world.ran_last_long_ago("missed").await;
    let _controller = world.controller("one", &[]);
    eventually("one is active", || async { world.active("missed").await == 1 }).await;
    seconds(2).await;
    assert_eq!(world.jobs_of("missed").await.len(), 1);
}

/// "should not emit unexpected warnings"
pub(crate) async fn nothing_unexpected_is_warned_of(world: World) {
    world.cronjob("calm", "@every 1s", json!({})).await;
    let _controller = world.controller("one", &[]);
    eventually("two are started", || async {
        world.jobs_of("calm").await.len() >= 2
    })
    .await;
    let first = world.jobs_of("calm").await[0].name_any();
    world.finish(&first, true).await;
    eventually("its end is told", || async {
        !world.events("SawCompletedJob").await.is_empty()
    })
    .await;
    for reason in ["MissingJob", "UnexpectedJob"] {
        assert_eq!(world.events(reason).await.len(), 0, "{reason}");
    }
}

/// "should set the cronjob-scheduled-timestamp annotation on a job"
pub(crate) async fn a_job_carries_its_scheduled_time(world: World) {
    world
        .cronjob(
            "marked",
            "@every 1s",
            json!({ "spec": { "timeZone": "Asia/Kathmandu" } }),
        )
        .await;
    let _controller = world.controller("one", &[]);
    eventually("it runs", || async { !world.jobs_of("marked").await.is_empty() }).await;
    let job = &world.jobs_of("marked").await[0];
    let text = &job.annotations()["batch.kubernetes.io/cronjob-scheduled-timestamp"];
    assert!(text.ends_with("+05:45"), "{text}");
    assert!(due(job) > 0);
}

/// "should remove from active list jobs that have been deleted"
pub(crate) async fn a_deleted_job_leaves_the_active_list(world: World) {
    world
        .cronjob(
            "gone",
            "@every 1h",
            json!({ "spec": { "concurrencyPolicy": "Forbid" } }),
        )
        .await;
    world.ran_last_long_ago("gone").await;
    let _controller = world.controller("one", &[]);
    eventually("one is active", || async { world.active("gone").await == 1 }).await;
    let name = world.jobs_of("gone").await[0].name_any();
    let background = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        ..DeleteParams::default()
    };
    world
        .jobs_api()
        .delete(&name, &background)
        .await
        .expect("deleted");
    eventually("none is active", || async { world.active("gone").await == 0 }).await;
    eventually("it is told", || async {
        world.events("MissingJob").await.len() == 1
    })
    .await;
}

/// "should delete successful finished jobs with limit of one successful job"
pub(crate) async fn of_successful_jobs_one_is_kept(world: World) {
    one_is_kept(&world, true).await;
}

/// "should delete failed finished jobs with limit of one job"
pub(crate) async fn of_failed_jobs_one_is_kept(world: World) {
    one_is_kept(&world, false).await;
}

async fn one_is_kept(world: &World, succeeded: bool) {
    let limits = json!({ "spec": {
        "successfulJobsHistoryLimit": i32::from(succeeded), "failedJobsHistoryLimit": i32::from(!succeeded),
    } });
    world.cronjob("kept", "@every 2s", limits).await;
    let _controller = world.controller("one", &[]);
    eventually("two are started", || async {
        world.jobs_of("kept").await.len() >= 2
    })
    .await;
    let jobs = world.jobs_of("kept").await;
    world.finish(&jobs[0].name_any(), succeeded).await;
    seconds(1).await;
    let names = |jobs: &[k8s_openapi::api::batch::v1::Job]| {
        jobs.iter().map(ResourceExt::name_any).collect::<Vec<_>>()
    };
    assert!(
        names(&world.jobs_of("kept").await).contains(&jobs[0].name_any()),
        "one may stay"
    );
    world.finish(&jobs[1].name_any(), succeeded).await;
    eventually("the first is deleted", || async {
        !names(&world.jobs_of("kept").await).contains(&jobs[0].name_any())
    })
    .await;
    assert!(
        names(&world.jobs_of("kept").await).contains(&jobs[1].name_any()),
        "the later one stays"
    );
}

/// "should support timezone"
pub(crate) async fn a_time_zone_that_does_not_exist_is_refused(world: World) {
    let mut object = cronjob("nowhere", "@every 1s");
    object["spec"]["timeZone"] = "bad-time-zone".into();
    let path = format!("/apis/batch/v1/namespaces/{}/cronjobs", world.namespace);
    match world.send("POST", &path, &object).await {
        Err(kube::Error::Api(status)) => assert_eq!((status.code, status.reason.as_str()), (422, "Invalid")),
        other => panic!("expected a refusal, found {other:?}"),
    }
}
