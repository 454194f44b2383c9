//! What follows from a write: dependents go with their owners, contents with their namespace, events with time.
//!
//! In a cluster the garbage collector, the namespace controller and etcd's leases do this. Here one task reads
//! the store's own watches, keeps an index from owners to dependents, and works through the
//! registry, so that finalizers and grace periods hold for its deletes as they do for everybody's. It writes at the lowest
//! rank, and so many writes at the same time: one after the other they would fall behind a machine that is never idle.
//!
//! It keeps nothing that it cannot rebuild. When anything fails it starts anew from a list of everything, which is also how
//! it picks up what was left behind by a crash between an owner's deletion and its dependents'.
//!
//! Source: "Garbage Collection" of the Kubernetes documentation, `pkg/controller/garbagecollector`.

mod events;
mod index;
mod known;
mod merged;
mod namespaces;
mod owners;
mod remaining;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::time::{Instant, sleep, sleep_until};
use tokio::{join, select};

use self::index::Seen;
use self::known::Known;
use self::merged::Merged;
use super::error::ApiError;
use super::registry::{FOREGROUND, Registry};
use super::resource::{RESOURCES, Resource};
use super::together::each;
use crate::standalone::store::{Range, Scope};

/// How long the collector waits before it starts anew after a failure of the store.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// How long after something has happened in a namespace that goes it tells what it waits for. All of it is counted for
/// that, and most goes by itself.
const TELL_DELAY: Duration = Duration::from_secs(1);

/// How long it waits after a panic, which it may come to again as soon as it has read what there is.
const DELAY_AFTER_PANIC: Duration = Duration::from_mins(1);

/// Collects for as long as it is polled. Neither part waits for the other, or begins anew with it: old events are many, and
/// nobody waits for them to go.
pub(super) async fn run(registry: Registry) {
    let collecting = keep_on(|| collect(registry.clone()));
    let sweeping = keep_on(|| events::keep_sweeping(registry.clone()));
    join!(collecting, sweeping);
}

/// Begins work again whenever it fails, for as long as it is polled.
async fn keep_on<F>(begin: impl Fn() -> F)
where
    F: Future<Output = Result<Infallible, ApiError>>,
{
    loop {
        match AssertUnwindSafe(begin()).catch_unwind().await {
            Ok(Ok(never)) => match never {},
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "the collector of the embedded API starts anew");
                sleep(RESTART_DELAY).await;
            }
            Err(_panic) => {
                tracing::error!("a fault of punctual's: nothing is collected for a minute");
                sleep(DELAY_AFTER_PANIC).await;
            }
        }
    }
}

async fn collect(registry: Registry) -> Result<Infallible, ApiError> {
    let mut collector = Collector::new(registry);
    let happening = collector.begin().await?;
    collector.follow(happening).await
}

/// Collects in rounds: hears what has happened, and then does what follows from it, all at the same time.
struct Collector {
    registry: Registry,
    known: Known,
}

impl Collector {
    fn new(registry: Registry) -> Self {
        let known = Known::default();
        Self { registry, known }
    }

    /// Takes in what there is at one revision, and watches from there on.
    async fn begin(&mut self) -> Result<Merged, ApiError> {
        let store = self.registry.store().clone();
        let now = store.revision().await?;
        let mut found = Vec::new();
        let mut happening = Merged::new();
        for resource in stored_resources() {
            let scope = Scope::all(resource.stored_as);
            let page = store
                .list(
                    &scope,
                    Range {
                        at: Some(now),
                        ..Range::default()
                    },
                )
                .await?;
            happening.add(resource, store.watch(&scope, now).await?, now);
            for object in page.objects {
                let seen = Seen::read(resource, &object)?;
                self.known.learn(&seen);
                found.push((resource, seen));
            }
        }
        // Only now, for an owner may be listed after its dependents, and a namespace after what is in it.
        for (resource, seen) in found {
            self.known.look_at(resource, &seen, true);
        }
        self.carry_out().await?;
        Ok(happening)
    }

    /// Does what follows from what happens, for ever.
    async fn follow(&mut self, mut happening: Merged) -> Result<Infallible, ApiError> {
        let mut tell_at = None;
        loop {
            if tell_at.is_none() && !self.known.is_told() {
                tell_at = Some(Instant::now() + TELL_DELAY);
            }
            let news = select! {
                news = happening.next() => news?,
                () = sleep_until(tell_at.unwrap_or_else(Instant::now)), if tell_at.is_some() => {
                    tell_at = None;
                    self.tell().await?;
                    continue;
                }
            };
            for (resource, event) in news {
                let seen = Seen::read(resource, &event.object)?;
                self.known.hear(resource, event.change, &seen);
            }
            self.carry_out().await?;
        }
    }

    /// Has namespaces tell what they wait for.
    async fn tell(&mut self) -> Result<(), ApiError> {
        let untold = self.known.take_untold();
        each(untold, async |name| self.tell_what_remains(&name).await).await
    }

    /// Does what is to be done.
    async fn carry_out(&mut self) -> Result<(), ApiError> {
        let steps = self.known.take_steps();
        each(steps.unowned, async |key| self.collect_unowned(&key).await).await?;
        each(steps.stray, async |key| self.collect_stray(&key).await).await?;
        each(steps.released, async |(owner, uid)| {
            self.let_go(&owner, &uid, FOREGROUND).await
        })
        .await?;
        self.orphan_dependents(steps.orphaning).await?;
        for name in steps.emptied {
            self.empty_namespace(&name).await?;
        }
        for name in steps.podless {
            self.empty_of_all_else(&name).await?;
        }
        each(steps.finished, async |name| self.finish_namespace(&name).await).await
    }
}

/// The resources whose objects are stored as they are: each collection once.
fn stored_resources() -> impl Iterator<Item = &'static Resource> {
    RESOURCES
        .iter()
        .filter(|resource| resource.strategy.is_stored_form())
}

/// What came of a write to one object. One that is gone already is as good as one that was deleted, and one that may not
/// be deleted is no reason to leave the others; only a store that fails is.
fn settled<T>(outcome: Result<T, ApiError>) -> Result<(), ApiError> {
    match outcome {
        Ok(_) | Err(ApiError::NotFound { .. } | ApiError::Conflict { .. }) => Ok(()),
        Err(error @ ApiError::Internal { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "an object can't be collected, and stays");
            Ok(())
        }
    }
}
