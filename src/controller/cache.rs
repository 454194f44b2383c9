//! CronJobs and their Jobs as they are.
//!
//! The cache is fed by two watches and by the answers to our own requests, which overtake each other both ways. Of each
//! object the newest version counts, whoever brings it. So a decision never rests on a state from before our own last
//! write, and an answer that was slow never hides what a watch has shown meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::cronjob::{CronJob, Key, Run};
use crate::manifest;
use crate::schedule::TimeZones;
use crate::submit::JobView;

/// A CronJob in the cache.
pub(super) struct Entry {
    /// As it is on the wire, template included.
    pub(super) object: Arc<manifest::CronJob>,
    /// As policy sees it, with its schedule compiled.
    pub(super) cronjob: CronJob,
}

/// The CronJobs and the Jobs they control.
#[derive(Default)]
pub(super) struct Cache {
    cronjobs: HashMap<Key, Entry>,
    /// By the owner's UID, then by the Job's.
    runs: HashMap<String, HashMap<String, Run>>,
    owner_of: HashMap<String, String>,
    key_of: HashMap<String, Key>,
    /// Jobs that we deleted and that the watch has not shown as gone.
    deleted: HashSet<String>,
}

impl Cache {
    pub(super) fn entry(&self, key: &Key) -> Option<&Entry> {
        self.cronjobs.get(key)
    }

    /// The CronJob with this UID.
    pub(super) fn key_of(&self, uid: &str) -> Option<&Key> {
        self.key_of.get(uid)
    }

    /// The runs that a CronJob controls, in the order of their names.
    pub(super) fn runs(&self, uid: &str) -> Vec<Run> {
        let mut runs: Vec<Run> = self
            .runs
            .get(uid)
            .into_iter()
            .flat_map(HashMap::values)
            .cloned()
            .collect();
        runs.sort_by(|a, b| a.name.cmp(&b.name));
        runs
    }

    /// Takes in a CronJob that the watch shows; false when it is older than what is known.
    pub(super) fn watched_cronjob(
        &mut self,
        key: &Key,
        object: manifest::CronJob,
        zones: &TimeZones,
    ) -> bool {
        if let Some(entry) = self.cronjobs.get(key)
            && object.metadata.uid == entry.object.metadata.uid
            && is_older(version(&object), version(&entry.object))
        {
            return false;
        }
        self.insert_cronjob(key, object, zones);
        true
    }

    /// Takes in the answer to our own write of a CronJob.
    pub(super) fn wrote_cronjob(&mut self, key: &Key, object: manifest::CronJob, zones: &TimeZones) {
        // A CronJob that the watch has shown as gone is not brought back.
        if self.cronjobs.contains_key(key) {
            self.watched_cronjob(key, object, zones);
        }
    }

    fn insert_cronjob(&mut self, key: &Key, object: manifest::CronJob, zones: &TimeZones) {
        let previous = self.cronjobs.remove(key);
        if let Some(previous) = &previous {
            self.key_of.remove(&previous.cronjob.uid);
        }
        let cronjob = manifest::lower(&object, zones, previous.as_ref().map(|entry| &entry.cronjob.spec));
        self.key_of.insert(cronjob.uid.clone(), key.clone());
        self.cronjobs.insert(
            key.clone(),
            Entry {
                object: Arc::new(object),
                cronjob,
            },
        );
    }

    /// Forgets a CronJob. Its Jobs stay until the watch shows them as gone.
    pub(super) fn remove_cronjob(&mut self, key: &Key) {
        if let Some(entry) = self.cronjobs.remove(key) {
            self.key_of.remove(&entry.cronjob.uid);
        }
    }

    /// The keys of all CronJobs.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.cronjobs.keys()
    }

    /// The UIDs of all Jobs.
    pub(super) fn job_uids(&self) -> impl Iterator<Item = &String> {
        self.owner_of.keys()
    }

    /// Takes in a Job, and returns the UIDs of the CronJobs that it concerns: its owner, and the one it had before. None
    /// when the Job is older than what is known.
    pub(super) fn insert_job(&mut self, job: &JobView) -> Vec<String> {
        let known = self.run(job.uid());
        if known.is_some_and(|known| is_older(&job.run().resource_version, &known.resource_version)) {
            return vec![];
        }
        let mut concerned = self.remove_job(job.uid());
        if let Some(owner) = job.owner() {
            let mut run = job.run();
            run.deleting |= self.deleted.contains(job.uid());
            self.owner_of.insert(run.uid.clone(), owner.to_owned());
            self.runs
                .entry(owner.to_owned())
                .or_default()
                .insert(run.uid.clone(), run);
            if !concerned.iter().any(|uid| uid == owner) {
                concerned.push(owner.to_owned());
            }
        }
        concerned
    }

    /// Marks Jobs that we deleted, until the watch shows that they are gone.
    pub(super) fn deleted_jobs(&mut self, uids: Vec<String>) {
        for uid in uids {
            let Some(owner) = self.owner_of.get(&uid) else {
                continue;
            };
            if let Some(run) = self.runs.get_mut(owner).and_then(|runs| runs.get_mut(&uid)) {
                run.deleting = true;
                self.deleted.insert(uid);
            }
        }
    }

    /// The watch shows that a Job is gone; returns the UID of the CronJob that it concerns.
    pub(super) fn gone_job(&mut self, uid: &str) -> Vec<String> {
        self.deleted.remove(uid);
        self.remove_job(uid)
    }

    fn run(&self, uid: &str) -> Option<&Run> {
        let owner = self.owner_of.get(uid)?;
        self.runs.get(owner)?.get(uid)
    }

    fn remove_job(&mut self, uid: &str) -> Vec<String> {
        let Some(owner) = self.owner_of.remove(uid) else {
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

fn version(object: &manifest::CronJob) -> &str {
    object.metadata.resource_version.as_deref().unwrap_or_default()
}

/// Whether an object's version is older than another. Versions are decimal numbers of any length, and may be compared
/// (KEP-5504); what is not such a number is taken for newer.
fn is_older(version: &str, than: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(version) && is_number(than) && (version.len(), version) < (than.len(), than)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, than, older) in [
            ("9", "10", true),
            ("10", "9", false),
            ("10", "10", false),
            ("99999999999999999999998", "99999999999999999999999", true),
            ("", "10", false),
            ("abc", "10", false),
            ("9", "", false),
        ] {
            assert_eq!(is_older(version, than), older, "{version:?} and {than:?}");
        }
    }
}
