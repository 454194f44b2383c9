//! `punctual up` as a server: its folder, its kubeconfig, and who else gets at them.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Process;
use crate::request::request;
use crate::{command, exit_code, punctual, text};

/// A `punctual up` over a data folder.
pub(crate) struct Server {
    process: Process,
    first_line: String,
    pub(crate) folder: PathBuf,
}

impl Server {
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Server {
        let mut arguments = vec!["up", "--data-dir", folder.to_str().expect("UTF-8")];
        arguments.extend(more);
        let process = Process::start(&mut command(&arguments));
        Server {
            first_line: process.line().expect("it serves"),
            process,
            folder: folder.to_owned(),
        }
    }

    pub(crate) fn stop(self) {
        let ended = self.process.interrupt();
        assert_eq!(ended.code, Some(0), "{}", ended.said);
    }
}

/// With nothing to run it serves and waits, and says first where the kubeconfig is; the next one finds the port again.
#[test]
fn without_a_manifest_it_serves_at_the_same_place_each_time() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data, &[]);
    assert_eq!(
        server.first_line,
        format!("kubeconfig: {}/kubeconfig", data.display())
    );
    let kubeconfig = std::fs::read_to_string(server.folder.join("kubeconfig")).expect("it is there by then");
    server.stop();
    Server::start(&data, &[]).stop();
    assert_eq!(
        std::fs::read_to_string(data.join("kubeconfig")).expect("a file"),
        kubeconfig
    );
}

#[test]
fn a_second_one_on_the_same_folder_is_refused_and_names_the_first() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let second = punctual(&["up", "--data-dir", folder.path().to_str().expect("UTF-8")]);
    assert_eq!(exit_code(&second), 1);
    let said = text(&second.stderr)
        .replace(folder.path().to_str().expect("UTF-8"), "DIR")
        .replace(&server.process.pid().to_string(), "PID");
    assert_snapshot!(said);
    server.stop();
}

#[test]
fn an_address_that_others_reach_needs_a_word_more() {
    let refused = punctual(&["up", "--ephemeral", "--listen", "0.0.0.0:0"]);
    assert_eq!(exit_code(&refused), 2);
    assert_snapshot!(text(&refused.stderr));
}

/// Who shows the token can watch over it as over a controller in a cluster; and the token is the owner's.
#[tokio::test]
async fn with_the_token_it_tells_metrics_and_whose_the_token_is() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let kubeconfig = Kubeconfig::read_from(folder.path().join("kubeconfig")).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let client = Client::try_from(config.expect("a configuration")).expect("a client");
    let metrics = http::Request::get("/metrics").body(vec![]).expect("a request");
    let metrics = client.request_text(metrics).await.expect("metrics");
    assert!(metrics.contains("\npunctual_leader 1\n"), "{metrics}");

    let token = std::fs::read_to_string(folder.path().join("token")).expect("a token");
    let review = json!({ "spec": { "token": token.trim() } });
    let reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
    let review: Value = client
        .request(request("POST", reviews, &review))
        .await
        .expect("a review");
    assert_eq!(review["status"]["user"]["username"], "owner", "{review}");
    server.stop();
}

/// A run of now with another argument: its lines, as they are written, and its end. One that fails says so, and how.
#[test]
fn a_run_that_is_triggered_shows_its_log_and_its_end() {
    let folder = TempDir::new().expect("a folder");
    let manifest = folder.path().join("yearly.yaml");
    let yearly = "\
apiVersion: batch/v1
kind: CronJob
metadata: {name: yearly}
spec:
  schedule: '@yearly'
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: main
            image: busybox
            command: [/bin/sh, -c]
            args: ['exit 9']
            env: [{name: COLOUR, value: blue}]
";
    std::fs::write(&manifest, yearly).expect("a file");
    let data = folder.path().join("data");
    let data_dir = data.to_str().expect("UTF-8");
    let server = Server::start(&data, &[manifest.to_str().expect("UTF-8")]);
    let triggered = |more: &[&str]| {
        let wait = ["trigger", "yearly", "--data-dir", data_dir, "--wait", "--logs"];
        punctual(&[&wait[..], more].concat())
    };
    let good = triggered(&[
        "--args",
        "echo first; sleep 1; echo $COLOUR",
        "--env",
        "COLOUR=red",
    ]);
    let said = text(&good.stdout);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(exit_code(&good), 0, "{said}{}", text(&good.stderr));
    assert_eq!(
        lines[lines.len() - 3..lines.len() - 1],
        ["first", "red"],
        "{said}"
    );
    assert!(said.trim_end().ends_with(" succeeded"), "{said}");
    let bad = triggered(&[]);
    assert_eq!(exit_code(&bad), 1);
    let said = text(&bad.stderr);
    assert!(said.contains("failed: BackoffLimitExceeded"), "{said}");
    server.stop();
}

