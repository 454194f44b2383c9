//! What was there before: CronJobs that run on, and Jobs that go on or have ended, from the last `punctual up` on the
//! same data folder.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kube::api::ListParams;
use kube::{Api, Client};

use crate::cli::calendars::of_machine;
use crate::cli::exit::Failure;
use crate::cli::up::apply::describe;
use crate::cli::up::happening::LoadedObject;
use crate::cli::up::item::Id;
use crate::cli::up::jobs::Seen;
use crate::clock::SharedClock;
use crate::cronjob::{Calendars, Key};
use crate::manifest::{CronJob, Object, lower};
use crate::policy::SeenSchedule;
use crate::schedule::TimeZones;
use crate::submit::JobView;

/// The objects of an earlier `up`, as it left them.
pub(super) struct Before {
    cronjobs: Vec<CronJob>,
    jobs: Vec<JobView>,
    calendars: Calendars,
}

impl Before {
    /// Asks for them. To be done before anything is applied.
    pub(super) async fn look(client: &Client) -> Result<Before, Failure> {
        let everything = ListParams::default();
        let (cronjobs, jobs) = (Api::all(client.clone()), Api::all(client.clone()));
        let listed = tokio::try_join!(cronjobs.list(&everything), jobs.list(&everything));
        let (cronjobs, jobs) =
            listed.map_err(|error| Failure::from_error("what was there before could not be read", &error))?;
        Ok(Before {
            cronjobs: cronjobs.items,
            jobs: jobs.items,
            calendars: of_machine(client).await,
        })
    }

    /// The schedules that were in force.
    pub(super) fn schedules(&self, zones: &TimeZones) -> Vec<(Key, SeenSchedule)> {
        let of_each = self.cronjobs.iter().map(|cronjob| {
            let spec = lower(cronjob, zones, None).spec;
            (cronjob.key(), Arc::new((spec.schedule_text, spec.time_zone)))
        });
        of_each.collect()
    }

    /// The Jobs that were there, so that only what ends from now on is told.
    pub(super) fn jobs_seen(&self, clock: &SharedClock) -> HashMap<String, Seen> {
        let of_each = self.jobs.iter().map(|job| {
            let run = job.run();
            let seen = Seen {
                since: run.started.unwrap_or_else(|| clock.now()),
                ended: !run.is_active(),
            };
            (run.uid, seen)
        });
        of_each.collect()
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
        let jobs = self.jobs.iter().filter(|job| job.run().is_active());
        let jobs = jobs.map(|job| LoadedObject {
            kind: "Job",
            key: Key {
                namespace: job.namespace().to_owned(),
                name: job.name().to_owned(),
            },
            timing: None,
            end: None,
        });
        cronjobs
            .chain(jobs)
            .filter(|object| !named.contains(&(object.kind, &object.key)))
            .collect()
    }
}
