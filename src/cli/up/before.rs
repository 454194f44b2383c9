//! What was there before: CronJobs that run on, and Jobs that go on or have ended, from the last `punctual up` on the
//! same data folder.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};

use crate::cli::calendars::of_machine;
use crate::cli::exit::Failure;
use crate::cli::up::apply::describe;
use crate::cli::up::ends::{Seen, Worker, work};
use crate::cli::up::happening::LoadedObject;
use crate::cli::up::item::Id;
use crate::clock::SharedClock;
use crate::cronjob::{Calendars, Key};
use crate::manifest::{CronJob, Object, lower_with, timestamp};
use crate::policy::SeenSchedule;
use crate::schedule::TimeZones;

/// The objects of an earlier `up`, as it left them.
pub(super) struct Before {
    cronjobs: Vec<CronJob>,
    jobs: Vec<Job>,
    pods: Vec<Pod>,
    calendars: Calendars,
}

impl Before {
    /// Asks for them. To be done before anything is applied.
    pub(super) async fn look(client: &Client) -> Result<Before, Failure> {
        let everything = ListParams::default();
        let (cronjobs, jobs, pods) = (
            Api::all(client.clone()),
            Api::all(client.clone()),
            Api::all(client.clone()),
        );
        let listed = tokio::try_join!(
            cronjobs.list(&everything),
            jobs.list(&everything),
            pods.list(&everything)
        );
        let (cronjobs, jobs, pods) =
            listed.map_err(|error| Failure::from_error("what was there before could not be read", &error))?;
        Ok(Before {
            cronjobs: cronjobs.items,
            jobs: jobs.items,
            pods: pods.items,
            calendars: of_machine(client).await,
        })
    }

    /// The schedules that were in force.
    pub(super) fn schedules(&self, zones: &TimeZones) -> Vec<(Key, SeenSchedule)> {
        let of_each = self.cronjobs.iter().filter_map(|cronjob| {
            let spec = lower_with(cronjob, zones, &self.calendars, None).spec;
            Some((cronjob.key(), SeenSchedule::of(&spec)?))
        });
        of_each.collect()
    }

    /// The work that was there, so that only what ends from now on is told.
    pub(super) fn seen(&self, clock: &SharedClock) -> HashMap<String, Seen> {
        let jobs = self.jobs.iter().map(|job| seen(job, clock));
        let pods = self.pods.iter().filter(|pod| pod.is_told());
        let pods = pods.map(|pod| seen(pod, clock));
        jobs.chain(pods).collect()
    }

    /// What runs on although the manifests of this time do not name it.
    pub(super) fn kept(
        self,
        (loaded, pruned): (&[LoadedObject], &[(Id, String)]),
        zones: &Arc<TimeZones>,
        clock: &SharedClock,
    ) -> Vec<LoadedObject> {
        let loaded = loaded.iter().map(|loaded| (loaded.kind, &loaded.key));
        let pruned = pruned.iter().map(|(id, _)| (id.kind, &id.key));
        let named: HashSet<(&str, &Key)> = loaded.chain(pruned).collect();
        let calendars = &self.calendars;
        let cronjobs = self
            .cronjobs
            .into_iter()
            .map(|cronjob| describe(&Object::CronJob(Box::new(cronjob)), zones, calendars, clock));
        let jobs = self.jobs.into_iter().filter(|job| job.how().is_none());
        let jobs = jobs.map(|job| describe(&Object::Job(Box::new(job)), zones, calendars, clock));
        cronjobs
            .chain(jobs)
            .filter(|object| !named.contains(&(object.kind, &object.key)))
            .collect()
    }
}

fn seen<K: Worker>(worker: &K, clock: &SharedClock) -> (String, Seen) {
    let seen = Seen {
        work: work(worker),
        since: worker
            .started()
            .and_then(timestamp)
            .unwrap_or_else(|| clock.now()),
        ended: worker.how().is_some(),
    };
    (worker.uid().unwrap_or_default(), seen)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::SystemClock;

    /// Whose end is nobody's but a Job's is not remembered: nobody would forget it.
    #[test]
    fn the_pods_of_jobs_are_not_remembered() {
        let pod = |name: &str, owners: serde_json::Value| {
            let metadata = json!({ "name": name, "uid": name, "ownerReferences": owners });
            serde_json::from_value(json!({ "metadata": metadata })).expect("a pod")
        };
        let job = json!([{ "apiVersion": "batch/v1", "kind": "Job", "name": "owner", "uid": "owner", "controller": true }]);
        let before = Before {
            cronjobs: vec![],
            jobs: vec![],
            pods: vec![pod("bare", json!([])), pod("of-a-job", job)],
            calendars: Calendars::default(),
        };
        let seen = before.seen(&SystemClock::shared());
        assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["bare"]);
    }
}
