//! Waits for the end of a Job.

use std::time::Duration;

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use kube::{Api, Client};

use crate::cli::connect::refused;
use crate::cli::exit::{Exit, Failure};
use crate::cli::trigger::logs::Logs;
use crate::cli::{complain, say};

/// How often is looked whether something has happened: often enough for a person who waits, seldom enough for the API
/// server not to notice.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long what was written may take to be shown where the waiting ends before the Job does: the containers may go on, and
/// somebody waits to read why.
const LAST_LINES: Duration = Duration::from_secs(10);

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
    let mut logs = logs.then(|| Logs::new(client, namespace, name));
    let end = wait(client, namespace, name, logs.as_mut()).await;
    if let Some(logs) = &mut logs {
        if end.is_ok() {
            logs.finish().await;
        } else if tokio::time::timeout(LAST_LINES, logs.finish()).await.is_err() {
            complain("warning: the logs are not shown to their end");
        }
    }
    ended(namespace, name, &end?)
}

/// Waits for the condition that ends the Job.
async fn wait(
    client: &Client,
    namespace: &str,
    name: &str,
    mut logs: Option<&mut Logs>,
) -> Result<JobCondition, Failure> {
    let jobs: Api<Job> = Api::namespaced(client.clone(), namespace);
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
            return Ok(condition.clone());
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use axum::body::Body;
    use http::{Request, Response};
    use serde_json::{Value, json};

    use super::*;

    /// What an API server says of a Job and its pod, and what is read of the pod's log.
    struct Cluster {
        /// How the Job is at each look, and the code of the answer; the last one stays.
        job: Vec<(u16, Value)>,
        /// The same of its pods.
        pods: Vec<(u16, Value)>,
        /// How long the container writes.
        writes_for: Duration,
    }

    impl Cluster {
        /// What is said of a Job that is followed there, and the logs that are read: `asked`, and `read` when at the end.
        async fn follow(self) -> (String, Vec<String>) {
            let read = Arc::new(Mutex::new(vec![]));
            let (looks, seen) = (Mutex::new((0, 0)), Arc::clone(&read));
            let answer = move |request: Request<kube::client::Body>| {
                let mut looks = looks.lock().expect("no panic");
                let (code, body) = if request.uri().path().ends_with("/log") {
                    let query = request.uri().query().unwrap_or_default();
                    let which = if query.contains("previous=true") {
                        "previous"
                    } else {
                        "last"
                    };
                    (200, log(which, self.writes_for, Arc::clone(&seen)))
                } else {
                    let (answers, look) = if request.uri().path().ends_with("/pods") {
                        (&self.pods, &mut looks.1)
                    } else {
                        (&self.job, &mut looks.0)
                    };
                    let (code, body) = &answers[(*look).min(answers.len() - 1)];
                    *look += 1;
                    (*code, Body::from(body.to_string()))
                };
                let response = Response::builder().status(code).body(body).expect("a response");
                std::future::ready(Ok::<_, Infallible>(response))
            };
            let client = Client::new(tower::service_fn(answer), "default");
            let end = to_the_end(&client, "default", "once", true).await;
            let said = end.map_or_else(|failure| failure.message, |_| "fine".to_owned());
            (said, read.lock().expect("no panic").clone())
        }
    }

    /// A log of one line, which is written at its end.
    fn log(which: &'static str, writes_for: Duration, seen: Arc<Mutex<Vec<String>>>) -> Body {
        seen.lock().expect("no panic").push(format!("{which} asked"));
        let line = async move {
            tokio::time::sleep(writes_for).await;
            seen.lock().expect("no panic").push(format!("{which} read"));
            Ok::<_, Infallible>("done\n")
        };
        Body::from_stream(futures::stream::once(line))
    }

    fn job(conditions: &Value) -> (u16, Value) {
        let job = json!({ "metadata": { "name": "once" }, "status": { "conditions": conditions } });
        (200, job)
    }

    fn pods(restarts: i32, state: &Value, last: &Value) -> (u16, Value) {
        let status = json!({
            "name": "main", "image": "a", "imageID": "", "ready": false,
            "restartCount": restarts, "state": state, "lastState": last,
        });
        let pod = json!({
            "metadata": { "name": "once-a" },
            "spec": { "containers": [{ "name": "main" }] },
            "status": { "containerStatuses": [status] },
        });
        (200, json!({ "metadata": {}, "items": [pod] }))
    }

    fn trouble(code: u16) -> (u16, Value) {
        let reason = if code == 404 { "NotFound" } else { "InternalError" };
        let status = json!({ "status": "Failure", "message": "no", "reason": reason, "code": code });
        (code, status)
    }

    /// What was written before the Job went, or before nobody answered any more, is shown; what is never at its end is not
    /// waited for.
    #[tokio::test(start_paused = true)]
    async fn however_the_waiting_ends_what_was_written_is_shown() {
        let running = || pods(0, &json!({ "running": {} }), &json!({}));
        let goes_on = || job(&json!([]));
        let fails = || vec![running(), trouble(500)];
        for (job, pods, writes_for, said, read) in [
            (
                vec![goes_on(), trouble(404)],
                vec![running()],
                3,
                "was deleted",
                2,
            ),
            (
                vec![goes_on(), trouble(500)],
                vec![running()],
                3,
                "can't be read",
                2,
            ),
            (vec![goes_on()], fails(), 3, "the pods can't be listed", 2),
            (
                vec![goes_on(), trouble(404)],
                vec![running()],
                1 << 30,
                "was deleted",
                1,
            ),
        ] {
            let writes_for = Duration::from_secs(writes_for);
            let cluster = Cluster {
                job,
                pods,
                writes_for,
            };
            let (end, logs) = cluster.follow().await;
            assert!(end.contains(said), "{end}");
            assert_eq!(logs, ["last asked", "last read"][..read], "{said}");
        }
    }

    /// One row a container: how often it was restarted, how it is and was, and which of its logs are read. Two starts have a
    /// log each unless the container waits: then both ways of asking mean the last one that ended.
    #[tokio::test(start_paused = true)]
    async fn no_start_is_shown_twice() {
        let running = json!({ "running": {} });
        let ended = json!({ "terminated": { "exitCode": 1, "containerID": "process://1" } });
        let failed = json!({ "terminated": { "exitCode": 128, "startedAt": "2026-11-25T10:00:00Z" } });
        let waits = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        let none = json!({});
        for (restarts, state, last, read) in [
            (0, &waits, &none, &[][..]),
            (0, &running, &none, &["last"]),
            (0, &waits, &ended, &["last"]),
            (1, &waits, &ended, &["last"]),
            (1, &running, &ended, &["previous", "last"]),
            (1, &ended, &ended, &["previous", "last"]),
            (1, &failed, &ended, &["last"]),
            (2, &running, &ended, &["previous", "last"]),
        ] {
            let cluster = Cluster {
                job: vec![job(&json!([{ "type": "Complete", "status": "True" }]))],
                pods: vec![pods(restarts, state, last)],
                writes_for: Duration::ZERO,
            };
            let (_, logs) = cluster.follow().await;
            let asked: Vec<&str> = logs.iter().filter_map(|log| log.strip_suffix(" asked")).collect();
            assert_eq!(asked, read, "{restarts} {state} {last}");
        }
    }
}
