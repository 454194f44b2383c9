//! The chart, rendered by Helm's own engine, the alerts, judged by promtool, and the commands that hand CronJobs over.
//!
//! Helm's engine comes as a Python package (`helm-python-sdk`), promtool with Debian's `prometheus`; `.ci/run` installs
//! both where it can. What a machine has not shows as ignored.

mod alerts;
mod flips;
mod moving;
mod render;
#[path = "../support/flips.rs"]
mod values;

use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

/// Where the chart is.
const CHART: &str = "charts/punctual";

fn main() -> ExitCode {
    let mut trials = alerts::trials();
    trials.extend(moving::trials());
    let helm = runs("python3", &["-c", "import helm_python"]);
    trials.extend(render::trials(helm));
    trials.extend(flips::trials(helm));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A case that needs a program; without it the case is ignored.
fn needing(present: bool, name: &str, case: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(name, case).with_ignored_flag(!present)
}

/// Whether a command runs.
fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A file of the project.
fn read(path: &str) -> Result<String, Failed> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}").into())
}
