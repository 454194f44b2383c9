//! The binary, as a person or a script uses it: output, errors and exit codes.

mod backfill;
mod backfill_here;
mod completion;
mod connect;
mod controller;
mod daily;
#[path = "../support/deadline.rs"]
mod deadline;
mod door;
#[path = "../support/embedded.rs"]
mod embedded;
mod explain;
mod forecast;
mod import;
mod lint;
mod next;
#[allow(dead_code, reason = "each suite uses its part of it")]
#[path = "../support/process.rs"]
mod process;
#[path = "../support/request.rs"]
mod request;
mod server;
mod simulate;
mod unread;
mod up;

use std::process::{Child, Command, Output, Stdio};

/// Runs `punctual` with the given arguments and nothing on standard input.
fn punctual(arguments: &[&str]) -> Output {
    command(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("punctual can be started")
}

/// What in the environment would lead a `punctual` elsewhere, or make it say more.
const NOT_HANDED_DOWN: [&str; 8] = [
    "RUST_LOG",
    "KUBECONFIG",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// A `punctual` that finds the zone rules built in, whatever the machine has.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_punctual"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    for variable in NOT_HANDED_DOWN {
        command.env_remove(variable);
    }
    command
}

/// Ctrl-C, for one process.
fn interrupt(child: &Child) {
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(status.expect("kill can be started").success());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn exit_code(output: &Output) -> i32 {
    output.status.code().expect("not killed by a signal")
}
