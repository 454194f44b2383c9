//! The cases of the contract.

mod cron_jobs;

use futures::future::BoxFuture;

use crate::cluster::Cluster;

/// One thing that a client may rely on.
pub(crate) struct Case {
    /// Its name: the module, and what holds.
    pub(crate) name: &'static str,
    /// What is tried.
    pub(crate) run: fn(Cluster) -> BoxFuture<'static, ()>,
}

/// Names the cases of a module, once more than their functions do.
macro_rules! cases {
    ($($module:ident: $($case:ident)*;)*) => {
        vec![$($(Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            run: |cluster| Box::pin($module::$case(cluster)),
        },)*)*]
    };
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    cases! {
        cron_jobs: support_all_operations;
    }
}
