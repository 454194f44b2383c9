//! `punctual forecast`: how many runs will start in each minute of the next day or week, and how many will go on at once.
//!
//! | file | what it does |
//! |---|---|
//! | `gather` | the CronJobs of manifests or of a cluster, and how long their runs took |
//! | `outlook` | what is to come of them: the figures that are shown (pure) |
//! | `text`, `data`, `page` | how they are shown (pure) |

mod data;
mod gather;
mod outlook;
mod page;
mod text;

use std::path::PathBuf;

use chrono::{TimeDelta, Timelike as _};

use crate::cli::asked;
use crate::cli::assumed::RunTimeArgs;
use crate::cli::calendars::CalendarArgs;
use crate::cli::chosen::ChosenArgs;
use crate::cli::connect::ServerArgs;
use crate::cli::exit::{Exit, Failure};
use crate::cli::page::local;
use crate::cli::say;
use crate::cli::zoneinfo::TzdataArgs;
use crate::clock::{Clock, SystemClock};
use crate::schedule::{TimeZones, Timestamp, Zone};

use outlook::Outlook;

/// Arguments of `punctual forecast`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  punctual forecast -f manifests/
  punctual forecast -A --context production --over week -o html > forecast.html
  punctual forecast -f cron.yaml --run-time backup=90m --time-zone Europe/Berlin")]
pub(super) struct ForecastArgs {
    /// Look at the CronJobs in this file or folder (- for standard input) instead of a cluster's
    #[arg(short, long = "file", value_name = "FILE", conflicts_with_all = ["names", "namespace", "all_namespaces", "selector", "kubeconfig", "context", "local", "data_dir"])]
    files: Vec<PathBuf>,

    #[command(flatten)]
    chosen: ChosenArgs,

    /// How far to look
    #[arg(long, value_enum, default_value_t = Over::Day)]
    over: Over,

    /// Begin with the hour of this instant (RFC 3339) instead of the current one
    #[arg(long, value_name = "INSTANT", value_parser = asked::instant)]
    from: Option<Timestamp>,

    #[command(flatten)]
    run_times: RunTimeArgs,

    #[command(flatten)]
    calendars: CalendarArgs,

    /// Show times on the clock of this zone
    #[arg(long, alias = "tz", value_name = "ZONE", default_value = "UTC")]
    time_zone: String,

    /// How many of the most crowded minutes to list
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: u16,

    /// How to show it
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,

    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    tzdata: TzdataArgs,
}

/// How far to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Over {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
}

/// How to show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// A heat map and the most crowded minutes, for people.
    Text,
    /// One JSON object.
    Json,
    /// A line for each minute: when it begins, starts, runs at once.
    Csv,
    /// One HTML page that needs nothing else.
    Html,
}

/// Forecasts.
///
/// # Errors
///
/// When a manifest is refused, or the API server does not answer.
pub(super) fn forecast(args: &ForecastArgs) -> Result<Exit, Failure> {
    let zones = args.tzdata.load()?;
    let zone = asked::zone(&args.time_zone, &zones)?;
    let from = begin(args, &zone);
    let to = from
        + match args.over {
            Over::Day => TimeDelta::days(1),
            Over::Week => TimeDelta::days(7),
        };
    let (outlook, exit) = look(args, &zones, from, to)?;
    say(&match args.output {
        Output::Text => text::text(&outlook, &zone, args.top.into()),
        Output::Json => data::json(&outlook, &zone, args.top.into()),
        Output::Csv => data::csv(&outlook),
        Output::Html => page::html(&outlook, &zone, args.top.into()),
    });
    Ok(exit)
}

fn look(
    args: &ForecastArgs,
    zones: &TimeZones,
    from: Timestamp,
    to: Timestamp,
) -> Result<(Outlook, Exit), Failure> {
    let (subjects, exit) = if args.files.is_empty() {
        let subjects = gather::from_cluster(
            &args.server,
            &args.chosen,
            &args.run_times,
            zones,
            &args.calendars,
        )?;
        (subjects, Exit::Fine)
    } else {
        gather::from_files(&args.files, &args.run_times, zones, &args.calendars)?
    };
    Ok((Outlook::of(subjects, from, to), exit))
}

/// The full hour, by the clock that is shown.
fn begin(args: &ForecastArgs, zone: &Zone) -> Timestamp {
    let at = args.from.unwrap_or_else(|| SystemClock.now());
    let clock = local(at, zone);
    let past = i64::from(clock.minute() * 60 + clock.second());
    at - TimeDelta::seconds(past) - TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()))
}
