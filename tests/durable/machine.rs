//! A `punctual up` over a data folder, which can be killed and started again.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use tempfile::TempDir;

/// Long enough that only a test that hangs takes it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with a data folder in it, and a manifest.
pub(crate) struct Place {
    folder: TempDir,
    data: PathBuf,
}

/// A `punctual up`. It is killed when this is dropped; what it runs ends by itself.
pub(crate) struct Up {
    child: Child,
    shown: Arc<Mutex<Vec<String>>>,
    said: Option<JoinHandle<String>>,
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
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
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
        let mut up = Up::start(&mut self.command_with(more), &self.data);
        up.read();
        up
    }

    /// Starts it with limits that a shell sets first, e.g. `ulimit -n 64`, and does not wait.
    pub(crate) fn up_within(&self, limits: &str) -> Up {
        let unlimited = self.command_with(&[]);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{limits} && exec \"$@\""), "sh"])
            .arg(unlimited.get_program())
            .args(unlimited.get_args())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut up = Up::start(&mut command, &self.data);
        up.read();
        up
    }

    /// Starts it, and reads nothing of what it shows.
    pub(crate) fn up_unread(&self) -> Up {
        Up::start(&mut self.command_with(&[]), &self.data)
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
    fn start(command: &mut Command, data: &Path) -> Up {
        let mut child = command.spawn().expect("punctual can be started");
        let mut stderr = child.stderr.take().expect("piped");
        let said = std::thread::spawn(move || {
            let mut said = String::new();
            // What is not UTF-8 would show as missing.
            let _cut = stderr.read_to_string(&mut said);
            said
        });
        Up {
            child,
            shown: Arc::default(),
            said: Some(said),
            data: data.to_owned(),
        }
    }

    /// Reads what it shows, from now on.
    fn read(&mut self) {
        let stdout = BufReader::new(self.child.stdout.take().expect("piped"));
        let lines = Arc::clone(&self.shown);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has shown.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &self.pid().to_string()])
            .status();
        assert!(sent.expect("kill can be started").success());
    }

    /// Kills it outright.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Ends it with Ctrl-C, and returns what it said on standard error.
    pub(crate) fn interrupt(self) -> String {
        self.stopped_by("INT")
    }

    /// Ends it with a signal, and returns what it said on standard error.
    pub(crate) fn stopped_by(mut self, signal: &str) -> String {
        self.signal(signal);
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not stop");
            std::thread::sleep(Duration::from_millis(10));
        };
        let said = self.said.take().map(JoinHandle::join);
        let said = said.expect("it is ended once").expect("it was read");
        assert_eq!(status.code(), Some(0), "{said}");
        said
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
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
