//! The `punctual` binary: parse arguments, run, exit code.

use std::process::ExitCode;

use punctual::cli::{Cli, run};
use punctual::standalone::runtime::supervise_if_asked;

/// Why not that of the C library: see `Cargo.toml`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(supervised) = supervise_if_asked() {
        return supervised;
    }
    run(&Cli::from_process()).into()
}
