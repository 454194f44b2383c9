//! Whom a session is played against: each session has a folder, a namespace and, of `punctual up`, a server of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::{env, fs};

use libtest_mimic::Failed;
use serde_json::Value;
use tempfile::TempDir;

use crate::control_plane::{Binaries, ControlPlane, Guarded};
use crate::folder;
use crate::plain::plain;
use crate::process::Process;
use crate::session::On;

/// The real control plane, which the sessions share.
static CONTROL_PLANE: Mutex<Option<(ControlPlane, Guarded)>> = Mutex::new(None);

/// The controllers that a session may count on. Those of namespaces and garbage are Kubernetes' own way to clean up.
const CONTROLLERS: &str = "namespace-controller,garbage-collector-controller,job-controller,serviceaccount-controller,\
     root-ca-certificate-publisher-controller";

/// The oldest kubectl that the sessions are written for: 1.32.
const OLDEST_MINOR: u32 = 32;

/// Where kubectl is.
#[derive(Debug, Clone)]
pub(crate) struct Kubectl(PathBuf);

impl Kubectl {
    /// The one that the environment names, else the first at hand.
    pub(crate) fn find() -> Option<Kubectl> {
        let named = env::var_os("KUBECTL").map(PathBuf::from);
        let beside_server =
            env::var_os("KUBEBUILDER_ASSETS").map(|folder| Path::new(&folder).join("kubectl"));
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path).map(|folder| folder.join("kubectl"));
        let mut candidates = named.into_iter().chain(beside_server).chain(on_path);
        candidates
            .find(|path| path.is_file())
            .map(Kubectl)
            .filter(Kubectl::is_new_enough)
    }

    /// Whether it is of a version that is promised to work; older ones print other things.
    fn is_new_enough(&self) -> bool {
        let asked = Command::new(&self.0)
            .args(["version", "--client", "--output=json"])
            .output();
        let said = asked.map(|output| output.stdout).unwrap_or_default();
        let said: Value = serde_json::from_slice(&said).unwrap_or_default();
        // Vendors who build it with changes say `32+`.
        let minor = said["clientVersion"]["minor"].as_str().unwrap_or_default();
        minor
            .trim_end_matches('+')
            .parse()
            .is_ok_and(|minor: u32| minor >= OLDEST_MINOR)
    }
}

/// A server, and a shell that speaks to it.
pub(crate) struct Server {
    /// What is there for this session alone.
    punctual: Option<Process>,
    folder: TempDir,
}

impl Server {
    /// Starts a server, or takes the shared one, and makes a namespace for the session.
    pub(crate) fn start(on: On, session: &str, kubectl: &Kubectl) -> Result<Server, Failed> {
        let folder = TempDir::new()?;
        let bin = folder.path().join("bin");
        fs::create_dir(&bin)?;
        std::os::unix::fs::symlink(&kubectl.0, bin.join("kubectl"))?;
        fs::create_dir(folder.path().join("home"))?;
        copy(&self::folder().join("files"), &folder.path().join("files"))?;
        let (punctual, kubeconfig) = match on {
            On::Punctual => {
                let (punctual, kubeconfig) = punctual(&folder.path().join("data"))?;
                (Some(punctual), kubeconfig)
            }
            On::Kubernetes => (None, control_plane()),
        };
        fs::copy(kubeconfig, folder.path().join("kubeconfig"))?;
        let server = Server { punctual, folder };
        let prepared = server.shell(&format!(
            "kubectl create namespace {session} && kubectl config set-context --current --namespace={session} && \
             until kubectl get serviceaccount default; do sleep 0.1; done"
        ));
        if !prepared.contains("default") || prepared.contains("[exit") {
            return Err(prepared.into());
        }
        Ok(server)
    }

    /// Runs a line, and returns what it prints, without what is different each time.
    pub(crate) fn run(&self, line: &str) -> String {
        plain(&self.shell(line))
    }

    fn shell(&self, line: &str) -> String {
        let (root, path) = (self.folder.path(), env::var("PATH").unwrap_or_default());
        let output = Command::new("timeout")
            .args(["60", "sh", "-c", &format!("exec 2>&1\n{line}")])
            .current_dir(root.join("files"))
            .env("PATH", format!("{}:{path}", root.join("bin").display()))
            .env("HOME", root.join("home"))
            .env("KUBECONFIG", root.join("kubeconfig"))
            .stdin(Stdio::null())
            .output()
            .expect("a shell");
        let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            if !printed.is_empty() && !printed.ends_with('\n') {
                printed.push('\n');
            }
            let code = output.status.code().unwrap_or_default();
            printed = format!("{printed}[exit {code}]");
        }
        printed
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // In peace, so that it leaves no pods behind.
        self.punctual.take().map(Process::interrupt);
    }
}

/// Starts `punctual up`, and returns where its kubeconfig is.
fn punctual(data: &Path) -> Result<(Process, PathBuf), Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_punctual"));
    let punctual = Process::start(command.arg("up").arg("--data-dir").arg(data));
    let first = punctual.line().ok_or("punctual ended at once")?;
    let kubeconfig = first.strip_prefix("kubeconfig: ").ok_or(first.clone())?.into();
    Ok((punctual, kubeconfig))
}

/// Starts the real control plane when it does not run yet, and returns where its kubeconfig is.
fn control_plane() -> PathBuf {
    let mut shared = CONTROL_PLANE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let (control_plane, _) = shared.get_or_insert_with(|| {
        let binaries = Binaries::find().expect("a case that is not ignored has its server");
        let control_plane = ControlPlane::start(&binaries);
        let controllers = control_plane.controller_manager(CONTROLLERS);
        (control_plane, controllers)
    });
    control_plane.kubeconfig()
}

/// Ends the real control plane. A static is not dropped.
pub(crate) fn end_control_plane() {
    let mut shared = CONTROL_PLANE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    drop(shared.take());
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
