//! The CronJob, its Jobs and its group: from a list, and then as they change.

use std::collections::HashMap;
use std::fmt::Debug;

use futures::StreamExt as _;
use futures::stream::{BoxStream, SelectAll, select_all};
use kube::api::ListParams;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::cli::backfill::request::Request;
use crate::cli::calendars::CalendarArgs;
use crate::cli::chosen::{list, one};
use crate::cli::exit::Failure;
use crate::cronjob::{Calendars, CronJob, Origin, Owner, Run};
use crate::manifest;
use crate::policy::{self, Attempt, Group, Memory, Situation};
use crate::schedule::{TimeZones, Timestamp};
use crate::submit::{CreateAnswer, JobView, Trouble, create_for_person, job_to_backfill};

/// What is known of the namespace.
pub(super) struct World {
    client: Client,
    zones: TimeZones,
    /// As they were in the beginning.
    calendars: Calendars,
    namespace: String,
    name: String,
    /// The UID of the CronJob; another one of its name is not meant.
    uid: String,
    cronjob: CronJob,
    cronjobs: Mirror<manifest::CronJob>,
    jobs: Mirror<JobView>,
    changes: SelectAll<BoxStream<'static, Change>>,
}

enum Change {
    CronJob(watcher::Result<Event<manifest::CronJob>>),
    Job(watcher::Result<Event<JobView>>),
}

impl World {
    /// Lists everything once. Nothing is watched before [`World::follow`].
    ///
    /// # Errors
    ///
    /// When the CronJob does not exist, or the API server does not answer.
    pub(super) async fn look(
        client: Client,
        (namespace, name): (&str, &str),
        calendars: &CalendarArgs,
        zones: TimeZones,
    ) -> Result<World, Failure> {
        let cronjobs: Api<manifest::CronJob> = Api::namespaced(client.clone(), namespace);
        let jobs: Api<JobView> = Api::namespaced(client.clone(), namespace);
        let object = one(&cronjobs, namespace, name).await?;
        let mut known = vec![object];
        let calendars = calendars.named_by(&known, &client, Some(namespace)).await;
        let cronjob = manifest::lower_with(&known[0], &zones, &calendars, None);
        if cronjob.spec.policies.group.is_some() {
            known = list(&cronjobs, ListParams::default(), "CronJobs").await?;
        }
        let jobs = list(&jobs, ListParams::default(), "Jobs").await?;
        Ok(World {
            client,
            zones,
            calendars,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: cronjob.uid.clone(),
            cronjob,
            cronjobs: Mirror::of(known),
            jobs: Mirror::of(jobs),
            changes: SelectAll::new(),
        })
    }

    /// From now on it changes with [`World::change`].
    pub(super) fn follow(&mut self) {
        let mut of_cronjobs = watcher::Config::default();
        if self.cronjob.spec.policies.group.is_none() {
            of_cronjobs = of_cronjobs.fields(&format!("metadata.name={}", self.name));
        }
        let cronjobs: Api<manifest::CronJob> = Api::namespaced(self.client.clone(), &self.namespace);
        let jobs: Api<JobView> = Api::namespaced(self.client.clone(), &self.namespace);
        let cronjobs = watch(cronjobs, of_cronjobs)
            .default_backoff()
            .map(Change::CronJob);
        let jobs = watch(jobs, watcher::Config::default())
            .default_backoff()
            .map(Change::Job);
        self.changes = select_all([cronjobs.boxed(), jobs.boxed()]);
    }

    /// Waits for the next change, and takes it in. A watch that fails lists again by itself; why it failed is returned.
    pub(super) async fn change(&mut self) -> Result<(), watcher::Error> {
        match self.changes.next().await {
            Some(Change::Job(event)) => self.jobs.hear(event?),
            Some(Change::CronJob(event)) => {
                self.cronjobs.hear(event?);
                if let Some(object) = self.cronjobs.get(&self.uid) {
                    let known = Some(&self.cronjob.spec);
                    self.cronjob = manifest::lower_with(object, &self.zones, &self.calendars, known);
                }
            }
            // These watches never end.
            None => std::future::pending().await,
        }
        Ok(())
    }

    /// The CronJob as policy sees it.
    pub(super) fn cronjob(&self) -> &CronJob {
        &self.cronjob
    }

    /// A Job by its UID.
    pub(super) fn job(&self, uid: &str) -> Option<&JobView> {
        self.jobs.get(uid)
    }

    /// The Jobs that the CronJob has for instants; not those that somebody started by hand.
    pub(super) fn attempts(&self) -> HashMap<Timestamp, Vec<Attempt>> {
        let mut attempts: HashMap<Timestamp, Vec<Attempt>> = HashMap::new();
        for job in self.owned(&self.cronjob.as_owner()) {
            if let Some(scheduled) = job.scheduled(&self.name) {
                attempts.entry(scheduled).or_default().extend(attempt(job));
            }
        }
        attempts
    }

