//! Stock kubectl, as people use it: whole sessions, with what it prints.
//!
//! Each `sessions/*.session` is a session: lines that a shell runs, and below each what it printed. They are played
//! against `punctual up` (`punctual::…`), and those that need no pod to run also against a real kube-apiserver with
//! Kubernetes' own controllers (`kubernetes::…`), where they have to print the same. `UPDATE_SESSIONS=1` writes down what
//! `punctual up` prints: read what changed.
//!
//! kubectl is the one that `KUBECTL` names, else the one in the folder `KUBEBUILDER_ASSETS`, else the one on the `PATH`; the
//! real server is in the folder `KUBEBUILDER_ASSETS`. Where they are missing the cases show as ignored.
//!
//! | file | what is in it |
//! |---|---|
//! | `session` | a session: read, played, written |
//! | `plain` | what kubectl prints, without what differs from day to day |
//! | `server` | whom it is played against |

#[path = "../support/control_plane/mod.rs"]
#[allow(dead_code, reason = "each of those who include it uses a part")]
mod control_plane;
#[path = "../support/deadline.rs"]
mod deadline;
mod plain;
#[allow(dead_code, reason = "each suite uses its part of it")]
#[path = "../support/process.rs"]
mod process;
mod server;
mod session;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use libtest_mimic::{Arguments, Failed, Trial};

use control_plane::Binaries;
use server::{Kubectl, Server};
use session::{On, Session};

/// Writes down what is printed instead of comparing it.
const UPDATE: &str = "UPDATE_SESSIONS";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let kubectl = Kubectl::find();
    let has_server = Binaries::find().is_some_and(|binaries| binaries.have_controllers());
    let mut trials = Vec::new();
    for path in sessions() {
        let session = Session::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = stem(&path);
        for (on, is_there) in [(On::Punctual, true), (On::Kubernetes, has_server)] {
            if !session.is_for(on) {
                continue;
            }
            let (kubectl, session, path) = (kubectl.clone(), session.clone(), path.clone());
            let ignored = kubectl.is_none() || !is_there;
            let run = move || match &kubectl {
                Some(kubectl) => check(&path, &session, on, kubectl),
                None => Err("there is no kubectl".into()),
            };
            trials.push(Trial::test(format!("{}::{name}", on.name()), run).with_ignored_flag(ignored));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    server::end_control_plane();
    conclusion.exit_code()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubectl")
}

fn sessions() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join("sessions")).expect("the folder of the sessions");
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn check(path: &Path, session: &Session, on: On, kubectl: &Kubectl) -> Result<(), Failed> {
    let server = Server::start(on, &stem(path), kubectl)?;
    let played = session.play(|line| server.run(line));
    if on == On::Punctual && env::var_os(UPDATE).is_some() {
        fs::write(path, played.to_string())?;
        return Ok(());
    }
    let differences = session.differences(&played, on);
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{UPDATE}=1 writes down what punctual prints:\n{}",
        differences.join("\n")
    )
    .into())
}
