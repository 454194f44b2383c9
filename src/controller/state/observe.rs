//! What the watches report.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::watcher::Event;

use crate::controller::cache::NotUnderstood;
use crate::controller::charge::Scope;
use crate::controller::rival;
use crate::controller::state::{News, State};
use crate::cronjob::{Key, Owner};
use crate::manifest;
use crate::policy::{Note, unrecorded};
use crate::submit::{JobView, controlling_cronjob};

impl State {
    /// A CronJob watch reports.
    pub(in crate::controller) fn cronjob_event(&mut self, scope: &Scope, event: Event<manifest::CronJob>) {
        match event {
            Event::Init => {
                let known = self.cache.keys().chain(self.not_run.keys());
                let known = known.filter(|key| scope.covers(&key.namespace));
                self.cronjobs_listed.begin(scope, known.cloned().collect());
            }
            Event::InitApply(object) | Event::Apply(object) => {
                self.cronjobs_listed.saw(scope, &object.key());
                self.saw_cronjob(object);
            }
            Event::Delete(object) => self.cronjob_gone(&object.metadata),
            Event::InitDone => {
                for key in self.cronjobs_listed.end(scope) {
                    self.forget(&key);
                }
                self.join(scope);
            }
        }
    }

    pub(super) fn saw_cronjob(&mut self, object: manifest::CronJob) {
        let key = object.key();
        let known = self.cache.entry(&key).map(|entry| &entry.object.metadata);
        let replaced = known.is_some_and(|known| known.uid != object.metadata.uid);
        let is_new = known.is_none();
        let edited = known.is_some_and(|known| known.generation != object.metadata.generation);
        let is_news = known.is_none_or(|known| known.resource_version != object.metadata.resource_version);
        if replaced || !self.adoption.is_in_charge_of(&object.metadata) {
            self.forget(&key);
        }
        if !self.adoption.is_in_charge_of(&object.metadata) {
            return self.notice_mistakes(&key, &object);
        }
        self.mistakes.remove(&key);
        if edited && let Some(standing) = self.standing.get_mut(&key) {
            // Somebody may have put right what failed.
            standing.forgive_all();
        }
        if is_new {
            self.catch_up_with_jobs(&key, &object);
        }
        match self.cache.watched_cronjob(&key, object, &self.zones) {
            Ok(true) => {
                self.not_run.remove(&key);
                self.seat(&key);
                if is_news {
                    self.overtake(&key);
                    self.edited.insert(key.clone());
                }
                self.mark(key);
            }
            Ok(false) => {}
            Err(NotUnderstood { object, error }) => self.not_understood(key, object, error),
        }
    }

    /// The Job watch may have been ahead of a CronJob that was just created. One that has been edited may have been handed
    /// over to us, and its Jobs are then of the time before.
    fn catch_up_with_jobs(&mut self, key: &Key, object: &manifest::CronJob) {
        let owner = object.as_owner();
        let early = self.early.take(&owner);
        if object.metadata.generation == Some(1) {
            for job in early {
                self.saw_start(key.clone(), &owner, &job);
            }
        }
    }

    /// A CronJob was deleted.
    pub(in crate::controller) fn cronjob_gone(&mut self, metadata: &ObjectMeta) {
        let key = manifest::key_of(metadata);
        self.mistakes.remove(&key);
        self.forget(&key);
    }

    /// A CronJob watch shows an object that can't be read: it is not run, whatever was known of it. One that is somebody else's
    /// is no matter of ours.
    pub(in crate::controller) fn malformed_cronjob(
        &mut self,
        scope: &Scope,
        metadata: &ObjectMeta,
        error: &str,
    ) {
        let key = manifest::key_of(metadata);
        self.cronjobs_listed.saw(scope, &key);
        if !self.adoption.is_in_charge_of(metadata) {
            return self.forget(&key);
        }
        let why = News {
            cronjob: key,
            uid: metadata.uid.clone().unwrap_or_default(),
            note: Note::Malformed {
                error: error.to_owned(),
            },
        };
        self.do_not_run(why, metadata.resource_version.as_ref(), None);
    }

    /// A Job watch shows an object that can't be read: it exists, and what was known of it stays. Its CronJob is told.
    pub(in crate::controller) fn malformed_job(&mut self, scope: &Scope, metadata: &ObjectMeta, error: &str) {
        self.jobs_listed
            .saw(scope, &metadata.uid.clone().unwrap_or_default());
        let Some(owner) = controlling_cronjob(metadata) else {
            return;
        };
        self.noticed.push(News {
            cronjob: Key {
                namespace: metadata.namespace.clone().unwrap_or_default(),
                name: owner.name.clone(),
            },
            uid: owner.uid.clone(),
            note: Note::MalformedJob {
                job: metadata.name.clone().unwrap_or_default(),
                error: error.to_owned(),
            },
        });
    }

