//! Another user of this machine, whom the data of `punctual` is none of the business of. Only root can become one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::machine::Place;
use crate::restarts::job;

/// Runs a script as somebody else.
fn as_another(script: &str) -> Output {
    let nobody = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "sh",
        "-c",
        script,
    ];
    let output = Command::new("setpriv").args(nobody).output();
    output.unwrap_or_else(|error| panic!("setpriv: {error}"))
}

/// Whether this is root, with the command that makes it somebody else.
pub(crate) fn can_be_played() -> bool {
    let tried = Command::new("setpriv").args(["--reuid=65534", "true"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Everything below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

pub(crate) async fn another_user_reads_nothing_and_orders_nothing() {
    // Anybody may look into the folder that the data folder is in.
    let shared = TempDir::new().expect("a folder");
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let place = Place::with_data_in(shared.path().join("data"));
    place.manifest(&job("echo secret; sleep 60", ""));
    let up = place.up().await;
    up.job_until("work", |status| status.ready == Some(1)).await;
    let files = files(place.data());
    let has = |name: &str| {
        files
            .iter()
            .any(|file| file.file_name().is_some_and(|found| found == name))
    };
    assert!(
        has("kubeconfig") && has("socket") && has("main.0.log"),
        "{files:?}"
    );
    for file in files {
        let path = file.display();
        let said = as_another(&format!("cat '{path}' || echo >> '{path}'"));
        assert!(
            !said.status.success() && said.stdout.is_empty(),
            "{path}: {said:?}"
        );
    }
    up.signal("INT");
    up.interrupt();
}

/// A Job of another user, who writes to a volume of its pod; it may see neither the data folder nor another pod.
pub(crate) async fn a_pod_runs_as_the_user_it_asks_for() {
    let shared = TempDir::new().expect("a folder");
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let place = Place::with_data_in(shared.path().join("data"));
    let data = place.data().display();
    let script = format!(
        "id -u; id -g; id -G; touch work/mine; ls -n work/mine | cut -d' ' -f3,4; ls {data} 2>/dev/null || echo closed; \
         cat {data}/token 2>/dev/null || echo closed; echo written > /dev/stdout; echo last > $TERMINATION_MESSAGE_PATH && echo said"
    );
    let context = "securityContext: {runAsUser: 65534, runAsGroup: 65533, fsGroup: 4711}, volumes: [{name: work, emptyDir: {}}], containers:";
    let mounted = "volumeMounts: [{name: work, mountPath: work}], command:";
    let manifest = job(&script, "backoffLimit: 0, ")
        .replace("containers:", context)
        .replace("command:", mounted);
    place.manifest(&manifest);
    let up = place.up().await;
    up.job_until("work", |status| status.succeeded == Some(1)).await;
    let logs = files(place.data());
    let log = logs
        .iter()
        .find(|file| file.ends_with("main.0.log"))
        .expect("a log");
    let log = fs::read_to_string(log).expect("it can be read");
    let said: Vec<&str> = log
        .lines()
        .filter_map(|line| line.splitn(4, ' ').nth(3))
        .collect();
    assert_eq!(
        said,
        [
            "65534",
            "65533",
            "65533 4711",
            "65534 4711",
            "closed",
            "closed",
            "written",
            "said"
        ],
        "{log}"
    );
    up.interrupt();
    // What it was opened for is no reason not to use it again.
    place.up().await.interrupt();
}
