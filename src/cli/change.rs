//! Changing CronJobs, one or many: which ones, a question first where there are many, and what became of each.
//!
//! What is changed about a CronJob is decided by a function of the object alone ([`Planned`]); the commands `suspend`,
//! `resume` and `skip-next` are little more than theirs.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use k8s_openapi::api::batch::v1::Job;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::Value;

use crate::cli::calendars::CalendarArgs;
use crate::cli::chosen::ChosenArgs;
use crate::cli::connect::{self, ServerArgs, refused};
use crate::cli::exit::{Exit, Failure};
use crate::cli::{complain, consent, say};
use crate::clock::{Clock as _, SystemClock};
use crate::cronjob::{Calendars, Key, run_name};
use crate::manifest::CronJob;
use crate::schedule::Timestamp;
use crate::submit::CLI_FIELD_MANAGER;

/// How many requests are under way at once: enough to be quick, few enough not to be throttled.
const AT_ONCE: usize = 8;

/// How long it takes at most, on a machine that is busy, until a change has been heard of where runs are started.
const HEARD_AFTER: TimeDelta = TimeDelta::seconds(2);

/// The arguments that say which CronJobs to change.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["names", "selector", "all"]))]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    chosen: ChosenArgs,

    /// All CronJobs of the namespace; with -A those of all namespaces
    #[arg(long, conflicts_with_all = ["names", "selector"])]
    all: bool,

    /// Do not ask before several are changed
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// What is to be done about one CronJob.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Planned {
    /// A merge patch, and what is said when it was applied.
    Patch {
        /// The patch.
        patch: Value,
        /// `suspended until …`
        said: String,
        /// The due instants that are said not to run. Whoever starts runs may have been quicker.
        prevents: Vec<Timestamp>,
    },
    /// Nothing, because it is so already.
    Nothing {
        /// `was suspended already`
        said: String,
    },
    /// It can't be done.
    Refused {
        /// Why.
        why: String,
    },
}

/// Changes the CronJobs that are meant. `verb` is what is asked: `suspend`.
///
/// # Errors
///
/// As those of [`change_by_calendars`].
pub(super) fn change(
    args: &ChangeArgs,
    verb: &str,
    plan: impl Fn(&CronJob) -> Planned,
) -> Result<Exit, Failure> {
    change_by_calendars(args, None, verb, |object, _| plan(object))
}

/// Changes the CronJobs that are meant, by when they are due: that depends on the calendars that they name.
///
/// # Errors
///
/// When the API server is not known or does not answer, when a CronJob that is named does not exist, or when nobody is
/// there to be asked.
pub(super) fn change_by_calendars(
    args: &ChangeArgs,
    calendars: Option<&CalendarArgs>,
    verb: &str,
    plan: impl Fn(&CronJob, &Calendars) -> Planned,
) -> Result<Exit, Failure> {
    connect::block_on(async {
        let config = args.server.config()?;
        let client = connect::client_of_a_person(&config)?;
        let found = args.chosen.find(&client, &config).await?;
        let calendars = match calendars {
            Some(calendars) => {
                let namespace = args.chosen.namespace(&config);
                calendars.named_by(&found, &client, namespace).await
            }
            None => Calendars::default(),
        };
        let plan = |object: &CronJob| (object.key(), plan(object, &calendars));
        let planned: Vec<(Key, Planned)> = found.iter().map(plan).collect();
        if planned.is_empty() {
            complain("there is no CronJob that matches");
            return Ok(Exit::Fine);
        }
        if !args.chosen.are_named() && !args.yes && !agreed(verb, &planned)? {
            complain("nothing was changed");
            return Ok(Exit::Failure);
        }
        Ok(carry_out(&client, planned).await)
    })
}

/// Whether the person agrees; nobody is asked when nothing is to be changed.
fn agreed(verb: &str, planned: &[(Key, Planned)]) -> Result<bool, Failure> {
    question(verb, planned).map_or(Ok(true), |question| consent::agreed(&question))
}

/// What is asked before several CronJobs are changed.
fn question(verb: &str, planned: &[(Key, Planned)]) -> Option<String> {
    let changed = planned
        .iter()
        .filter(|(_, planned)| matches!(planned, Planned::Patch { .. }));
    let changed: Vec<&Key> = changed.map(|(key, _)| key).collect();
    let namespaces: BTreeSet<&str> = changed.iter().map(|key| key.namespace.as_str()).collect();
    let cronjobs = match changed.len() {
        0 => return None,
        1 => "1 CronJob".to_owned(),
        count => format!("{count} CronJobs"),
    };
    let place = match namespaces.first() {
        Some(namespace) if namespaces.len() == 1 => format!("namespace {namespace}"),
        _ => format!("{} namespaces", namespaces.len()),
    };
    Some(format!("{verb} {cronjobs} in {place}?"))
}

