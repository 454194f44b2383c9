//! Why something was not done that a manifest asks for.

use crate::cli::exit::Failure;
use crate::submit::{Trouble, is_passing};
use crate::telemetry::chain;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// For the person who has to act on it.
    pub(super) message: String,
    /// Whether it may be done later, with nothing changed in the manifest.
    pub(super) may_pass: bool,
}

impl Refusal {
    /// `context`, and then what the API says.
    pub(super) fn of(context: &str, error: &kube::Error) -> Self {
        Refusal {
            message: format!("{context}: {}", chain(error)),
            may_pass: may_pass(error),
        }
    }

    /// What is told where it is tried again when it may pass.
    pub(super) fn told(&self) -> String {
        let Refusal { message, may_pass } = self;
        if *may_pass {
            format!("{message} (it is tried again)")
        } else {
            message.clone()
        }
    }
}

/// Whether the same request may be answered otherwise later.
fn may_pass(error: &kube::Error) -> bool {
    // Another one was quicker: to delete it, or its namespace; to write it.
    let is_overtaken = matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409));
    is_overtaken || is_passing(error) || Trouble::from(error).is_namespace_terminating()
}

impl From<Refusal> for Failure {
    fn from(Refusal { message, may_pass }: Refusal) -> Self {
        if may_pass {
            Failure::new(message)
        } else {
            Failure::refused(message)
        }
    }
}
