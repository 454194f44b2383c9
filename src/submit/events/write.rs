//! The requests that write Events.

use std::collections::HashMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Event;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::correlate::{Correlator, Write};
use super::object::{event, name, update};
use crate::policy::Severity;
use crate::submit::FIELD_MANAGER;
use crate::telemetry::{Metrics, Told};

/// How long an Event may take. Those behind it wait, and are dropped when too many do.
const EVENT_TIMEOUT: Duration = Duration::from_secs(2);

/// For how long nothing is written in a namespace where an Event took too long (a webhook hangs), so that those of the
/// others come in time.
const LEFT_ALONE_FOR: Duration = Duration::from_mins(1);

/// How long a warning waits that could not be written, before it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How many warnings wait. More CronJobs than that are in trouble seldom, and then the log tells of the rest.
const MOST_UNWRITTEN: usize = 1_000;

/// Writes what is `told` as Events, one at a time, until nobody tells any more.
pub async fn write_events(client: Client, mut told: mpsc::Receiver<Told>, metrics: Metrics) {
    let mut correlator = Correlator::default();
    let mut writer = Writer {
        client,
        metrics,
        hanging: HashMap::new(),
        unwritten: HashMap::new(),
    };
    let mut again = interval(AGAIN_AFTER);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            told = told.recv() => {
                let Some(told) = told else { return };
                if told.note.severity().is_none() {
                    continue;
                }
                match correlator.correlate(told) {
                    Some(write) => writer.write(write, &mut correlator).await,
                    None => writer.metrics.count_event("withheld"),
                }
            }
            _ = again.tick() => writer.write_again(&mut correlator).await,
        }
    }
}

/// What tells an Event from all others: the CronJob's UID and the series.
type Series = (String, String);

struct Writer {
    client: Client,
    metrics: Metrics,
    /// Namespaces in which an Event took too long, and since when.
    hanging: HashMap<String, Instant>,
    /// Warnings that could not be written. When a full disk has room again, they are all that tells what it held up.
    unwritten: HashMap<Series, Write>,
}

impl Writer {
    async fn write(&mut self, write: Write, correlator: &mut Correlator) {
        let namespace = &write.told.cronjob.namespace;
        if self.hangs(namespace) {
            self.metrics.count_event("failed");
            return self.keep(write);
        }
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let attempt = timeout(EVENT_TIMEOUT, write_one(&events, &write, correlator)).await;
        match attempt {
            Ok(Ok(outcome)) => {
                self.metrics.count_event(outcome);
                self.unwritten.remove(&series(&write));
            }
            Ok(Err(error)) => {
                self.metrics.count_event("failed");
                tracing::debug!(error = &error as &dyn std::error::Error, "an Event was refused");
                if may_pass(&error) {
                    self.keep(write);
                }
            }
            Err(_) => {
                self.metrics.count_event("failed");
                tracing::warn!(
                    namespace,
                    "an Event was not written in time; none is for a minute"
                );
                self.hanging.insert(namespace.clone(), Instant::now());
                self.keep(write);
            }
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

    /// Tries again what is kept, except where it would only wait on.
    async fn write_again(&mut self, correlator: &mut Correlator) {
        for (series, write) in std::mem::take(&mut self.unwritten) {
            if self.hangs(&write.told.cronjob.namespace) {
                self.unwritten.insert(series, write);
            } else {
                self.write(write, correlator).await;
            }
        }
    }
}

fn series(write: &Write) -> Series {
    (write.told.uid.clone(), write.series.clone())
}

/// Whether what was refused may be taken later.
fn may_pass(error: &kube::Error) -> bool {
    match error {
        // Too many requests: there is room again soon.
        kube::Error::Api(status) => status.code == 429 || status.code >= 500,
        _ => true,
    }
}

/// Writes one Event: a new one is created, a known one is raised. Either may turn out to be the other, because Events
/// outlive this process and do not last for ever.
async fn write_one(
    events: &Api<Event>,
    write: &Write,
    correlator: &mut Correlator,
) -> kube::Result<&'static str> {
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
            let before = known.count.unwrap_or(0);
            correlator.found(write, before);
            raise(events, write, before.saturating_add(write.count)).await?;
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Request, Response};
    use kube::client::Body;

    use super::*;
    use crate::cronjob::Key;
    use crate::policy::Note;
    use crate::schedule::Timestamp;

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
            tokio::spawn(write_events(Client::new(api, "shop"), told, Metrics::default()));
            for cronjob in ["first", "second"] {
                tell.send(warning(cronjob)).await.expect("it listens");
            }
            tokio::time::sleep(LEFT_ALONE_FOR + 2 * AGAIN_AFTER).await;
            let expected = if are_kept { 2 } else { 1 };
            assert_eq!(written.load(Ordering::SeqCst), expected, "{first:?}");
        }
    }
}
