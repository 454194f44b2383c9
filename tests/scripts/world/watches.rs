//! What happens to lists and watches on their way: they come late, break, expire, or show an object that is malformed.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::stream::{self, BoxStream, StreamExt};
use punctual::cronjob::Key;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::connection::Wire;
use crate::language::{CutKind, Watched};

/// How many chunks of a watch can be on their way at once: more than any script makes.
const CHUNKS_UNDER_WAY_MAX: usize = 10_000;

/// The longest list that is read.
const LIST_BYTES_MAX: usize = 1 << 24;

/// What is done to watches.
#[derive(Default)]
pub(super) struct Watches {
    cronjobs: Disturbance,
    jobs: Disturbance,
    malformed: Mutex<BTreeSet<String>>,
}

struct Disturbance {
    delay: Mutex<Duration>,
    cut: watch::Sender<CutKind>,
}

impl Default for Disturbance {
    fn default() -> Self {
        Disturbance {
            delay: Mutex::default(),
            cut: watch::Sender::new(CutKind::Break),
        }
    }
}

impl Disturbance {
    fn delay(&self) -> Duration {
        *self.delay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watches {
    fn of(&self, watched: Watched) -> &Disturbance {
        match watched {
            Watched::CronJobs => &self.cronjobs,
            Watched::Jobs => &self.jobs,
        }
    }

    /// From now on, what a watch shows arrives this much later. Returns what it was before.
    pub(super) fn delay(&self, watched: Watched, by: Duration) -> Duration {
        let mut delay = self
            .of(watched)
            .delay
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut delay, by)
    }

    /// Whether any watch is late.
    pub(super) fn are_delayed(&self) -> bool {
        [&self.cronjobs, &self.jobs]
            .iter()
            .any(|watch| !watch.delay().is_zero())
    }

    /// Ends the watches that are open.
    pub(super) fn cut(&self, watched: Watched, how: CutKind) {
        self.of(watched).cut.send_replace(how);
    }

    /// From now on, a CronJob is shown with a field of the wrong type, or as it is.
    pub(super) fn malform(&self, cronjob: &Key, malformed: bool) {
        let mut all = self.malformed.lock().unwrap_or_else(PoisonError::into_inner);
        if malformed {
            all.insert(cronjob.to_string());
        } else {
            all.remove(&cronjob.to_string());
        }
    }

    /// A list, with what is malformed in it.
    pub(super) async fn list(&self, body: Body) -> Body {
        let bytes = axum::body::to_bytes(body, LIST_BYTES_MAX)
            .await
            .unwrap_or_default();
        let mut list: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        for object in list["items"].as_array_mut().into_iter().flatten() {
            self.shown(object);
        }
        Body::from(list.to_string())
    }

    /// A watch, disturbed.
    pub(super) fn stream(&self, watched: Watched, body: Body, wire: &Arc<Wire>) -> Body {
        let here = Arc::clone(wire);
        let late = move |chunk: Result<Bytes, axum::Error>| {
            let delay = here.watches.of(watched).delay();
            let (arrival, wire) = (Instant::now() + delay, Arc::clone(&here));
            async move {
                if !delay.is_zero() {
                    sleep_until(arrival).await;
                }
                let chunk: Bytes = chunk.map_err(io::Error::other)?;
                Ok(wire.watches.lines(watched, chunk))
            }
        };
        let chunks = body.into_data_stream().map(late).buffered(CHUNKS_UNDER_WAY_MAX);
        Body::from_stream(until_cut(chunks.boxed(), self.of(watched).cut.subscribe()))
    }

    fn lines(&self, watched: Watched, chunk: Bytes) -> Bytes {
        if watched == Watched::Jobs {
            return chunk;
        }
        let text = String::from_utf8_lossy(&chunk);
        let mut lines = String::new();
        for line in text.lines() {
            let mut event: Value = serde_json::from_str(line).unwrap_or_default();
            // The text as it was wherever possible: the order of its fields means something to a client.
            if self.shown(&mut event["object"]) {
                let (kind, object) = (&event["type"], &event["object"]);
                for piece in [
                    "{\"type\":",
                    &kind.to_string(),
                    ",\"object\":",
                    &object.to_string(),
                    "}",
                ] {
                    lines.push_str(piece);
                }
            } else {
                lines.push_str(line);
            }
            lines.push('\n');
        }
        lines.into()
    }

    /// Malforms an object if the script says so.
    fn shown(&self, object: &mut Value) -> bool {
        let part = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let key = format!("{}/{}", part("namespace"), part("name"));
        let malformed = self
            .malformed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&key);
        if malformed {
            object["spec"]["suspend"] = json!("perhaps");
        }
        malformed
    }
}

/// A chunk of a watch, or how its connection broke.
type Chunk = io::Result<Bytes>;

/// The chunks up to a cut, and what the client sees of it.
fn until_cut(
    chunks: BoxStream<'static, Chunk>,
    cut: watch::Receiver<CutKind>,
) -> impl stream::Stream<Item = Chunk> + Send {
    stream::unfold(Some((chunks, cut)), |open| async move {
        let (mut chunks, mut cut) = open?;
        tokio::select! {
            biased;
            Ok(()) = cut.changed() => {
                let how = *cut.borrow();
                Some((last_words(how), None))
            }
            chunk = chunks.next() => Some((chunk?, Some((chunks, cut)))),
        }
    })
}

fn last_words(how: CutKind) -> Chunk {
    match how {
        CutKind::Break => Err(io::ErrorKind::ConnectionReset.into()),
        CutKind::Expire => {
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "too old resource version", "reason": "Expired", "code": 410,
            });
            Ok(format!("{{\"type\":\"ERROR\",\"object\":{status}}}\n").into())
        }
    }
}
