//! Cases that only the embedded server can run: they need a store that forgets soon.

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use kube::ResourceExt;
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::watcher::{self, watcher};
use punctual::standalone::store::MemoryStore;

use crate::cluster::{Cluster, config_map, refused};

/// One of them.
pub(crate) struct Case {
    /// What holds.
    pub(crate) name: &'static str,
    /// What is tried.
    pub(crate) run: fn() -> BoxFuture<'static, ()>,
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    vec![
        Case {
            name: "history::a_watch_from_too_long_ago_is_gone",
            run: || Box::pin(a_watch_from_too_long_ago_is_gone()),
        },
        Case {
            name: "history::a_page_from_too_long_ago_is_gone",
            run: || Box::pin(a_page_from_too_long_ago_is_gone()),
        },
        Case {
            name: "history::a_watcher_that_was_left_behind_lists_again",
            run: || Box::pin(a_watcher_that_was_left_behind_lists_again()),
        },
        Case {
            name: "history::a_watch_that_was_left_behind_says_how_far_it_was",
            run: || Box::pin(a_watch_that_was_left_behind_says_how_far_it_was()),
        },
        Case {
            name: "history::a_client_of_an_earlier_server_lists_again",
            run: || Box::pin(a_client_of_an_earlier_server_lists_again()),
        },
    ]
}

const POST: PostParams = PostParams {
    dry_run: false,
    field_manager: None,
};

/// A server that remembers five events of each resource.
async fn forgetful() -> Cluster {
    Cluster::over(MemoryStore::with_window(5)).await
}

async fn fill(cluster: &Cluster, names: std::ops::Range<u32>) {
    for number in names {
        cluster
            .config_maps()
            .create(&POST, &config_map(&format!("n{number}")))
            .await
            .unwrap();
    }
}

async fn a_watch_from_too_long_ago_is_gone() {
    let cluster = forgetful().await;
    fill(&cluster, 0..1).await;
    let then = cluster
        .config_maps()
        .get("n0")
        .await
        .unwrap()
        .resource_version()
        .unwrap();
    fill(&cluster, 1..6).await;
    let mut events = cluster
        .config_maps()
        .watch(&WatchParams::default(), &then)
        .await
        .unwrap()
        .boxed();
    assert!(
        matches!(events.try_next().await.unwrap(), Some(WatchEvent::Added(_))),
        "five events are remembered"
    );
    fill(&cluster, 6..7).await;
    let mut events = cluster
        .config_maps()
        .watch(&WatchParams::default(), &then)
        .await
        .unwrap()
        .boxed();
    match events.try_next().await.unwrap() {
        Some(WatchEvent::Error(status)) => {
            assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
        }
        other => panic!("expected 410, found {other:?}"),
    }
    assert!(events.try_next().await.unwrap().is_none(), "and nothing after it");
}

async fn a_page_from_too_long_ago_is_gone() {
    let cluster = forgetful().await;
    fill(&cluster, 0..3).await;
    let first = cluster
        .config_maps()
        .list(&ListParams::default().limit(1))
        .await
        .unwrap();
    fill(&cluster, 3..9).await;
    let token = first.metadata.continue_.unwrap();
    let status = refused(
        cluster
            .config_maps()
            .list(&ListParams::default().limit(1).continue_token(&token))
            .await,
    );
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    let goes_on = status.metadata.and_then(|metadata| metadata.continue_);
    let goes_on = goes_on.expect("a token for the rest");
    let rest = ListParams::default().limit(1).continue_token(&goes_on);
    let rest = cluster.config_maps().list(&rest).await.unwrap();
    let next = cluster.config_maps().list(&ListParams::default()).await.unwrap();
    assert_eq!(rest.items[0].metadata.name, next.items[1].metadata.name);
    assert!(rest.metadata.continue_.is_some());
}

/// kube's watcher meets the 410 while it does not read, and recovers by listing.
async fn a_watcher_that_was_left_behind_lists_again() {
    let cluster = forgetful().await;
    let mut events = watcher(cluster.config_maps(), watcher::Config::default()).boxed();
    while !matches!(events.try_next().await.unwrap(), Some(watcher::Event::InitDone)) {}
    fill(&cluster, 0..200).await;
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 200 {
        match events.next().await.expect("a watcher never ends") {
            Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => {
                seen.insert(object.name_any());
            }
            Ok(_) | Err(watcher::Error::WatchError(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn a_watch_that_was_left_behind_says_how_far_it_was() {
    let cluster = forgetful().await;
    fill(&cluster, 0..1).await;
    let api = cluster.config_maps();
    let start = api.get("n0").await.unwrap().resource_version().unwrap();
    let mut events = api.watch(&WatchParams::default(), &start).await.unwrap().boxed();
    fill(&cluster, 1..2).await;
    let Some(WatchEvent::Added(last)) = events.try_next().await.unwrap() else {
        panic!("expected what was made")
    };
    fill(&cluster, 2..20).await;
    let Some(WatchEvent::Error(status)) = events.try_next().await.unwrap() else {
        panic!("expected 410")
    };
    let reached = last.resource_version().unwrap();
    let oldest: u64 = api
        .get("n15")
        .await
        .unwrap()
        .resource_version()
        .unwrap()
        .parse()
        .unwrap();
    let expected = format!("too old resource version: {reached} ({})", oldest - 1);
    assert_eq!((status.code, status.message.as_str()), (410, expected.as_str()));
}

/// A store in memory begins anew with each process. Who remembers a revision of the last one must not wait for it.
async fn a_client_of_an_earlier_server_lists_again() {
    let cluster = forgetful().await;
    let mut events = cluster
        .config_maps()
        .watch(&WatchParams::default(), "1000000")
        .await
        .unwrap()
        .boxed();
    assert!(
        matches!(events.try_next().await.unwrap(), Some(WatchEvent::Error(status)) if status.code == 410)
    );
    let newer = ListParams::default()
        .at("1000000")
        .matching(kube::api::VersionMatch::NotOlderThan);
    assert_eq!(refused(cluster.config_maps().list(&newer).await).code, 504);
}
