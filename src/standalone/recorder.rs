//! Writing events on objects, beside the work and never in its way.
//!
//! Events are told to people; nothing depends on them. They are written one after the other by a task of their own,
//! and when it can't keep up, the newest are dropped.

use std::sync::atomic::{AtomicU64, Ordering};

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::mpsc;

use crate::clock::SharedClock;
use crate::standalone::instants::to_time;
use crate::telemetry::chain;

/// How many events wait to be written.
const EVENT_QUEUE: usize = 1024;

/// Writes events in the name of one component.
#[derive(Debug)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<Event>,
    clock: SharedClock,
    component: &'static str,
    /// Makes the names of events unlike each other.
    count: AtomicU64,
}

impl Recorder {
    /// Starts the task that writes. It ends when the recorder is gone and everything is written.
    pub(crate) fn start(client: Client, clock: SharedClock, component: &'static str) -> Self {
        let (queue, mut waiting) = mpsc::channel::<Event>(EVENT_QUEUE);
        tokio::spawn(async move {
            while let Some(event) = waiting.recv().await {
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
        });
        Self {
            queue,
            clock,
            component,
            count: AtomicU64::new(0),
        }
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
        // The queue is full: an event less.
        let _dropped = self.queue.try_send(event);
    }
}
