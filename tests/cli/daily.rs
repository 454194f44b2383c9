//! The commands of every day (`get`, `suspend`, `resume`, `skip-next`, `trigger`), against the embedded API behind a real socket.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::request::request;
use crate::server::{JOBS, Server};
use crate::{command, exit_code, punctual, text};

#[tokio::test(flavor = "multi_thread")]
async fn get_shows_what_kubectl_does_not() {
    let server = Server::start().await;
    let backup = server
        .cronjob("backup", &json!({ "spec": { "timeZone": "Asia/Tokyo" } }))
        .await;
    server.ended_job(&backup, "backup-29923290", "Complete").await;
    server.ended_job(&backup, "backup-manual-7xkq2", "Failed").await;
    server
        .cronjob(
            "report",
            &json!({ "spec": { "suspend": true }, "metadata": { "labels": { "tier": "web" } } }),
        )
        .await;

    let json = server.punctual(&["get", "-o", "json"]);
    let lines: Vec<Value> = text(&json.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (pointer, value) in [
        ("/name", json!("backup")),
        ("/timeZone", json!("Asia/Tokyo")),
        ("/suspended", json!(false)),
        ("/lastResult/outcome", json!("Failed")),
        ("/lastResult/job", json!("backup-manual-7xkq2")),
        (
            "/streak",
            json!({ "outcome": "Failed", "runs": 1, "atLeast": true }),
        ),
    ] {
        assert_eq!(
            lines[0].pointer(pointer),
            Some(&value),
            "{pointer} of {}",
            lines[0]
        );
    }
    let due = lines[0]["nextDue"].as_str().expect("an instant");
    assert!(due.ends_with("T17:30:00Z"), "02:30 in Tokyo is not {due}");
    assert_eq!(
        (&lines[1]["suspended"], &lines[1]["nextDue"]),
        (&json!(true), &Value::Null)
    );

    let names = server.punctual(&["get", "-A", "-l", "tier=web", "-o", "name"]);
    assert_eq!(text(&names.stdout), "cronjob.batch/report\n");
    let table = text(&server.punctual(&["get", "cronjob/report"]).stdout);
    assert!(
        table.starts_with("NAMESPACE   NAME     SCHEDULE") && table.lines().count() == 2,
        "{table}"
    );
    let none = server.punctual(&["get", "-n", "elsewhere"]);
    assert_eq!(
        (exit_code(&none), text(&none.stderr)),
        (0, "there is no CronJob that matches\n".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_leads_to_the_punctual_of_this_machine() {
    let server = Server::start().await;
    server.cronjob("backup", &json!({})).await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(server.kubeconfig(), folder.path().join("kubeconfig")).expect("a copy");
    let get = |folder: &Path| punctual(&["get", "-o", "name", "--data-dir", &folder.display().to_string()]);
    assert_eq!(text(&get(folder.path()).stdout), "cronjob.batch/backup\n");
    assert_snapshot!(
        text(&get(Path::new("/nowhere")).stderr),
        @"error: no `punctual up` runs with the data folder /nowhere; start one with `punctual up --data-dir /nowhere`, or name the folder of the one that runs with --data-dir"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_say_what_is_wrong() {
    let server = Server::start().await;
    server.cronjob("backup", &json!({})).await;
    let said = |arguments: &[&str]| {
        let output = server.punctual(arguments);
        format!("exit code {}\n{}", exit_code(&output), text(&output.stderr))
    };
    assert_snapshot!("unknown_cronjob", said(&["get", "bakcup"]));
    assert_snapshot!("not_a_cronjob", said(&["get", "job/backup"]));
    assert_snapshot!("name_and_selector", said(&["get", "backup", "-l", "a=b"]));
    assert_snapshot!("trigger_unknown", said(&["trigger", "bakcup"]));
    assert_snapshot!(
        "trigger_container",
        said(&["trigger", "backup", "--image", "a", "-c", "side"])
    );
    assert_snapshot!(
        "trigger_timeout_of_nothing",
        said(&["trigger", "backup", "--timeout", "5s"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn help_fits_a_terminal() {
    for name in ["get", "trigger", "suspend", "resume", "skip-next"] {
        assert_snapshot!(format!("{name}_help"), text(&punctual(&[name, "--help"]).stdout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trigger_starts_a_job_from_the_template_with_what_differs() {
    let server = Server::start().await;
    let backup = server.cronjob("backup", &json!({})).await;
    let triggered = server.punctual(&[
        "trigger",
        "backup",
        "--job-name",
        "today",
        "--env",
        "DAY=2026-11-22",
        "--args=--full",
        "--image",
        "busybox:2",
    ]);
    assert_eq!(
        (exit_code(&triggered), text(&triggered.stdout)),
        (0, "default/today started\n".into())
    );

    let job = server.send("GET", &format!("{JOBS}/today"), &Value::Null).await;
    assert_eq!(
        job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"],
        "manual"
    );
    let owner = &job["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["uid"], &owner["controller"]),
        (&backup["metadata"]["uid"], &json!(true))
    );
    assert_eq!(owner.get("blockOwnerDeletion"), None);
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    for (field, value) in [
        ("command", json!(["backup"])),
        ("args", json!(["--full"])),
        ("image", json!("busybox:2")),
        ("env", json!([{ "name": "DAY", "value": "2026-11-22" }])),
    ] {
        assert_eq!(container[field], value, "{container}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trigger_waits_for_the_end_and_tells_it_by_its_exit_code() {
    let server = Server::start().await;
    server.cronjob("backup", &json!({})).await;
    for (job, condition) in [("good", "Complete"), ("bad", "Failed")] {
        let waiting = command(&["trigger", "backup", "--wait", "--job-name", job, "--kubeconfig"])
            .arg(server.kubeconfig())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("punctual can be started");
        while server
            .client()
            .request::<Value>(request("GET", &format!("{JOBS}/{job}"), &Value::Null))
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.end(job, condition).await;
        let ended = waiting.wait_with_output().expect("it ends");
        let said = format!(
            "exit code {}\n{}{}",
            exit_code(&ended),
            text(&ended.stdout),
            text(&ended.stderr)
        );
        assert_snapshot!(format!("trigger_{job}"), said);
    }
    let late = server.punctual(&[
        "trigger",
        "backup",
        "--wait",
        "--timeout",
        "1s",
        "--job-name",
        "slow",
    ]);
    assert_eq!(exit_code(&late), 1);
    assert_snapshot!(text(&late.stderr), @"error: Job default/slow has not ended yet; it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_has_a_reason_and_an_end_and_is_ended_without_a_trace() {
    let server = Server::start().await;
    server.cronjob("backup", &json!({})).await;
    let handed_over = json!({ "metadata": { "annotations": { "punctual.dev/managed": "true" } }, "spec": { "suspend": true } });
    server.cronjob("report", &handed_over).await;
    let before = server.marks().await;

    let said = |arguments: &[&str]| {
        let output = server.punctual(arguments);
        (exit_code(&output), text(&output.stdout))
    };
    let suspend = [
        "suspend",
        "backup",
        "report",
        "--reason",
        "disk",
        "--until",
        "2126-11-23T12:00:00+01:00",
    ];
    let suspended = "default/backup suspended until 2126-11-23T11:00:00Z\n\
                     default/report suspended until 2126-11-23T11:00:00Z\n";
    assert_eq!(said(&suspend), (0, suspended.into()));
    assert_eq!(
        said(&suspend),
        (
            0,
            "default/backup was suspended already\ndefault/report was suspended already\n".into()
        )
    );
    let about = json!({ "punctual.dev/suspend-reason": "disk", "punctual.dev/suspend-until": "2126-11-23T11:00:00Z" });
    let mut about_report = about.clone();
    json_patch::merge(
        &mut about_report,
        &json!({ "punctual.dev/managed": "true", "punctual.dev/suspend": "true" }),
    );
    assert_eq!(
        server.marks().await,
        [(json!(true), about), (json!(true), about_report)]
    );
    let view: Value = serde_json::from_str(&said(&["get", "report", "-o", "json"]).1).expect("JSON");
    assert_eq!(
        (&view["suspended"], &view["suspendReason"]),
        (&json!(true), &json!("disk"))
    );
    assert!(
        view["nextDue"].as_str().is_some_and(|due| due > "2126-11-23T11"),
        "{view}"
    );

    assert_eq!(
        said(&["resume", "--all", "--yes"]),
        (0, "default/backup resumed\ndefault/report resumed\n".into())
    );
    assert_eq!(server.marks().await, before);
    assert_eq!(
        said(&["resume", "backup"]),
        (0, "default/backup was not suspended\n".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_instant_is_skipped_and_then_the_one_after() {
    let server = Server::start().await;
    server
        .cronjob("yearly", &json!({ "spec": { "schedule": "0 0 1 1 *" } }))
        .await;
    for _ in 0..2 {
        assert_eq!(exit_code(&server.punctual(&["skip-next", "yearly"])), 0);
    }
    let view: Value = serde_json::from_slice(&server.punctual(&["get", "-o", "json"]).stdout).expect("JSON");
    let skipped: Vec<&str> = view["skipped"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let year = |text: &str| text[..4].parse::<i32>().expect("a year");
    let next = year(view["nextDue"].as_str().expect("an instant"));
    assert_eq!(
        skipped.iter().map(|text| year(text)).collect::<Vec<_>>(),
        [next - 2, next - 1]
    );
    let undone = server.punctual(&["skip-next", "yearly", "--undo"]);
    assert_eq!(text(&undone.stdout), "default/yearly skips nothing any more\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_not_changed_without_a_word() {
    let server = Server::start().await;
    for name in ["a", "b", "c"] {
        server
            .cronjob(name, &json!({ "metadata": { "labels": { "tier": "batch" } } }))
            .await;
    }
    let unasked = server.punctual(&["suspend", "-A", "-l", "tier=batch"]);
    assert_eq!(exit_code(&unasked), 2);
    assert_snapshot!(text(&unasked.stderr), @"error: suspend 3 CronJobs in namespace default? Nobody is there to answer; --yes says so beforehand");
    assert!(
        server
            .marks()
            .await
            .iter()
            .all(|(suspended, _)| *suspended == json!(false))
    );
    let yes = server.punctual(&["suspend", "-A", "-l", "tier=batch", "--yes"]);
    assert_eq!(
        text(&yes.stdout),
        "default/a suspended\ndefault/b suspended\ndefault/c suspended\n"
    );
    let nothing = server.punctual(&["suspend"]);
    assert_eq!(exit_code(&nothing), 2, "which ones has to be said");
}
