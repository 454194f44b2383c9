//! What an `up` leaves behind, killed outright or stopped, is found by the next one.

use std::process::Command;
use std::time::Duration;

use chrono::TimeDelta;
use k8s_openapi::api::batch::v1::{CronJob, Job, JobStatus};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use punctual::clock::{Clock as _, SystemClock};
use punctual::schedule::Timestamp;
use serde_json::{Value, json};

use crate::machine::{Place, Up, holds, until};

/// A Job named `work` whose only process runs a script in `sh`.
pub(crate) fn job(script: &str, more: &str) -> String {
    format!(
        "{{apiVersion: batch/v1, kind: Job, metadata: {{name: work}}, spec: {{{more}template: {{spec: {{\
         restartPolicy: Never, containers: [{{name: main, image: none, command: [sh, -c, {script:?}]}}]}}}}}}}}\n"
    )
}

fn cronjob(schedule: &str, script: &str) -> String {
    format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: tick}}, spec: {{schedule: {schedule:?}, \
         jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: main, image: none, \
         command: [sh, -c, {script:?}]}}]}}}}}}}}}}}}\n"
    )
}

/// Writes a line to `runs`, waits for the file `go`, writes another line, and ends with a code.
fn work(place: &Place, exit_code: i32) -> String {
    let (runs, go) = (place.path("runs"), place.path("go"));
    let (runs, go) = (runs.display(), go.display());
    format!(
        "echo run >> {runs}; until [ -e {go} ]; do sleep 0.02; done; echo done >> {runs}; exit {exit_code}"
    )
}

fn go(place: &Place) {
    std::fs::write(place.path("go"), "").expect("a file");
}

pub(crate) async fn running_work_goes_on_and_is_not_started_again() {
    let place = Place::new();
    place.manifest(&job(&work(&place, 0), ""));
    let up = place.up().await;
    place.lines_until("runs", 1).await;
    up.job_until("work", |status| status.ready == Some(1)).await;
    up.kill();
    let up = place.up().await;
    let status = up.job_until("work", |status| status.active == Some(1)).await;
    assert_eq!((status.succeeded, status.failed), (None, None));
    go(&place);
    let status = up.job_until("work", |status| holds(status, "Complete")).await;
    assert_eq!((status.succeeded, status.failed), (Some(1), None));
    assert_eq!(place.lines("runs"), ["run", "done"], "once, to its end");
    up.shows("succeeded after").await;
}

/// Neither the process nor its supervisor has what a script around `punctual` holds.
pub(crate) async fn a_lock_that_it_was_started_with_does_not_outlive_it() {
    let place = Place::new();
    place.manifest(&job(&work(&place, 0), ""));
    let lock = place.path("lock");
    let up = place.up_within(&format!("exec 9> {} && flock 9", lock.display()));
    place.lines_until("runs", 1).await;
    let lock = std::fs::File::open(lock).expect("a file");
    assert!(lock.try_lock().is_err(), "it is held while punctual runs");
    up.kill();
    until("the lock is free", || async { lock.try_lock().ok() }).await;
    assert_eq!(place.lines("runs"), ["run"], "the process goes on");
    go(&place);
    place.lines_until("runs", 2).await;
}

pub(crate) async fn work_that_ended_meanwhile_is_found_with_its_exit_code() {
    let place = Place::new();
    place.manifest(&job(&work(&place, 7), "backoffLimit: 0, "));
    let up = place.up().await;
    place.lines_until("runs", 1).await;
    up.kill();
    go(&place);
    place.lines_until("runs", 2).await;
    let up = place.up().await;
    up.job_until("work", |status| holds(status, "Failed")).await;
    let ended = up.process_ended().await;
    assert_eq!((ended.exit_code, ended.reason.as_deref()), (7, Some("Error")));
    assert_eq!(place.lines("runs"), ["run", "done"], "not again");
}

/// It is not asked whether it could be started as well.
pub(crate) async fn running_work_goes_on_that_could_not_be_started_any_more() {
    let place = Place::new();
    let of_image = job(&work(&place, 0), "").replace("image: none, command: [sh, ", "image: worker, args: [");
    place.manifest(&of_image);
    let up = place.up_with(&["--entrypoint", "worker=sh"]);
    up.serves().await;
    place.lines_until("runs", 1).await;
    up.job_until("work", |status| status.ready == Some(1)).await;
    up.kill();
    let up = place.up().await;
    go(&place);
    let is_over = |status: &JobStatus| ["Complete", "Failed"].iter().any(|name| holds(status, name));
    let status = up.job_until("work", is_over).await;
    assert!(holds(&status, "Complete"), "{status:?}");
    assert_eq!(place.lines("runs"), ["run", "done"], "once, to its end");
}

