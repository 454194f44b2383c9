//! Cases that only the embedded server can run.

use futures::future::BoxFuture;

/// One of them.
pub(crate) struct Case {
    /// What holds.
    pub(crate) name: &'static str,
    /// What is tried.
    pub(crate) run: fn() -> BoxFuture<'static, ()>,
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    Vec::new()
}
