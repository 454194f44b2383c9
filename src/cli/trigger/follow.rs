//! Waits for the end of a Job.

use std::time::Duration;

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use kube::{Api, Client};

use crate::cli::connect::refused;
use crate::cli::exit::{Exit, Failure};
use crate::cli::say;
use crate::cli::trigger::logs::Logs;

/// How often is looked whether something has happened: often enough for a person who waits, seldom enough for the API
/// server not to notice.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Waits until the Job has ended, and says how.
///
/// # Errors
///
/// When it has failed or is gone, or the API server does not answer.
pub(super) async fn to_the_end(
    client: &Client,
    namespace: &str,
    name: &str,
    logs: bool,
) -> Result<Exit, Failure> {
    let jobs: Api<Job> = Api::namespaced(client.clone(), namespace);
    let mut logs = logs.then(|| Logs::new(client, namespace, name));
    loop {
        // Looked at before the pods, so that none is overlooked that ran before the end.
        let job = jobs.get_opt(name).await;
        let job = job.map_err(|error| refused(&format!("Job {namespace}/{name} can't be read"), &error))?;
        let Some(job) = job else {
            return Err(Failure::new(format!(
                "Job {namespace}/{name} was deleted before it ended"
            )));
        };
        if let Some(logs) = &mut logs {
            let at_once = job.spec.as_ref().and_then(|spec| spec.parallelism);
            logs.show_new(at_once > Some(1)).await?;
        }
        if let Some(condition) = terminal(&job) {
            if let Some(logs) = &mut logs {
                logs.finish().await;
            }
            return ended(namespace, name, condition);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The condition that ends a Job.
fn terminal(job: &Job) -> Option<&JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_deref()?;
    let is_terminal = |condition: &&JobCondition| {
        condition.status == "True" && matches!(condition.type_.as_str(), "Complete" | "Failed")
    };
    conditions.iter().find(is_terminal)
}

fn ended(namespace: &str, name: &str, condition: &JobCondition) -> Result<Exit, Failure> {
    if condition.type_ == "Complete" {
        say(&format!("{namespace}/{name} succeeded"));
        return Ok(Exit::Fine);
    }
    let failed = format!("Job {namespace}/{name} failed");
    let words = [
        Some(&failed),
        condition.reason.as_ref(),
        condition.message.as_ref(),
    ];
    let words: Vec<&str> = words
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    Err(Failure::new(words.join(": ")))
}
