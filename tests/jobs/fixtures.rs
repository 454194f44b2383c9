//! The examples in `fixtures/patterns`, as somebody would run them. The work queue, which needs a Redis, is in
//! `tests/real`.

use std::path::Path;

use k8s_openapi::api::batch::v1::{Job, JobStatus};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use punctual::manifest::{Companion, load_bytes};
use punctual::schedule::TimeZones;
use serde_json::json;

use crate::machine::{Machine, conditions, holds, until};

/// What becomes of each example: of its pods how many succeed and fail, which indexes, and how the Job ends.
const ENDS: [(&str, &str); 12] = [
    ("one-shot", "1 succeeded; Complete=True CompletionsReached"),
    (
        "restart-in-place",
        "1 succeeded; Complete=True CompletionsReached",
    ),
    (
        "fixed-completions",
        "6 succeeded; Complete=True CompletionsReached",
    ),
    (
        "indexed",
        "5 succeeded, indexes 0-4; Complete=True CompletionsReached",
    ),
    (
        "indexed-own-retries",
        "3 succeeded, 2 failed, indexes 0,1,3, without 2; Failed=True FailedIndexes",
    ),
    (
        "success-policy",
        "1 succeeded, indexes 0; Complete=True SuccessPolicy",
    ),
    ("pod-failure-policy", "1 failed; Failed=True PodFailurePolicy"),
    ("deadline", "1 failed; Failed=True DeadlineExceeded"),
    ("pod-deadline", "1 failed; Failed=True BackoffLimitExceeded"),
    ("grace-period", "1 failed; Failed=True DeadlineExceeded"),
    (
        "init-and-several",
        "1 succeeded; Complete=True CompletionsReached",
    ),
    ("environment", "1 succeeded; Complete=True CompletionsReached"),
];

/// The examples that have a test of their own.
const OTHERS: [&str; 3] = ["suspended", "time-to-live", "work-queue"];

async fn run(machine: &Machine, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/patterns/{name}.yaml"));
    let text = std::fs::read(path).unwrap();
    let loaded = load_bytes([(name, text.as_slice())], &TimeZones::built_in());
    assert!(loaded.diagnostics.is_empty(), "{name}: {:?}", loaded.diagnostics);
    for Companion { kind, json, .. } in loaded.companions {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", kind));
        let api: Api<DynamicObject> = Api::default_namespaced_with(machine.client.clone(), &resource);
        let object = serde_json::from_value(json).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap();
    }
    let [manifest] = loaded.objects.try_into().expect("one Job a file");
    let job: Job = serde_json::from_value(manifest.json).unwrap();
    machine.jobs().create(&PostParams::default(), &job).await.unwrap();
}

async fn status_until(machine: &Machine, name: &str, wanted: impl Fn(&JobStatus) -> bool) -> JobStatus {
    until(|| async {
        let job = machine.jobs().get_opt(name).await.unwrap()?;
        let status = job.status.unwrap_or_default();
        if wanted(&status) { Ok(status) } else { Err(status) }.into()
    })
    .await
}

fn told(status: &JobStatus) -> String {
    let mut parts = Vec::new();
    parts.extend(status.succeeded.map(|count| format!("{count} succeeded")));
    parts.extend(status.failed.map(|count| format!("{count} failed")));
    parts.extend(
        status
            .completed_indexes
            .as_ref()
            .map(|indexes| format!("indexes {indexes}")),
    );
    parts.extend(
        status
            .failed_indexes
            .as_ref()
            .map(|indexes| format!("without {indexes}")),
    );
    let conditions = conditions(status);
    let last = conditions.rsplit(", ").next().unwrap_or_default();
    format!("{}; {last}", parts.join(", "))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_end_as_they_say() {
    let machine = Machine::start().await;
    for (name, _) in ENDS {
        run(&machine, name).await;
    }
    for (name, wanted) in ENDS {
        let ended = |status: &JobStatus| holds(status, "Complete") || holds(status, "Failed");
        let status = status_until(&machine, name, ended).await;
        assert_eq!(told(&status), wanted, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_example_waits_until_it_is_resumed() {
    let machine = Machine::start().await;
    run(&machine, "suspended").await;
    let status = status_until(&machine, "suspended", |status| holds(status, "Suspended")).await;
    assert_eq!(told(&status), "; Suspended=True JobSuspended");
    assert!(machine.pods_until(|_| true).await.is_empty());
    let resume = Patch::Merge(json!({"spec": {"suspend": false}}));
    let jobs = machine.jobs();
    jobs.patch("suspended", &PatchParams::default(), &resume)
        .await
        .unwrap();
    let status = status_until(&machine, "suspended", |status| holds(status, "Complete")).await;
    assert_eq!(status.succeeded, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_with_a_time_to_live_goes_with_its_pods() {
    let machine = Machine::start().await;
    run(&machine, "time-to-live").await;
    machine.pods_until(|pods| !pods.is_empty()).await;
    machine.pods_until(<[_]>::is_empty).await;
    assert!(machine.jobs().get_opt("time-to-live").await.unwrap().is_none());
}

#[test]
fn every_example_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/patterns");
    let files = std::fs::read_dir(folder).unwrap();
    let mut found: Vec<String> = files
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let mut run: Vec<&str> = ENDS.iter().map(|(name, _)| *name).chain(OTHERS).collect();
    found.sort();
    run.sort_unstable();
    assert_eq!(found, run);
}
