//! A real control plane to test against: etcd and kube-apiserver on loopback, with throw-away data.
//!
//! The binaries come from the folder in `KUBEBUILDER_ASSETS`, else from `/usr/local/kubebuilder/bin`. Include it with
//! `#[path = "../support/control_plane/mod.rs"] mod control_plane;`, from tests and from benchmarks.
//!
//! | file | what it does |
//! |---|---|
//! | `credentials` | certificates, keys, tokens and the kubeconfig |
//! | `guarded` | processes that end with us, however we end |

mod credentials;
mod guarded;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, ResourceExt};

pub(crate) use guarded::Guarded;

/// Where Kubernetes' own tooling puts the binaries.
const DEFAULT_FOLDER: &str = "/usr/local/kubebuilder/bin";

/// How long a server may take until it is ready, on a machine that is busy with other things.
const START_TIME: Duration = Duration::from_mins(2);

/// How often a start is tried: a port that was free may be taken by somebody else before the server has it.
const STARTS: usize = 3;

/// Where the binaries are.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// The folder that the environment names, if it holds what a control plane needs at least.
    pub(crate) fn find() -> Option<Self> {
        let folder = std::env::var_os("KUBEBUILDER_ASSETS").map_or(DEFAULT_FOLDER.into(), PathBuf::from);
        let binaries = Binaries { folder };
        let complete = ["etcd", "kube-apiserver"]
            .iter()
            .all(|name| binaries.path(name).is_some());
        complete.then_some(binaries)
    }

    /// Whether Kubernetes' own controllers can be started, too.
    pub(crate) fn have_controllers(&self) -> bool {
        self.path("kube-controller-manager").is_some()
    }

    /// Whether this etcd has progress requests that work, as kube-apiserver needs them for streamed lists: from 3.5.13.
    pub(crate) fn etcd_tells_progress(&self) -> bool {
        let said = self.command("etcd").arg("--version").output();
        let said = said.map(|output| output.stdout).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let version = said
            .lines()
            .next()
            .and_then(|line| line.rsplit(' ').next())
            .unwrap_or_default();
        let numbers: Vec<u32> = version
            .split('.')
            .filter_map(|number| number.parse().ok())
            .collect();
        numbers >= vec![3, 5, 13]
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(name)).filter(|path| path.is_file())
    }

    fn command(&self, name: &str) -> Command {
        Command::new(self.folder.join(name))
    }
}

/// A running control plane. It ends, and its data goes, when it is dropped or when this process ends.
pub(crate) struct ControlPlane {
    binaries: Binaries,
    config: Config,
    folder: PathBuf,
    // In the order in which they end: etcd takes the folder with it.
    apiserver: Guarded,
    etcd: Guarded,
}

impl ControlPlane {
    /// Starts etcd and kube-apiserver, and waits until they are ready.
    ///
    /// It blocks, so that it can be put into a `static` that the tests of a binary share.
    ///
    /// # Panics
    ///
    /// When they do not start; the panic holds the end of their logs.
    pub(crate) fn start(binaries: &Binaries) -> Self {
        let mut said = String::new();
        for _ in 0..STARTS {
            match Self::try_start(binaries) {
                Ok(control_plane) => return control_plane,
                Err(log) => said = log,
            }
        }
        panic!("the control plane did not start:\n{said}");
    }