/// A backup beside the original, looked into.
pub(crate) async fn what_runs_goes_on_when_a_copy_of_its_data_folder_is_started() {
    let place = Place::new();
    place.manifest(&job(&work(&place, 0), "backoffLimit: 0, "));
    let up = place.up().await;
    place.lines_until("runs", 1).await;
    up.job_until("work", |status| status.ready == Some(1)).await;
    let copy = Place::with_data_in(place.path("copy"));
    let copied = Command::new("cp")
        .arg("-a")
        .args([place.data(), copy.data()])
        .status();
    assert!(copied.expect("cp").success());
    let beside = copy.up().await;
    beside.job_until("work", |status| holds(status, "Failed")).await;
    let why = beside.process_ended().await.message.expect("a reason");
    assert_eq!(
        why,
        "the process goes on, and is another punctual's: this data folder is a copy of that one's"
    );
    beside.interrupt();
    go(&place);
    let status = up.job_until("work", |status| holds(status, "Complete")).await;
    assert_eq!((status.succeeded, status.failed), (Some(1), None));
    assert_eq!(place.lines("runs"), ["run", "done"]);
}

pub(crate) async fn a_finished_job_is_not_run_again_by_its_manifest() {
    let place = Place::new();
    place.manifest(&job(&format!("echo run >> {}", place.path("runs").display()), ""));
    let up = place.up().await;
    up.job_until("work", |status| holds(status, "Complete")).await;
    up.kill();
    let up = place.up().await;
    let jobs: Api<Job> = Api::default_namespaced(up.client().await.expect("a client"));
    let first = jobs.get("work").await.expect("a Job").metadata;
    up.interrupt();
    let up = place.up().await;
    let jobs: Api<Job> = Api::default_namespaced(up.client().await.expect("a client"));
    let third = jobs.get("work").await.expect("a Job").metadata;
    assert_eq!(
        (first.uid, first.resource_version),
        (third.uid, third.resource_version),
        "nothing has touched it"
    );
    assert_eq!(place.lines("runs"), ["run"]);
    let shown = up.shown();
    let told = |text: &str| shown.iter().any(|line| line.contains(text));
    assert!(!told("succeeded after"), "told before: {shown:#?}");
    assert!(told("never again: succeeded at"), "{shown:#?}");
}

/// The newest instant of those that were missed runs, and only that one.
pub(crate) async fn a_missed_run_is_caught_up_once() {
    let place = Place::new();
    place.manifest(&cronjob("@every 1s", "true"));
    let up = place.up().await;
    up.shows("started tick-").await;
    up.kill();
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let newest_missed = SystemClock.now().timestamp();
    let up = place.up().await;
    up.shows("could not be started in time; only the newest").await;
    // A run is named by the second that it is due at, and by the minute at a full one.
    let due = |line: &String| {
        let name = line.split("started tick-").nth(1)?.split(',').next()?;
        let due: i64 = name.parse().ok()?;
        Some(if name.len() == 8 { due * 60 } else { due })
    };
    let started = until("three runs", || async {
        let started: Vec<i64> = up.shown().iter().filter_map(due).collect();
        Some(started).filter(|started| started.len() >= 3)
    })
    .await;
    let shown = up.shown();
    assert!(
        started.first().is_some_and(|first| *first >= newest_missed),
        "older than {newest_missed}: {shown:#?}"
    );
    assert!(started.windows(2).all(|pair| pair[1] > pair[0]), "{shown:#?}");
}

