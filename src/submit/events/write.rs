//! The requests that write Events.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::api::core::v1::Event;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::correlate::{Correlator, Write};
use super::object::{event, name, update};
use crate::policy::Severity;
use crate::submit::{FIELD_MANAGER, Trouble, is_passing};
use crate::telemetry::{Metrics, Told};

/// For how long nothing is written in a namespace where an Event took too long (a webhook hangs), so that those of the
/// others come in time.
const LEFT_ALONE_FOR: Duration = Duration::from_mins(1);

/// How long a warning waits that could not be written, before it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How many warnings wait. More CronJobs than that are in trouble seldom, and then the log tells of the rest.
const MOST_UNWRITTEN: usize = 1_000;

/// How Events are written. Those of one series are written one after the other in any case.
#[derive(Debug, Clone, Copy)]
pub struct EventWriting {
    /// How many at the same time.
    at_once: usize,
    /// How long one may take. Those behind it wait, and are dropped when too many do.
    longest: Duration,
}

impl EventWriting {
    /// To an API server, which has better things to do.
    pub const ONE_BY_ONE: Self = Self {
        at_once: 1,
        longest: Duration::from_secs(2),
    };

    /// To an API that has whatever is only recorded wait while something is to be started, for some seconds perhaps: then they
    /// wait together, and share the syncs of its disk.
    pub const TOGETHER: Self = Self {
        at_once: 32,
        longest: Duration::from_secs(10),
    };
}

/// Writes what is `told` as Events until nobody tells any more.
pub async fn write_events(
    client: Client,
    mut told: mpsc::Receiver<Told>,
    metrics: Metrics,
    writing: EventWriting,
) {
    let mut correlator = Correlator::default();
    let mut writer = Writer {
        client,
        metrics,
        writing,
        under_way: FuturesUnordered::new(),
        busy: HashMap::new(),
        hanging: HashMap::new(),
        told: HashSet::new(),
        unwritten: HashMap::new(),
        again: VecDeque::new(),
    };
    let mut again = interval(AGAIN_AFTER);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        writer.begin_again();
        tokio::select! {
            told = told.recv(), if writer.has_room() => match told {
                Some(told) if told.note.severity().is_none() => {}
                Some(told) => match correlator.correlate(told) {
                    Some(write) => writer.begin(write),
                    None => writer.metrics.count_event("withheld"),
                },
                None => break,
            },
            Some(ended) = writer.under_way.next() => writer.end(ended, &mut correlator),
            _ = again.tick() => writer.again.extend(writer.unwritten.drain().map(|(_, write)| write)),
        }
    }
    while let Some(ended) = writer.under_way.next().await {
        writer.end(ended, &mut correlator);
    }
}

/// What tells an Event from all others: the CronJob's UID and the series.
type Series = (String, String);

/// A write that has come to an end.
struct Ended {
    write: Write,
    /// What became of it, in the words of the metrics; nothing, when it took too long.
    answer: Option<kube::Result<&'static str>>,
    /// The count that the Event had before, which was not known: also where it could not be raised.
    found: i32,
}

struct Writer {
    client: Client,
    metrics: Metrics,
    writing: EventWriting,
    under_way: FuturesUnordered<BoxFuture<'static, Ended>>,
    /// What is under way, each with what is to be written of its series after it: the newest says what those before it said.
    busy: HashMap<Series, Option<Write>>,
    /// Namespaces in which an Event took too long, and since when.
    hanging: HashMap<String, Instant>,
    /// What was told to do where Events are refused: who reads it sees to all of them.
    told: HashSet<&'static str>,
    /// Warnings that could not be written. When a full disk has room again, they are all that tells what it held up.
    unwritten: HashMap<Series, Write>,
    /// Those of them whose time has come to be tried again.
    again: VecDeque<Write>,
}

impl Writer {
    fn has_room(&self) -> bool {
        self.under_way.len() < self.writing.at_once
    }

    /// Begins to write an Event, or has it wait for the one of its series that is under way.
    fn begin(&mut self, write: Write) {
        if let Some(next) = self.busy.get_mut(&series(&write)) {
            *next = Some(write);
            return;
        }
        let namespace = &write.told.cronjob.namespace;
        if self.hangs(namespace) {
            self.metrics.count_event("failed");
            return self.keep(write);
        }
        // It says what those before it were to say that are tried again.
        self.unwritten.remove(&series(&write));
        self.again.retain(|before| series(before) != series(&write));
        self.busy.insert(series(&write), None);
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let longest = self.writing.longest;
        let writing = async move {
            let mut found = 0;
            let answer = timeout(longest, write_one(&events, &write, &mut found))
                .await
                .ok();
            Ended { write, answer, found }
        };
        self.under_way.push(writing.boxed());
    }

