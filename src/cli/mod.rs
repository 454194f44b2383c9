//! The commands: one file or folder each, by the name of the command, and what several of them share.
//!
//! | shared | what it is |
//! |---|---|
//! | `asked` | which schedules a command is asked about |
//! | `chosen`, `change` | which CronJobs a command is about, and changing them, one or many |
//! | `assumed` | what is assumed about runs that are only imagined |
//! | `connect`, `calendars`, `zoneinfo` | the API server, the calendars and the time zones that a command relies on |
//! | `console`, `progress`, `consent`, `interrupts` | what is said, asked and heard at a terminal |
//! | `present`, `page`, `diagnostics` | tables, an HTML page, what is wrong with manifests |
//! | `duration` | how long something is to take, as it is written |
//! | `exit` | exit codes, and the errors that lead to them |

mod asked;
mod assumed;
mod backfill;
mod calendars;
mod change;
mod chosen;
mod completion;
mod connect;
mod consent;
mod console;
mod controller;
mod diagnostics;
mod duration;
mod exit;
mod explain;
mod forecast;
mod get;
mod import;
mod interrupts;
mod lint;
mod next;
mod page;
mod present;
mod progress;
mod resume;
mod simulate;
mod skip_next;
mod suspend;
mod trigger;
mod up;
pub mod zoneinfo;

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use console::{complain, say};
pub use exit::{Exit, Failure};

/// The version of Kubernetes whose objects this program was built with; it runs on older and newer ones.
const KUBERNETES: &str = "1.36";

/// The program's version and commit, and those of what it goes by: Kubernetes' objects, and the rules of time zones.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut version = env!("CARGO_PKG_VERSION").to_owned();
    let commit = option_env!("PUNCTUAL_COMMIT").map(|commit| format!("commit {commit}"));
    let zones = zoneinfo::load(None).ok();
    let zones = zones.map(|zones| format!("time zones {} ({})", zones.version(), zones.origin()));
    let kubernetes = Some(format!("Kubernetes {KUBERNETES}"));
    for part in [commit, kubernetes, zones].into_iter().flatten() {
        version.push_str(", ");
        version.push_str(&part);
    }
    version
});

/// Runs Kubernetes CronJobs on time: in a cluster, or on one machine with no cluster at all.
#[derive(Debug, Parser)]
#[command(
    name = "punctual",
    version = VERSION.as_str(),
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
Examples:
  punctual up cron.yaml                  run manifests on this machine
  punctual lint k8s/                     find what is wrong with them
  punctual explain '0 0 13 * 5'          say a schedule in plain English
  punctual next -f cron.yaml             list when everything is due
  punctual simulate -f cron.yaml         see what would happen
  punctual get -A                        see how the CronJobs of a cluster are

`punctual COMMAND --help` has more examples. Called `kubectl-punctual`, it is a plugin of kubectl."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the CronJobs and Jobs of some manifests on this machine
    Up(up::UpArgs),
    /// Run the CronJobs of a cluster, in place of the built-in controller or beside it
    Controller(controller::ControllerArgs),
    /// List CronJobs with their next due instant and how their runs end
    Get(get::GetArgs),
    /// Start no runs of some CronJobs for now
    Suspend(suspend::SuspendArgs),
    /// End the pause of some CronJobs
    Resume(resume::ResumeArgs),
    /// Let the next due instant of some CronJobs pass without a run
    SkipNext(skip_next::SkipNextArgs),
    /// Run a CronJob once, now
    Trigger(trigger::TriggerArgs),
    /// Run a CronJob for instants of the past
    Backfill(backfill::BackfillArgs),
    /// List when a schedule is due
    Next(next::NextArgs),
    /// Say what a schedule means, when it is due and what may surprise about it
    Explain(explain::ExplainArgs),
    /// Find what is wrong with manifests, and what is likely not meant
    Lint(lint::LintArgs),
    /// Say what would happen, minute by minute, without running anything
    Simulate(simulate::SimulateArgs),
    /// Say how many runs will start in each minute of the next day or week
    Forecast(forecast::ForecastArgs),
    /// Write manifests from a crontab
    Import(import::ImportArgs),
    /// Print a completion script for a shell
    Completion(completion::CompletionArgs),
    /// Print a manual page
    Man(completion::ManArgs),
}

