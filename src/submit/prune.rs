//! Deletes what the history has no room for, beside everything else: nothing waits for it.

use std::time::Duration;

use kube::api::PropagationPolicy;
use tokio::time::Instant;

use crate::policy::{Note, Pruning, tell_pruned};
use crate::submit::delete::Deleted;
use crate::submit::requests::Requests;
use crate::submit::submitter::{Overtaken, Submitter};
use crate::submit::trouble::Trouble;

/// For how long Jobs are deleted, one after the other, before it is told what came of them and the rest is decided on anew. It
/// is enough for a thousand.
const ROUND: Duration = Duration::from_secs(10);

/// What came of a round of deletions.
#[derive(Debug, Default)]
pub struct Pruned {
    /// The UIDs of the Jobs that were deleted.
    pub deleted: Vec<String>,
    /// There was no time to come to all of them, or their CronJob has changed.
    pub leaves_some: bool,
    /// What there is to say about it.
    pub notes: Vec<Note>,
    /// Why some have to be tried again, if any failed.
    pub trouble: Option<Trouble>,
}

impl Submitter {
    /// Deletes Jobs that the history of a CronJob of `namespace` has no room for, each when there is room for it. How they
    /// ended is recorded.
    pub async fn prune(&self, namespace: &str, pruning: &Pruning, overtaken: &Overtaken) -> Box<Pruned> {
        let requests = Requests::new(&self.client, namespace);
        let begun = Instant::now();
        let mut deleted = Deleted::default();
        for deletion in &pruning.jobs {
            if overtaken.is_set() || begun.elapsed() >= ROUND {
                break;
            }
            let (deleted, requests) = (&mut deleted, &requests);
            let room = self.lanes.prune(namespace, move || {
                deleted.add(requests, deletion, PropagationPolicy::Background)
            });
            room.await;
        }
        Box::new(Pruned {
            leaves_some: deleted.results.len() < pruning.jobs.len(),
            notes: tell_pruned(pruning, &deleted.results),
            deleted: deleted.uids,
            trouble: deleted.trouble,
        })
    }
}
