//! Watch: a stream of events, one JSON object a line, for as long as the client listens.
//!
//! Source: "Efficient detection of changes" in the Kubernetes API Concepts, with bookmarks and streaming lists.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::collection::Request;
use super::form::Form;
use super::list::AT_ONE_TIME;
use super::params::revision;
use super::{ApiError, JSON};
use crate::standalone::api::registry::read;
use crate::standalone::store::{Batch, Change, Event, Object, Range, Revision, StoreError, Watch};

/// How often a quiet watch is told how far it is, so that it need not list again after a break.
const BOOKMARK_INTERVAL: Duration = Duration::from_mins(1);

/// How long a watch lasts when the client does not say; it then starts anew where it was. kube-apiserver takes 30 to 60
/// minutes, to spread the load.
const WATCH_SECONDS: u64 = 45 * 60;

/// The longest time a client may ask for. A year is as good as forever, and cannot overflow a clock.
const WATCH_SECONDS_MAX: u64 = 366 * 24 * 60 * 60;

/// The annotation of the bookmark that ends the initial events of a streaming list.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// Answers a watch.
pub(super) async fn stream(request: Request) -> Result<Response, ApiError> {
    let start = Start::of(&request)?;
    let body = match open(request, start).await {
        Ok(session) => Body::from_stream(lines(session)),
        // Kubernetes opens the stream and says so in it, for clients look for it there.
        Err(error @ ApiError::Expired { .. }) => Body::from(line("ERROR", &error.status())),
        Err(error) => return Err(error),
    };
    Ok(([(CONTENT_TYPE, JSON)], body).into_response())
}

/// Where a watch starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// After a revision that the client has seen.
    After(Revision),
    /// After whatever has happened by now.
    Now,
    /// With what there is, and a bookmark behind it when `marked`.
    Everything { not_older_than: Revision, marked: bool },
}

impl Start {
    fn of(request: &Request) -> Result<Self, ApiError> {
        let query = &request.query;
        let asked = revision(&query.resource_version)?;
        Ok(match (query.send_initial_events, asked) {
            (Some(true), _) | (None, None | Some(Revision(0))) => Self::Everything {
                not_older_than: asked.unwrap_or_default(),
                marked: query.allow_watch_bookmarks,
            },
            (Some(false), None | Some(Revision(0))) => Self::Now,
            (_, Some(revision)) => Self::After(revision),
        })
    }
}

/// A watch under way.
struct Session {
    request: Request,
    watch: Box<dyn Watch>,
    /// Up to where everything has been told.
    reached: Revision,
    /// What is to be sent before anything else.
    initial: Option<Initial>,
    bookmark_at: Instant,
    ends_at: Instant,
    /// Whether the client of a table knows its columns.
    columns_told: bool,
    /// Set when the last line has been sent.
    over: bool,
}

/// The events of a watch that starts with what there is.
struct Initial {
    objects: std::vec::IntoIter<Object>,
    /// Whether a bookmark ends them.
    marked: bool,
}

async fn open(request: Request, start: Start) -> Result<Session, ApiError> {
    let store = request.endpoint.registry().store().clone();
    let (after, initial) = match start {
        Start::Now => (store.revision().await?, None),
        Start::After(revision) => (revision, None),
        Start::Everything {
            not_older_than,
            marked,
        } => {
            let page = request.find(&Range::default()).await?;
            if page.revision < not_older_than {
                let (asked, newest) = (not_older_than.0, page.revision.0);
                return Err(ApiError::TooLargeResourceVersion { asked, newest });
            }
            let objects = page.objects.into_iter();
            (page.revision, Some(Initial { objects, marked }))
        }
    };
    let watch = store
        .watch(&request.scope, after)
        .await
        .map_err(|error| expired(error, after))?;
    let seconds = request
        .query
        .timeout_seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0)
        .unwrap_or(WATCH_SECONDS);
    let now = Instant::now();
    Ok(Session {
        watch,
        reached: after,
        initial,
        bookmark_at: now + BOOKMARK_INTERVAL,
        ends_at: now + Duration::from_secs(seconds.min(WATCH_SECONDS_MAX)),
        over: false,
        columns_told: false,
        request,
    })
}

/// The lines of a watch, in chunks of what is there at a time.
fn lines(session: Session) -> impl Stream<Item = Result<Bytes, ApiError>> + Send {
    stream::unfold(session, |mut session| async move {
        loop {
            if session.over {
                return None;
            }
            let chunk = session.step().await;
            if !chunk.is_empty() {
                return Some((Ok(chunk), session));
            }
        }
    })
}

impl Session {
    /// Waits for what comes first: events, the time of a bookmark, or the end. The chunk may be empty.
    async fn step(&mut self) -> Bytes {
        if let Some(initial) = self.initial.take() {
            let part = self.initial(initial);
            // Others have their turn, however fast the client reads.
            tokio::task::yield_now().await;
            return part.unwrap_or_else(|error| self.end_with(&error));
        }
        let alarm = self.ends_at.min(self.bookmark_at);
        let read = tokio::select! {
            // The alarm first: a stream of events that never stops would otherwise outlive its end.
            biased;
            () = sleep_until(alarm) => {
                let read = self.watch.poll().await;
                return self.on_alarm(read);
            }
            batch = self.watch.next() => batch,
        };
        self.told(read).unwrap_or_else(|error| self.end_with(&error))
    }

