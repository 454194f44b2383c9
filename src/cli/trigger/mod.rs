//! `punctual trigger`: runs a CronJob once, now, whatever its schedule.
//!
//! | file | what it does |
//! |---|---|
//! | `overrides` | what differs from the template this time (pure) |
//! | `follow` | waits for the end |
//! | `logs` | shows what the containers write |
//! | `news` | a watch for who waits |
//! | `patience` | what trouble is borne, and for how long |
//! | `reading` | reads one log, over breaks of the connection |

mod follow;
mod logs;
mod news;
mod overrides;
mod patience;
mod reading;

use std::time::Duration;

use kube::Api;
use kube::api::PostParams;
use kube::core::{ApiResource, DynamicObject};
use serde_json::Value;

use crate::cli::chosen::{name, one};
use crate::cli::connect::{self, ServerArgs, refused};
use crate::cli::duration::duration;
use crate::cli::exit::{Exit, Failure};
use crate::cli::say;
use crate::cronjob::LONGEST_JOB_NAME;
use crate::manifest::CronJob;
use crate::submit::{CLI_FIELD_MANAGER, job_by_hand};

/// How long a Job whose logs are shown stays after its end at least, in seconds. They go with it, and are waited for while the
/// API server is away (see `patience`).
const LOGS_STAY: i64 = 5 * 60;

/// Arguments of `punctual trigger`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  punctual trigger backup
  punctual trigger backup --wait --logs
  punctual trigger report --env DAY=2026-11-22 --args=--full --args=--verbose

The Job is made from the CronJob's template, as by `kubectl create job --from=cronjob/NAME`. It
neither waits for other runs nor holds them up, and counts for the history.
With --wait the exit code is 0 if the Job succeeded and 1 if it failed. With --logs it stays for
five minutes after its end, if its ttlSecondsAfterFinished is shorter: its logs would go with it.")]
#[command(group = clap::ArgGroup::new("followed").multiple(true).args(["wait", "logs"]))]
pub(super) struct TriggerArgs {
    /// The CronJob
    #[arg(value_name = "NAME", value_parser = name)]
    cronjob: String,

    /// The namespace of the CronJob [default: that of the kubeconfig's context]
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,

    /// Call the Job so [default: the CronJob's name, `manual` and five letters]
    #[arg(long, value_name = "NAME")]
    job_name: Option<String>,

    #[command(flatten)]
    overrides: overrides::OverrideArgs,

    /// Wait until the Job has ended
    #[arg(long)]
    wait: bool,

    /// Show what its containers write, until the Job has ended
    #[arg(long)]
    logs: bool,

    /// Stop waiting after this long, e.g. 30s or 1h30m; the Job goes on
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "followed")]
    timeout: Option<Duration>,

    #[command(flatten)]
    server: ServerArgs,
}

/// Starts the Job, and follows it if that is asked.
///
/// # Errors
///
/// When the CronJob does not exist, an override does not fit it, the Job is refused, or it does not end in time.
pub(super) fn trigger(args: &TriggerArgs) -> Result<Exit, Failure> {
    connect::block_on(async {
        let config = args.server.config()?;
        let client = connect::client_of_a_person(&config)?;
        let namespace = args.namespace.as_deref().unwrap_or(&config.default_namespace);
        let cronjobs: Api<CronJob> = Api::namespaced(client.clone(), namespace);
        let cronjob = one(&cronjobs, namespace, &args.cronjob).await?;

        let name = args.job_name.clone().unwrap_or_else(|| new_name(&args.cronjob));
        let mut job = job_by_hand(&cronjob, &name);
        args.overrides
            .apply(&mut job.data["spec"])
            .map_err(Failure::usage)?;
        if args.logs {
            stay_to_be_read(&mut job.data["spec"]);
        }
        let resource = ApiResource::erase::<k8s_openapi::api::batch::v1::Job>(&());
        let jobs: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
        let params = PostParams {
            field_manager: Some(CLI_FIELD_MANAGER.into()),
            ..PostParams::default()
        };
        let made = jobs.create(&params, &job).await;
        made.map_err(|error| refused(&format!("Job {namespace}/{name} was not started"), &error))?;
        say(&format!("{namespace}/{name} started"));
        if !args.wait && !args.logs {
            return Ok(Exit::Fine);
        }
        let end = follow::to_the_end(&client, namespace, &name, args.logs);
        let Some(timeout) = args.timeout else {
            return end.await;
        };
        tokio::time::timeout(timeout, end).await.unwrap_or_else(|_| {
            Err(Failure::new(format!(
                "Job {namespace}/{name} has not ended yet; it goes on"
            )))
        })
    })
}

/// Has a Job, of which this is the `spec`, not go before its logs are shown.
fn stay_to_be_read(spec: &mut Value) {
    if let Some(ttl) = spec.get_mut("ttlSecondsAfterFinished")
        && ttl.as_i64().is_some_and(|ttl| ttl < LOGS_STAY)
    {
        *ttl = LOGS_STAY.into();
    }
}

/// A name that no Job has yet, as good as certainly.
fn new_name(cronjob: &str) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    let suffix = format!("-manual-{}", &random[..5]);
    let room = LONGEST_JOB_NAME - suffix.len();
    let stem: String = cronjob.chars().take(room).collect();
    format!("{}{suffix}", stem.trim_end_matches(['-', '.']))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_whose_logs_are_shown_stays_until_they_are_read() {
        let ttl = |seconds: Value| json!({ "ttlSecondsAfterFinished": seconds });
        for (spec, stays) in [
            (json!({}), json!({})),
            (ttl(json!(0)), ttl(json!(LOGS_STAY))),
            (ttl(json!(7200)), ttl(json!(7200))),
            (ttl(Value::Null), ttl(Value::Null)),
        ] {
            let mut changed = spec.clone();
            stay_to_be_read(&mut changed);
            assert_eq!(changed, stays, "{spec}");
        }
    }

    #[test]
    fn a_name_is_new_short_enough_and_tells_where_it_comes_from() {
        let name = new_name("backup");
        assert!(name.starts_with("backup-manual-") && name.len() == 19, "{name}");
        assert_ne!(name, new_name("backup"));
        assert_eq!(new_name(&"a".repeat(52)).len(), LONGEST_JOB_NAME);
        let dashed = format!("{}-b", "a".repeat(49));
        assert!(!new_name(&dashed).contains("--"));
    }
}
