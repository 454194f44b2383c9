//! Waits for the end of a Job.

use std::time::Duration;

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::runtime::watcher::{Config, Event};
use kube::{Api, Client};

use crate::cli::connect::refused;
use crate::cli::exit::{Exit, Failure};
use crate::cli::trigger::logs::Logs;
use crate::cli::trigger::news::News;
use crate::cli::{complain, say};
use crate::cronjob::JOB_NAME_LABEL;

/// How long after the end of a Job its pods are still heard of: those of one that goes with its end (by its
/// `ttlSecondsAfterFinished`) are seen nowhere else, and two watches tell in no order.
const LAST_NEWS: Duration = Duration::from_millis(300);

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
    let mut pods = logs.then(|| Pods::of(client, namespace, name));
    let end = wait(client, namespace, name, pods.as_mut()).await;
    if let Some(pods) = &mut pods {
        let seen = pods.look_again().await;
        if end.is_ok() {
            if let Err(failure) = seen {
                complain(&format!("warning: {}", failure.message));
            }
            pods.logs.finish().await;
        } else if tokio::time::timeout(LAST_LINES, pods.logs.finish())
            .await
            .is_err()
        {
            complain("warning: the logs are not shown to their end");
        }
    }
    ended(namespace, name, &end?)
}

/// Waits for the condition that ends the Job. It is watched: one that is deleted when it ends would be gone at a second look.
async fn wait(
    client: &Client,
    namespace: &str,
    name: &str,
    mut pods: Option<&mut Pods>,
) -> Result<JobCondition, Failure> {
    let jobs: Api<Job> = Api::namespaced(client.clone(), namespace);
    let mut jobs = News::of(jobs, Config::default().fields(&format!("metadata.name={name}")));
    let gone = || {
        Failure::new(format!(
            "Job {namespace}/{name} was deleted before its end was seen"
        ))
    };
    let mut is_there = false;
    loop {
        tokio::select! {
            event = jobs.next(|| format!("Job {namespace}/{name} can't be watched")) => {
                let (job, is_gone) = match event? {
                    Event::Init => {
                        is_there = false;
                        continue;
                    }
                    Event::InitDone if is_there => continue,
                    Event::InitDone => return Err(gone()),
                    Event::InitApply(job) | Event::Apply(job) => (job, false),
                    Event::Delete(job) => (job, true),
                };
                is_there = true;
                if let Some(condition) = terminal(&job) {
                    return Ok(condition.clone());
                }
                if is_gone {
                    return Err(gone());
                }
                if let Some(pods) = &mut pods {
                    let at_once = job.spec.as_ref().and_then(|spec| spec.parallelism);
                    pods.many = at_once > Some(1);
                }
            }
            // The names of pods are shown where the Job has many, so it comes first.
            seen = hear(pods.as_deref_mut()), if is_there => seen?,
        }
    }
}

/// What comes of the pods; nothing where nobody asks.
async fn hear(pods: Option<&mut Pods>) -> Result<(), Failure> {
    match pods {
        Some(pods) => pods.hear().await,
        None => std::future::pending().await,
    }
}

/// The pods of a Job.
struct Pods {
    api: Api<Pod>,
    labels: String,
    news: News<Pod>,
    logs: Logs,
    /// Whether there are several at a time.
    many: bool,
}

impl Pods {
    fn of(client: &Client, namespace: &str, job: &str) -> Self {
        let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
        let labels = format!("{JOB_NAME_LABEL}={job}");
        Pods {
            news: News::of(api.clone(), Config::default().labels(&labels)),
            logs: Logs::new(api.clone()),
            api,
            labels,
            many: false,
        }
    }

    /// Takes in what comes next. One that goes may have run since it was last seen.
    async fn hear(&mut self) -> Result<(), Failure> {
        let event = self.news.next(|| "the pods can't be watched".to_owned()).await?;
        match event {
            Event::InitApply(pod) | Event::Apply(pod) => self.logs.see(&pod, self.many, false),
            Event::Delete(pod) => self.logs.see(&pod, self.many, true),
            Event::Init | Event::InitDone => {}
        }
        Ok(())
    }

