//! The `punctual` binary: parse arguments, run, exit code.

use std::process::ExitCode;

use punctual::cli::{Cli, run};

fn main() -> ExitCode {
    run(&Cli::from_process()).into()
}
