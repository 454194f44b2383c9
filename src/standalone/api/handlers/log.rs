//! What a pod's container wrote: the `log` subresource, which `kubectl logs` reads.
//!
//! The files are those that the node writes (see [`logs`](crate::standalone::logs)). Nobody tells this side when
//! something was added: a reader that follows a log looks again after a short while, and asks the pod whether more is to
//! come.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta};
use futures::stream;
use http::header::CONTENT_TYPE;
use k8s_openapi::api::core::v1::Pod;
use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
use super::params::flag;
use super::{ApiError, Endpoint};
use crate::manifest::validate::pod::is_gated;
use crate::schedule::Timestamp;
use crate::standalone::api::cause::Cause;
use crate::standalone::api::registry::read as document;
use crate::standalone::api::resource::LOG_OPTIONS;
use crate::standalone::logs::{Line, LogQuery, NoLog, Reader, Selection, Source, is_kept};

/// How long after everything was read a follower looks again: soon enough for a person, and next to nothing to do.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What is asked for, as Kubernetes' `PodLogOptions` has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Options {
    container: String,
    #[serde(deserialize_with = "flag")]
    follow: bool,
    #[serde(deserialize_with = "flag")]
    previous: bool,
    #[serde(deserialize_with = "flag")]
    timestamps: bool,
    since_seconds: Option<i64>,
    since_time: Option<String>,
    tail_lines: Option<i64>,
    limit_bytes: Option<i64>,
    stream: Option<String>,
}

/// `GET` of a pod's log.
pub(super) async fn read(call: Call) -> Result<Response, ApiError> {
    let endpoint = &call.endpoint;
    let data = endpoint.api.logs.as_ref().ok_or(ApiError::NoSuchPath)?;
    let pod = pod(endpoint, &call.target.namespace, &call.target.name).await?;
    let options: Options = call.query()?;
    let query = options.lines(&call.target.name, endpoint.registry().now())?;
    let source = match Source::choose(&pod, &options.container, options.previous) {
        Ok(source) => source,
        // As in Kubernetes: no node has it yet that could be asked.
        Err(NoLog::Waiting { .. }) if pod.spec.as_ref().is_some_and(is_gated) => {
            return Ok(([(CONTENT_TYPE, "text/plain")], "").into_response());
        }
        Err(none) => return Err(ApiError::bad_request(none.to_string())),
    };
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let path = data.pod(uid).log(&source.container, source.attempt);
    if !source.grows(&pod) && !is_kept(&path) {
        return Ok(([(CONTENT_TYPE, "text/plain")], removed(&path)).into_response());
    }
    let reading = Reading {
        endpoint: endpoint.clone(),
        pod,
        source,
        reader: Some(Reader::at_start(&path)),
        selection: Selection::new(query),
        follows: options.follow,
        stage: Stage::Past,
    };
    let chunks = stream::unfold(reading, |mut reading| async {
        let chunk = reading.next().await?;
        Some((Ok::<_, ApiError>(chunk), reading))
    });
    Ok(([(CONTENT_TYPE, "text/plain")], Body::from_stream(chunks)).into_response())
}

/// What is shown of a log that was removed, when the disk was nearly full or by hand. The kubelet's words, which it writes in
/// the place of the log; programs know them.
fn removed(path: &Path) -> String {
    let path = path.display();
    format!("failed to try resolving symlinks in path \"{path}\": lstat {path}: no such file or directory")
}

/// The pod as it is now.
pub(super) async fn pod(endpoint: &Endpoint, namespace: &str, name: &str) -> Result<Pod, ApiError> {
    let registry = endpoint.registry();
    let object = document(&registry.get(endpoint.resource, namespace, name).await?)?;
    // What the API keeps as a pod is one.
    serde_json::from_value(object).map_err(|error| ApiError::bad_request(error.to_string()))
}

