//! The watches: every CronJob that we are in charge of, and every Job, from a list and then as they change.

use std::time::Duration;

use futures::stream::{self, BoxStream, SelectAll, select_all};
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::utils::Backoff as _;
use kube::runtime::watcher::{self, Event, watcher as watch_objects};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::controller::charge::{Charge, Scope};
use crate::controller::lenient::Lenient;
use crate::cronjob::extension::CALENDAR_LABEL;
use crate::manifest::CronJob;
use crate::submit::{JobView, Trouble};

/// How many objects a list brings at a time. A page is held in memory, as text and as objects; the smaller it is, the
/// more requests a listing takes.
const PAGE_SIZE: u32 = 100;

/// How long is waited at most where the API server can't be reached. Asking costs it nothing then, and for as long nothing is
/// seen of what has changed when it is back; kube's own pauses grow to a minute, which is for lists that fail.
const LONGEST_UNREACHED: Duration = Duration::from_secs(5);

/// What is asked for is answered or refused by then, and else goes on: a watch that goes well says nothing while nothing changes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);

/// What a watch reports, and of which scope.
pub(super) enum Watched {
    CronJob(Scope, Result<Event<Lenient<CronJob>>, Failed>),
    Job(Scope, Result<Event<Lenient<JobView>>, Failed>),
    Calendar(Scope, Result<Event<ConfigMap>, Failed>),
}

/// A watch has failed.
pub(super) struct Failed {
    pub(super) error: watcher::Error,
    /// Whether it went well since it failed before.
    pub(super) went_on: bool,
}

/// All watches of a charge, which never end.
pub(super) struct Watches {
    client: Client,
    charge: Charge,
    /// As it is for all of them.
    config: watcher::Config,
    reports: SelectAll<BoxStream<'static, Watched>>,
    with_calendars: bool,
}

impl Watches {
    /// Watches of CronJobs and Jobs. Each ends after `longest` and goes on with another request; without, when kube has it.
    pub(super) fn new(client: Client, charge: Charge, longest: Option<Duration>) -> Self {
        let seconds = longest.and_then(|longest| u32::try_from(longest.as_secs()).ok());
        let config = watcher::Config {
            timeout: seconds.or(watcher::Config::default().timeout),
            ..watcher::Config::default()
        };
        let all = config.clone().page_size(PAGE_SIZE);
        let selected = match &charge.selector {
            Some(selector) => all.clone().labels(selector),
            None => all.clone(),
        };
        let reports = charge.scopes().into_iter().flat_map(|scope| {
            let (of_cronjobs, of_jobs) = (scope.clone(), scope.clone());
            [
                watch(&client, &scope, selected.clone())
                    .map(move |event| Watched::CronJob(of_cronjobs.clone(), event))
                    .boxed(),
                // A Job need not carry the labels of its CronJob.
                watch(&client, &scope, all.clone())
                    .map(move |event| Watched::Job(of_jobs.clone(), event))
                    .boxed(),
            ]
        });
        Watches {
            reports: select_all(reports),
            client,
            charge,
            config,
            with_calendars: false,
        }
    }

    /// Watches calendars as well from now on, if they are not watched yet.
    pub(super) fn add_calendars(&mut self) {
        if std::mem::replace(&mut self.with_calendars, true) {
            return;
        }
        let labelled = self.config.clone().labels(&format!("{CALENDAR_LABEL}=true"));
        for scope in self.charge.calendar_scopes() {
            let reports = watch(&self.client, &scope, labelled.clone());
            let reports = reports.map(move |event| Watched::Calendar(scope.clone(), event));
            self.reports.push(reports.boxed());
        }
    }

    /// What one of them reports next. Nothing is lost when this is dropped.
    pub(super) async fn next(&mut self) -> Option<Watched> {
        self.reports.next().await
    }
}

/// Whether the API server has answered that we may not list or watch. It says the same of a namespace that is gone where it was
/// allowed by a Role, which went with it.
pub(super) fn is_refusal(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    matches!(
        error,
        InitialListFailed(kube::Error::Api(status)) | WatchStartFailed(kube::Error::Api(status)) if status.code == 403
    )
}

/// Whether there was no answer at all.
fn is_unanswered(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => {
            matches!(error, kube::Error::Service(_) | kube::Error::HyperError(_))
        }
        watcher::Error::WatchError(_) | watcher::Error::NoResourceVersion => false,
    }
}

/// Why a watch failed, in the server's words where it gave an answer.
pub(super) fn why_it_failed(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => Trouble::from(error).message,
        watcher::Error::WatchError(status) => status.message.clone(),
        watcher::Error::NoResourceVersion => error.to_string(),
    }
}

