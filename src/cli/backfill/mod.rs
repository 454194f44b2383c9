//! `punctual backfill`: runs a CronJob for instants of the past.
//!
//! The command itself starts the Jobs, one after the other, and keeps no state of its own: a Job carries the name of its
//! backfill as a label, so whoever begins it again goes on where it ended. What is started, and when, is decided by
//! [`policy::plan`](crate::policy::plan) and [`policy::may_start`](crate::policy::may_start).
//!
//! | file | what it does |
//! |---|---|
//! | `request` | what is asked for, and the instants that it comes to (pure) |
//! | `world` | the CronJob, its Jobs and its group, from a list and then as they change |
//! | `table` | what is to be done about each instant (pure) |
//! | `drive` | starts what may start, and follows it to its end |
//! | `show` | what is said meanwhile, for people and for programs |

mod drive;
mod request;
mod show;
mod table;
mod world;

use crate::cli::backfill::drive::Drive;
use crate::cli::backfill::request::RequestArgs;
use crate::cli::backfill::show::{Output, Show};
use crate::cli::backfill::table::Table;
use crate::cli::backfill::world::World;
use crate::cli::calendars::CalendarArgs;
use crate::cli::chosen::name;
use crate::cli::connect::{self, ServerArgs};
use crate::cli::exit::{Exit, Failure};
use crate::cli::zoneinfo::TzdataArgs;
use crate::cli::{complain, consent};
use crate::clock::{Clock, SystemClock};

/// Arguments of `punctual backfill`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  punctual backfill report --from 2026-11-01T00:00:00Z --dry-run
  punctual backfill report --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z --yes
  punctual backfill report --from 2026-11-01T00:00:00Z --reprocess failed --max-active 3

A run starts where the CronJob's own policy lets one start, and after what the schedule has to start.
Its Job carries its due instant as every run does, and the label punctual.dev/backfill.

Ctrl-C stops it; what runs goes on. The same command goes on with the rest: a backfill starts each
instant once, and is known by its label. To run an instant once more, give it another one (--label).

It takes the right to get, list and watch cronjobs and jobs, to create jobs, and to list configmaps
if the CronJob names a calendar. The exit code is 1 if a run of the backfill, also one that it
started before, failed or was not started.")]
pub(super) struct BackfillArgs {
    /// The CronJob
    #[arg(value_name = "NAME", value_parser = name)]
    cronjob: String,

    /// The namespace of the CronJob [default: that of the kubeconfig's context]
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,

    #[command(flatten)]
    request: RequestArgs,

    /// Show what would be started, and start nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask before it begins
    #[arg(short, long)]
    yes: bool,

    /// How to show it
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,

    #[command(flatten)]
    calendars: CalendarArgs,

    #[command(flatten)]
    tzdata: TzdataArgs,

    #[command(flatten)]
    server: ServerArgs,
}

/// Starts the runs, and follows them to their ends.
///
/// # Errors
///
/// When the CronJob does not exist or its schedule can't be used, when nobody is there to be asked, or when the API
/// server refuses what is needed.
pub(super) fn backfill(args: &BackfillArgs) -> Result<Exit, Failure> {
    let zones = args.tzdata.load()?;
    let request = args.request.read(SystemClock.now())?;
    connect::block_on(async {
        let config = args.server.config()?;
        let client = connect::client_of_a_person(&config)?;
        let namespace = args.namespace.as_deref().unwrap_or(&config.default_namespace);
        let world = World::look(client, (namespace, &args.cronjob), &args.calendars, zones).await?;
        let instants = request.instants(world.cronjob())?;
        let table = Table::new(world.cronjob(), &world.attempts(), &request, &instants);
        let show = Show::new(args.output, world.cronjob());
        show.table(&table, &request, world.cronjob(), args.dry_run);
        if args.dry_run {
            return Ok(Exit::Fine);
        }
        if table.is_done() {
            return Ok(if table.failed() > 0 {
                Exit::Failure
            } else {
                Exit::Fine
            });
        }
        if !args.yes && table.to_start() > 0 && !consent::agreed(&show.question(&table))? {
            complain("nothing was started");
            return Ok(Exit::Failure);
        }
        Drive::new(world, request, show, table).finish().await
    })
}
