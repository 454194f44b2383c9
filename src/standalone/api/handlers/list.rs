//! A list as it is sent: a part at a time. Somebody may ask for all events of a busy hour as one table; that takes
//! neither the memory of the whole, nor a processor for long from what is to be started.

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use futures::stream::{self, StreamExt as _};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::collection::Request;
use super::form::Form;
use super::params::Continue;
use super::{ApiError, Endpoint, JSON};
use crate::standalone::store::{Object, Page};

/// How many objects are looked at, or written, before others have their turn: some milliseconds' worth.
pub(super) const AT_ONE_TIME: usize = 128;

/// Answers a page of what was asked for.
pub(super) fn answer(request: &Request, page: Page) -> Result<Response, ApiError> {
    let (endpoint, form) = (request.endpoint.clone(), request.form);
    let head = form.list_head(&endpoint, &metadata(request, &page));
    let mut list = List {
        begun: begin(&head, form.list_field()),
        endpoint,
        form,
        is_first: true,
        objects: page.objects.into_iter(),
        is_over: false,
    };
    let first = list.part()?;
    let body = if list.is_over {
        Body::from(first)
    } else {
        Body::from_stream(stream::iter([Ok(first)]).chain(rest(list)))
    };
    Ok((StatusCode::OK, [(CONTENT_TYPE, JSON)], body).into_response())
}

/// `ListMeta`.
fn metadata(request: &Request, page: &Page) -> Value {
    let mut metadata = json!({ "resourceVersion": page.revision.to_string() });
    if let Some(after) = page.more_after.clone() {
        let next = Continue {
            at: page.revision,
            after,
        };
        metadata["continue"] = next.token().into();
        if request.selector.is_everything() {
            metadata["remainingItemCount"] = page.remaining.into();
        }
    }
    metadata
}

/// A JSON object that goes on with a list.
fn begin(head: &Value, field: &str) -> Vec<u8> {
    let text = head.to_string();
    let open = text.strip_suffix('}').unwrap_or(&text);
    format!("{open},\"{field}\":[").into_bytes()
}

/// A list that is being written.
struct List {
    endpoint: Endpoint,
    form: Form,
    /// What is written and was not sent.
    begun: Vec<u8>,
    is_first: bool,
    objects: std::vec::IntoIter<Object>,
    is_over: bool,
}

impl List {
    /// Writes the next part of it.
    fn part(&mut self) -> Result<Bytes, ApiError> {
        let mut text = std::mem::take(&mut self.begun);
        for object in self.objects.by_ref().take(AT_ONE_TIME) {
            if !std::mem::take(&mut self.is_first) {
                text.push(b',');
            }
            self.form.write_item(&mut text, &self.endpoint, &object)?;
        }
        if self.objects.len() == 0 {
            text.extend_from_slice(b"]}");
            self.is_over = true;
        }
        Ok(text.into())
    }
}

/// The parts that are still to come.
fn rest(list: List) -> impl futures::Stream<Item = Result<Bytes, ApiError>> + Send {
    stream::unfold(list, |mut list| async move {
        if list.is_over {
            return None;
        }
        tokio::task::yield_now().await;
        Some((list.part(), list))
    })
}