    /// Tells what is wrong with the annotations of a CronJob that nobody decides about, once for every change.
    fn notice_mistakes(&mut self, key: &Key, object: &manifest::CronJob) {
        let mistakes = self.adoption.mistakes(object);
        if mistakes.is_empty() {
            self.mistakes.remove(key);
        } else if self.mistakes.get(key) != Some(&mistakes) {
            let uid = object.metadata.uid.clone().unwrap_or_default();
            self.noticed.extend(mistakes.iter().map(|mistake| News {
                cronjob: key.clone(),
                uid: uid.clone(),
                note: Note::bad_annotation(mistake),
            }));
            self.mistakes.insert(key.clone(), mistakes);
        }
    }

    /// A Job watch reports.
    pub(in crate::controller) fn job_event(&mut self, scope: &Scope, event: Event<JobView>) {
        let concerned = match event {
            Event::Init => {
                let known = self.cache.job_uids(|namespace| scope.covers(namespace));
                self.jobs_listed.begin(scope, known);
                vec![]
            }
            Event::InitApply(job) => {
                self.jobs_listed.saw(scope, &job.uid().to_owned());
                // What a later listing shows first was created while the watch was down.
                if self.has_listed(scope) && self.shadowing.is_some() {
                    self.saw_job(&job)
                } else {
                    self.cache.insert_job(&job)
                }
            }
            Event::Apply(job) => self.saw_job(&job),
            Event::Delete(job) => self.lose_job(job.uid()),
            Event::InitDone => {
                for (key, busy) in &mut self.busy {
                    busy.relisted |= scope.covers(&key.namespace);
                }
                let gone = self.jobs_listed.end(scope);
                self.join(scope);
                gone.iter().flat_map(|uid| self.lose_job(uid)).collect()
            }
        };
        for key in self.keys_of(&concerned) {
            self.seat(&key);
            self.mark(key);
        }
    }

    /// Those of the owners that we know as CronJobs.
    pub(super) fn keys_of(&self, owners: &[Owner]) -> Vec<Key> {
        let keys = owners.iter().filter_map(|owner| self.cache.key_of(owner));
        keys.cloned().collect()
    }

    /// A Job is gone: nobody has to look it up. The answer to a task that is under way may show it once more, and is not to
    /// be believed then.
    fn lose_job(&mut self, uid: &str) -> Vec<Owner> {
        let run = self.cache.run(uid).cloned();
        let owners = self.cache.gone_job(uid);
        for key in owners.iter().filter_map(|owner| self.cache.key_of(owner)) {
            let Some(entry) = self.cache.entry(key) else {
                continue;
            };
            let (cronjob, standing) = (&entry.cronjob, self.standing.entry(key.clone()).or_default());
            standing.gone.insert(uid.to_owned());
            standing
                .lost
                .extend(run.as_ref().and_then(|run| unrecorded(cronjob, run)));
            if cronjob.status.is_active(uid) && !self.busy.contains_key(key) {
                // The start that failed may have failed for want of this.
                standing.attempt = None;
            }
        }
        owners
    }

    /// Takes in a Job that was just created or changed, and notices when it is new and another controller's.
    pub(super) fn saw_job(&mut self, job: &JobView) -> Vec<Owner> {
        let is_new = !self.cache.knows_job(job.uid());
        let concerned = self.cache.insert_job(job);
        if is_new && let Some(owner) = job.owner() {
            match self.cache.key_of(&owner).cloned() {
                Some(key) => self.saw_start(key, &owner, job),
                None if self.knows(&owner.namespace) => self.early.keep(job),
                // Whoever created it may have done so before we were there.
                None => {}
            }
        }
        concerned
    }

    /// A Job of a CronJob that was not known before. In the shadow of another controller it is no surprise.
    fn saw_start(&mut self, cronjob: Key, owner: &Owner, job: &JobView) {
        if self.shadowing.is_some() {
            self.look_at(&cronjob, job);
        } else if let Some(note) = rival::notice(job, &cronjob.name) {
            let uid = owner.uid.clone();
            self.noticed.push(News { cronjob, uid, note });
        }
    }

    pub(super) fn forget(&mut self, key: &Key) {
        self.overtake(key);
        self.cache.remove_cronjob(key);
        if self.standing.remove(key).is_some() | self.not_run.remove(key).is_some() {
            self.wellbeing.insert(key.clone(), None);
        }
        self.seat(key);
        self.wakes.set(key, None);
        self.look_away(key);
        if let Some(pacer) = &mut self.pacer {
            pacer.withdraw(key);
        }
        self.dirty.remove(key);
    }
}
