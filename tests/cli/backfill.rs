//! `punctual backfill`, against the embedded API behind a real socket, and against `punctual up`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::server::{CRONJOBS, JOBS, Server};
use crate::{command, exit_code, interrupt, text};

/// Four nights, of which the first and the last are due as well.
pub(crate) const NIGHTS: [&str; 4] = ["--from", "2026-11-20T02:30:00Z", "--to", "2026-11-23T02:30:00Z"];

/// How long anything is waited for, on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_what_would_be_started_and_why() {
    let server = Server::start().await;
    let backup = server
        .cronjob("backup", &json!({ "spec": { "concurrencyPolicy": "Forbid" } }))
        .await;
    server.ended_job(&backup, "backup-29923350", "Failed").await;
    server.ended_job(&backup, "backup-29920470", "Complete").await;
    let ask = |more: &[&str]| {
        let dry = server.punctual(&[&["backfill", "backup", "--dry-run"], &NIGHTS[..], more].concat());
        assert_eq!(exit_code(&dry), 0, "{}", text(&dry.stderr));
        text(&dry.stdout)
    };
    assert_snapshot!("dry_run", ask(&[]));
    assert_snapshot!(
        "dry_run_all_newest",
        ask(&["--reprocess", "all", "--order", "newest", "--label", "spring"])
    );
    assert_snapshot!(
        "dry_run_json",
        without_times(&ask(&["--reprocess", "failed", "-o", "json"]))
    );
    assert_eq!(jobs(&server).await.len(), 2, "nothing was started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_is_named_is_known() {
    let server = Server::start().await;
    let named = json!({ "metadata": { "annotations": { "punctual.dev/exclude": "holidays" } } });
    server.cronjob("backup", &named).await;
    let ask = || server.punctual(&[&["backfill", "backup", "--dry-run"], &NIGHTS[..]].concat());
    let unknown = ask();
    assert_eq!(exit_code(&unknown), 3, "{}", text(&unknown.stdout));
    assert_snapshot!("calendar_unknown", text(&unknown.stderr));

    let calendar = json!({
        "metadata": { "name": "holidays", "labels": { "punctual.dev/calendar": "true" } },
        "data": { "days": "2026-11-21..2026-11-22" },
    });
    server
        .send("POST", "/api/v1/namespaces/default/configmaps", &calendar)
        .await;
    assert_snapshot!("calendar", text(&ask().stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said() {
    let server = Server::start().await;
    server.cronjob("backup", &json!({})).await;
    server
        .cronjob("often", &json!({ "spec": { "schedule": "* * * * *" } }))
        .await;
    let refused = |words: &[&str]| {
        let output = server.punctual(&[&["backfill"], words].concat());
        format!("{} {}", exit_code(&output), text(&output.stderr))
    };
    assert_snapshot!(refused(&[&["backup"], &NIGHTS[..]].concat()), @"2 error: start 4 runs of default/backup? Nobody is there to answer; --yes says so beforehand");
    assert_snapshot!(refused(&["gone", "--from", "2026-11-20T00:00:00Z"]), @"1 error: there is no CronJob default/gone");
    assert_snapshot!(refused(&["often", "--from", "2026-01-01T00:00:00Z", "--to", "2026-11-01T00:00:00Z"]), @"2 error: more than 10000 instants are due between --from and --to; take a shorter time");
    assert_snapshot!(refused(&["backup", "--from", "2026-11-20T00:00:00Z", "--to", "2026-11-19T00:00:00Z"]), @"2 error: --from is after --to; write an earlier instant");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_start_one_after_the_other_and_their_ends_are_told() {
    let server = Server::start().await;
    server
        .cronjob("backup", &json!({ "spec": { "concurrencyPolicy": "Forbid" } }))
        .await;
    let ender = Ender::start(&server, &["backup-29923350"]);
    let output = run(&server, &["--yes", "--max-active", "5"]).await;
    assert_eq!(ender.most_active(), 1, "as many were active at once");
    assert_eq!(exit_code(&output), 1, "one failed");
    assert_snapshot!(text(&output.stdout));

    let made = jobs(&server).await;
    for job in &made {
        let label = &job["metadata"]["labels"]["punctual.dev/backfill"];
        assert_eq!(*label, "missed.20261120T023000Z.20261123T023000Z");
        assert_eq!(job["metadata"]["ownerReferences"][0]["name"], "backup");
        assert_eq!(job["spec"]["ttlSecondsAfterFinished"], 604_800);
    }
    let scheduled = |job: &Value| {
        job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"].clone()
    };
    assert_eq!(scheduled(&made[0]), "2026-11-20T02:30:00Z");

    // The same once more starts nothing.
    let again = run(&server, &["--yes"]).await;
    assert_eq!(exit_code(&again), 1, "one has failed: {}", text(&again.stderr));
    assert_snapshot!("again", text(&again.stdout));
    // What failed is run again where that is asked for.
    let failed = run(&server, &["--yes", "--reprocess", "failed", "-o", "json"]).await;
    assert_eq!(exit_code(&failed), 0, "{}", text(&failed.stderr));
    assert_snapshot!("failed_json", without_times(&text(&failed.stdout)));
}

/// Killed at any moment and begun again, it starts each instant once.
#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_was_killed_goes_on_where_it_was() {
    let server = Server::start().await;
    server.cronjob("backup", &json!({})).await;
    let _ender = Ender::start(&server, &[]);
    let mut first = start(&server, &["--yes", "-o", "json"]);
    let mut lines = BufReader::new(first.stdout.take().expect("piped"))
        .lines()
        .map_while(Result::ok);
    let started = lines
        .by_ref()
        .filter(|line| line.contains(r#""event":"started""#));
    assert_eq!(started.take(2).count(), 2);
    first.kill().expect("it can be killed");
    first.wait().expect("it has ended");

    let second = run(&server, &["--yes", "-o", "json"]).await;
    assert_eq!(exit_code(&second), 0, "{}", text(&second.stderr));
    let made = jobs(&server).await;
    let names: Vec<&Value> = made.iter().map(|job| &job["metadata"]["name"]).collect();
    assert_eq!(
        names,
        [
            "backup-29919030",
            "backup-29920470",
            "backup-29921910",
            "backup-29923350"
        ]
    );
    let summary: Value =
        serde_json::from_str(text(&second.stdout).lines().last().expect("a line")).expect("JSON");
    let started = summary["started"].as_u64().expect("a number");
    assert!(started <= 2, "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn given_twice_at_once_it_starts_nothing_twice() {
    let server = Server::start().await;
    server.cronjob("backup", &json!({})).await;
    let _ender = Ender::start(&server, &[]);
    let words = ["--yes", "-o", "json"];
    let (one, other) = tokio::join!(run(&server, &words), run(&server, &words));
    assert_eq!((exit_code(&one), exit_code(&other)), (0, 0));
    assert_eq!(jobs(&server).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_it_between_two_starts_and_says_how_to_go_on() {
    let server = Server::start().await;
    server.cronjob("backup", &json!({})).await;
    let stop = |mut backfill: Child| {
        interrupt(&backfill);
        assert_eq!(backfill.wait().expect("it ends").code(), Some(1));
        let mut said = String::new();
        let mut stderr = backfill.stderr.take().expect("piped");
        stderr.read_to_string(&mut said).expect("UTF-8");
        said
    };
    let (backfill, _) = start_until(&server, &["--yes"], "started");
    assert_snapshot!(stop(backfill), @"stopped: 3 runs are left, and the same command goes on with them; 1 is active and goes on");
    assert_eq!(jobs(&server).await.len(), 1);
    let (backfill, _) = start_until(&server, &["--yes", "--max-active", "4"], "(0 left)");
    assert_snapshot!(stop(backfill), @"stopped: no run is left to start; 4 are active and go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_told_and_the_others_run() {
    let server = Server::start().await;
    let backup = server.cronjob("backup", &json!({})).await;
    let foreign = json!({
        "metadata": { "name": "backup-29920470" }, "spec": backup["spec"]["jobTemplate"]["spec"],
    });
    server.send("POST", JOBS, &foreign).await;
    let _ender = Ender::start(&server, &[]);
    let output = run(&server, &["--yes"]).await;
    assert_eq!(exit_code(&output), 1, "one was not started");
    assert_snapshot!(text(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_slot_of_its_group() {
    let server = Server::start().await;
    let shared = json!({ "metadata": { "annotations": { "punctual.dev/group": "shared" } } });
    server.cronjob("backup", &shared).await;
    let other = server.cronjob("other", &shared).await;
    server.active_job(&other, "other-29923350").await;
    let (mut backfill, output) = start_until(
        &server,
        &["--yes"],
        "waits: its group (punctual.dev/group) has no slot to spare",
    );
    assert_eq!(jobs(&server).await.len(), 1);
    let _ender = Ender::start(&server, &[]);
    let said: Vec<String> = output.collect();
    assert_eq!(
        said.last().map(String::as_str),
        Some("4 started, 4 succeeded, 0 failed, 0 not run")
    );
    assert_eq!(backfill.wait().expect("it ends").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cronjob_that_is_deleted_meanwhile_ends_it() {
    let server = Server::start().await;
    server.cronjob("backup", &json!({})).await;
    let (backfill, _) = start_until(&server, &["--yes"], "started");
    server
        .send("DELETE", &format!("{CRONJOBS}/backup"), &Value::Null)
        .await;
    let ended = tokio::task::spawn_blocking(move || backfill.wait_with_output());
    let ended = tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("it ends in time");
    let ended = ended.expect("no panic").expect("its output");
    assert_eq!(exit_code(&ended), 1);
    assert_snapshot!(text(&ended.stderr), @"error: CronJob default/backup is gone; 3 runs were not started");
}

/// Runs a backfill of the four nights to its end.
async fn run(server: &Server, more: &[&str]) -> Output {
    let child = start(server, more);
    let output = tokio::task::spawn_blocking(|| child.wait_with_output());
    let output = tokio::time::timeout(PATIENCE, output)
        .await
        .expect("it ends in time");
    output.expect("no panic").expect("its output")
}

/// Starts one and waits until it says something. Nobody ends its first run, so the second waits for it.
fn start_until(server: &Server, more: &[&str], said: &str) -> (Child, impl Iterator<Item = String>) {
    let mut backfill = start(server, more);
    let output = BufReader::new(backfill.stdout.take().expect("piped")).lines();
    let mut output = output.map_while(Result::ok);
    assert!(output.any(|line| line.contains(said)), "it never says {said}");
    (backfill, output)
}

fn start(server: &Server, more: &[&str]) -> Child {
    let words = [&["backfill", "backup"], &NIGHTS[..], more].concat();
    command(&words)
        .arg("--kubeconfig")
        .arg(server.kubeconfig())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("punctual can be started")
}

/// Ends every Job a moment after it is there, well unless it is one of `failing`, until it is dropped.
struct Ender {
    task: JoinHandle<()>,
    /// How many were active at once at most.
    most: Arc<AtomicUsize>,
}

impl Ender {
    fn start(server: &Server, failing: &'static [&'static str]) -> Ender {
        let (server, most) = (server.clone(), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let task = tokio::spawn(async move {
            loop {
                let jobs = jobs(&server).await;
                let active = jobs.iter().filter(|job| !job["status"]["conditions"].is_array());
                let active: Vec<&str> = active
                    .filter_map(|job| job["metadata"]["name"].as_str())
                    .collect();
                seen.fetch_max(active.len(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
                for name in active {
                    let condition = if failing.contains(&name) {
                        "Failed"
                    } else {
                        "Complete"
                    };
                    server.end(name, condition).await;
                }
            }
        });
        Ender { task, most }
    }

    fn most_active(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}

impl Drop for Ender {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// All Jobs, by name.
async fn jobs(server: &Server) -> Vec<Value> {
    let list = server.send("GET", JOBS, &Value::Null).await;
    let mut jobs = list["items"].as_array().expect("a list").clone();
    jobs.sort_by_key(|job| job["metadata"]["name"].to_string());
    jobs
}

/// JSON lines without the moments at which they were written.
fn without_times(lines: &str) -> String {
    let lines = lines.lines().map(|line| {
        let mut object: Value = serde_json::from_str(line).expect("JSON");
        object["at"] = "-".into();
        object.to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}
