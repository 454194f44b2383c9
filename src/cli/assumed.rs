//! What is assumed about runs that are only imagined: how long they take, and which of them fail.

use chrono::TimeDelta;

use crate::cli::complain;
use crate::cli::duration::duration as parse_duration;
use crate::cli::exit::Failure;
use crate::cronjob::Key;
use crate::foresight::{Failing, Life};

/// How long a run takes where nothing is known of it.
pub(super) const RUN_TIME: TimeDelta = TimeDelta::minutes(1);

/// How long runs take.
#[derive(Debug, clap::Args)]
pub(super) struct RunTimeArgs {
    /// How long the runs of a CronJob take, or those of all others; may be given several times [default: 1m]
    #[arg(long = "run-time", value_name = "[NAME=]DURATION", value_parser = run_time)]
    run_times: Vec<Assigned<TimeDelta>>,
}

/// Which runs fail.
#[derive(Debug, clap::Args)]
pub(super) struct FailArgs {
    /// Let the runs of a CronJob fail: all, or every third (every:3); may be given several times
    #[arg(long = "fail", value_name = "NAME[=every:N]", value_parser = failing)]
    failing: Vec<Assigned<Failing>>,
}

/// A value for one CronJob, or for all.
#[derive(Debug, Clone)]
struct Assigned<T> {
    /// `name`, or `namespace/name`.
    name: Option<String>,
    value: T,
}

impl<T: Copy> Assigned<T> {
    /// Whether it is for this very CronJob.
    fn names(&self, cronjob: &Key) -> bool {
        match self
            .name
            .as_deref()
            .map(|name| name.split_once('/').unwrap_or(("", name)))
        {
            Some(("", name)) => name == cronjob.name,
            Some((namespace, name)) => namespace == cronjob.namespace && name == cronjob.name,
            None => false,
        }
    }

    /// What is said of a CronJob: what names it wins over what is for all, and of those what was said last.
    fn of(all: &[Assigned<T>], cronjob: &Key) -> Option<T> {
        let named = all.iter().rfind(|assigned| assigned.names(cronjob));
        let for_all = || all.iter().rfind(|assigned| assigned.name.is_none());
        named.or_else(for_all).map(|assigned| assigned.value)
    }

    /// The first name that no CronJob has.
    fn stray<'a>(all: &'a [Assigned<T>], cronjobs: &[Key]) -> Option<&'a str> {
        let mut strays = all
            .iter()
            .filter(|assigned| !cronjobs.iter().any(|key| assigned.names(key)));
        strays.find_map(|assigned| assigned.name.as_deref())
    }
}

impl RunTimeArgs {
    /// How long the runs of a CronJob take, if that is said.
    pub(super) fn of(&self, cronjob: &Key) -> Option<TimeDelta> {
        Assigned::of(&self.run_times, cronjob)
    }

    /// Refuses what is said of CronJobs that there are not.
    pub(super) fn check(&self, cronjobs: &[Key]) -> Result<(), Failure> {
        no_stray("--run-time", Assigned::stray(&self.run_times, cronjobs))
    }
}

impl FailArgs {
    /// Which runs of a CronJob fail.
    pub(super) fn of(&self, cronjob: &Key) -> Failing {
        Assigned::of(&self.failing, cronjob).unwrap_or_default()
    }

    /// Refuses what is said of CronJobs that there are not.
    pub(super) fn check(&self, cronjobs: &[Key]) -> Result<(), Failure> {
        no_stray("--fail", Assigned::stray(&self.failing, cronjobs))
    }
}

/// Says on standard error what is assumed where nothing is said.
pub(super) fn say_what_is_assumed(run_times: &RunTimeArgs, cronjobs: &[Key]) {
    let unknown = cronjobs.iter().filter(|key| run_times.of(key).is_none()).count();
    if unknown > 0 {
        complain("note: a run takes 1 minute where --run-time does not say otherwise");
    }
}

/// The life of the runs of a CronJob.
pub(super) fn life(of: &Key, template: Life, run_times: &RunTimeArgs, failing: &FailArgs) -> Life {
    Life {
        run_time: Some(run_times.of(of).unwrap_or(RUN_TIME)),
        failing: failing.of(of),
        ..template
    }
}

fn no_stray(flag: &str, stray: Option<&str>) -> Result<(), Failure> {
    match stray {
        Some(name) => Err(Failure::usage(format!(
            "{flag} names `{name}`, and there is no CronJob of that name"
        ))),
        None => Ok(()),
    }
}

fn run_time(text: &str) -> Result<Assigned<TimeDelta>, String> {
    let (name, duration) = match text.rsplit_once('=') {
        Some((name, duration)) => (Some(name.to_owned()), duration),
        None => (None, text),
    };
    let value = TimeDelta::from_std(parse_duration(duration)?).map_err(|error| error.to_string())?;
    Ok(Assigned { name, value })
}

fn failing(text: &str) -> Result<Assigned<Failing>, String> {
    let (name, which) = text.split_once('=').unwrap_or((text, "every:1"));
    let every = which
        .strip_prefix("every:")
        .and_then(|number| number.parse().ok());
    let every = every.filter(|every| *every > 0);
    Ok(Assigned {
        name: Some(name.to_owned()),
        value: Failing::Every(
            every.ok_or_else(|| format!("`{which}` is not `every:` and a number from 1 on"))?,
        ),
    })
}