    fn end(&mut self, Ended { write, answer, found }: Ended, correlator: &mut Correlator) {
        let next = self.busy.remove(&series(&write)).flatten();
        correlator.found(&write, found);
        let count = write.count.saturating_add(found);
        let write = Write { count, ..write };
        match answer {
            Some(Ok(outcome)) => self.metrics.count_event(outcome),
            Some(Err(error)) => {
                self.metrics.count_event("failed");
                tracing::debug!(error = &error as &dyn std::error::Error, "an Event was refused");
                if let Some(remedy) = remedy(&error)
                    && self.told.insert(remedy)
                {
                    tracing::warn!(
                        namespace = write.told.cronjob.namespace,
                        error = Trouble::from(&error).message,
                        "Events are refused, here or elsewhere: what would be one is in the log and in the metrics alone; {remedy}"
                    );
                }
                if is_passing(&error) {
                    self.keep(write);
                }
            }
            None => {
                let namespace = &write.told.cronjob.namespace;
                self.metrics.count_event("failed");
                tracing::warn!(
                    namespace,
                    "an Event was not written in time; none is for a minute"
                );
                self.hanging.insert(namespace.clone(), Instant::now());
                self.keep(write);
            }
        }
        if let Some(next) = next {
            let count = next.count.saturating_add(found);
            self.begin(Write { count, ..next });
        }
    }

    fn hangs(&mut self, namespace: &str) -> bool {
        self.hanging.retain(|_, since| since.elapsed() < LEFT_ALONE_FOR);
        self.hanging.contains_key(namespace)
    }

    /// Keeps a warning to try it again; the newest of a series says what those before it said.
    fn keep(&mut self, write: Write) {
        let series = series(&write);
        let has_room = self.unwritten.len() < MOST_UNWRITTEN || self.unwritten.contains_key(&series);
        if write.severity == Severity::Warning && has_room {
            self.unwritten.insert(series, write);
        }
    }

    /// Begins with those that are tried again, as far as there is room, except where they would only wait on.
    fn begin_again(&mut self) {
        while self.has_room()
            && let Some(write) = self.again.pop_front()
        {
            if self.hangs(&write.told.cronjob.namespace) {
                self.keep(write);
            } else {
                self.begin(write);
            }
        }
    }
}

fn series(write: &Write) -> Series {
    (write.told.uid.clone(), write.series.clone())
}

/// What is to be done where Events are refused by somebody. A namespace that is being deleted refuses them, too, of which
/// everybody knows.
fn remedy(error: &kube::Error) -> Option<&'static str> {
    let is_forbidden = matches!(error, kube::Error::Api(status) if status.code == 403);
    let trouble = Trouble::from(error);
    if !is_forbidden || trouble.is_namespace_terminating() {
        return None;
    }
    // The words of kube-apiserver for who lacks a right. A quota or a webhook answers with the same code.
    let lacks_a_right = trouble.message.contains(r#" resource "events""#);
    Some(if lacks_a_right {
        "grant create and patch of events"
    } else {
        "who refuses them says why: make room in a quota, or have a webhook let them pass"
    })
}

/// Writes one Event: a new one is created, a known one is raised. Either may turn out to be the other, because Events
/// outlive this process and do not last for ever.
async fn write_one(events: &Api<Event>, write: &Write, found: &mut i32) -> kube::Result<&'static str> {
    if write.count > 1 {
        match raise(events, write, write.count).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            answer => return answer.map(|()| "repeated"),
        }
    }
    match create(events, write).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            // A patch of nothing tells the count, and asks for no right that is not needed anyway.
            let nothing = Patch::Merge(json!({}));
            let known = events
                .patch(&name(write), &PatchParams::default(), &nothing)
                .await?;
            *found = known.count.unwrap_or(0);
            raise(events, write, found.saturating_add(write.count)).await?;
            Ok("repeated")
        }
        answer => answer.map(|()| "written"),
    }
}

async fn create(events: &Api<Event>, write: &Write) -> kube::Result<()> {
    // What is written here is an Event, field by field.
    let event = serde_json::from_value(event(write)).map_err(kube::Error::SerdeError)?;
    let params = PostParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PostParams::default()
    };
    events.create(&params, &event).await.map(drop)
}