    /// Those of one instant.
    pub(super) fn attempts_of(&self, scheduled: Timestamp) -> Vec<Attempt> {
        let owner = self.cronjob.as_owner();
        let of_it = self
            .owned(&owner)
            .filter(|job| job.scheduled(&self.name) == Some(scheduled));
        of_it.filter_map(attempt).collect()
    }

    fn owned<'a>(&'a self, cronjob: &'a Owner) -> impl Iterator<Item = &'a JobView> {
        self.jobs.all().filter(move |job| job.is_of(cronjob))
    }

    /// Whether a run may start now; see [`policy::may_start`].
    pub(super) fn may_start(
        &self,
        most: usize,
        asked: Option<(&policy::Hold, Timestamp)>,
        now: Timestamp,
    ) -> Result<(), policy::Hold> {
        let (runs, memory) = (self.runs_of(&self.cronjob), Memory::default());
        let situation = Situation {
            cronjob: &self.cronjob,
            runs: &runs,
            memory: &memory,
        };
        policy::may_start(situation, &self.group(now), most, asked, now)
    }

    /// The active runs of a CronJob, which are all that matters here, and few of all that there are.
    fn runs_of(&self, cronjob: &CronJob) -> Vec<Run> {
        self.owned(&cronjob.as_owner())
            .filter(|job| job.is_active())
            .map(JobView::run)
            .collect()
    }

    /// The other members of its group.
    fn group(&self, now: Timestamp) -> Group {
        let Some(own) = &self.cronjob.spec.policies.group else {
            return Group::default();
        };
        let others = self
            .cronjobs
            .all()
            .map(|object| manifest::lower(object, &self.zones, None));
        let members = others
            .filter(|other| other.uid != self.uid)
            .filter_map(|cronjob| {
                let (runs, memory) = (self.runs_of(&cronjob), Memory::default());
                let situation = Situation {
                    cronjob: &cronjob,
                    runs: &runs,
                    memory: &memory,
                };
                policy::member(situation, now)
            });
        members
            .filter(|member| member.membership.name == own.name)
            .collect()
    }

    /// Creates the Job of an instant, from the template as it is now; `None` when the CronJob is gone. What it comes to is
    /// known at once, whenever the watch shows it.
    pub(super) async fn start(
        &mut self,
        name: &str,
        scheduled: Timestamp,
        request: &Request,
    ) -> Option<CreateAnswer> {
        // The watches of Jobs and of CronJobs tell in no order: a Job may be collected before its owner is seen to be gone.
        let cronjobs: Api<manifest::CronJob> = Api::namespaced(self.client.clone(), &self.namespace);
        let object = match cronjobs.get_opt(&self.name).await {
            Ok(found) => found.filter(|object| uid(object) == self.uid)?,
            Err(error) => return Some(CreateAnswer::Refused(Trouble::from(&error))),
        };
        let backfill = (request.name.as_str(), request.keep);
        let job = job_to_backfill(&object, (name, scheduled), backfill, &self.zones);
        let answer = create_for_person(&self.client, &job, &self.uid).await;
        if let CreateAnswer::Created(job) | CreateAnswer::Existed(job) = &answer {
            self.jobs.insert(job.clone());
        }
        Some(answer)
    }
}

fn attempt(job: &JobView) -> Option<Attempt> {
    let run = job.run();
    (run.origin != Origin::Manual).then(|| Attempt {
        run,
        created: job.created(),
        backfill: job.backfill().map(str::to_owned),
    })
}

/// The objects of a watch, by their UIDs.
struct Mirror<K> {
    known: HashMap<String, K>,
    /// Those that a listing under way has brought so far.
    listed: Option<HashMap<String, K>>,
}

impl<K: Resource + Clone + Debug + DeserializeOwned> Mirror<K> {
    fn of(objects: Vec<K>) -> Self {
        let mut mirror = Mirror {
            known: HashMap::new(),
            listed: None,
        };
        for object in objects {
            mirror.insert(object);
        }
        mirror
    }

    fn hear(&mut self, event: Event<K>) {
        match event {
            Event::Init => self.listed = Some(HashMap::new()),
            Event::InitApply(object) => {
                if let Some(listed) = &mut self.listed {
                    listed.insert(uid(&object), object);
                }
            }
            Event::InitDone => self.known = self.listed.take().unwrap_or_default(),
            Event::Apply(object) => self.insert(object),
            Event::Delete(object) => {
                self.known.remove(&uid(&object));
            }
        }
    }

    /// A listing that is under way may have been made before this.
    fn insert(&mut self, object: K) {
        if let Some(listed) = &mut self.listed {
            listed.insert(uid(&object), object.clone());
        }
        self.known.insert(uid(&object), object);
    }

    fn get(&self, uid: &str) -> Option<&K> {
        self.known.get(uid)
    }

    fn all(&self) -> impl Iterator<Item = &K> {
        self.known.values()
    }
}

fn uid<K: Resource>(object: &K) -> String {
    object.meta().uid.clone().unwrap_or_default()
}
