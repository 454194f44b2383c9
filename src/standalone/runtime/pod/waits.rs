//! What a container waits for, and for how long: its next restart, what it is made of, and whoever can tell what becomes of
//! it. No wait goes past an order, but for one: what may run can't be taken for ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::container::Life;
use super::restart::BackOff;
use super::status::Change;
use crate::schedule::Timestamp;
use crate::standalone::runtime::containers::ERR_IMAGE_PULL;
use crate::standalone::runtime::engine::{Attempt, STATUS_UNKNOWN, Setup, Started};
use crate::standalone::runtime::order::{Order, changed};
use crate::standalone::runtime::output::What;
use crate::standalone::runtime::output::showing::Sink;
use crate::standalone::runtime::start_error::{START_ERROR, StartError};
use crate::telemetry::chain;

/// How long to wait before looking again for what was missing: a config map, a secret, the container engine.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How long a container that is being started has a place of those at one time. Most take a few milliseconds; one whose
/// command is on a disk that does not answer would keep it for ever, and a few of them every place that there is.
const PLACE_HELD: Duration = Duration::from_secs(5);

/// The kubelet's word for a container that is being started, and what is said of one for which that takes long.
const CONTAINER_CREATING: &str = "ContainerCreating";
const TAKES_LONG: &str = "it is being started, and that takes long, e.g. as its command, its working folder or the data folder is on a disk that \
     does not answer; it is waited for";

/// The kubelet's words for the time until an image is tried again, and until a container is.
const IMAGE_PULL_BACK_OFF: &str = "ImagePullBackOff";
const CRASH_LOOP_BACK_OFF: &str = "CrashLoopBackOff";

/// What a container has waited for until now.
#[derive(Debug)]
pub(in crate::standalone::runtime) struct Waits {
    /// What was last told to be missing: it is told once, however often it is looked for.
    missing: Option<String>,
    /// The row of failed fetches of its image.
    fetches: BackOff,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            missing: None,
            fetches: no_fetches(),
        }
    }
}

/// The second try comes after a wait already.
fn no_fetches() -> BackOff {
    BackOff::after(1)
}

impl Life {
    /// Has fetched what the container is made of. Whether that is there; what is not is waited for.
    pub(super) async fn fetch(&mut self, sink: &Sink) -> bool {
        let mut orders = self.orders.clone();
        let fetched = tokio::select! {
            fetched = self.engine.fetch(&self.container) => fetched,
            () = changed(&mut orders) => return false,
        };
        let Err(error) = fetched else {
            self.waits.fetches = no_fetches();
            return true;
        };
        let reason = error.waits().unwrap_or(START_ERROR);
        self.wait_for(sink, reason, chain(&error)).await;
        if reason == ERR_IMAGE_PULL && self.is_to_run() {
            let delay = self.waits.fetches.next(Duration::ZERO);
            self.put_fetch_off(&error, delay.saturating_sub(LOOK_AGAIN)).await;
        }
        false
    }

    /// Starts an attempt when there is a place; nothing, when an order comes first. The start itself is waited for also past
    /// one: nobody can tell before whether it will run. A container keeps its place, for its engine gives up by itself.
    pub(super) async fn started(
        &mut self,
        sink: &Sink,
        attempt: &Attempt,
        setup: Setup,
    ) -> Option<Result<Started, StartError>> {
        let (machine, engine) = (Arc::clone(&self.machine), Arc::clone(&self.engine));
        let mut orders = self.orders.clone();
        let place = tokio::select! {
            biased;
            Ok(_) = orders.wait_for(|order| *order != Order::Run) => return None,
            // The places are never closed.
            place = machine.starts(&self.pod).acquire() => place,
        };
        let mut start = engine.start(attempt, setup);
        if !machine.is_process(&self.pod) {
            return Some(start.await);
        }
        if let Ok(started) = timeout(PLACE_HELD, &mut start).await {
            return Some(started);
        }
        drop(place);
        let (reason, message) = (CONTAINER_CREATING, TAKES_LONG.to_owned());
        self.tell_missing(sink, reason, &message);
        let (started, ()) = tokio::join!(start, self.tell(Change::Waiting { reason, message }));
        Some(started)
    }

    /// Puts the next fetch of its image off: the registry is spared, as by the kubelet.
    async fn put_fetch_off(&mut self, error: &StartError, delay: Duration) {
        let image = self.container.image.as_deref().unwrap_or_default();
        let message = format!(
            "Back-off pulling image {image:?}: {ERR_IMAGE_PULL}: {}",
            chain(error)
        );
        self.back_off(IMAGE_PULL_BACK_OFF, message, delay).await;
    }

    /// Puts the next run off.
    pub(super) async fn put_restart_off(&mut self, sink: &Sink, delay: Duration) {
        if delay.is_zero() || !self.is_to_run() {
            return;
        }
        sink.tell(self.machine.clock.now(), What::RestartsAfter { delay });
        let message = format!(
            "back-off {delay:?} restarting failed container={} pod={}",
            self.container.name, sink.origin.pod
        );
        self.back_off(CRASH_LOOP_BACK_OFF, message, delay).await;
    }

    /// Warns of a wait, shows it in the status, and waits.
    async fn back_off(&mut self, reason: &'static str, message: String, delay: Duration) {
        self.warn("BackOff", &message);
        self.tell(Change::Waiting { reason, message }).await;
        self.pause(delay).await;
    }

    /// Waits for what is missing, which may come.
    pub(super) async fn wait_for(&mut self, sink: &Sink, reason: &'static str, message: String) {
        self.tell_missing(sink, reason, &message);
        self.tell(Change::Waiting { reason, message }).await;
        self.pause(LOOK_AGAIN).await;
    }

    /// Waits for whoever can tell what became of the attempt.
    pub(super) async fn look_again(&mut self, sink: &Sink, error: &StartError) {
        let reason = error.waits().unwrap_or(START_ERROR);
        let message = chain(error);
        if self.past.was_begun {
            self.tell_unseen(sink, reason, message).await;
        } else {
            self.tell_missing(sink, reason, &message);
            self.tell(Change::Unseen { reason, message }).await;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }

    /// Tells why the container that runs can't be seen, or that it can be again.
    pub(super) async fn tell_sight(
        &mut self,
        sink: &Sink,
        trouble: Option<String>,
        (id, since): (&str, Timestamp),
    ) {
        if let Some(message) = trouble {
            return self.tell_unseen(sink, STATUS_UNKNOWN, message).await;
        }
        self.waits.missing = None;
        let id = id.to_owned();
        self.tell(Change::Running { id, since }).await;
    }

    fn tell_missing(&mut self, sink: &Sink, reason: &str, message: &str) {
        if self.is_news(message) {
            let (reason, message) = (reason.to_owned(), message.to_owned());
            sink.tell(self.machine.clock.now(), What::NotStarted { reason, message });
        }
    }

    async fn tell_unseen(&mut self, sink: &Sink, reason: &'static str, message: String) {
        if self.is_news(&message) {
            let message = message.clone();
            sink.tell_beside(self.machine.clock.now(), What::Unseen { message });
        }
        self.tell(Change::Unseen { reason, message }).await;
    }

    /// Whether this was not told last: then it is warned of.
    fn is_news(&mut self, message: &str) -> bool {
        let is_news = self.waits.missing.as_deref() != Some(message);
        if is_news {
            self.warn("Failed", message);
            self.waits.missing = Some(message.to_owned());
        }
        is_news
    }

    /// Waits, but not past an order.
    async fn pause(&mut self, delay: Duration) {
        let mut orders = self.orders.clone();
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = changed(&mut orders) => {}
        }
    }
}
