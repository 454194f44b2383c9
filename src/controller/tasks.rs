//! The tasks under way: each is carried out beside the others, and what came of it is heard when it ends.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use tokio::task::JoinSet;

use crate::clock::SharedClock;
use crate::controller::state::{Done, Task};
use crate::cronjob::Key;
use crate::policy::Note;
use crate::submit::{Retry, Submitter, Trouble};
use crate::telemetry::{Teller, Told};

/// The tasks under way, by the CronJob that each is about.
pub(super) struct Tasks {
    means: Arc<Means>,
    under_way: JoinSet<(Key, Done)>,
}

/// What it takes to carry one out.
pub(super) struct Means {
    pub(super) submitter: Submitter,
    /// Is told of starts.
    pub(super) teller: Teller,
    pub(super) clock: SharedClock,
}

impl Tasks {
    /// None yet.
    pub(super) fn new(means: Means) -> Self {
        Tasks {
            means: Arc::new(means),
            under_way: JoinSet::new(),
        }
    }

    /// Starts one. A panic ends it as any other end does.
    pub(super) fn start(&mut self, task: Task) {
        let key = task.key().clone();
        let broken_off = task.broken_off();
        let work = AssertUnwindSafe(perform(Arc::clone(&self.means), task)).catch_unwind();
        self.under_way.spawn(work.map(|done| {
            let done = done.unwrap_or_else(|_panic| {
                tracing::error!(cronjob = %key, "a fault of punctual's; it is decided again");
                broken_off
            });
            (key, done)
        }));
    }

    /// What came of the next one that ends; `None` when none is under way. Nothing is lost when this is dropped.
    pub(super) async fn next(&mut self) -> Option<(Key, Done)> {
        loop {
            match self.under_way.join_next().await? {
                Ok(ended) => return Some(ended),
                Err(error) => tracing::error!(%error, "a task of the controller ended by itself"),
            }
        }
    }

    /// How many are under way.
    pub(super) fn len(&self) -> usize {
        self.under_way.len()
    }

    /// Gives up what is under way.
    pub(super) async fn give_up(&mut self) {
        self.under_way.shutdown().await;
    }
}

/// Carries a task out. Thousands wait at the same time, so what one of them needs to wait is small, and the rest is in
/// boxes that are made when its turn has come.
async fn perform(means: Arc<Means>, task: Task) -> Done {
    let Means {
        submitter,
        teller,
        clock,
    } = &*means;
    match task {
        Task::Submit {
            key,
            object,
            decision,
            overtaken,
        } => {
            let uid = object.metadata.uid.clone().unwrap_or_default();
            let tell_at_once = |notes: &[Note]| {
                for note in notes {
                    teller.tell_at_once(&Told {
                        at: clock.now(),
                        cronjob: key.clone(),
                        uid: uid.clone(),
                        note: note.clone(),
                    });
                }
            };
            let carried = submitter.carry_out(&object, &decision, &overtaken, &tell_at_once);
            let carried = carried.await;
            if let Some(trouble) = &carried.trouble {
                tracing::debug!(cronjob = %key, trouble = trouble.message, "to be tried again");
            }
            Done::Submitted { uid, carried }
        }
        Task::LookAt { key, jobs } => {
            let pods = Box::pin(submitter.look_at(&key.namespace, &jobs)).await;
            match looked(&key, pods, |pods| Done::LookedAt { pods }) {
                // What is due does not wait for that.
                Done::NotAsked(_) => Done::NotAsked(Retry::Backoff),
                done => done,
            }
        }
        Task::LookUp { key, jobs: asked } => {
            let found = Box::pin(submitter.look_up(&key.namespace, &asked)).await;
            looked(&key, found, |found| Done::LookedUp { asked, found })
        }
        Task::Prune {
            key,
            uid,
            pruning,
            overtaken,
        } => {
            let pruned = Box::pin(submitter.prune(&key.namespace, &pruning, &overtaken)).await;
            Done::Pruned { uid, pruned }
        }
    }
}

/// What came of a look, if the API server could be asked.
fn looked<T>(key: &Key, answer: Result<T, Trouble>, done: impl FnOnce(T) -> Done) -> Done {
    answer.map_or_else(
        |trouble| {
            tracing::warn!(cronjob = %key, trouble = trouble.message, "look-up failed");
            Done::NotAsked(trouble.retry)
        },
        done,
    )
}

#[cfg(test)]
mod tests {
    use kube::Client;

    use super::*;
    use crate::clock::SystemClock;
    use crate::schedule::TimeZones;

    /// In bytes: five thousand that wait take a dozen megabytes.
    const SMALL: usize = 2_500;

    #[tokio::test]
    async fn a_task_that_waits_is_small() {
        let nobody = tower::service_fn(|_: http::Request<kube::client::Body>| {
            std::future::pending::<Result<http::Response<kube::client::Body>, tower::BoxError>>()
        });
        let client = Client::new(nobody, "default");
        let submitter = Submitter::new(client, SystemClock::shared(), Arc::new(TimeZones::built_in()));
        let key = Key {
            namespace: "default".into(),
            name: "tick".into(),
        };
        let means = Means {
            submitter,
            teller: Teller::default(),
            clock: SystemClock::shared(),
        };
        let task = perform(Arc::new(means), Task::LookUp { key, jobs: vec![] });
        let size = size_of_val(&task);
        assert!(size < SMALL, "{size} bytes");
    }
}
