//! What can go wrong between the controller and the API.

use crate::cronjob::Key;
use chrono::TimeDelta;
use http::StatusCode;

/// What goes wrong, with which requests, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Which requests.
    pub verb: Verb,
    /// What becomes of them.
    pub effect: Effect,
    /// How many, or for how long.
    pub extent: Extent,
}

/// The requests that a fault can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A Job is created.
    Create,
    /// A Job is deleted.
    Delete,
    /// The status of a CronJob is written.
    Status,
    /// One object is read.
    Read,
    /// A list, or the begin of a watch.
    List,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The API answers this, and does nothing.
    Answer(Answer),
    /// It goes through, and the answer is lost.
    Lose,
    /// It reaches the API this much later.
    Hang(TimeDelta),
    /// It goes through, and the answer comes this much later.
    Slow(TimeDelta),
    /// The controller dies before it is sent.
    CrashBefore,
    /// It goes through, and the controller dies before it hears the answer.
    CrashAfter,
    /// Another client changes this CronJob just before.
    EditFirst(Key),
}

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub code: StatusCode,
    /// The header `Retry-After`.
    pub retry_after_seconds: Option<u32>,
}

impl Answer {
    /// The reason and the message that Kubernetes sends with the code.
    pub fn words(self) -> (&'static str, &'static str) {
        match self.code {
            StatusCode::FORBIDDEN => (
                "Forbidden",
                "exceeded quota: jobs, requested: count/jobs.batch=1, used: 10, limited: 10",
            ),
            StatusCode::CONFLICT => (
                "Conflict",
                "the object has been modified; please apply your changes to the latest version",
            ),
            StatusCode::TOO_MANY_REQUESTS => ("TooManyRequests", "too many requests, please try again later"),
            StatusCode::SERVICE_UNAVAILABLE => (
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
            ),
            StatusCode::GATEWAY_TIMEOUT => (
                "Timeout",
                "the server was unable to return a response in the time allotted",
            ),
            _ => (
                "InternalError",
                "an error on the server has prevented the request from succeeding",
            ),
        }
    }
}

/// Which of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The next one or the next few.
    Next(u32),
    /// All within this time.
    For(TimeDelta),
}

impl Verb {
    /// The words of a script, for one request and for many.
    pub(super) const WORDS: [(Verb, &str, &str); 5] = [
        (Verb::Create, "create", "creates"),
        (Verb::Delete, "delete", "deletes"),
        (Verb::Status, "status", "statuses"),
        (Verb::Read, "read", "reads"),
        (Verb::List, "list", "lists"),
    ];

    pub(super) fn singular(self) -> &'static str {
        self.words().0
    }

    pub(super) fn plural(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        let row = Self::WORDS.iter().find(|(verb, ..)| *verb == self);
        row.map_or(("", ""), |(_, one, many)| (*one, *many))
    }
}