    /// Sees what has come until now.
    async fn look_again(&mut self) -> Result<(), Failure> {
        let news = async { while self.hear().await.is_ok() {} };
        let _over = tokio::time::timeout(LAST_NEWS, news).await;
        let pods = self.api.list(&ListParams::default().labels(&self.labels)).await;
        let pods = pods.map_err(|error| refused("the pods can't be listed", &error))?;
        for pod in &pods.items {
            self.logs.see(pod, self.many, false);
        }
        Ok(())
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
    use futures::StreamExt as _;
    use http::{Request, Response};
    use serde_json::{Value, json};

    use super::*;

    /// What an API server says of a Job and its pod, and what is read of the pod's log.
    struct Cluster {
        job: Told,
        pod: Told,
        /// How long the container writes.
        writes_for: Duration,
    }

    /// What is said of an object.
    struct Told {
        /// As it is listed, each time.
        listed: Value,
        /// What a watch tells half a second later.
        changes: Vec<(&'static str, Value)>,
        /// With what every request after that is refused.
        then: Option<u16>,
    }

    impl Cluster {
        /// What is said of a Job that is followed there, and the logs that are read: `asked`, and `read` when at the end.
        async fn follow(self) -> (String, Vec<String>) {
            let read = Arc::new(Mutex::new(vec![]));
            let seen = Arc::clone(&read);
            let asked = Mutex::new([0, 0]);
            let answer = move |request: Request<kube::client::Body>| {
                let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
                let (code, body) = if path.ends_with("/log") {
                    let previous = query.contains("previous=true");
                    let which = if previous { "previous" } else { "last" };
                    (200, log(which, self.writes_for, Arc::clone(&seen)))
                } else {
                    let is_pod = path.ends_with("/pods");
                    let asked = &mut asked.lock().expect("no panic")[usize::from(is_pod)];
                    *asked += 1;
                    let told = if is_pod { &self.pod } else { &self.job };
                    told.answer(*asked, query.contains("watch=true"))
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

    impl Told {
        fn always(listed: Value) -> Self {
            Told {
                listed,
                changes: vec![],
                then: None,
            }
        }

        /// The answer to a request: the first lists, the second watches.
        fn answer(&self, request: usize, is_watch: bool) -> (u16, Body) {
            if let (3.., Some(code)) = (request, self.then) {
                let status = json!({ "status": "Failure", "message": "no", "reason": "No", "code": code });
                return (code, Body::from(status.to_string()));
            }
            if !is_watch {
                let list = json!({ "metadata": { "resourceVersion": "1" }, "items": [self.listed] });
                return (200, Body::from(list.to_string()));
            }
            let changes: Vec<String> = self
                .changes
                .iter()
                .map(|(kind, object)| format!("{}\n", json!({ "type": kind, "object": object })))
                .collect();
            let changes = changes.concat();
            let ends = self.then.is_some();
            let told = futures::stream::once(async move {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Ok::<_, Infallible>(changes)
            });
            let goes_on = futures::stream::once(async move {
                if !ends {
                    std::future::pending::<()>().await;
                }
                Ok(String::new())
            });
            (200, Body::from_stream(told.chain(goes_on)))
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

    fn job(conditions: &Value) -> Value {
        let metadata = json!({ "name": "once", "resourceVersion": "1" });
        json!({ "metadata": metadata, "status": { "conditions": conditions } })
    }

    fn pod(restarts: i32, state: &Value, last: &Value) -> Value {
        let status = json!({
            "name": "main", "image": "a", "imageID": "", "ready": false,
            "restartCount": restarts, "state": state, "lastState": last,
        });
        json!({
            "metadata": { "name": "once-a", "resourceVersion": "1" },
            "spec": { "containers": [{ "name": "main" }] },
            "status": { "containerStatuses": [status] },
        })
    }

    fn complete() -> Value {
        job(&json!([{ "type": "Complete", "status": "True" }]))
    }

    /// One row a Job that runs: what becomes of it and with what requests are refused then, the same of its pod, how long that
    /// writes, what is said, and how much of the log is read. What was written before the Job went, or before nobody answered
    /// any more, is shown; what is never at its end is not waited for.
    #[tokio::test(start_paused = true)]
    async fn however_the_waiting_ends_what_was_written_is_shown() {
        let running = || pod(0, &json!({ "running": {} }), &json!({}));
        let goes_on = || job(&json!([]));
        let deleted = |job| vec![("DELETED", job)];
        let without_end = 1 << 30;
        for (jobs, of_the_job, pods, of_the_pod, writes_for, said, read) in [
            (vec![("MODIFIED", complete())], None, vec![], None, 3, "fine", 2),
            // With `ttlSecondsAfterFinished: 0`.
            (
                vec![("MODIFIED", complete()), ("DELETED", complete())],
                None,
                vec![],
                None,
                3,
                "fine",
                2,
            ),
            (deleted(complete()), None, vec![], None, 3, "fine", 2),
            (deleted(goes_on()), None, vec![], None, 3, "was deleted", 2),
            (
                deleted(goes_on()),
                None,
                vec![],
                None,
                without_end,
                "was deleted",
                1,
            ),
            (vec![], Some(503), vec![], None, 3, "can't be watched", 2),
            (vec![], Some(403), vec![], None, 3, "can't be watched", 2),
            (vec![], None, vec![], Some(403), 3, "the pods can't be watched", 2),
            (
                vec![],
                None,
                deleted(running()),
                Some(500),
                3,
                "the pods can't be watched",
                2,
            ),
        ] {
            let told = |listed, changes, then| Told {
                listed,
                changes,
                then,
            };
            let cluster = Cluster {
                job: told(goes_on(), jobs, of_the_job),
                pod: told(running(), pods, of_the_pod),
                writes_for: Duration::from_secs(writes_for),
            };
            let (end, mut logs) = cluster.follow().await;
            assert!(end.contains(said), "{end}");
            // Nobody has told that the container has ended: it is asked again whether there is more.
            logs.truncate(2);
            assert_eq!(logs, ["last asked", "last read"][..read], "{said}");
        }
    }

    /// A log whose kubelet goes away seems to be at its end.
    #[tokio::test(start_paused = true)]
    async fn a_log_that_ends_before_its_container_is_asked_for_again() {
        let running = pod(0, &json!({ "running": {} }), &json!({}));
        let ended = pod(0, &json!({ "terminated": { "exitCode": 0 } }), &json!({}));
        for (changes, asked) in [
            (vec![], 3),
            (vec![("MODIFIED", ended)], 2),
            (vec![("DELETED", running.clone())], 2),
        ] {
            let cluster = Cluster {
                job: Told {
                    changes: vec![("MODIFIED", complete())],
                    ..Told::always(job(&json!([])))
                },
                pod: Told {
                    changes,
                    ..Told::always(running.clone())
                },
                writes_for: Duration::ZERO,
            };
            let (end, logs) = cluster.follow().await;
            assert_eq!(end, "fine");
            let requests = logs.iter().filter(|log| *log == "last asked").count();
            assert_eq!(requests, asked, "{logs:?}");
        }
    }

    /// A pod that is begun between two listings, and is gone when its Job has ended, too.
    #[tokio::test(start_paused = true)]
    async fn a_pod_that_goes_with_the_end_of_its_job_is_shown() {
        let waits = pod(
            0,
            &json!({ "waiting": { "reason": "ContainerCreating" } }),
            &json!({}),
        );
        let ran = pod(
            0,
            &json!({ "terminated": { "exitCode": 0, "containerID": "process://1" } }),
            &json!({}),
        );
        let cluster = Cluster {
            job: Told {
                changes: vec![("DELETED", complete())],
                ..Told::always(job(&json!([])))
            },
            pod: Told {
                changes: vec![("DELETED", ran)],
                ..Told::always(waits)
            },
            writes_for: Duration::ZERO,
        };
        let (end, logs) = cluster.follow().await;
        assert_eq!(
            (end.as_str(), logs),
            ("fine", vec!["last asked".to_owned(), "last read".to_owned()])
        );
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
                job: Told::always(complete()),
                pod: Told::always(pod(restarts, state, last)),
                writes_for: LAST_NEWS * 2,
            };
            let (_, logs) = cluster.follow().await;
            let asked: Vec<&str> = logs.iter().filter_map(|log| log.strip_suffix(" asked")).collect();
            assert_eq!(asked, read, "{restarts} {state} {last}");
        }
    }
}