/// Sends the patches, and says what became of each. One that fails does not hold up the others.
async fn carry_out(client: &Client, planned: Vec<(Key, Planned)>) -> Exit {
    let requests = planned.into_iter().map(|(key, planned)| async move {
        let said = match planned {
            Planned::Patch {
                patch,
                said,
                prevents,
            } => match apply(client, &key, patch).await {
                Ok(()) => check_in_time(client, &key, &prevents).await.map(|()| said),
                Err(why) => Err(why),
            },
            Planned::Nothing { said } => Ok(said),
            Planned::Refused { why } => Err(format!("{key}: {why}")),
        };
        (key, said)
    });
    let mut answers = stream::iter(requests).buffered(AT_ONCE);
    let mut exit = Exit::Fine;
    while let Some((key, answer)) = answers.next().await {
        match answer {
            Ok(said) => say(&format!("{key} {said}")),
            Err(why) => {
                complain(&format!("error: {why}"));
                exit = Exit::Failure;
            }
        }
    }
    exit
}

async fn apply(client: &Client, key: &Key, patch: Value) -> Result<(), String> {
    let cronjobs: Api<CronJob> = Api::namespaced(client.clone(), &key.namespace);
    let params = PatchParams {
        field_manager: Some(CLI_FIELD_MANAGER.into()),
        ..PatchParams::default()
    };
    let answer = cronjobs.patch(&key.name, &params, &Patch::Merge(patch)).await;
    answer
        .map(|_| ())
        .map_err(|error| refused(&format!("{key} can't be changed"), &error).message)
}

/// Fails where a run had been started that was not to. What is due soon is waited for: until a change has been heard of
/// where runs are started, it prevents none.
async fn check_in_time(client: &Client, key: &Key, prevents: &[Timestamp]) -> Result<(), String> {
    let heard = SystemClock.now() + HEARD_AFTER;
    let jobs: Api<Job> = Api::namespaced(client.clone(), &key.namespace);
    let mut started = Vec::new();
    for due in prevents.iter().filter(|due| **due < heard) {
        let wait = *due + HEARD_AFTER - SystemClock.now();
        tokio::time::sleep(wait.to_std().unwrap_or_default()).await;
        let name = run_name(&key.name, *due);
        let job = jobs.get_metadata_opt(&name).await;
        let job = job
            .map_err(|error| refused(&format!("whether {name} was started can't be seen"), &error).message)?;
        started.extend(job.map(|_| name));
    }
    if started.is_empty() {
        return Ok(());
    }
    let others = match prevents.len() - started.len() {
        0 => "",
        1 => "; the other one is skipped",
        _ => "; the others are skipped",
    };
    Err(format!(
        "{key}: it was too late for {}, which had been started{others}",
        started.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kube::api::PostParams;
    use serde_json::json;

    use super::*;
    use crate::schedule::TimeZones;
    use crate::standalone::api;
    use crate::standalone::store::MemoryStore;

    #[tokio::test]
    async fn a_run_that_was_started_was_not_prevented() {
        let zones = Arc::new(TimeZones::built_in());
        let server = api::Api::start(Arc::new(MemoryStore::new()), SystemClock::shared(), zones).await;
        let client = server.expect("an API").client();
        let key = Key {
            namespace: "default".into(),
            name: "tick".into(),
        };
        let due = SystemClock.now() - TimeDelta::minutes(1);
        let later = SystemClock.now() + TimeDelta::hours(1);
        let check = async |prevents: &[Timestamp]| check_in_time(&client, &key, prevents).await;
        assert_eq!(check(&[due, later]).await, Ok(()));
        let name = run_name("tick", due);
        let job = json!({
            "metadata": { "name": name },
            "spec": { "template": { "spec": { "restartPolicy": "Never", "containers": [{ "name": "main", "image": "x" }] } } },
        });
        let jobs: Api<Job> = Api::namespaced(client.clone(), "default");
        let job = serde_json::from_value(job).expect("a Job");
        jobs.create(&PostParams::default(), &job).await.expect("a Job");
        let latest = later + TimeDelta::hours(1);
        for (prevents, others) in [
            (&[due][..], ""),
            (&[due, later], "; the other one is skipped"),
            (&[due, later, latest], "; the others are skipped"),
        ] {
            let said = check(prevents).await.expect_err("it is there");
            assert_eq!(
                said.replace(&name, "tick-1"),
                format!("default/tick: it was too late for tick-1, which had been started{others}")
            );
        }
    }

    #[test]
    fn the_question_says_how_many_and_where() {
        for (keys, asked) in [
            ("", None),
            ("a/x!", None),
            ("a/x", Some("suspend 1 CronJob in namespace a?")),
            ("a/x a/y a/z!", Some("suspend 2 CronJobs in namespace a?")),
            ("a/x b/y b/z", Some("suspend 3 CronJobs in 2 namespaces?")),
        ] {
            let planned = keys.split_whitespace().map(|key| {
                let (namespace, name) = key.split_once('/').expect("namespace/name");
                let planned = if name.ends_with('!') {
                    Planned::Nothing { said: String::new() }
                } else {
                    Planned::Patch {
                        patch: Value::Null,
                        said: String::new(),
                        prevents: vec![],
                    }
                };
                let key = Key {
                    namespace: namespace.into(),
                    name: name.into(),
                };
                (key, planned)
            });
            let planned: Vec<_> = planned.collect();
            assert_eq!(question("suspend", &planned).as_deref(), asked, "{keys}");
        }
    }
}
