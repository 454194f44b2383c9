//! When Jobs appear, as a watch shows them.

use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt;
use futures::stream::BoxStream;
use kube::Api;
use kube::api::{ListParams, WatchEvent, WatchParams};
use punctual::clock::{Clock, SystemClock};
use punctual::schedule::Timestamp;
use punctual::submit::JobView;

use crate::control_plane::ControlPlane;

/// Longer than a measurement takes, and shorter than kube lets a watch be.
const WATCH_SECONDS: u32 = 290;

/// Watches every Job of the cluster.
pub(crate) struct Observer {
    api: Api<JobView>,
    version: String,
    events: BoxStream<'static, kube::Result<WatchEvent<JobView>>>,
}

impl Observer {
    /// Sees what is created from now on.
    pub(crate) async fn start(control_plane: &ControlPlane) -> Self {
        let api: Api<JobView> = Api::all(control_plane.client());
        let list = api
            .list(&ListParams::default().limit(1))
            .await
            .expect("a list of Jobs");
        let version = list.metadata.resource_version.expect("a version");
        let events = watch(&api, &version).await;
        Observer { api, version, events }
    }

    /// The next Jobs that are created, by name, and when they were seen.
    pub(crate) async fn wait_for(&mut self, jobs: usize, limit: Duration) -> Vec<(String, Timestamp)> {
        let mut seen = Vec::new();
        let deadline = tokio::time::Instant::now() + limit;
        while seen.len() < jobs {
            let event = tokio::time::timeout_at(deadline, self.events.next()).await;
            match event.unwrap_or_else(|_| panic!("{} of {jobs} Jobs appeared in {limit:?}", seen.len())) {
                Some(Ok(WatchEvent::Added(job))) => {
                    seen.push((job.name().to_owned(), SystemClock.now()));
                    self.version = job.run().resource_version;
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("the watch failed: {error}"),
                None => self.events = watch(&self.api, &self.version).await,
            }
        }
        seen
    }
}

async fn watch(api: &Api<JobView>, version: &str) -> BoxStream<'static, kube::Result<WatchEvent<JobView>>> {
    let params = WatchParams::default().timeout(WATCH_SECONDS);
    api.watch(&params, version).await.expect("a watch").boxed()
}

/// The due instant that a run's name carries: minutes, or seconds when it lies off the minute.
pub(crate) fn due_instant(job: &str) -> Timestamp {
    let digits = job.rsplit('-').next().expect("a run's name");
    let number: i64 = digits.parse().expect("a run's name");
    if digits.len() < 10 {
        crate::minute(number)
    } else {
        Timestamp::from_timestamp(number, 0).expect("a time")
    }
}

/// How late a number of Jobs were, in order.
pub(crate) struct Lateness(Vec<f64>);

impl Lateness {
    pub(crate) fn of(late: impl Iterator<Item = TimeDelta>) -> Self {
        let mut millis: Vec<f64> = late.map(|late| late.as_seconds_f64() * 1_000.0).collect();
        millis.sort_by(f64::total_cmp);
        Lateness(millis)
    }

    pub(crate) fn last(&self) -> f64 {
        self.percentile(100)
    }

    fn percentile(&self, percent: usize) -> f64 {
        self.0[(self.0.len() - 1) * percent / 100]
    }

    pub(crate) fn print_head() {
        println!(
            "  {:<24}{:>10}{:>10}{:>10}{:>10}",
            "", "first", "median", "p99", "last"
        );
    }

    pub(crate) fn print(&self, what: &str) {
        let [first, median, p99, last] = [0, 50, 99, 100].map(|percent| self.percentile(percent));
        println!("  {what:<24}{first:>10.1}{median:>10.1}{p99:>10.1}{last:>10.1}");
    }
}
