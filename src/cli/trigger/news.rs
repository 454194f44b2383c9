//! A watch for a command that somebody waits for.

use std::fmt::Debug;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use k8s_openapi::NamespaceResourceScope;
use kube::runtime::watcher::{self, Config, Event, watcher as watch};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use crate::cli::complain;
use crate::cli::connect::refused;
use crate::cli::exit::Failure;
use crate::cli::trigger::patience::Patience;
use crate::controller::patiently;

/// A watch, which fails only where trying again is no use.
pub(super) struct News<K> {
    events: BoxStream<'static, watcher::Result<Event<K>>>,
    patience: Patience,
}

impl<K> News<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    pub(super) fn of(api: Api<K>, config: Config) -> Self {
        News {
            events: patiently(watch(api, config).boxed()).boxed(),
            patience: Patience::default(),
        }
    }

    /// The next event. Says so where there is trouble; `what` it is about.
    pub(super) async fn next(&mut self, what: impl Fn() -> String) -> Result<Event<K>, Failure> {
        loop {
            let error = match self.events.next().await {
                Some(Ok(event)) => {
                    if !matches!(event, Event::Init) {
                        self.patience.renew();
                    }
                    return Ok(event);
                }
                Some(Err(error)) => error,
                // These watches never end.
                None => std::future::pending().await,
            };
            let error = match error {
                // What came too late for the history, or a connection that was let go: it is listed again.
                watcher::Error::WatchError(_)
                | watcher::Error::WatchFailed(_)
                | watcher::Error::NoResourceVersion => continue,
                watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => error,
            };
            let failure = refused(&what(), &error);
            let is_first = self.patience.is_whole();
            if !self.patience.bears(&error) {
                return Err(failure);
            }
            if is_first {
                complain(&format!("warning: {}; it is tried again", failure.message));
            }
        }
    }
}
