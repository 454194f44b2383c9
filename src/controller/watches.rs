//! The watches: every CronJob that we are in charge of, and every Job, from a list and then as they change.

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll, select_all};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_objects};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::controller::charge::{Charge, Scope};
use crate::controller::lenient::Lenient;
use crate::manifest::CronJob;
use crate::submit::JobView;

/// What a watch reports, and of which scope.
pub(super) enum Watched {
    CronJob(Scope, watcher::Result<Event<Lenient<CronJob>>>),
    Job(Scope, watcher::Result<Event<Lenient<JobView>>>),
}

/// All watches of a charge, in one stream that never ends.
pub(super) fn watch_all(client: &Client, charge: &Charge) -> SelectAll<BoxStream<'static, Watched>> {
    let selected = match &charge.selector {
        Some(selector) => watcher::Config::default().labels(selector),
        None => watcher::Config::default(),
    };
    let watches = charge.scopes().into_iter().flat_map(|scope| {
        let (of_cronjobs, of_jobs) = (scope.clone(), scope.clone());
        [
            watch(client, &scope, selected.clone())
                .map(move |event| Watched::CronJob(of_cronjobs.clone(), event))
                .boxed(),
            // A Job need not carry the labels of its CronJob.
            watch(client, &scope, watcher::Config::default())
                .map(move |event| Watched::Job(of_jobs.clone(), event))
                .boxed(),
        ]
    });
    select_all(watches)
}

/// One watch. After an error it lists again, after a pause that grows.
fn watch<K>(
    client: &Client,
    scope: &Scope,
    config: watcher::Config,
) -> BoxStream<'static, watcher::Result<Event<K>>>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let api: Api<K> = match &scope.0 {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    watch_objects(api, config).default_backoff().boxed()
}
