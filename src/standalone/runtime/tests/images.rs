//! An image that can't be fetched, by an engine that is none.

use std::sync::Mutex;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Container;
use tokio::time::Instant;

use super::super::containers::ContainerError;
use super::super::engine::{Attempt, Engine, Found, Setup, Started};
use super::super::fitness::Unfit;
use super::super::start_error::StartError;
use super::*;

/// An engine whose registry is away for so many tries, and that starts nothing.
#[derive(Debug)]
struct Registry {
    begun: Instant,
    away: usize,
    /// After how many seconds it was asked.
    asked: Mutex<Vec<u64>>,
}

impl Engine for Registry {
    fn check(&self, _pod: &Pod) -> Result<(), Unfit> {
        Ok(())
    }

    fn caveat(&self, _container: &Container) -> Option<(&'static str, String)> {
        None
    }

    fn caveat_of_pod(&self, _pod: &Pod) -> Option<(&'static str, String)> {
        None
    }

    fn fetch<'a>(&'a self, container: &'a Container) -> BoxFuture<'a, Result<(), StartError>> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(self.begun.elapsed().as_secs());
        let fetched = if asked.len() > self.away {
            Ok(())
        } else {
            Err(StartError::from(ContainerError::Pull {
                image: container.image.clone().unwrap_or_default(),
                source: bollard::errors::Error::RequestTimeoutError,
            }))
        };
        std::future::ready(fetched).boxed()
    }

    fn find<'a>(&'a self, _attempt: &'a Attempt) -> BoxFuture<'a, Result<Found, StartError>> {
        std::future::ready(Ok(Found::Never)).boxed()
    }

    fn start<'a>(
        &'a self,
        _attempt: &'a Attempt,
        _setup: Setup,
    ) -> BoxFuture<'a, Result<Started, StartError>> {
        let path = "/nowhere".into();
        std::future::ready(Err(StartError::NoSuchFile { path })).boxed()
    }

    fn forget<'a>(&'a self, _pod: &'a Pod) -> BoxFuture<'a, ()> {
        std::future::ready(()).boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_away_is_asked_at_longer_and_longer_intervals() {
    let begun = Instant::now();
    let registry = Arc::new(Registry {
        begun,
        away: 7,
        asked: Mutex::default(),
    });
    let mut lived = live_by(registry.clone(), &script("true"), RestartPolicy::Never, options());
    lived.events.close();
    let mut told = Vec::new();
    while let Some((_, change)) = lived.news.recv().await {
        let what = match change {
            Change::Waiting { reason, message } => format!("{reason}: {message}"),
            Change::Ended(ended) => format!("ended with {}", ended.exit_code),
            Change::Done => "done".to_owned(),
            other => format!("{other:?}"),
        };
        told.push(format!("{} s: {what}", begun.elapsed().as_secs()));
    }
    told.push(format!("asked after {:?} s", registry.asked.lock().unwrap()));
    insta::assert_snapshot!(told.join("\n"), @r#"
    0 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    5 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    10 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    15 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    30 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    35 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    70 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    75 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    150 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    155 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    310 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    315 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    610 s: ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    615 s: ImagePullBackOff: Back-off pulling image "x": ErrImagePull: image "x" could not be pulled; check its name, and that its registry can be reached from here: Timeout error
    910 s: ended with 127
    910 s: done
    asked after [0, 10, 30, 70, 150, 310, 610, 910] s
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_order_is_not_held_up_by_an_image() {
    let registry = Arc::new(Registry {
        begun: Instant::now(),
        away: usize::MAX,
        asked: Mutex::default(),
    });
    let lived = live_by(registry, &script("true"), RestartPolicy::Never, options());
    tokio::time::sleep(Duration::from_mins(10)).await;
    let begun = Instant::now();
    lived.orders.send_replace(Order::Stop { grace: PATIENCE });
    let changes = lived.changes().await;
    assert_eq!(changes.last(), Some(&Change::Done));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