/// Each container as it writes, and each of its starts: what one wrote before it was started again, too.
#[test]
fn a_run_that_is_triggered_shows_all_its_containers_and_all_their_starts() {
    let folder = TempDir::new().expect("a folder");
    let manifest = folder.path().join("yearly.yaml");
    let flag = folder.path().join("flag");
    let yearly = format!(
        "\
apiVersion: batch/v1
kind: CronJob
metadata: {{name: yearly}}
spec:
  schedule: '@yearly'
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          initContainers:
          - name: prepare
            image: busybox
            command: [echo, prepared]
          containers:
          - name: main
            image: busybox
            command: [/bin/sh, -c, 'if mkdir {flag} 2> /dev/null; then echo first; sleep 1; exit 1; fi; echo second; sleep 1']
          - name: side
            image: busybox
            command: [/bin/sh, -c, 'while ! [ -d {flag} ]; do sleep 0.1; done; echo beside']
",
        flag = flag.display(),
    );
    std::fs::write(&manifest, yearly).expect("a file");
    let data = folder.path().join("data");
    let server = Server::start(&data, &[manifest.to_str().expect("UTF-8")]);
    let data_dir = data.to_str().expect("UTF-8");
    let run = punctual(&["trigger", "yearly", "--data-dir", data_dir, "--wait", "--logs"]);
    let said = text(&run.stdout);
    let mut lines: Vec<&str> = said.lines().filter(|line| line.contains(" | ")).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "main | first",
            "main | second",
            "prepare | prepared",
            "side | beside"
        ],
        "{said}{}",
        text(&run.stderr)
    );
    server.stop();
}

/// More containers at once than an API server takes connections of, what is no text, and a Job that goes when it has ended.
#[test]
fn a_run_that_is_triggered_shows_all_that_its_containers_write() {
    let folder = TempDir::new().expect("a folder");
    let manifest = folder.path().join("cron.yaml");
    let cronjob = |name: &str, job: &str, script: &str| {
        format!(
            "\
apiVersion: batch/v1
kind: CronJob
metadata: {{name: {name}}}
spec:
  schedule: '@yearly'
  jobTemplate:
    spec:
      {job}
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: main
            image: busybox
            command: [/bin/sh, -c, '{script}']
---
"
        )
    };
    let cronjobs = [
        cronjob(
            "many",
            "parallelism: 100\n      completions: 100",
            "echo one; sleep 2; echo two",
        ),
        cronjob(
            "short",
            "ttlSecondsAfterFinished: 0",
            r#"echo one; printf "\377\n"; echo two"#,
        ),
    ];
    std::fs::write(&manifest, cronjobs.concat()).expect("a file");
    let data = folder.path().join("data");
    let server = Server::start(&data, &[manifest.to_str().expect("UTF-8")]);
    let data_dir = data.to_str().expect("UTF-8");
    let lines = |name: &str| {
        let run = punctual(&["trigger", name, "--data-dir", data_dir, "--logs"]);
        let (said, complained) = (text(&run.stdout), text(&run.stderr));
        assert_eq!(exit_code(&run), 0, "{said}{complained}");
        let lines = said.lines().filter(|line| !line.starts_with("default/"));
        let lines = lines.map(|line| line.rsplit(" | ").next().unwrap_or_default().to_owned());
        lines.collect::<Vec<_>>()
    };
    let mut many = lines("many");
    many.sort_unstable();
    let (one, two) = many.split_at(100);
    assert!(one.iter().all(|line| line == "one") && two.iter().all(|line| line == "two"));
    assert_eq!(many.len(), 200);
    assert_eq!(lines("short"), ["one", "\u{fffd}", "two"]);
    server.stop();
}
