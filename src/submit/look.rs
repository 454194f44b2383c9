//! Looks: Jobs that no watch has shown, and the pods of runs that wait for their first one to start.

use crate::cronjob::JobRef;
use crate::policy::{Pods, PodsState};
use crate::submit::pods;
use crate::submit::requests::{PodsAnswer, Requests};
use crate::submit::submitter::Submitter;
use crate::submit::trouble::Trouble;
use crate::submit::view::JobView;

impl Submitter {
    /// Looks at the pods of runs that wait for their first one to start.
    ///
    /// # Errors
    ///
    /// When the API server cannot be asked; then nothing is known about any of them.
    pub async fn look_at(&self, namespace: &str, jobs: &[JobRef]) -> Result<Vec<Pods>, Trouble> {
        let look = || async {
            let requests = Requests::new(&self.client, namespace);
            let mut found = Vec::new();
            for job in jobs {
                let state = match requests.pods(&job.name).await? {
                    PodsAnswer::Seen(pods) => pods::seen(&pods),
                    PodsAnswer::Forbidden(why) => PodsState::Hidden(why),
                };
                let job = job.uid.clone();
                found.push(Pods { job, state });
            }
            Ok(found)
        };
        self.lanes.look(namespace, look).await
    }

    /// Looks up the active Jobs that no watch has shown.
    ///
    /// # Errors
    ///
    /// When the API server cannot be asked; then nothing is known about any of them.
    pub async fn look_up(&self, namespace: &str, jobs: &[JobRef]) -> Result<Vec<JobView>, Trouble> {
        let look = || async {
            let requests = Requests::new(&self.client, namespace);
            let mut found = Vec::new();
            for job in jobs {
                let view = requests.look_up(&job.name).await?;
                found.extend(view.filter(|view| view.uid() == job.uid));
            }
            Ok(found)
        };
        self.lanes.look(namespace, look).await
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use http::{Request, Response};
    use kube::Client;
    use kube::client::Body;

    use super::*;
    use crate::clock::SystemClock;
    use crate::schedule::TimeZones;
    use crate::submit::lanes::{LOOKS, OVERDUE};

    /// After a take-over every CronJob may have a Job to look up, and every one of them may have gone.
    #[tokio::test(start_paused = true)]
    async fn looks_under_way_are_bounded_however_many_there_are() {
        let under_way = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&under_way);
        let hangs = tower::service_fn(move |_: Request<Body>| {
            counted.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<Result<Response<Body>, Infallible>>()
        });
        let zones = Arc::new(TimeZones::built_in());
        let submitter = Submitter::new(Client::new(hangs, "default"), SystemClock::shared(), zones);
        let job = JobRef {
            name: "tick-1".into(),
            uid: "of tick-1".into(),
            resource_version: String::new(),
        };
        for number in 0..2_000 {
            let (submitter, jobs) = (submitter.clone(), [job.clone()]);
            tokio::spawn(async move {
                let namespace = (number / 20).to_string();
                let up = submitter.look_up(&namespace, &jobs);
                let at = submitter.look_at(&namespace, &jobs);
                tokio::join!(up, at)
            });
        }
        // None has been given up by then.
        tokio::time::sleep(Duration::from_secs(9)).await;
        assert_eq!(under_way.load(Ordering::Relaxed), LOOKS + OVERDUE);
    }
}
