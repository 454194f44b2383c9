//! What a failed request means for the next attempt (pure).

use std::time::Duration;

use crate::telemetry::chain;

/// Why something could not be done, and when to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The server's own words where it gave an answer, else what went wrong on the way.
    pub message: String,
    /// When to try again.
    pub retry: Retry,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Soon, and less and less often.
    Backoff,
    /// Not before this has passed: the server asked for it (`Retry-After`).
    After(Duration),
    /// Seldom: the namespace is being deleted, and the CronJob goes with it.
    Seldom,
}

/// The cause that kube-apiserver gives for refusing to create something in a namespace that is being deleted
/// (`k8s.io/api/core/v1`, `NamespaceTerminatingCause`).
const NAMESPACE_TERMINATING: &str = "NamespaceTerminating";

impl Trouble {
    /// Trouble that is over as likely as not when it is tried again.
    pub fn passing(message: impl Into<String>) -> Self {
        Trouble {
            message: message.into(),
            retry: Retry::Backoff,
        }
    }

    /// Whether the namespace is being deleted.
    pub fn is_namespace_terminating(&self) -> bool {
        self.retry == Retry::Seldom
    }
}

impl From<&kube::Error> for Trouble {
    fn from(error: &kube::Error) -> Self {
        let message = chain(error);
        let kube::Error::Api(status) = error else {
            return Trouble::passing(message);
        };
        let details = status.details.as_ref();
        let terminating = details
            .into_iter()
            .flat_map(|details| &details.causes)
            .any(|cause| cause.reason == NAMESPACE_TERMINATING);
        let asked = details.map_or(0, |details| details.retry_after_seconds);
        Trouble {
            message,
            retry: match asked {
                _ if terminating => Retry::Seldom,
                0 => Retry::Backoff,
                seconds => Retry::After(Duration::from_secs(seconds.into())),
            },
        }
    }
}

/// Whether the same request may be answered otherwise soon: nobody answered, or who did was not able to, or had too much to do.
pub fn is_passing(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 408 | 429 | 500..),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_answer_says_when_to_try_again() {
        for (answer, retry) in [
            (
                json!({ "code": 500, "message": "etcdserver: request timed out" }),
                Retry::Backoff,
            ),
            (
                json!({ "code": 403, "message": "exceeded quota" }),
                Retry::Backoff,
            ),
            (json!({ "code": 429, "message": "slow down" }), Retry::Backoff),
            (
                json!({ "code": 429, "message": "slow down", "details": { "retryAfterSeconds": 7 } }),
                Retry::After(Duration::from_secs(7)),
            ),
            (
                json!({ "code": 403, "message": "it is being terminated", "details": { "causes": [
                    { "reason": "NamespaceTerminating", "message": "namespace a is being terminated" },
                ] } }),
                Retry::Seldom,
            ),
        ] {
            let status: Box<kube::core::Status> = serde_json::from_value(answer).expect("a Status");
            let trouble = Trouble::from(&kube::Error::Api(status.clone()));
            assert_eq!(
                trouble,
                Trouble {
                    message: status.message,
                    retry
                }
            );
        }
    }

    #[test]
    fn what_is_no_answer_of_the_objects_own_passes() {
        let of = |code| kube::Error::Api(Box::new(kube::core::Status::default().with_code(code)));
        assert!(
            [408, 429, 500, 503, 599]
                .into_iter()
                .all(|code| is_passing(&of(code)))
        );
        assert!(
            !([400, 403, 404, 409, 410, 422]
                .into_iter()
                .any(|code| is_passing(&of(code))))
        );
        assert!(is_passing(&kube::Error::LinesCodecMaxLineLengthExceeded));
    }

    #[test]
    fn an_answer_without_words_is_given_some() {
        let silent = kube::Error::Api(Box::new(kube::core::Status::default().with_code(502)));
        assert_eq!(
            Trouble::from(&silent).message,
            "the API server answered 502 without a word"
        );
    }
}
