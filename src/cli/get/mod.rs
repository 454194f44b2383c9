//! `punctual get`: the CronJobs of a cluster or of this machine, with what kubectl does not show: when each is due next,
//! how its last run ended, for how many runs it has ended so, and how late that run was started.
//!
//! | file | what it does |
//! |---|---|
//! | `view` | what there is to say about a CronJob, from the object and its Jobs (pure) |
//! | `show` | how it is shown (pure) |

mod show;
mod view;

use std::collections::HashMap;

use futures::try_join;
use kube::Api;
use kube::api::ListParams;

use crate::cli::calendars::CalendarArgs;
use crate::cli::chosen::{ChosenArgs, in_namespace, list};
use crate::cli::connect::{self, ServerArgs};
use crate::cli::exit::{Exit, Failure};
use crate::cli::zoneinfo::TzdataArgs;
use crate::cli::{complain, say};
use crate::clock::{Clock, SystemClock};
use crate::cronjob::{Calendars, Owner};
use crate::manifest;
use crate::submit::JobView;

/// Arguments of `punctual get`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  punctual get -A
  punctual get backup -o wide
  punctual get -n shop -l tier=batch -o json
  punctual get --local                            what `punctual up` runs on this machine

RESULT is how the newest run ended, STREAK how many in a row ended so (3+: at least, as older Jobs
are not kept), LATE how long after its due instant the newest run was created.")]
pub(super) struct GetArgs {
    #[command(flatten)]
    chosen: ChosenArgs,

    /// How to show them
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,

    #[command(flatten)]
    calendars: CalendarArgs,

    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    tzdata: TzdataArgs,
}

/// How `get` shows CronJobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// A line each, for people
    Table,
    /// Longer lines
    Wide,
    /// One JSON object a line, with instants in UTC
    Json,
    /// The same as YAML documents
    Yaml,
    /// Names only, as `kubectl -o name` prints them
    Name,
}

/// Shows CronJobs.
///
/// # Errors
///
/// When the API server is not known or does not answer, or a CronJob that is named does not exist.
pub(super) fn get(args: &GetArgs) -> Result<Exit, Failure> {
    let zones = args.tzdata.load()?;
    let Fetched {
        cronjobs,
        jobs,
        calendars,
    } = connect::block_on(fetch(args))?;
    let now = SystemClock.now();
    let mut by_owner: HashMap<Owner, Vec<&JobView>> = HashMap::new();
    for job in &jobs {
        if let Some(owner) = job.owner() {
            by_owner.entry(owner).or_default().push(job);
        }
    }
    let views = cronjobs.iter().map(|object| {
        let cronjob = manifest::lower_with(object, &zones, &calendars, None);
        let owned = by_owner.get(&cronjob.as_owner());
        view::view(object, &cronjob, owned.map_or(&[], Vec::as_slice), now)
    });
    let views: Vec<view::View> = views.collect();
    if views.is_empty() {
        complain("there is no CronJob that matches");
        return Ok(Exit::Fine);
    }
    let text = match args.output {
        Output::Table => show::table(&views, now),
        Output::Wide => show::wide(&views, now),
        Output::Json => show::json(&views)?,
        Output::Yaml => show::yaml_documents(&views)?,
        Output::Name => show::names(&views),
    };
    say(&text);
    Ok(Exit::Fine)
}

/// The CronJobs that are asked for, every Job that may be theirs, and the calendars that they may name.
struct Fetched {
    cronjobs: Vec<manifest::CronJob>,
    jobs: Vec<JobView>,
    calendars: Calendars,
}

async fn fetch(args: &GetArgs) -> Result<Fetched, Failure> {
    let config = args.server.config()?;
    let client = connect::client_of_a_person(&config)?;
    let namespace = args.chosen.namespace(&config);
    let jobs: Api<JobView> = in_namespace(&client, namespace);
    let (cronjobs, jobs) = try_join!(
        args.chosen.find(&client, &config),
        list(&jobs, ListParams::default(), "Jobs")
    )?;
    let calendars = args.calendars.named_by(&cronjobs, &client, namespace).await;
    Ok(Fetched {
        cronjobs,
        jobs,
        calendars,
    })
}
