//! CronJobs and their Jobs as they are.
//!
//! The cache is fed by two watches and by the answers to our own writes, which arrive in any order: a watch may lag
//! behind an answer or be ahead of it. Of an object, the newest version counts, whoever showed it. So a decision never
//! rests on a state from before our own last write, and cannot take a run that was just started for one that is
//! missing, nor one that has ended for one that still runs.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;

use crate::controller::fault::soundly;
use crate::cronjob::extension::ANNOTATION_PREFIX;
use crate::cronjob::{Calendars, CronJob, Key, Owner, Run, Spec};
use crate::manifest;
use crate::schedule::TimeZones;
use crate::submit::JobView;

/// How a CronJob is understood.
type Lower = fn(&manifest::CronJob, &TimeZones, &Calendars, Option<&Spec>) -> CronJob;

/// A CronJob that a fault of ours keeps from being understood.
pub(super) struct NotUnderstood {
    pub(super) object: Arc<manifest::CronJob>,
    /// The words with which a rule broke down.
    pub(super) error: String,
}

/// A CronJob in the cache.
pub(super) struct Entry {
    /// As it is on the wire, template included.
    pub(super) object: Arc<manifest::CronJob>,
    /// As policy sees it, with its schedule compiled.
    pub(super) cronjob: CronJob,
}

impl Entry {
    pub(super) fn names_calendars(&self) -> bool {
        !self.cronjob.spec.policies.calendars.is_empty()
    }
}

/// The CronJobs and the Jobs they control.
pub(super) struct Cache {
    /// That of manifests, which a test has break down.
    pub(super) lower: Lower,
    cronjobs: HashMap<Key, Entry>,
    /// By the owner, then by the Job's UID.
    runs: HashMap<Owner, HashMap<String, Run>>,
    /// The owners, by the Job's UID.
    owners: HashMap<String, Owner>,
    key_of: HashMap<Owner, Key>,
    /// Those that name a calendar.
    naming: BTreeSet<Key>,
    pub(super) calendars: Calendars,
    /// Jobs that we deleted and that the watch has not shown as gone.
    deleted: HashSet<String>,
}

/// What is asked for, unless a fault of ours keeps it from being understood.
fn understood(
    lower: Lower,
    object: &Arc<manifest::CronJob>,
    zones: &TimeZones,
    calendars: &Calendars,
    known: Option<&Spec>,
) -> Result<CronJob, NotUnderstood> {
    soundly(|| lower(object, zones, calendars, known)).map_err(|error| NotUnderstood {
        object: Arc::clone(object),
        error,
    })
}

impl Cache {
    /// Nothing but calendars, of which there may be none yet.
    pub(super) fn new(calendars: Calendars) -> Self {
        Cache {
            lower: manifest::lower_with,
            cronjobs: HashMap::new(),
            runs: HashMap::new(),
            owners: HashMap::new(),
            key_of: HashMap::new(),
            naming: BTreeSet::new(),
            calendars,
            deleted: HashSet::new(),
        }
    }

    pub(super) fn entry(&self, key: &Key) -> Option<&Entry> {
        self.cronjobs.get(key)
    }

    /// The CronJob that Jobs know as this owner.
    pub(super) fn key_of(&self, owner: &Owner) -> Option<&Key> {
        self.key_of.get(owner)
    }

    /// The runs that a CronJob controls, in the order of their names.
    pub(super) fn runs(&self, cronjob: &CronJob) -> Vec<Run> {
        let mut runs: Vec<Run> = self
            .runs
            .get(&cronjob.as_owner())
            .into_iter()
            .flat_map(HashMap::values)
            .cloned()
            .collect();
        runs.sort_by(|a, b| a.name.cmp(&b.name));
        runs
    }

    /// Takes in a CronJob that the watch shows; false when it is older than what is known.
    ///
    /// # Errors
    ///
    /// When a fault of ours keeps it from being understood; then nothing of it is taken in.
    pub(super) fn watched_cronjob(
        &mut self,
        key: &Key,
        mut object: manifest::CronJob,
        zones: &TimeZones,
    ) -> Result<bool, NotUnderstood> {
        strip(&mut object.metadata);
        let previous = self.cronjobs.get(key);
        let known = previous.map(|entry| &entry.object.metadata);
        if known.is_some_and(|known| {
            known.uid == object.metadata.uid
                && is_older(
                    object.metadata.resource_version.as_deref(),
                    known.resource_version.as_deref(),
                )
        }) {
            return Ok(false);
        }
        let known = previous.map(|entry| &entry.cronjob.spec);
        let object = Arc::new(object);
        let cronjob = understood(self.lower, &object, zones, &self.calendars, known)?;
        self.remove_cronjob(key);
        self.key_of.insert(cronjob.as_owner(), key.clone());
        let entry = Entry { object, cronjob };
        if entry.names_calendars() {
            self.naming.insert(key.clone());
        }
        self.cronjobs.insert(key.clone(), entry);
        Ok(true)
    }

