//! A real Prometheus scrapes a real run: every panel of the dashboard and every alert finds what it asks for.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use kube::api::ListParams;
use kube::{Api, Client, Config, ResourceExt as _};
use serde_json::{Value, json};

use crate::embedded::Embedded;
use crate::request::request;

/// How the dashboard's variables read in Prometheus.
const VARIABLES: [(&str, &str); 4] = [
    ("$__rate_interval", "10s"),
    ("$namespace", ".*"),
    ("$cronjob_namespace", ".*"),
    ("$cronjob", ".*"),
];

/// What has no data in a run where nothing goes wrong that way.
const MAY_BE_EMPTY: [&str; 1] = ["Success expected, in"];

/// How long there may be nothing to see of a run, on a machine that is busy with other things.
const PATIENCE: usize = 600;

/// A process that goes when the test does, however it ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

pub(crate) async fn every_panel_has_data() {
    let server = Embedded::start().await;
    for name in ["good", "bad"] {
        let cronjob = json!({
            "metadata": { "name": name },
            "spec": { "schedule": "@every 1s", "jobTemplate": { "spec": { "template": { "spec": {
                "restartPolicy": "Never", "containers": [{ "name": "main", "image": "busybox" }],
            } } } } },
        });
        let path = "/apis/batch/v1/namespaces/default/cronjobs";
        let made = server
            .client
            .request::<Value>(request("POST", path, &cronjob))
            .await;
        made.expect("a CronJob");
    }
    // One that acts, and holds some of its starts back, and one that looks on.
    let (metrics, of_shadow) = (free_address(), free_address());
    let _controller = controller(&server, metrics, &["--max-start-rate", "1.5"]);
    let _shadow = controller(&server, of_shadow, &["--shadow"]);
    let folder = tempfile::tempdir().expect("a folder");
    let (prometheus, _prometheus) = start_prometheus(folder.path(), &[("a", metrics), ("b", of_shadow)]);
    let address = format!("http://{prometheus}").parse().expect("an address");
    let prometheus = Client::try_from(Config::new(address)).expect("a client");

    let dashboard = std::fs::read_to_string("charts/punctual/dashboards/punctual.json").expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut missing = vec![String::new()];
    for _ in 0..PATIENCE {
        end_jobs(&server).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        missing = without_data(panels, &prometheus).await;
        if missing.is_empty() {
            return;
        }
    }
    panic!("no data for {missing:#?}");
}

fn controller(server: &Embedded, metrics: SocketAddr, arguments: &[&str]) -> Killed {
    let mut command = Command::new(env!("CARGO_BIN_EXE_punctual"));
    command
        .args(["controller", "--cronjob-metrics", "all"])
        .args(arguments)
        .arg(format!("--metrics-listen={metrics}"))
        .arg("--kubeconfig")
        .arg(server.kubeconfig());
    start(&mut command)
}

/// Ends every Job: those of `good` well, those of `bad` not.
async fn end_jobs(server: &Embedded) {
    let jobs: Api<Job> = Api::default_namespaced(server.client.clone());
    let running = jobs.list(&ListParams::default()).await.expect("Jobs").items;
    let running = running.iter().filter(|job| {
        job.status
            .as_ref()
            .is_none_or(|status| status.conditions.is_none())
    });
    for job in running {
        let kinds = if job.name_any().starts_with("good") {
            ["SuccessCriteriaMet", "Complete"]
        } else {
            ["FailureTarget", "Failed"]
        };
        let now = job.creation_timestamp().expect("a time");
        let conditions =
            kinds.map(|kind| json!({ "type": kind, "status": "True", "lastTransitionTime": now }));
        let mut status = json!({ "startTime": now, "conditions": conditions });
        if kinds[1] == "Complete" {
            status["completionTime"] = json!(now);
        }
        let path = format!("/apis/batch/v1/namespaces/default/jobs/{}/status", job.name_any());
        // The history limits may have been faster.
        let _gone = server
            .client
            .request::<Value>(request("PATCH", &path, &json!({ "status": status })))
            .await;
    }
}

/// The queries of the panels that find nothing.
async fn without_data(panels: &[Value], prometheus: &Client) -> Vec<String> {
    let mut missing = vec![];
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap_or_default();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = VARIABLES.iter().fold(
                target["expr"].as_str().unwrap_or_default().to_owned(),
                |query, (variable, value)| query.replace(variable, value),
            );
            let found = ask(prometheus, &query).await;
            if found.is_empty() && !MAY_BE_EMPTY.contains(&title) {
                missing.push(format!("{title}: {query}"));
            }
        }
    }
    missing
}

/// The values that a query has now, but for those that are no number.
async fn ask(prometheus: &Client, query: &str) -> Vec<f64> {
    let encoded: String = query.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02X}");
        encoded
    });
    let path = format!("/api/v1/query?query={encoded}");
    // It may not have begun to listen.
    let answer = prometheus
        .request::<Value>(request("GET", &path, &Value::Null))
        .await
        .unwrap_or_default();
    let series = answer["data"]["result"].as_array().into_iter().flatten();
    let values = series.filter_map(|series| series["value"][1].as_str()?.parse::<f64>().ok());
    values.filter(|value| !value.is_nan()).collect()
}

/// Starts Prometheus, and says where it answers; `pods` are what it scrapes.
fn start_prometheus(folder: &Path, pods: &[(&str, SocketAddr)]) -> (SocketAddr, Killed) {
    let address = free_address();
    let labelled = |(pod, metrics): &(&str, SocketAddr)| {
        let labels = json!({ "namespace": "punctual-system", "pod": pod });
        json!({ "targets": [metrics.to_string()], "labels": labels })
    };
    let scrape = json!({
        "global": { "scrape_interval": "1s" },
        "scrape_configs": [{
            "job_name": "punctual",
            "static_configs": pods.iter().map(labelled).collect::<Vec<_>>(),
        }],
    });
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, scrape.to_string()).expect("a file");
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={address}"));
    (address, start(&mut command))
}

fn start(command: &mut Command) -> Killed {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Killed(child.expect("it can be started"))
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}