/// One watch. After an error it lists again, after a pause that grows.
fn watch<K>(
    client: &Client,
    scope: &Scope,
    config: watcher::Config,
) -> BoxStream<'static, Result<Event<K>, Failed>>
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
    told_apart(watch_objects(api, config).boxed()).boxed()
}

/// Waits after an error, and longer after the next, until something has been shown. Kube's own combinator starts anew
/// with every event, also with the one that says that a listing begins: where lists fail, it never waits longer.
pub fn patiently<K: Send + 'static>(
    events: BoxStream<'static, watcher::Result<Event<K>>>,
) -> impl Stream<Item = watcher::Result<Event<K>>> {
    told_apart(events).map(|event| event.map_err(|failed| failed.error))
}

/// The same, and whether it is one failure after the other or each is another matter.
fn told_apart<K: Send + 'static>(
    events: BoxStream<'static, watcher::Result<Event<K>>>,
) -> impl Stream<Item = Result<Event<K>, Failed>> {
    let start = (events, watcher::DefaultBackoff::default(), None, false);
    stream::unfold(start, |(mut events, mut backoff, pause, went_on)| async move {
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let asked = Instant::now();
        let event = events.next().await?;
        let mut went_on = went_on || asked.elapsed() >= ANSWERED_WITHIN;
        let pause = match &event {
            Err(error) if is_unanswered(error) => backoff.next().map(|pause| pause.min(LONGEST_UNREACHED)),
            Err(_) => backoff.next(),
            Ok(Event::Init | Event::InitApply(_)) => None,
            Ok(Event::InitDone | Event::Apply(_) | Event::Delete(_)) => {
                backoff.reset();
                went_on = true;
                None
            }
        };
        let event = event.map_err(|error| Failed {
            error,
            went_on: std::mem::take(&mut went_on),
        });
        Some((event, (events, backoff, pause, went_on)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_while_lists_fail_and_are_short_again_after_something_was_shown() {
        let failure = || Err(watcher::Error::NoResourceVersion);
        let failing = || (0..8).flat_map(move |_| [Ok(Event::Init), failure()]);
        let shown = [Ok(Event::Init), Ok(Event::InitDone)];
        let events: Vec<watcher::Result<Event<()>>> = failing().chain(shown).chain([failure()]).collect();
        let mut events = Box::pin(patiently(stream::iter(events).boxed()));
        let mut pauses = vec![];
        let mut before = Instant::now();
        while events.next().await.is_some() {
            pauses.push(before.elapsed());
            before = Instant::now();
        }
        // Each `Init` comes after the pause for the failure before it.
        let [first, last] = [pauses[2], pauses[16]];
        assert!(first < Duration::from_secs(2), "{first:?}");
        assert!(last >= Duration::from_secs(30), "{last:?}");
        let ended = before.elapsed();
        assert!(ended < Duration::from_secs(2), "{ended:?}");
    }

    /// Whether a watch that is refused now and then has gone on between.
    #[tokio::test(start_paused = true)]
    async fn a_watch_that_lasted_or_showed_something_has_gone_on_before_it_fails() {
        let failure = |after: u64| (Duration::from_secs(after), Err(watcher::Error::NoResourceVersion));
        let shown = (Duration::ZERO, Ok(Event::Delete(())));
        let listed = (Duration::ZERO, Ok(Event::Init));
        let events = [
            failure(0),
            failure(1),
            failure(290),
            failure(2),
            shown,
            failure(1),
            listed,
            failure(3),
        ];
        let events = stream::iter(events).then(|(after, event)| async move {
            tokio::time::sleep(after).await;
            event
        });
        let failed = told_apart(events.boxed()).filter_map(|event| async { event.err() });
        let went_on: Vec<bool> = failed.map(|failed| failed.went_on).collect().await;
        assert_eq!(went_on, [false, false, true, false, true, false]);
    }

    /// Whatever changed while it was away is seen soon after it is back.
    #[tokio::test(start_paused = true)]
    async fn a_server_that_can_not_be_reached_is_asked_again_soon_for_as_long_as_it_is_away() {
        let failure = || {
            let refused = kube::Error::Service("connection refused".into());
            Err(watcher::Error::InitialListFailed(refused))
        };
        let events: Vec<watcher::Result<Event<()>>> =
            (0..20).flat_map(|_| [Ok(Event::Init), failure()]).collect();
        let mut events = Box::pin(patiently(stream::iter(events).boxed()));
        let mut before = Instant::now();
        while events.next().await.is_some() {
            let pause = before.elapsed();
            assert!(pause <= LONGEST_UNREACHED, "{pause:?}");
            before = Instant::now();
        }
    }
}
