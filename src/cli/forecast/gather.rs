//! The CronJobs to look at, and how long their runs take: what is said, else what was seen, else an assumption.

use std::collections::HashMap;
use std::path::PathBuf;

use chrono::TimeDelta;
use futures::try_join;
use kube::Api;
use kube::api::ListParams;

use crate::cli::asked::{self, Asked};
use crate::cli::assumed::{RUN_TIME, RunTimeArgs};
use crate::cli::calendars::CalendarArgs;
use crate::cli::chosen::{ChosenArgs, in_namespace, list};
use crate::cli::connect::{self, ServerArgs};
use crate::cli::exit::{Exit, Failure};
use crate::cronjob::{Calendars, Key, Owner, Run, RunState};
use crate::foresight::Life;
use crate::manifest;
use crate::schedule::TimeZones;
use crate::submit::JobView;

/// A CronJob, and the life of its runs.
pub(super) struct Subject {
    pub(super) asked: Asked,
    pub(super) life: Life,
    /// Whether it is known how long a run takes.
    pub(super) is_known: bool,
}

/// The CronJobs of some manifests.
pub(super) fn from_files(
    files: &[PathBuf],
    run_times: &RunTimeArgs,
    zones: &TimeZones,
    calendars: &CalendarArgs,
) -> Result<(Vec<Subject>, Exit), Failure> {
    let found = asked::from_files(files, zones, calendars)?;
    let exit = found.exit();
    Ok((subjects(found.asked, run_times, &HashMap::new())?, exit))
}

/// The CronJobs of a cluster, and how long their runs took. Of thousands there is always one that is left out: it is told, and
/// nothing that was given is refused.
pub(super) fn from_cluster(
    server: &ServerArgs,
    chosen: &ChosenArgs,
    run_times: &RunTimeArgs,
    zones: &TimeZones,
    calendars: &CalendarArgs,
) -> Result<Vec<Subject>, Failure> {
    let Fetched {
        cronjobs,
        jobs,
        calendars,
    } = connect::block_on(fetch(server, chosen, calendars))?;
    let mut runs: HashMap<Owner, Vec<Run>> = HashMap::new();
    for job in &jobs {
        if let Some(owner) = job.owner() {
            runs.entry(owner).or_default().push(job.run());
        }
    }
    let seen = cronjobs
        .iter()
        .filter_map(|object| Some((object.key(), median(runs.get(&object.as_owner())?)?)));
    let seen = seen.collect();
    let found = asked::usable(cronjobs, zones, &calendars);
    subjects(found.asked, run_times, &seen)
}

/// What a cluster says.
struct Fetched {
    cronjobs: Vec<manifest::CronJob>,
    jobs: Vec<JobView>,
    calendars: Calendars,
}

async fn fetch(
    server: &ServerArgs,
    chosen: &ChosenArgs,
    calendars: &CalendarArgs,
) -> Result<Fetched, Failure> {
    let config = server.config()?;
    let client = connect::client_of_a_person(&config)?;
    let namespace = chosen.namespace(&config);
    let jobs: Api<JobView> = in_namespace(&client, namespace);
    let (cronjobs, jobs) = try_join!(
        chosen.find(&client, &config),
        list(&jobs, ListParams::default(), "Jobs")
    )?;
    let calendars = calendars.named_by(&cronjobs, &client, namespace).await;
    Ok(Fetched {
        cronjobs,
        jobs,
        calendars,
    })
}

/// What is known of each.
fn subjects(
    asked: Vec<Asked>,
    run_times: &RunTimeArgs,
    seen: &HashMap<Key, TimeDelta>,
) -> Result<Vec<Subject>, Failure> {
    let keys: Vec<Key> = asked.iter().map(|asked| asked.cronjob.key.clone()).collect();
    run_times.check(&keys)?;
    let subject = |asked: Asked| {
        let key = &asked.cronjob.key;
        let known = run_times.of(key).or_else(|| seen.get(key).copied());
        let life = Life {
            run_time: Some(known.unwrap_or(RUN_TIME)),
            ..Life::of(&asked.object)
        };
        Subject {
            asked,
            life,
            is_known: known.is_some(),
        }
    };
    Ok(asked.into_iter().map(subject).collect())
}

/// How long the successful runs took, in the middle of them. A failed one says nothing about the next.
fn median(runs: &[Run]) -> Option<TimeDelta> {
    let took = runs.iter().filter_map(|run| match run.state {
        RunState::Finished {
            completed: Some(completed),
            ..
        } => Some((completed - run.started?).max(TimeDelta::zero())),
        _ => None,
    });
    let mut took: Vec<TimeDelta> = took.collect();
    took.sort_unstable();
    took.get(took.len() / 2).copied()
}
