//! The `punctual` binary: parse arguments, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use punctual::cli::{Cli, run};

fn main() -> ExitCode {
    run(&Cli::parse()).into()
}