    fn try_start(binaries: &Binaries) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("control-plane-").tempdir();
        // From here on it is etcd's guard that removes it, because it outlives a process that is killed.
        let folder = folder.expect("a folder for throw-away data").keep();
        let (etcd_port, port) = (free_port(), free_port());
        credentials::write(&folder, port);
        let etcd = Guarded::spawn(
            &etcd(binaries, &folder, etcd_port),
            &folder.join("etcd.log"),
            Some(&folder),
        );
        let apiserver = apiserver(binaries, &folder, etcd_port, port);
        let apiserver = Guarded::spawn(&apiserver, &folder.join("kube-apiserver.log"), None);
        let mut control_plane = ControlPlane {
            binaries: binaries.clone(),
            config: config(&folder.join("kubeconfig")),
            folder,
            apiserver,
            etcd,
        };
        control_plane.wait_until_ready()?;
        Ok(control_plane)
    }

    /// How to reach it as an administrator, over TLS. Every client of it has connections of its own.
    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    /// A client of an administrator. It belongs to the runtime that it is made in.
    pub(crate) fn client(&self) -> Client {
        Client::try_from(self.config()).expect("a client")
    }

    /// A kubeconfig file of an administrator.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// The process of kube-apiserver, for who wants to know what it uses.
    pub(crate) fn apiserver_pid(&self) -> u32 {
        self.apiserver.pid()
    }

    /// The process of etcd.
    pub(crate) fn etcd_pid(&self) -> u32 {
        self.etcd.pid()
    }

    /// Makes a namespace that nobody else uses.
    pub(crate) async fn namespace(&self) -> String {
        let mut namespace = Namespace::default();
        namespace.metadata.generate_name = Some("case-".into());
        let namespaces: Api<Namespace> = Api::all(self.client());
        let made = namespaces.create(&PostParams::default(), &namespace).await;
        made.expect("a namespace").name_any()
    }

    /// Starts kube-controller-manager with these controllers (as `--controllers` takes them), for as long as the
    /// answer lives. It is fast: its clients are not held back.
    ///
    /// # Panics
    ///
    /// When the binary is missing; see [`Binaries::have_controllers`].
    pub(crate) fn controller_manager(&self, controllers: &str) -> Guarded {
        let mut command = self.binaries.command("kube-controller-manager");
        command
            .arg(format!("--kubeconfig={}", self.kubeconfig().display()))
            .arg(format!("--controllers={controllers}"))
            .args([
                "--leader-elect=false",
                "--secure-port=0",
                "--concurrent-gc-syncs=4",
            ])
            .args(["--kube-api-qps=2000", "--kube-api-burst=4000"]);
        Guarded::spawn(&command, &self.folder.join("kube-controller-manager.log"), None)
    }

    /// Waits for `/readyz`, or for the end of one of the processes, whose log is then the error.
    fn wait_until_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_TIME;
        let config = self.config();
        // A runtime of its own, on a thread of its own: this may be called from within another.
        let ready = std::thread::scope(|scope| {
            let probe = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let client = Client::try_from(config).expect("a client");
                    while Instant::now() < deadline {
                        if is_ready(&client).await {
                            return true;
                        }
                        if self.apiserver.has_ended() || self.etcd.has_ended() {
                            return false;
                        }
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    false
                })
            });
            probe.join().expect("the probe ends")
        });
        if ready {
            return Ok(());
        }
        Err(["etcd.log", "kube-apiserver.log"]
            .map(|log| format!("{log}:\n{}", end_of(&self.folder.join(log))))
            .join("\n"))
    }
}

async fn is_ready(client: &Client) -> bool {
    let request = http::Request::get("/readyz").body(vec![]).expect("a request");
    let answer = tokio::time::timeout(Duration::from_secs(5), client.request_text(request)).await;
    answer.is_ok_and(|answer| answer.is_ok_and(|text| text == "ok"))
}

/// etcd, which need not keep anything.
fn etcd(binaries: &Binaries, folder: &Path, port: u16) -> Command {
    let mut command = binaries.command("etcd");
    command
        .arg(format!("--data-dir={}", folder.join("etcd").display()))
        .arg(format!("--listen-client-urls=http://127.0.0.1:{port}"))
        .arg(format!("--advertise-client-urls=http://127.0.0.1:{port}"))
        .args([
            "--listen-peer-urls=http://127.0.0.1:0",
            "--unsafe-no-fsync",
            "--log-level=error",
        ])
        .arg("--quota-backend-bytes=4294967296");
    command
}

/// kube-apiserver with Kubernetes' own authorization and its default admission, but for service accounts: nobody makes
/// them here.
fn apiserver(binaries: &Binaries, folder: &Path, etcd_port: u16, port: u16) -> Command {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut command = binaries.command("kube-apiserver");
    command
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd_port}"))
        .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
        .arg(format!("--secure-port={port}"))
        .arg(format!("--tls-cert-file={}", file("server.pem")))
        .arg(format!("--tls-private-key-file={}", file("server.key")))
        .arg(format!("--token-auth-file={}", file("tokens.csv")))
        .arg("--authorization-mode=RBAC")
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .arg(format!(
            "--service-account-signing-key-file={}",
            file("accounts.key")
        ))
        .arg(format!("--service-account-key-file={}", file("accounts.pem")))
        .args([
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",
        ])
        .arg("--disable-admission-plugins=ServiceAccount");
    command
}

fn config(kubeconfig: &Path) -> Config {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let config = std::thread::spawn(move || {
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options);
        runtime.expect("a runtime").block_on(config)
    });
    config.join().expect("no panic").expect("a configuration")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// The last lines of a log, which tell why a process ended.
fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
