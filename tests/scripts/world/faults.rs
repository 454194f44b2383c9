//! The faults that wait for their request.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;
use tokio::time::Instant;

use super::asked::Asked;
use crate::language::{Answer, Effect, Extent, Fault};

/// Faults in the order in which they were armed.
#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<Armed>>);

struct Armed {
    fault: Fault,
    left: Left,
}

/// Faults last by the time that passes, whatever the wall clock says.
enum Left {
    Times(u32),
    Until(Instant),
}

impl Faults {
    pub(super) fn arm(&self, fault: Fault) {
        let left = match fault.extent {
            Extent::Next(times) => Left::Times(times),
            Extent::For(time) => Left::Until(Instant::now() + time.to_std().unwrap_or(Duration::ZERO)),
        };
        self.armed(|armed| armed.push(Armed { fault, left }));
    }

    /// The first fault that is meant for this request.
    pub(super) fn strike(&self, asked: &Asked) -> Option<Effect> {
        self.armed(|armed| {
            let meets = |armed: &Armed| armed.fault.verb == asked.verb;
            let found = armed.iter_mut().find(|armed| meets(armed))?;
            if let Left::Times(times) = &mut found.left {
                *times -= 1;
            }
            Some(found.fault.effect.clone())
        })
    }

    /// Whether any fault waits for its request.
    pub(super) fn is_any_armed(&self) -> bool {
        self.armed(|armed| !armed.is_empty())
    }

    /// Nothing goes wrong any more.
    pub(super) fn disarm(&self) {
        self.armed(Vec::clear);
    }

    /// Lets `work` see the faults that are still in force, and drops those that it used up.
    fn armed<T>(&self, work: impl FnOnce(&mut Vec<Armed>) -> T) -> T {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        armed.retain(|armed| !matches!(armed.left, Left::Until(end) if end <= now));
        let result = work(&mut armed);
        armed.retain(|armed| !matches!(armed.left, Left::Times(0)));
        result
    }
}

/// What the API would send.
pub(super) fn response(answer: Answer) -> Response<Body> {
    let (reason, message) = answer.words();
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": answer.code.as_u16(),
    });
    if let Some(seconds) = answer.retry_after_seconds {
        status["details"] = json!({ "retryAfterSeconds": seconds });
    }
    let mut response = (answer.code, status.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    if let Some(seconds) = answer.retry_after_seconds {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}
