//! `punctual up`: runs the CronJobs and Jobs of some manifests on this machine.
//!
//! | file | what it does |
//! |---|---|
//! | `preparing` | opens everything, before anything runs |
//! | `session` | starts what was prepared, shows what happens, stops everything |
//! | `threads` | whether there may be the threads that it takes |
//! | `sources` | where what is shown comes from, and in which order |
//! | `serving` | the data folder, the database, and the door to the API |
//! | `before` | what an earlier `up` has left there |
//! | `item` | what the manifests hold |
//! | `apply` | puts the manifests into the embedded API |
//! | `refusal` | why something was not done, and whether it may be later |
//! | `foreseen` | what is known to keep runs from starting, told before they are due |
//! | `origin` | which file an object was applied from, and what goes with its file |
//! | `watch` | follows the manifests when they change |
//! | `ends` | notices that Jobs and pods end |
//! | `listeners` | runs these two, and notices when one of them dies |
//! | `naming` | by which name the lines of a process are shown |
//! | `happening` | what is shown, as values |
//! | `lasted` | how long work took that ended unseen |
//! | `repeats` | what need not be said again |
//! | `text`, `json`, `table`, `tally` | how it is shown (pure) |

mod apply;
mod before;
mod ends;
mod foreseen;
mod happening;
mod item;
mod json;
mod lasted;
mod listeners;
mod naming;
mod origin;
mod preparing;
mod refusal;
mod repeats;
mod serving;
mod session;
mod sources;
mod table;
mod tally;
mod text;
mod threads;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::duration::duration;
use crate::cli::exit::{Exit, Failure};
use crate::cli::zoneinfo::TzdataArgs;
use crate::cli::{console, diagnostics};
use crate::clock::{Clock as _, SystemClock};
use crate::cronjob::extension::Runtime;
use crate::manifest;
use crate::standalone::data_dir::survive_too_large;
use crate::standalone::door::Host;
use crate::standalone::runtime::Runtimes;
use crate::standalone::runtime::entrypoint::Entrypoint;
use crate::standalone::runtime::process::open_files;
use crate::telemetry::{Line, LogFormat, Notice, Printer, start_logs};

/// Arguments of `punctual up`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  punctual up fixtures/quickstart.yaml --for 30s")]
pub(super) struct UpArgs {
    /// Manifests: YAML or JSON files, folders of them, or - for standard input
    ///
    /// Without any, it serves the API and waits for kubectl.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Follow the manifests: what is added, changed or removed there is applied or deleted here
    ///
    /// A file that is broken is not taken; what it held before goes on, also where it is broken at the start.
    #[arg(long, requires = "paths")]
    watch: bool,

    /// How to show what happens
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,

    /// Stop by itself after this long, e.g. 30s or 1h30m
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    run_for: Option<Duration>,

    /// Keep everything in this folder: objects, logs, kubeconfig, port [default: punctual in
    /// `$XDG_STATE_HOME`, else ~/.local/state/punctual]
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    data_dir: Option<PathBuf>,

    /// Keep nothing: everything goes when this command ends
    #[arg(long)]
    ephemeral: bool,

    /// Where the database is damaged, go on with an empty one
    ///
    /// The damaged one is kept beside it. Runs that it knew of are forgotten. A database that is whole is left as it is.
    #[arg(long, conflicts_with = "ephemeral")]
    start_empty: bool,

    /// Run pods as processes of this machine or as containers of Docker or Podman
    ///
    /// A pod says otherwise by its annotation `punctual.dev/runtime`.
    #[arg(long, value_name = "RUNTIME", default_value = "process", value_parser = runtime())]
    runtime: Runtime,

    /// The command of this machine that stands for an image's entrypoint, where a pod runs as processes; may be given
    /// several times
    ///
    /// For example --entrypoint busybox=/usr/bin/busybox or --entrypoint 'report:2=python3 /srv/report.py'. The
    /// container's `args` follow it. An image without a tag stands for all of its tags.
    #[arg(long, value_name = "IMAGE=COMMAND")]
    entrypoint: Vec<Entrypoint>,

    /// The socket of the container engine [default: `DOCKER_HOST`, `CONTAINER_HOST`, else the usual ones]
    #[arg(long, value_name = "ADDRESS")]
    container_engine: Option<String>,