    /// The next part of the initial events. What is left of them is for the next time.
    fn initial(&mut self, mut initial: Initial) -> Result<Bytes, ApiError> {
        let mut chunk = Vec::new();
        for object in initial.objects.by_ref().take(AT_ONE_TIME) {
            show(&mut chunk, &self.request, "ADDED", &object, !self.columns_told)?;
            self.columns_told = true;
        }
        if initial.objects.len() > 0 {
            self.initial = Some(initial);
        } else if initial.marked {
            chunk.extend_from_slice(&bookmark(&self.request, self.reached, true));
        }
        Ok(chunk.into())
    }

    /// Sends what has come in the meantime, and how far that reaches.
    fn on_alarm(&mut self, read: Result<Batch, StoreError>) -> Bytes {
        let now = Instant::now();
        self.over = now >= self.ends_at;
        self.bookmark_at = now + BOOKMARK_INTERVAL;
        match self.told(read) {
            Ok(chunk) if self.request.query.allow_watch_bookmarks => {
                [chunk, bookmark(&self.request, self.reached, false)]
                    .concat()
                    .into()
            }
            Ok(chunk) => chunk,
            Err(error) => self.end_with(&error),
        }
    }

    fn end_with(&mut self, error: &ApiError) -> Bytes {
        self.over = true;
        line("ERROR", &error.status())
    }

    /// The lines for the events that are meant.
    fn told(&mut self, read: Result<Batch, StoreError>) -> Result<Bytes, ApiError> {
        let batch = read.map_err(|error| expired(error, self.reached))?;
        let mut chunk = Vec::new();
        for event in &batch.events {
            if let Some((kind, object)) = self.seen(event)? {
                show(&mut chunk, &self.request, kind, &object, !self.columns_told)?;
                self.columns_told = true;
            }
        }
        self.reached = batch.reached;
        Ok(chunk.into())
    }

    /// An event as the selector sees it: an object that begins to match is added, one that ceases to is deleted.
    fn seen(&self, event: &Event) -> Result<Option<(&'static str, Object)>, ApiError> {
        let endpoint = &self.request.endpoint;
        let selector = &self.request.selector;
        let object = endpoint.shown(event.object.clone())?;
        if selector.is_everything() {
            let kind = match event.change {
                Change::Added => "ADDED",
                Change::Modified => "MODIFIED",
                Change::Deleted => "DELETED",
            };
            return Ok(Some((kind, object)));
        }
        let previous = event
            .previous
            .clone()
            .map(|previous| endpoint.shown(previous))
            .transpose()?;
        let was = previous
            .as_ref()
            .map_or(Ok(false), |previous| selector.matches(previous))?;
        let is = event.change != Change::Deleted && selector.matches(&object)?;
        Ok(match (previous, was, is) {
            (_, false, false) => None,
            (_, false, true) => Some(("ADDED", object)),
            (_, true, true) => Some(("MODIFIED", object)),
            // What is shown is the object as it last matched, under the revision at which it ceased to.
            (previous, true, false) => {
                let last = previous.as_ref().unwrap_or(&object);
                Some(("DELETED", Object::stamp(read(last)?, object.revision())?))
            }
        })
    }
}

/// What a store's refusal means for a watch.
fn expired(error: StoreError, asked: Revision) -> ApiError {
    match error {
        StoreError::Expired { oldest: known } | StoreError::Ahead { newest: known } => ApiError::Expired {
            message: format!("too old resource version: {asked} ({known})"),
            goes_on: None,
        },
        source => ApiError::Internal { source },
    }
}

/// Writes an event in the form that the client accepts. Its first table tells the columns, the others leave them out.
fn show(
    chunk: &mut Vec<u8>,
    request: &Request,
    kind: &str,
    object: &Object,
    with_columns: bool,
) -> Result<(), ApiError> {
    if request.form == Form::Objects {
        write_event(chunk, kind, object.text());
        return Ok(());
    }
    let shown = request.form.one(&request.endpoint, read(object)?, with_columns);
    write_event(chunk, kind, &shown.to_string());
    Ok(())
}

fn write_event(chunk: &mut Vec<u8>, kind: &str, object: &str) {
    for part in ["{\"type\":\"", kind, "\",\"object\":", object, "}\n"] {
        chunk.extend_from_slice(part.as_bytes());
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    let mut chunk = Vec::new();
    write_event(&mut chunk, kind, &object.to_string());
    chunk.into()
}

/// An object without content that says how far the watch is.
fn bookmark(request: &Request, reached: Revision, ends_initial_events: bool) -> Bytes {
    let resource = request.endpoint.resource;
    let mut object = json!({
        "kind": resource.kind,
        "apiVersion": resource.api_version(),
        "metadata": { "resourceVersion": reached.to_string(), "creationTimestamp": null },
    });
    if ends_initial_events {
        object["metadata"]["annotations"] = json!({ INITIAL_EVENTS_END: "true" });
    }
    line("BOOKMARK", &request.form.bookmark(object))
}