impl Options {
    /// Which lines are asked for, or every rule that the question breaks.
    fn lines(&self, pod: &str, now: Timestamp) -> Result<LogQuery, ApiError> {
        let mut causes = Vec::new();
        let mut check = |field: &str, value: Option<i64>, least: i64, detail: &str| {
            if value.is_some_and(|value| value < least) {
                causes.push(Cause::invalid(field, &Value::from(value), detail));
            }
        };
        check(
            "tailLines",
            self.tail_lines,
            0,
            "must be greater than or equal to 0",
        );
        check("limitBytes", self.limit_bytes, 1, "must be greater than 0");
        check("sinceSeconds", self.since_seconds, 1, "must be greater than 0");
        if self.since_seconds.is_some() && self.since_time.is_some() {
            let detail = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            causes.push(Cause::forbidden("", detail));
        }
        // One stream alone is to be had in Kubernetes, too, only where that is turned on.
        if self.stream.is_some() {
            causes.push(Cause::forbidden("stream", "may not be specified"));
        }
        if !causes.is_empty() {
            return Err(ApiError::Invalid {
                resource: LOG_OPTIONS,
                name: pod.to_owned(),
                causes,
            });
        }
        let count = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
        Ok(LogQuery {
            since: self.since(now)?,
            tail_lines: count(self.tail_lines),
            timestamps: self.timestamps,
            limit_bytes: count(self.limit_bytes),
        })
    }

    fn since(&self, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
        if let Some(text) = &self.since_time {
            let instant = DateTime::parse_from_rfc3339(text).map_err(|error| {
                ApiError::bad_request(format!(
                    "sinceTime: Invalid value: {text:?}: {error}; write it like 2026-11-24T16:00:00Z"
                ))
            })?;
            return Ok(Some(instant.to_utc()));
        }
        // Longer ago than there is time is everything.
        let ago = self.since_seconds.and_then(TimeDelta::try_seconds);
        Ok(ago.and_then(|ago| now.checked_sub_signed(ago)))
    }
}

/// A log that is being shown.
struct Reading {
    endpoint: Endpoint,
    /// The pod as it was when the question was asked.
    pod: Pod,
    source: Source,
    /// Not here while it reads.
    reader: Option<Reader>,
    selection: Selection,
    follows: bool,
    stage: Stage,
}

/// How far the reading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// What was there when the question was asked.
    Past,
    /// What is added to it.
    Present,
    /// Nothing is added any more: what was not read yet.
    Rest,
    /// Everything was shown.
    Over,
}

impl Reading {
    /// The next text to show; nothing, when that was all.
    async fn next(&mut self) -> Option<Bytes> {
        while self.stage != Stage::Over {
            let lines = self.read().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a log could not be read");
                self.stage = Stage::Over;
                VecDeque::new()
            });
            let text: Vec<u8> = if lines.is_empty() {
                self.turn().await
            } else if self.stage == Stage::Past {
                lines
                    .into_iter()
                    .flat_map(|line| self.selection.past(line))
                    .collect()
            } else {
                lines.iter().flat_map(|line| self.selection.show(line)).collect()
            };
            if self.selection.is_full() {
                self.stage = Stage::Over;
            }
            if !text.is_empty() {
                return Some(text.into());
            }
        }
        None
    }

    /// Some of the lines that were not read yet. The last lines of a long log are found by reading all of it, and a disk
    /// may take its time: others have their turn meanwhile.
    async fn read(&mut self) -> io::Result<VecDeque<Line>> {
        let Some(mut reader) = self.reader.take() else {
            return Ok(VecDeque::new());
        };
        let read = tokio::task::spawn_blocking(move || (reader.read(), reader)).await;
        let (lines, reader) = read.map_err(io::Error::other)?;
        self.reader = Some(reader);
        lines
    }

    /// Everything that is there was read. What is to be shown of it only now.
    async fn turn(&mut self) -> Vec<u8> {
        match self.stage {
            Stage::Past => {
                self.stage = if self.follows { Stage::Present } else { Stage::Over };
                return self.selection.turn();
            }
            Stage::Present if grows(&self.endpoint, &self.pod, &self.source).await => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Stage::Present => self.stage = Stage::Rest,
            Stage::Rest | Stage::Over => self.stage = Stage::Over,
        }
        Vec::new()
    }
}

/// Whether something may still be added to a pod's log, as the pod of now says. A pod that is gone says no.
pub(super) async fn grows(endpoint: &Endpoint, before: &Pod, source: &Source) -> bool {
    let metadata = &before.metadata;
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    let now = pod(endpoint, namespace, name).await;
    now.is_ok_and(|now| now.metadata.uid == metadata.uid && source.grows(&now))
}