    /// Serve the API on this address [default: the one of the last time, else a free port on loopback]
    #[arg(long, value_name = "IP:PORT", value_parser = address)]
    listen: Option<SocketAddr>,

    /// Let other machines in, which reach this one by this name or address; may be given several times
    ///
    /// Whoever has the token of the kubeconfig can then start processes on this machine, as you, from anywhere that
    /// reaches it. Goes with --listen 0.0.0.0:PORT or an address of this machine.
    #[arg(long, value_name = "HOST")]
    exposed_as: Vec<Host>,

    #[command(flatten)]
    tzdata: TzdataArgs,
}

/// What `up` logs beside what it shows: only what it does not show. Of the database also that a trouble is over.
const QUIET_LOG: &str = "punctual=error,punctual::standalone::store=warn,punctual::telemetry::tzdb=warn";

/// How long a thread may take to end that still waits for the system, e.g. for a disk that hangs.
const LAST_WORK: Duration = Duration::from_secs(1);

/// How `up` shows what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// A line each, for people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl Output {
    /// Begins to print what is said from now on, and to log.
    fn begin(self) -> Printer {
        let (log_format, left_out): (LogFormat, Notice) = match self {
            Output::Text => (LogFormat::Text, |printer, lines| {
                printer.insist(Line::Said(text::left_out(lines)));
            }),
            Output::Json => (LogFormat::Json, |printer, events| {
                let left_out = json::left_out(SystemClock.now(), events);
                printer.insist(Line::Said(left_out.to_string()));
            }),
        };
        let printer = Printer::start(left_out);
        let (_, log) = start_logs(log_format, QUIET_LOG);
        console::begin(printer.clone(), log);
        printer
    }
}

fn runtime() -> impl TypedValueParser<Value = Runtime> {
    let unknown = "there is no such runtime";
    PossibleValuesParser::new(Runtime::WORDS).try_map(move |word| Runtime::of_word(&word).ok_or(unknown))
}

impl UpArgs {
    /// The paths with manifests; a folder that is followed may still be empty.
    fn paths_to_read(&self) -> Vec<PathBuf> {
        let is_to_fill = |path: &PathBuf| {
            let files = manifest::files(path);
            self.watch && files.is_ok_and(|files| files.is_empty())
        };
        let paths = self.paths.iter().filter(|path| !is_to_fill(path));
        paths.cloned().collect()
    }

    fn runtimes(&self) -> Runtimes {
        Runtimes {
            usual: self.runtime,
            entrypoints: self.entrypoint.iter().cloned().collect(),
            container_engine: self.container_engine.clone(),
        }
    }
}

/// An address on the command line.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let help = "not an address with a port; write it like 127.0.0.1:8443, and port 0 for a free one";
    text.parse().map_err(|_| help)
}

/// Runs the command until it is told to stop.
///
/// # Errors
///
/// When the manifests are refused and not followed, or when something fails that is needed to run them.
pub(super) fn up(args: &UpArgs) -> Result<Exit, Failure> {
    open_files::keep();
    open_files::raise();
    threads::check()?;
    let printer = args.output.begin();
    let zones = args.tzdata.load()?;
    // Before they are read: what changes after this look is seen as a change.
    let first_look = watch::look(if args.watch { &args.paths } else { &[] });
    let paths = args.paths_to_read();
    let mut loaded = if paths.is_empty() {
        manifest::Loaded::default()
    } else {
        manifest::load(&paths, &mut std::io::stdin(), &zones)
    };
    loaded.diagnostics.extend(manifest::passed_over(&args.paths));
    diagnostics::print(&loaded.diagnostics);
    let is_whole = !loaded.has_errors();
    if !is_whole && !args.watch {
        return Ok(Exit::Refused);
    }
    let broken = loaded.drop_broken_files();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::from_error("the asynchronous runtime could not be started", &error))?;
    {
        let _within = runtime.enter();
        survive_too_large();
    }
    let data_dir = serving::open(args)?;
    let manifests = item::Manifests {
        first_look,
        items: item::Item::all(loaded, args.watch),
        broken,
        is_whole,
    };
    let exit = runtime.block_on(session::run(
        args,
        data_dir,
        manifests,
        std::sync::Arc::new(zones),
        printer,
    ));
    runtime.shutdown_timeout(LAST_WORK);
    exit
}
