//! `punctual forecast`.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::embedded::Embedded;
use crate::request::request;
use crate::{exit_code, punctual, text};

const FROM: [&str; 2] = ["--from", "2026-11-24T12:34:56Z"];
const SHOP: [&str; 2] = ["-f", "fixtures/forecast/shop.yaml"];

fn forecast(arguments: &[&str]) -> String {
    let output = punctual(&[&["forecast"], arguments].concat());
    assert_eq!(text(&output.stderr), "");
    assert_eq!(exit_code(&output), 0);
    text(&output.stdout)
}

fn cronjob(name: &str, schedule: &str, zone: &str) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": { "name": name, "namespace": "shop" },
        "spec": { "schedule": schedule, "timeZone": zone, "jobTemplate": { "spec": { "template": { "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "main", "image": "busybox", "command": ["true"] }],
        } } } } },
    })
}

/// A folder with so many CronJobs that start every hour on the hour.
fn crowd(count: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let cronjobs = (1..=count).map(|number| cronjob(&format!("sync-{number}"), "0 * * * *", "UTC"));
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": cronjobs.collect::<Vec<Value>>() });
    std::fs::write(folder.path().join("crowd.json"), list.to_string()).expect("a file");
    folder
}

#[test]
fn a_day_and_a_week_are_drawn() {
    let day = forecast(
        &[
            &SHOP[..],
            &FROM,
            &["--run-time", "backup=30m", "--time-zone", "Europe/Berlin"],
        ]
        .concat(),
    );
    let week = forecast(&[&SHOP[..], &FROM, &["--over", "week", "--top", "2"]].concat());
    assert_snapshot!([day, week].join("\n----\n"));
}

/// New York, 14 March 2027: 02:00 to 03:00 does not exist.
#[test]
fn what_a_clock_change_takes_away_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, schedule: &str| {
        let file = folder.path().join(format!("{name}.json"));
        std::fs::write(file, cronjob(name, schedule, "America/New_York").to_string()).expect("a file");
    };
    let file = folder.path().display().to_string();
    let forecast = |from: &str| {
        let of = [
            "-f",
            &file,
            "--from",
            from,
            "--time-zone",
            "America/New_York",
            "--run-time",
            "5m",
        ];
        forecast(&of)
    };
    write("backup", "30 2 * * *");
    let one = forecast("2027-03-14T05:00:00Z");
    let after = forecast("2027-03-14T08:00:00Z");
    write("report", "*/20 2 * * *");
    let two = forecast("2027-03-14T05:00:00Z");
    assert_snapshot!([one, after, two].join("\n----\n"));
}

#[test]
fn a_crowd_is_noticed_and_what_would_help_is_said() {
    let folder = crowd(60);
    let file = folder.path().display().to_string();
    let day = forecast(
        &[
            &["-f", file.as_str(), "--top", "1", "--run-time", "5m"],
            &FROM[..],
        ]
        .concat(),
    );
    assert_snapshot!(day);
}

/// What starts, in the minutes of a day with every policy of `punctual.dev/`.
#[test]
fn every_policy_is_in_the_forecast() {
    let arguments = [
        "-f",
        "fixtures/forecast/policies.yaml",
        "--from",
        "2026-11-26T00:00:00Z",
        "-o",
        "json",
    ];
    let forecast: Value = serde_json::from_str(&forecast(&arguments)).expect("JSON");
    let cronjobs = forecast["cronJobs"].as_array().expect("CronJobs").iter();
    let lines = cronjobs.map(|cronjob| format!("{}: {}", cronjob["name"], cronjob["starts"]));
    assert_snapshot!(lines.collect::<Vec<String>>().join("\n"));
}

#[test]
fn nothing_to_come_is_said_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.yaml");
    let shop = std::fs::read_to_string(SHOP[1]).expect("the fixture");
    let closed = shop.split("---\n").last().expect("a CronJob");
    std::fs::write(&file, closed).expect("a file");
    assert_snapshot!(forecast(
        &[&["-f", &file.display().to_string()], &FROM[..]].concat()
    ));
}

#[test]
fn programs_get_json_and_csv() {
    let arguments = [&SHOP[..], &FROM, &["-o", "json", "--top", "1"]].concat();
    let mut json: Value = serde_json::from_str(&forecast(&arguments)).expect("JSON");
    let minutes = json["minutes"].take();
    assert_eq!(
        minutes[0],
        json!({ "at": "2026-11-24T12:00:00Z", "starts": 2, "running": 2 })
    );
    assert_snapshot!(serde_json::to_string_pretty(&json).expect("JSON"));

    let csv = forecast(&[&SHOP[..], &FROM, &["-o", "csv"]].concat());
    assert_eq!(csv.lines().count(), 1 + 24 * 60);
    assert_snapshot!(csv.lines().take(4).collect::<Vec<_>>().join("\n"));
}

/// What is in the page without its script; `tests/real` looks at what a browser makes of it.
#[test]
fn the_page_needs_nothing_else() {
    let page = forecast(&[&SHOP[..], &FROM, &["-o", "html"]].concat());
    for outside in ["http:", "https:", "//cdn", "@import", "url(", "src=", "<link"] {
        assert!(!page.contains(outside), "{outside} leads out of the page");
    }
    let main = page
        .split("<main>")
        .nth(1)
        .and_then(|rest| rest.split("</main>").next());
    assert_snapshot!(main.expect("a page"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_asked_how_long_runs_took() {
    let server = Embedded::start().await;
    let send = async |method: &str, path: &str, body: Value| -> Value {
        let answer = server.client.request(request(method, path, &body)).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    };
    let pod = json!({ "template": { "spec": {
        "restartPolicy": "Never",
        "containers": [{ "name": "main", "image": "busybox", "command": ["true"] }],
    } } });
    let batch = "/apis/batch/v1/namespaces/default";
    let cronjob = json!({
        "metadata": { "name": "backup" },
        "spec": { "schedule": "0 * * * *", "jobTemplate": { "spec": pod } },
    });
    let cronjob = send("POST", &format!("{batch}/cronjobs"), cronjob).await;
    for (name, seconds) in [("backup-1", 60), ("backup-2", 90), ("backup-3", 600)] {
        let owner = json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "controller": true,
            "name": "backup", "uid": cronjob["metadata"]["uid"],
        });
        let job = json!({ "metadata": { "name": name, "ownerReferences": [owner] }, "spec": pod });
        send("POST", &format!("{batch}/jobs"), job).await;
        let end = format!("2026-11-23T12:{:02}:{:02}Z", seconds / 60, seconds % 60);
        let conditions = ["SuccessCriteriaMet", "Complete"]
            .map(|kind| json!({ "type": kind, "status": "True", "lastTransitionTime": end }));
        let status = json!({
            "startTime": "2026-11-23T12:00:00Z", "completionTime": end, "conditions": conditions,
        });
        send(
            "PATCH",
            &format!("{batch}/jobs/{name}/status"),
            json!({ "status": status }),
        )
        .await;
    }
    let kubeconfig = server.kubeconfig().display().to_string();
    let arguments = ["--kubeconfig", kubeconfig.as_str(), "-o", "json"];
    let forecast: Value = serde_json::from_str(&forecast(&arguments)).expect("JSON");
    let found = &forecast["cronJobs"][0];
    assert_eq!(
        (&found["name"], &found["runSeconds"], &found["runTimeKnown"]),
        (&json!("backup"), &json!(90.0), &json!(true))
    );
    assert_eq!(forecast["caveats"], json!([]));
    assert_eq!(forecast["mostStarts"], 1);
}
