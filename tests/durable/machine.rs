//! A `punctual up` over a data folder, which can be killed and started again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use tempfile::TempDir;

use crate::process::{PATIENCE, Process};

/// A folder with a data folder in it, and a manifest.
pub(crate) struct Place {
    folder: TempDir,
    data: PathBuf,
}

/// A `punctual up` over the data folder of a place. It is killed when this is dropped; what it runs ends by itself.
pub(crate) struct Up {
    process: Process,
    data: PathBuf,
}

/// A `punctual up` that has ended by itself.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = TempDir::new().expect("a folder");
        let data = folder.path().join("data");
        Place { folder, data }
    }

    /// With its data somewhere else.
    pub(crate) fn with_data_in(data: PathBuf) -> Place {
        let folder = TempDir::new().expect("a folder");
        Place { folder, data }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Writes the manifest.
    pub(crate) fn manifest(&self, text: &str) {
        std::fs::write(self.path("manifest.yaml"), text).expect("a file");
    }

    /// What a file of this place holds, as lines.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until a file of this place holds so many lines.
    pub(crate) async fn lines_until(&self, name: &str, count: usize) -> Vec<String> {
        until(&format!("{count} lines in {name}"), || async {
            Some(self.lines(name)).filter(|lines| lines.len() >= count)
        })
        .await
    }

    pub(crate) fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_punctual"));
        command
            .arg("up")
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Starts `punctual up` with the manifest, if there is one, and waits until it serves.
    pub(crate) async fn up(&self) -> Up {
        let up = self.up_soon();
        up.serves().await;
        up
    }

    /// Starts it, and does not wait.
    pub(crate) fn up_soon(&self) -> Up {
        self.up_with(&[])
    }

    /// Starts it with more arguments, and does not wait.
    pub(crate) fn up_with(&self, more: &[&str]) -> Up {
        self.over_its_data(Process::start(&mut self.command_with(more)))
    }

    /// Starts it with limits that a shell sets first, e.g. `ulimit -n 64`, and does not wait.
    pub(crate) fn up_within(&self, limits: &str) -> Up {
        let unlimited = self.command_with(&[]);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{limits} && exec \"$@\""), "sh"])
            .arg(unlimited.get_program())
            .args(unlimited.get_args())
            .env_remove("RUST_LOG");
        self.over_its_data(Process::start(&mut command))
    }

    /// Starts it, and reads nothing of what it shows.
    pub(crate) fn up_unread(&self) -> Up {
        self.over_its_data(Process::unread(&mut self.command_with(&[])))
    }

    fn over_its_data(&self, process: Process) -> Up {
        let data = self.data.clone();
        Up { process, data }
    }

    fn command_with(&self, more: &[&str]) -> Command {
        let data = self.data.to_str().expect("UTF-8").to_owned();
        let manifest = self.path("manifest.yaml");
        let mut arguments = vec!["--data-dir", &data];
        arguments.extend(more);
        arguments.extend(manifest.to_str().filter(|_| manifest.exists()));
        Self::command(&arguments)
    }

    /// Runs it to its end, which comes by itself.
    pub(crate) fn ended(&self, more: &[&str]) -> Ended {
        let data = self.data.to_str().expect("UTF-8");
        let arguments: Vec<&str> = ["--data-dir", data]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let output = Self::command(&arguments)
            .output()
            .expect("punctual can be started");
        Ended {
            code: output.status.code(),
            said: String::from_utf8(output.stderr)
                .expect("UTF-8")
                .replace(data, "DIR"),
        }
    }
}

impl Up {
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What it has shown.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.process.shown()
    }

    /// Waits until it has shown a line with this text.
    pub(crate) async fn shows(&self, text: &str) {
        until(&format!("{text:?} is shown"), || async {
            self.shown().iter().any(|line| line.contains(text)).then_some(())
        })
        .await;
    }

    pub(crate) async fn serves(&self) {
        self.shows("kubeconfig: ").await;
        until("the API answers", || async {
            self.client().await?.apiserver_version().await.ok()
        })
        .await;
    }

    /// A client as kubectl is one: from the kubeconfig, over TLS.
    pub(crate) async fn client(&self) -> Option<Client> {
        let kubeconfig = Kubeconfig::read_from(self.data.join("kubeconfig")).ok()?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        Client::try_from(config.ok()?).ok()
    }

    /// How the process of its only pod has ended; waits for that.
    pub(crate) async fn process_ended(&self) -> ContainerStateTerminated {
        let pods: Api<Pod> = Api::default_namespaced(self.client().await.expect("a client"));
        until("the end of the process", || async {
            let pod = pods.list(&ListParams::default()).await.ok()?.items.pop()?;
            pod.status?.container_statuses?.pop()?.state?.terminated
        })
        .await
    }

    /// Waits until the status of a Job is as wanted.
    pub(crate) async fn job_until(&self, name: &str, wanted: impl Fn(&JobStatus) -> bool) -> JobStatus {
        let jobs: Api<Job> = Api::default_namespaced(self.client().await.expect("a client"));
        until(&format!("Job {name}"), || async {
            let job = jobs.get_opt(name).await.ok()??;
            job.status.filter(&wanted)
        })
        .await
    }

    pub(crate) fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// Kills it outright.
    pub(crate) fn kill(self) {
        self.process.kill();
    }

    /// Ends it with Ctrl-C, and returns what it said on standard error.
    pub(crate) fn interrupt(self) -> String {
        self.stopped_by("INT")
    }

    /// Ends it with a signal, and returns what it said on standard error.
    pub(crate) fn stopped_by(self, signal: &str) -> String {
        self.signal(signal);
        let ended = self.process.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        ended.said
    }
}

/// Asks until there is an answer.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "not within patience: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a condition of the Job holds.
pub(crate) fn holds(status: &JobStatus, name: &str) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.any(|condition| condition.type_ == name && condition.status == "True")
}
