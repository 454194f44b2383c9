//! Deletes what the history has no room for, beside everything else: nothing waits for it.

use std::time::Duration;

use kube::api::PropagationPolicy;
use tokio::time::Instant;

use crate::policy::{Note, Pruning, tell_pruned};
use crate::submit::delete::Deleted;
use crate::submit::lanes::LONGEST_WAIT;
use crate::submit::requests::Requests;
use crate::submit::submitter::{Overtaken, Submitter};
use crate::submit::trouble::Trouble;

/// For how long Jobs are deleted, one after the other, before it is told what came of them and the rest is decided on anew. It
/// is enough for a thousand.
const ROUND: Duration = Duration::from_secs(10);

/// How much of that starts may take. There may be some all the time, and then the history grew if each Job waited for them.
const WAITS: Duration = Duration::from_secs(5);

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
    /// Deletes Jobs that the history of a CronJob of `namespace` has no room for, each when there is room for it, until they
    /// are overtaken. How they ended is recorded.
    pub async fn prune(&self, namespace: &str, pruning: &Pruning, overtaken: &Overtaken) -> Box<Pruned> {
        let requests = Requests::new(&self.client, namespace);
        let at_latest = Instant::now() + LONGEST_WAIT;
        // When the first Job had its turn.
        let mut begun: Option<Instant> = None;
        let mut deleted = Deleted::default();
        for deletion in &pruning.jobs {
            if begun.is_some_and(|begun| begun.elapsed() >= ROUND) {
                break;
            }
            let calm_by = begun.map_or(at_latest, |begun| at_latest.min(begun + WAITS));
            let (deleted, requests, begun) = (&mut deleted, &requests, &mut begun);
            let turn = self.lanes.prune(namespace, calm_by, move || async move {
                if overtaken.is_set() {
                    return false;
                }
                begun.get_or_insert_with(Instant::now);
                let propagation = PropagationPolicy::Background;
                deleted.add(requests, deletion, propagation).await;
                true
            });
            if !turn.await {
                break;
            }
        }
        Box::new(Pruned {
            leaves_some: deleted.results.len() < pruning.jobs.len(),
            notes: tell_pruned(pruning, &deleted.results),
            deleted: deleted.uids,
            trouble: deleted.trouble,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use kube::Client;
    use kube::client::Body;
    use serde_json::json;
    use tokio::time::sleep;

    use super::*;
    use crate::clock::SystemClock;
    use crate::policy::Deletion;
    use crate::schedule::TimeZones;

    /// Where there are starts all the time, and how many Jobs were deleted.
    async fn busy() -> (Submitter, Arc<AtomicUsize>) {
        let deletions = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&deletions);
        let deletes = tower::service_fn(move |_: http::Request<Body>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let body = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" });
            async move { Ok::<_, Infallible>(http::Response::new(Body::from(body.to_string().into_bytes()))) }
        });
        let client = Client::new(deletes, "default");
        let submitter = Submitter::new(client, SystemClock::shared(), Arc::new(TimeZones::built_in()));
        for number in 0..10 {
            let lanes = submitter.lanes.clone();
            tokio::spawn(async move {
                loop {
                    lanes
                        .start("busy", || sleep(Duration::from_millis(100 + number)))
                        .await;
                }
            });
        }
        sleep(Duration::from_millis(1)).await;
        (submitter, deletions)
    }

    fn pruning() -> Pruning {
        let jobs = (0..50).map(|number| Deletion {
            name: format!("old-{number}"),
            uid: format!("uid-{number}"),
        });
        Pruning {
            jobs: jobs.collect(),
            unless_deleted: vec![],
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_comes_to_all_its_jobs_where_there_are_starts_all_the_time() {
        let (submitter, deletions) = busy().await;
        let pruned = submitter.prune("well", &pruning(), &Overtaken::default()).await;
        assert!(!pruned.leaves_some && pruned.trouble.is_none(), "{pruned:?}");
        assert_eq!(deletions.load(Ordering::Relaxed), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_overtaken_while_it_waits_is_not_deleted() {
        let (submitter, deletions) = busy().await;
        let overtaken = Overtaken::default();
        let pruning = pruning();
        let change = async {
            sleep(Duration::from_secs(1)).await;
            overtaken.set();
        };
        let (pruned, ()) = tokio::join!(submitter.prune("well", &pruning, &overtaken), change);
        assert!(pruned.leaves_some, "it is decided on anew");
        assert_eq!(deletions.load(Ordering::Relaxed), 0);
    }
}
