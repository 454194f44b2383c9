//! `punctual up`: runs the CronJobs and Jobs of some manifests on this machine.
//!
//! | file | what it does |
//! |---|---|
//! | `session` | starts everything, shows what happens, stops everything |
//! | `apply` | puts the manifests into the embedded API |
//! | `jobs` | notices that Jobs end |
//! | `happening` | what is shown, as values |
//! | `text`, `json`, `table`, `tally` | how it is shown (pure) |

mod apply;
mod happening;
mod jobs;
mod json;
mod session;
mod table;
mod tally;
mod text;

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::exit::{Exit, Failure};
use crate::cli::{diagnostics, zoneinfo};
use crate::manifest;

/// Arguments of `punctual up`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  punctual up fixtures/quickstart.yaml --for 30s")]
pub(super) struct UpArgs {
    /// Manifests: YAML or JSON files, folders of them, or - for standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// How to show what happens
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,

    /// Stop by itself after this long, e.g. 30s or 1h30m
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    run_for: Option<Duration>,

    /// Read time-zone rules from this folder instead of the newest at hand
    #[arg(long, value_name = "DIR")]
    tzdata: Option<PathBuf>,
}

/// How `up` shows what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// A line each, for people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "not a duration; write it like 30s, 10m or 1h30m")?;
    Duration::try_from(duration).map_err(|_| "a duration can't be negative".into())
}

/// Runs the command until it is told to stop.
///
/// # Errors
///
/// When the manifests are refused, or when something fails that is needed to run them.
pub(super) fn up(args: &UpArgs) -> Result<Exit, Failure> {
    let zones =
        zoneinfo::load(args.tzdata.as_deref()).map_err(|error| Failure::usage(crate::cli::chain(&error)))?;
    let loaded = manifest::load(&args.paths, &mut std::io::stdin(), &zones);
    diagnostics::print(&loaded.diagnostics);
    if loaded.has_errors() {
        return Ok(Exit::Refused);
    }
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::from_error("the asynchronous runtime could not be started", &error))?;
    runtime.block_on(session::run(args, loaded.objects, std::sync::Arc::new(zones)))
}