async fn raise(events: &Api<Event>, write: &Write, count: i32) -> kube::Result<()> {
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(update(write, count));
    events.patch(&name(write), &params, &patch).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use http::{Method, Request, Response};
    use kube::client::Body;

    use super::*;
    use crate::cronjob::Key;
    use crate::policy::Note;
    use crate::schedule::Timestamp;
    use crate::telemetry::written::Written;

    fn warning(cronjob: &str) -> Told {
        Told {
            at: Timestamp::UNIX_EPOCH,
            cronjob: Key {
                namespace: "shop".into(),
                name: cronjob.into(),
            },
            uid: cronjob.into(),
            note: Note::StartFailed {
                job: format!("{cronjob}-1"),
                scheduled: Timestamp::UNIX_EPOCH,
                error: "the disk is full".into(),
            },
        }
    }

    /// The second one is told while nothing is written in its namespace, or right after the first was refused.
    #[tokio::test(start_paused = true)]
    async fn warnings_that_could_not_be_written_are_written_later() {
        for (first, are_kept) in [
            (None, true),
            (Some(429), true),
            (Some(503), true),
            (Some(403), false),
        ] {
            let written = Arc::new(AtomicUsize::new(0));
            let asked = AtomicUsize::new(0);
            let counted = Arc::clone(&written);
            let api = tower::service_fn(move |_: Request<Body>| {
                let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
                let counted = Arc::clone(&counted);
                async move {
                    let code = match first.filter(|_| is_first) {
                        Some(code) => code,
                        None if is_first => std::future::pending().await,
                        None => {
                            counted.fetch_add(1, Ordering::SeqCst);
                            201
                        }
                    };
                    let body = json!({ "status": "Failure", "code": code }).to_string();
                    let answer = Response::builder().status(code);
                    Ok::<_, Infallible>(answer.body(Body::from(body.into_bytes())).expect("a response"))
                }
            });
            let (tell, told) = mpsc::channel(8);
            tokio::spawn(write_events(
                Client::new(api, "shop"),
                told,
                Metrics::default(),
                EventWriting::ONE_BY_ONE,
            ));
            for cronjob in ["first", "second"] {
                tell.send(warning(cronjob)).await.expect("it listens");
            }
            tokio::time::sleep(LEFT_ALONE_FOR + 2 * AGAIN_AFTER).await;
            let expected = if are_kept { 2 } else { 1 };
            assert_eq!(written.load(Ordering::SeqCst), expected, "{first:?}");
        }
    }

    /// Nobody looks at metrics for Events that are missing. Once is enough for each remedy, as each would say the same.
    #[tokio::test(start_paused = true)]
    async fn that_events_are_refused_is_logged_once_with_what_to_do() {
        let terminating =
            json!({ "causes": [{ "reason": "NamespaceTerminating", "message": "", "field": "" }] });
        let right = r#"events is forbidden: User "punctual" cannot create resource "events" in API group "" in the namespace "shop""#;
        let quota = r#"events "first.1" is forbidden: exceeded quota: few, requested: count/events=1, used: count/events=1, limited: count/events=1"#;
        for (answers, remedies) in [
            (
                [(403, right, json!({})), (403, right, json!({}))],
                &["grant create and patch"][..],
            ),
            (
                [(403, quota, json!({})), (403, right, json!({}))],
                &["make room in a quota", "grant create and patch"],
            ),
            ([(403, "", terminating), (422, "", json!({}))], &[]),
        ] {
            let asked = AtomicUsize::new(0);
            let api = tower::service_fn(move |_: Request<Body>| {
                let (code, message, details) = &answers[asked.fetch_add(1, Ordering::SeqCst)];
                let body =
                    json!({ "status": "Failure", "code": code, "message": message, "details": details });
                let answer = Response::builder().status(*code);
                let answer = answer.body(Body::from(body.to_string().into_bytes()));
                std::future::ready(Ok::<_, Infallible>(answer.expect("a response")))
            });
            let (log, _logging) = Written::here();
            let (tell, told) = mpsc::channel(8);
            for cronjob in ["first", "second"] {
                tell.send(warning(cronjob)).await.expect("it listens");
            }
            drop(tell);
            let client = Client::new(api, "shop");
            write_events(client, told, Metrics::default(), EventWriting::ONE_BY_ONE).await;
            let log = log.text();
            let lines: Vec<&str> = log.lines().filter(|line| line.contains("are refused")).collect();
            assert_eq!(lines.len(), remedies.len(), "{log}");
            for (line, remedy) in lines.iter().zip(remedies) {
                assert!(line.contains(remedy), "{line}");
            }
        }
    }

    /// Where records wait for starts they wait together, and not for ever; what is said again of one waits for the first.
    #[tokio::test(start_paused = true)]
    async fn events_wait_together_for_an_api_that_is_busy() {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let begun = Instant::now();
        let noted = Arc::clone(&requests);
        let busy = tower::service_fn(move |request: Request<Body>| {
            let noted = Arc::clone(&noted);
            async move {
                tokio::time::sleep(Duration::from_secs(3)).await;
                let seconds = begun.elapsed().as_secs();
                noted
                    .lock()
                    .expect("no panic")
                    .push((seconds, request.method().clone()));
                let answer = Response::builder().status(201).body(Body::from(b"{}".to_vec()));
                Ok::<_, Infallible>(answer.expect("a response"))
            }
        });
        let (tell, told) = mpsc::channel(8);
        let client = Client::new(busy, "shop");
        let writing = tokio::spawn(write_events(
            client,
            told,
            Metrics::default(),
            EventWriting::TOGETHER,
        ));
        let later = Told {
            at: Timestamp::UNIX_EPOCH + chrono::TimeDelta::hours(1),
            ..warning("first")
        };
        for told in [warning("first"), warning("second"), later] {
            tell.send(told).await.expect("it listens");
        }
        drop(tell);
        writing.await.expect("no panic");
        let expected = [(3, Method::POST), (3, Method::POST), (6, Method::PATCH)];
        assert_eq!(*requests.lock().expect("no panic"), expected);
    }
}
