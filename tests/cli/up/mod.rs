//! `punctual up`, with real processes.

mod images;
mod refusals;
mod runs;
mod watch;

use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;
use crate::{command, exit_code, punctual, text};

/// A manifest in a folder of its own, which goes with it.
struct Manifest {
    folder: TempDir,
}

impl Manifest {
    fn new(text: &str) -> Manifest {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("cron.yaml"), text).expect("a file");
        Manifest { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("cron.yaml")
    }

    /// What `up -o json --for …` reports, and its exit code.
    fn run_for(&self, duration: &str) -> (Vec<Value>, i32) {
        let path = self.path();
        let output = punctual(&[
            "up",
            path.to_str().expect("UTF-8"),
            "--for",
            duration,
            "-o",
            "json",
            "--ephemeral",
        ]);
        let events = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        (events, exit_code(&output))
    }
}

/// A `punctual up` that runs beside the test.
struct Up(Process);

impl Up {
    fn start(arguments: &[&str]) -> Up {
        Up(Process::start(&mut command(&[&["up"], arguments].concat())))
    }

    /// One that follows a folder and tells what happens as JSON.
    fn follow(folder: &Path) -> Up {
        let folder = folder.to_str().expect("UTF-8");
        Up::start(&["--watch", "--ephemeral", "-o", "json", folder])
    }

    /// Waits for a line.
    fn line(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        self.0.line_where(what, is_it)
    }

    /// Waits until something of a kind is told, of whatever has this name; an empty one stands for all.
    fn event(&self, kind: &str, name: &str) -> Value {
        self.any_event(&[kind], name)
    }

    fn any_event(&self, kinds: &[&str], name: &str) -> Value {
        let line = self.line(&format!("{kinds:?} of {name:?}"), |line| {
            let event = json(line);
            let is_of_kind = kinds.iter().any(|kind| event["event"] == *kind);
            is_of_kind && (name.is_empty() || event["name"] == name)
        });
        json(&line)
    }

    /// A client of its API, as kubectl is one. To be asked for before anything else that is told.
    async fn client(&self) -> Client {
        let kubeconfig = self.event("serving", "")["kubeconfig"].clone();
        let kubeconfig = Kubeconfig::read_from(kubeconfig.as_str().expect("a path")).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        Client::try_from(config.expect("it is whole")).expect("a client")
    }

    fn interrupt(&self) {
        self.0.signal("INT");
    }

    /// What it still shows before it ends in peace.
    fn rest(self) -> Vec<String> {
        let ended = self.0.ended();
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        ended.rest
    }
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

fn cronjob(name: &str, schedule: &str, command: &str) -> String {
    format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}}}, spec: {{schedule: {schedule:?}, \
         jobTemplate: {{spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: Never, containers: [\
         {{name: main, image: busybox, command: [sh, -c, {command:?}]}}]}}}}}}}}}}}}\n"
    )
}

fn events<'a>(all: &'a [Value], kind: &str) -> Vec<&'a Value> {
    all.iter().filter(|event| event["event"] == kind).collect()
}

fn decisions<'a>(all: &'a [Value], reason: &str) -> Vec<&'a Value> {
    events(all, "decision")
        .into_iter()
        .filter(|event| event["reason"] == reason)
        .collect()
}

/// A Job of one pod that relies on its image's entrypoint.
const IMAGE_ONLY: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: image-only}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {}}
    spec:
      restartPolicy: Never
      containers: [{name: main, image: 'greeter:7', args: [from, the pod]}]
";
