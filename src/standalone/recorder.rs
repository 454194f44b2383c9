//! Writing events on objects, beside the work and never in its way.
//!
//! Events are told to people; nothing depends on them. They are written by a task of their own, and when it can't keep up,
//! the newest are dropped, which is told in the log.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::poll_fn;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::clock::SharedClock;
use crate::standalone::instants::to_time;
use crate::telemetry::chain;

/// How many events wait to be written: those of two thousand Jobs that run at once.
const EVENT_QUEUE: usize = 4_096;

/// How many are being written at the same time, which share the syncs of the disk. Each waits for as long as something is to
/// be started.
const WRITES_AT_ONCE: usize = 32;

/// How long a stop waits for events that are not written yet. A disk that does not answer is waited for elsewhere.
const SETTLED_WITHIN: Duration = Duration::from_secs(1);

/// How often it is told that some were dropped, if they were.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// Writes events in the name of one component.
#[derive(Debug)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<Event>,
    clock: SharedClock,
    component: &'static str,
    /// Makes the names of events unlike each other.
    count: AtomicU64,
    dropped: Arc<Dropped>,
    unwritten: Arc<watch::Sender<usize>>,
}

/// How many events were dropped since that was last told.
#[derive(Debug, Default)]
struct Dropped(AtomicU64);

impl Recorder {
    /// Starts the task that writes. It ends when the recorder is gone and everything is written.
    pub(crate) fn start(client: Client, clock: SharedClock, component: &'static str) -> Self {
        let (queue, waiting) = mpsc::channel::<Event>(EVENT_QUEUE);
        let (dropped, unwritten) = (Arc::new(Dropped::default()), Arc::default());
        tokio::spawn(write(
            client,
            waiting,
            component,
            Arc::clone(&dropped),
            Arc::clone(&unwritten),
        ));
        Self {
            queue,
            clock,
            component,
            count: AtomicU64::new(0),
            dropped,
            unwritten,
        }
    }

    /// Waits until what was told is written, but not for long.
    pub(crate) async fn settle(&self) {
        let mut unwritten = self.unwritten.subscribe();
        let _settled = timeout(SETTLED_WITHIN, unwritten.wait_for(|count| *count == 0)).await;
    }

    /// Tells what happened to an object.
    pub(crate) fn tell(&self, object: ObjectReference, warning: bool, reason: &str, message: &str) {
        let now = self.clock.now();
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let nanoseconds = now.timestamp_nanos_opt().unwrap_or_default();
        let name = object.name.as_deref().unwrap_or_default();
        let event = Event {
            metadata: ObjectMeta {
                name: Some(format!("{name}.{nanoseconds:x}{number:02x}")),
                namespace: object.namespace.clone(),
                ..ObjectMeta::default()
            },
            involved_object: object,
            type_: Some(if warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            count: Some(1),
            first_timestamp: Some(to_time(now)),
            last_timestamp: Some(to_time(now)),
            source: Some(EventSource {
                component: Some(self.component.to_owned()),
                host: None,
            }),
            reporting_component: Some(self.component.to_owned()),
            ..Event::default()
        };
        self.unwritten.send_modify(|count| *count += 1);
        // The queue is full: an event less.
        if self.queue.try_send(event).is_err() {
            self.unwritten.send_modify(|count| *count -= 1);
            self.dropped.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes what comes, until nobody tells anything any more.
async fn write(
    client: Client,
    mut waiting: mpsc::Receiver<Event>,
    component: &'static str,
    dropped: Arc<Dropped>,
    unwritten: Arc<watch::Sender<usize>>,
) {
    let waiting = poll_fn(move |context| waiting.poll_recv(context));
    let mut writing = pin!(waiting.for_each_concurrent(WRITES_AT_ONCE, async |event| {
        write_one(&client, event).await;
        unwritten.send_modify(|count| *count -= 1);
    }));
    loop {
        let is_over = timeout(TELL_EVERY, &mut writing).await.is_ok();
        dropped.tell(component);
        if is_over {
            return;
        }
    }
}

async fn write_one(client: &Client, event: Event) {
    let namespace = event.metadata.namespace.clone().unwrap_or_default();
    let events: Api<Event> = Api::namespaced(client.clone(), &namespace);
    if let Err(error) = events.create(&PostParams::default(), &event).await {
        tracing::debug!(
            error = chain(&error),
            reason = event.reason,
            "an event could not be written"
        );
    }
}

impl Dropped {
    /// Tells how many there were, if there were any. Gives that back.
    fn tell(&self, component: &str) -> u64 {
        let dropped = self.0.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::error!(
                component,
                dropped,
                "events were dropped: more happened at once than could be written"
            );
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::sync::Barrier;

    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test(start_paused = true)]
    async fn many_are_written_at_the_same_time_and_what_is_dropped_is_counted() {
        const DROPPED: usize = 7;
        let barrier = Arc::new(Barrier::new(WRITES_AT_ONCE));
        let (told, mut written) = mpsc::unbounded_channel();
        let api = tower::service_fn(move |_: http::Request<kube::client::Body>| {
            let (barrier, told) = (Arc::clone(&barrier), told.clone());
            async move {
                barrier.wait().await;
                told.send(()).expect("the test listens");
                let event = serde_json::json!({ "metadata": {}, "involvedObject": {} });
                let body = kube::client::Body::from(event.to_string().into_bytes());
                Ok::<_, Infallible>(http::Response::new(body))
            }
        });
        let recorder = Recorder::start(Client::new(api, "default"), SystemClock::shared(), "test");
        // Nobody writes before this waits.
        for _ in 0..EVENT_QUEUE + DROPPED {
            recorder.tell(ObjectReference::default(), false, "Tested", "");
        }
        let dropped = Arc::clone(&recorder.dropped);
        assert_eq!(
            dropped.0.load(Ordering::Relaxed),
            u64::try_from(DROPPED).expect("few")
        );
        let all = async {
            recorder.settle().await;
            drop(recorder);
            for _ in 0..EVENT_QUEUE {
                written.recv().await.expect("it goes on");
            }
            while Arc::strong_count(&dropped) > 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(10), all)
            .await
            .expect("none waits for the other");
        assert_eq!(dropped.tell("test"), 0, "it was told at the end");
    }
}