/// What the binary is called as a plugin of kubectl.
const PLUGIN: &str = "kubectl-punctual";

impl Cli {
    /// The arguments of this process. Started as `kubectl-punctual`, it speaks of itself as `kubectl punctual`.
    pub fn from_process() -> Cli {
        let program = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
        let is_plugin = program.file_stem().is_some_and(|name| name == PLUGIN);
        let mut command = with_numbers(Cli::command());
        if is_plugin {
            command = command.bin_name("kubectl punctual");
        }
        let matches = command.get_matches();
        Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// The same, with values of options that may begin with a minus: a number or a duration that is too small is refused for what
/// it is, and not as an option that there is not.
fn with_numbers(command: clap::Command) -> clap::Command {
    command.mut_subcommands(|command| {
        command.mut_args(|arg| {
            let is_option = arg.get_action().takes_values() && !arg.is_positional();
            let is_duration = |names: &[clap::builder::Str]| {
                names
                    .iter()
                    .any(|name| duration::VALUE_NAMES.contains(&name.as_str()))
            };
            let takes_all =
                arg.is_allow_hyphen_values_set() || arg.get_value_names().is_some_and(is_duration);
            arg.allow_hyphen_values(takes_all)
                .allow_negative_numbers(is_option && !takes_all)
        })
    })
}

/// Runs a command, and says on standard error why it failed if it did.
pub fn run(cli: &Cli) -> Exit {
    let result = match &cli.command {
        Command::Up(args) => up::up(args),
        Command::Controller(args) => controller::controller(args),
        Command::Get(args) => get::get(args),
        Command::Suspend(args) => suspend::suspend(args),
        Command::Resume(args) => resume::resume(args),
        Command::SkipNext(args) => skip_next::skip_next(args),
        Command::Trigger(args) => trigger::trigger(args),
        Command::Backfill(args) => backfill::backfill(args),
        Command::Next(args) => next::next(args),
        Command::Lint(args) => lint::lint(args),
        Command::Import(args) => import::import(args),
        Command::Simulate(args) => simulate::simulate(args),
        Command::Forecast(args) => forecast::forecast(args),
        Command::Explain(args) => explain::explain(args),
        Command::Completion(args) => completion::completion(args),
        Command::Man(args) => completion::man(args),
    };
    let result = result.and_then(|exit| match console::unwritten() {
        Some(error) if exit == Exit::Fine => {
            Err(Failure::from_error("the output could not be written", error))
        }
        _ => Ok(exit),
    });
    let (exit, message) = match result {
        Ok(exit) => (exit, String::new()),
        Err(failure) => (failure.exit, failure.message),
    };
    let error = (!message.is_empty()).then(|| format!("error: {message}"));
    console::end(error);
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_too_small_is_refused_as_one() {
        for arguments in [
            &["skip-next", "a", "--count", "-1"][..],
            &["skip-next", "a", "-c", "-1"],
            &["controller", "--max-start-rate", "-1"],
            &["controller", "--namespace-share", "-1"],
            &["simulate", "-f", "a", "--run-time", "-5m"],
            &[
                "backfill",
                "a",
                "--from",
                "2026-01-01T00:00:00Z",
                "--max-active",
                "-1",
            ],
            &["next", "@daily", "-n", "-1"],
            &["up", "--for", "-5s"],
            &["suspend", "a", "--until", "-2h"],
            &["trigger", "a", "--wait", "--timeout", "-5s"],
            &["controller", "--lease-duration", "-1s"],
            &["backfill", "a", "--from", "2026-01-01T00:00:00Z", "--keep", "-1h"],
            &["forecast", "--top", "-1"],
        ] {
            let command = with_numbers(Cli::command());
            let refused = command.try_get_matches_from(["punctual"].iter().chain(arguments));
            let error = refused.expect_err("no such number").to_string();
            assert!(
                error.starts_with("error: invalid value '-"),
                "{arguments:?}: {error}"
            );
            assert!(!error.contains("invalid digit"), "{arguments:?}: {error}");
        }
        // What begins with a minus and is no option goes on to be a value where it may be one.
        let command = with_numbers(Cli::command());
        let taken = command.try_get_matches_from(["punctual", "trigger", "a", "--args", "--full"]);
        assert!(taken.is_ok(), "{taken:?}");
    }
}
