//! The container image, built of its Dockerfile without a network and run by Podman: who it runs as, what is in it, and
//! that it stops when it is told to.
//!
//! The binary of a test is not static, so its libraries come along; the image is otherwise as `image/rootfs.sh` puts it
//! together.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::embedded::Embedded;
use crate::podman::command;

const IMAGE: &str = "localhost/punctual-image:1";

pub(crate) async fn it_runs_without_rights_and_stops_when_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let context = folder.path().join("context");
    assemble(&context.join("target/image"));
    let store = folder.path().join("store");
    fs::create_dir_all(&store).expect("a folder");
    crate::podman::configure(&store);
    let podman = |arguments: &[&str]| run(command(&store).args(arguments));
    let context = context.display().to_string();
    podman(&[
        "build",
        "--quiet",
        "--network",
        "none",
        "--target",
        "prebuilt",
        "--build-arg",
        "COMMIT=abc",
        "-f",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Dockerfile"),
        "-t",
        IMAGE,
        &context,
    ]);

    let inspected: Value = serde_json::from_str(&podman(&["inspect", IMAGE])).expect("JSON");
    let config = &inspected[0]["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/punctual"]));
    assert_eq!(config["Labels"]["org.opencontainers.image.revision"], "abc");
    assert_eq!(
        config["Labels"]["org.opencontainers.image.licenses"],
        "Apache-2.0"
    );
    let restricted = [
        "run",
        "--rm",
        "--read-only",
        "--cap-drop",
        "all",
        "--network",
        "none",
        IMAGE,
    ];
    let version = podman(&[&restricted[..], &["--version"]].concat());
    assert!(
        version.starts_with("punctual 0.")
            && version.contains("Kubernetes 1.")
            && version.contains("time zones 20"),
        "{version}"
    );
    let next = podman(
        &[
            &restricted[..],
            &["next", "0 3 * * *", "--time-zone", "Europe/Berlin", "-n", "1"],
        ]
        .concat(),
    );
    assert!(next.contains(" 03:00:00 +0"), "{next}");

    let server = Embedded::start().await;
    fs::copy(server.kubeconfig(), store.join("kubeconfig")).expect("a copy");
    let mount = format!("{}:/kubeconfig:ro", store.join("kubeconfig").display());
    let id = podman(&[
        "run",
        "--detach",
        "--read-only",
        "--cap-drop",
        "all",
        "--network",
        "host",
        "-v",
        &mount,
        IMAGE,
        "controller",
        "--kubeconfig",
        "/kubeconfig",
        "--metrics-listen",
        "127.0.0.1:0",
    ]);
    let id = id.trim();
    for _ in 0..600 {
        if podman(&["logs", id]).contains("punctual controller") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // As process 1 it would not be ended by a signal that it did not catch.
    podman(&["kill", "--signal", "TERM", id]);
    assert_eq!(podman(&["wait", id]).trim(), "0", "{}", podman(&["logs", id]));
}

/// What `image/rootfs.sh` puts together, and the libraries of this binary.
fn assemble(root: &Path) {
    let binary = env!("CARGO_BIN_EXE_punctual");
    run(Command::new("sh").arg("image/rootfs.sh").arg(binary).arg(root));
    for line in run(Command::new("ldd").arg(binary)).lines() {
        let path = line.split_whitespace().find(|word| word.starts_with('/'));
        let Some(path) = path else { continue };
        let target = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        fs::copy(path, target).expect("a library");
    }
}

/// What a command says, on either stream.
fn run(command: &mut Command) -> String {
    let output: Output = command.output().expect("it can be started");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}
