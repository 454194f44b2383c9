//! What trouble with an API server is borne, and for how long.

use std::time::Duration;

use tokio::time::Instant;

use crate::submit::is_passing;

/// For how long it is borne: an API server that is restarted, or a node, is back by then.
pub(super) const LONGEST: Duration = Duration::from_mins(2);

/// How long there has been trouble.
#[derive(Debug, Default)]
pub(super) struct Patience {
    since: Option<Instant>,
}

impl Patience {
    /// Something was heard again.
    pub(super) fn renew(&mut self) {
        self.since = None;
    }

    /// Whether there is no trouble.
    pub(super) fn is_whole(&self) -> bool {
        self.since.is_none()
    }

    /// Whether it is worth trying again after this.
    pub(super) fn bears(&mut self, error: &kube::Error) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        // Where a listing was cut off, it begins anew.
        let is_cut_off = matches!(error, kube::Error::Api(status) if status.code == 410);
        (is_cut_off || is_passing(error)) && since.elapsed() <= LONGEST
    }
}