/// In force until now was a schedule that is due in an hour; by the new one it was due a minute ago.
pub(crate) async fn a_schedule_edited_meanwhile_is_not_due_in_the_past() {
    let now = SystemClock.now();
    let yearly_at = |at: Timestamp| at.format("%-M %-H %-d %-m *").to_string();
    let place = Place::new();
    place.manifest(&cronjob(&yearly_at(now + TimeDelta::hours(1)), "true"));
    let up = place.up().await;
    let cronjobs: Api<CronJob> = Api::default_namespaced(up.client().await.expect("a client"));
    // As if it had run, so that it does not matter when it was created.
    let ran = json!({"status": {"lastScheduleTime": (now - TimeDelta::days(1)).to_rfc3339()}});
    cronjobs
        .patch_status("tick", &PatchParams::default(), &Patch::Merge(ran))
        .await
        .expect("written");
    up.kill();
    let edited = cronjob(&yearly_at(now - TimeDelta::minutes(1)), "true");
    let other = cronjob("@every 1s", "true").replace("name: tick", "name: other");
    place.manifest(&format!("{edited}\n---\n{other}"));
    let up = place.up().await;
    // All that was due at the start has been decided on by then.
    up.shows("started other-").await;
    assert!(
        !up.shown().iter().any(|line| line.contains("started tick-")),
        "{:#?}",
        up.shown()
    );
    up.interrupt();
}

pub(crate) async fn what_a_stop_interrupted_is_tried_again_at_the_next_start() {
    let place = Place::new();
    place.manifest(&job(&work(&place, 0), "backoffLimit: 1, "));
    let up = place.up().await;
    place.lines_until("runs", 1).await;
    up.interrupt();
    let up = place.up().await;
    go(&place);
    let status = up.job_until("work", |status| holds(status, "Complete")).await;
    assert_eq!((status.succeeded, status.failed), (Some(1), None));
    assert_eq!(place.lines("runs"), ["run", "run", "done"]);
}

pub(crate) async fn what_the_manifests_do_not_name_is_kept_and_shown() {
    let place = Place::new();
    place.manifest(&cronjob("0 0 1 1 *", "true"));
    place.up().await.interrupt();
    place.manifest(&job("true", ""));
    let up = place.up().await;
    up.job_until("work", |status| holds(status, "Complete")).await;
    let shown = up.shown();
    let kept = shown
        .iter()
        .position(|line| line.starts_with("kept from before"))
        .expect("it is said");
    assert!(shown[kept + 3].contains("tick   0 0 1 1 *"), "{shown:#?}");
}

/// What the condition of the one pod says of its place on the node.
async fn scheduled(up: &Up) -> String {
    let pods: Api<Pod> = Api::default_namespaced(up.client().await.expect("a client"));
    until("the condition of the pod", || async {
        let pod = pods.list(&ListParams::default()).await.ok()?.items.pop()?;
        let mut conditions = pod.status?.conditions?.into_iter();
        let condition = conditions.find(|condition| condition.type_ == "PodScheduled")?;
        Some(format!(
            "{} {}",
            condition.status,
            condition.reason.unwrap_or_default()
        ))
    })
    .await
}

pub(crate) async fn a_cordoned_node_starts_nothing_before_and_after_a_restart() {
    let place = Place::new();
    let up = place.up().await;
    let nodes: Api<Node> = Api::all(up.client().await.expect("a client"));
    let patch = |spec: Value| Patch::Merge(json!({ "spec": spec }));
    until("the node", || async { nodes.get_opt("localhost").await.ok()? }).await;
    let taint = json!({"taints": [{"key": "a", "effect": "NoSchedule"}]});
    let refused = nodes
        .patch("localhost", &PatchParams::default(), &patch(taint))
        .await;
    let refused = refused.expect_err("taints mean nothing here").to_string();
    assert!(refused.contains("kubectl cordon"), "{refused}");
    let cordoned = patch(json!({"unschedulable": true}));
    nodes
        .patch("localhost", &PatchParams::default(), &cordoned)
        .await
        .expect("it is cordoned");
    up.interrupt();

    place.manifest(&job(&format!("echo run >> {}", place.path("runs").display()), ""));
    place.up().await.interrupt();
    let up = place.up().await;
    assert_eq!(scheduled(&up).await, "False Unschedulable");
    assert!(place.lines("runs").is_empty());
    let nodes: Api<Node> = Api::all(up.client().await.expect("a client"));
    let uncordoned = patch(json!({"unschedulable": null}));
    nodes
        .patch("localhost", &PatchParams::default(), &uncordoned)
        .await
        .expect("it is uncordoned");
    up.job_until("work", |status| holds(status, "Complete")).await;
    assert_eq!(scheduled(&up).await, "True ");
    assert_eq!(place.lines("runs"), ["run"]);
    up.interrupt();
}