    /// Takes in the answer to our own write of a CronJob, unless that CronJob is gone.
    pub(super) fn wrote_cronjob(&mut self, key: &Key, object: manifest::CronJob, zones: &TimeZones) {
        let known = self.cronjobs.get(key).map(|entry| &entry.object.metadata.uid);
        if known.is_some_and(|uid| *uid == object.metadata.uid) {
            // What is not understood now was before: only its status and record have changed.
            let _taken_in = self.watched_cronjob(key, object, zones);
        }
    }

    /// Forgets a CronJob. Its Jobs stay until the watch shows them as gone.
    pub(super) fn remove_cronjob(&mut self, key: &Key) {
        if let Some(entry) = self.cronjobs.remove(key) {
            self.key_of.remove(&entry.cronjob.as_owner());
            self.naming.remove(key);
        }
    }

    /// Whether any CronJob names a calendar.
    pub(super) fn wants_calendars(&self) -> bool {
        !self.naming.is_empty()
    }

    /// Has the CronJobs that name a calendar follow what is known of it now, and returns who they are, and whether it is
    /// understood what that makes of them.
    pub(super) fn follow_calendars(&mut self, zones: &TimeZones) -> Vec<(Key, Result<(), NotUnderstood>)> {
        let naming = self.naming.iter();
        let follow = |key: &Key| {
            let entry = self.cronjobs.get_mut(key)?;
            let known = Some(&entry.cronjob.spec);
            let followed = understood(self.lower, &entry.object, zones, &self.calendars, known);
            Some((key.clone(), followed.map(|cronjob| entry.cronjob = cronjob)))
        };
        naming.filter_map(follow).collect()
    }

    /// The keys of all CronJobs.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.cronjobs.keys()
    }

    /// Whether a Job is known.
    pub(super) fn knows_job(&self, uid: &str) -> bool {
        self.owners.contains_key(uid)
    }

    /// The UIDs of the Jobs of some namespaces.
    pub(super) fn job_uids(&self, covered: impl Fn(&str) -> bool) -> HashSet<String> {
        let jobs = self.owners.iter().filter(|(_, owner)| covered(&owner.namespace));
        jobs.map(|(uid, _)| uid.clone()).collect()
    }

    /// Takes in a Job, and returns the CronJobs that it concerns: its owner, and the one it had before.
    /// A version that is older than what is known concerns nobody.
    pub(super) fn insert_job(&mut self, job: &JobView) -> Vec<Owner> {
        let known = self.run(job.uid()).map(|run| run.resource_version.as_str());
        if is_older(job.meta().resource_version.as_deref(), known) {
            return vec![];
        }
        let mut concerned = self.remove_job(job.uid());
        if let Some(owner) = job.owner() {
            let mut run = job.run();
            run.deleting |= self.deleted.contains(job.uid());
            self.owners.insert(run.uid.clone(), owner.clone());
            self.runs
                .entry(owner.clone())
                .or_default()
                .insert(run.uid.clone(), run);
            if !concerned.contains(&owner) {
                concerned.push(owner);
            }
        }
        concerned
    }

    /// Marks Jobs that we deleted, until the watch shows that they are gone.
    pub(super) fn deleted_jobs(&mut self, uids: Vec<String>) {
        for uid in uids {
            let Some(owner) = self.owners.get(&uid) else {
                continue;
            };
            if let Some(run) = self.runs.get_mut(owner).and_then(|runs| runs.get_mut(&uid)) {
                run.deleting = true;
                self.deleted.insert(uid);
            }
        }
    }

    /// The watch shows that a Job is gone; returns the CronJob that it concerns.
    pub(super) fn gone_job(&mut self, uid: &str) -> Vec<Owner> {
        self.deleted.remove(uid);
        self.remove_job(uid)
    }

    /// The run whose Job has this UID.
    pub(super) fn run(&self, uid: &str) -> Option<&Run> {
        self.runs.get(self.owners.get(uid)?)?.get(uid)
    }

    fn remove_job(&mut self, uid: &str) -> Vec<Owner> {
        let Some(owner) = self.owners.remove(uid) else {
            return vec![];
        };
        if let Some(runs) = self.runs.get_mut(&owner) {
            runs.remove(uid);
            if runs.is_empty() {
                self.runs.remove(&owner);
            }
        }
        vec![owner]
    }
}

/// Drops what nobody here reads; of a CronJob that `kubectl apply` wrote, it is most of it.
fn strip(metadata: &mut ObjectMeta) {
    metadata.managed_fields = None;
    metadata.labels = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.retain(|name, _| name.starts_with(ANNOTATION_PREFIX));
    }
}

/// Whether an object at `version` is older than the one that is known. Resource versions are whole numbers that grow
/// (KEP-5504); of a server that counts in another way, whatever comes last counts.
fn is_older(version: Option<&str>, known: Option<&str>) -> bool {
    let number = |version: Option<&str>| version?.parse::<u128>().ok();
    number(version)
        .zip(number(known))
        .is_some_and(|(version, known)| version < known)
}
