//! `punctual controller`, against the embedded API behind a real socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use insta::assert_snapshot;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{ListParams, PostParams};
use serde_json::json;

use crate::embedded::Embedded;
use crate::unread::end;
use crate::{command, exit_code, punctual, text};

/// A process that goes when the test does, however it ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

/// An API server, and a kubeconfig that leads to it.
struct Server(Embedded);

impl Server {
    async fn start() -> Self {
        Server(Embedded::start().await)
    }

    /// Starts the binary, and tells where it serves its metrics.
    fn controller(&self, log: &str) -> (Killed, SocketAddr) {
        // Nobody else takes a port that was free a moment ago, as a rule.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = port.expect("a port");
        let child = command(&["controller", "--log-format", "json"])
            .env("RUST_LOG", log)
            .args(["--metrics-listen", &address.to_string()])
            .arg("--kubeconfig")
            .arg(self.0.kubeconfig())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        (Killed(child.expect("punctual can be started")), address)
    }

    async fn every_second(&self) {
        let cronjob = json!({
            "metadata": { "name": "tick" },
            "spec": { "schedule": "@every 1s", "jobTemplate": { "spec": { "template": { "spec": {
                "restartPolicy": "Never", "containers": [{ "name": "main", "image": "busybox" }],
            } } } } },
        });
        let cronjob: CronJob = serde_json::from_value(cronjob).expect("a CronJob");
        let cronjobs: Api<CronJob> = Api::default_namespaced(self.0.client.clone());
        cronjobs
            .create(&PostParams::default(), &cronjob)
            .await
            .expect("created");
    }

    /// Waits for so many runs.
    async fn starts(&self, runs: usize) {
        for _ in 0..2_000 {
            if self.jobs().await >= runs {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing runs");
    }

    async fn jobs(&self) -> usize {
        let jobs: Api<Job> = Api::default_namespaced(self.0.client.clone());
        jobs.list(&ListParams::default())
            .await
            .expect("a list")
            .items
            .len()
    }

    async fn lease_holder(&self) -> String {
        let leases: Api<Lease> = Api::default_namespaced(self.0.client.clone());
        let lease = leases.get("punctual").await.expect("a lease");
        lease
            .spec
            .and_then(|spec| spec.holder_identity)
            .unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_cronjobs_tells_about_them_and_stops_in_order() {
    let server = Server::start().await;
    server.every_second().await;
    let (mut child, address) = server.controller("punctual=info");
    server.starts(2).await;
    assert_ne!(server.lease_holder().await, "");

    assert_eq!(http(address, "GET", "/livez", ""), (200, "ok\n".into()));
    assert_eq!(http(address, "GET", "/readyz", ""), (200, "ok\n".into()));
    let (_, metrics) = http(address, "GET", "/metrics", "");
    for line in [
        "punctual_leader 1",
        r#"punctual_api_requests_total{verb="create",resource="jobs",code="201"}"#,
        "cronjob_controller_job_creation_skew_duration_seconds_bucket",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert_eq!(
        http(address, "PUT", "/log-level", "debug"),
        (
            200,
            "kube_client::client::builder=off,kube_runtime=error,punctual=debug,warn\n".into()
        )
    );
    assert_eq!(
        http(address, "GET", "/log-level", ""),
        (
            200,
            "kube_client::client::builder=off,kube_runtime=error,punctual=debug,warn\n".into()
        )
    );
    let (code, refusal) = http(address, "PUT", "/log-level", "loud");
    assert_eq!(code, 400);
    assert_snapshot!(refusal, @r#""loud" is no log level; write error, warn, info, debug or trace, or a filter like punctual=debug,kube=info"#);

    terminate(&child.0);
    let status = child.0.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert_eq!(server.lease_holder().await, "", "the lease is released");
    let log = child.0.stderr.take().expect("a log");
    let decision = BufReader::new(log).lines().find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
        (line["reason"] == "SuccessfulCreate").then_some(line)
    });
    let decision = decision.expect("a line for the decision");
    for (field, value) in [
        ("namespace", "default"),
        ("cronjob", "tick"),
        ("decision", "start"),
        ("level", "INFO"),
    ] {
        assert_eq!(decision[field], value, "{decision}");
    }
    assert!(
        decision["scheduled"].is_string() && decision["lateness_ms"].is_number(),
        "{decision}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_stops_nothing() {
    let server = Server::start().await;
    server.every_second().await;
    let (mut child, _) = server.controller("trace");
    // More than start before a pipe is full.
    server.starts(5).await;
    terminate(&child.0);
    let status = tokio::task::block_in_place(|| end(&mut child.0));
    assert_eq!(status.expect("a stop ends").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_logged_comes_before_the_error_that_ends_it() {
    let server = Server::start().await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let kubeconfig = server.0.kubeconfig();
    let kubeconfig = kubeconfig.to_str().expect("UTF-8");
    let arguments = [
        "controller",
        "--kubeconfig",
        kubeconfig,
        "--metrics-listen",
        &address,
    ];
    let output = tokio::task::block_in_place(|| punctual(&arguments));
    assert_eq!(exit_code(&output), 1);
    let said = text(&output.stderr).replace(&address, "ADDRESS");
    let (logged, error) = said.trim_end().rsplit_once('\n').expect("lines");
    assert!(
        logged.contains("INFO") && logged.contains("punctual controller"),
        "{said}"
    );
    assert_snapshot!(error, @"error: metrics can't be served on ADDRESS; choose another address with --metrics-listen: Address already in use (os error 98)");
}

#[test]
fn mistakes_on_the_command_line_say_what_to_do() {
    let missing = punctual(&["controller", "--kubeconfig", "/nowhere/config"]);
    assert_eq!(exit_code(&missing), 1);
    let said = text(&missing.stderr);
    assert_snapshot!(said, @"error: the kubeconfig /nowhere/config can't be read: No such file or directory (os error 2)");

    let selector = punctual(&["controller", "--selector", "tier in batch"]);
    assert_eq!(exit_code(&selector), 2);
    assert_snapshot!(text(&selector.stderr), @r#"
    error: invalid value 'tier in batch' for '--selector <SELECTOR>': unable to parse requirement: "tier in batch" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key

    For more information, try '--help'.
    "#);

    let name = punctual(&["controller", "--lease-name", "Bad_Name"]);
    assert_eq!(exit_code(&name), 2, "{}", text(&name.stderr));
    let lease = |duration| {
        let lease = punctual(&["controller", "--lease-duration", duration]);
        assert_eq!(exit_code(&lease), 2, "{duration}");
        text(&lease.stderr)
    };
    assert_snapshot!(lease("1s"), @"
    error: invalid value '1s' for '--lease-duration <DURATION>': write whole seconds from 2s, or one slow write costs the lead, to 60s, for which nothing is started when the leader has died

    For more information, try '--help'.
    ");
    for same in ["61s", "2500ms"] {
        assert_eq!(lease(same).replace(same, "1s"), lease("1s"));
    }
}

#[test]
fn help_fits_a_terminal() {
    let help = punctual(&["controller", "--help"]);
    assert_eq!(exit_code(&help), 0);
    assert_snapshot!("controller_help", text(&help.stdout));
}

/// As the kubelet does it.
fn terminate(child: &Child) {
    let kill = std::process::Command::new("kill")
        .arg(child.id().to_string())
        .status();
    assert!(kill.expect("kill can be run").success());
}

/// A request over a socket, and the answer's code and body.
fn http(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    (code.expect("a code"), body.to_owned())
}
