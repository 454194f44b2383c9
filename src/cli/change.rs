//! Changing CronJobs, one or many: which ones, a question first where there are many, and what became of each.
//!
//! What is changed about a CronJob is decided by a function of the object alone ([`Planned`]); the commands `suspend`,
//! `resume` and `skip-next` are little more than theirs.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::Value;

use crate::cli::calendars::CalendarArgs;
use crate::cli::chosen::ChosenArgs;
use crate::cli::connect::{self, ServerArgs, refused};
use crate::cli::exit::{Exit, Failure};
use crate::cli::{complain, consent, say};
use crate::cronjob::{Calendars, Key};
use crate::manifest::CronJob;
use crate::submit::CLI_FIELD_MANAGER;

/// How many requests are under way at once: enough to be quick, few enough not to be throttled.
const AT_ONCE: usize = 8;

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
        let config = args.server.config().await?;
        let client = connect::client(&config)?;
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
            Planned::Patch { patch, said } => apply(client, &key, patch).await.map(|()| said),
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

#[cfg(test)]
mod tests {
    use super::*;

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
