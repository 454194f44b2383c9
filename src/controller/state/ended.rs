//! What came of tasks: what their answers show, and when to try again what failed.
//!
//! Every task ends in [`State::ended`], whatever it was: what is shown is taken in, the CronJob is free for the next
//! decision, and a failure puts that off.

use crate::controller::retry;
use crate::controller::state::standing::Standing;
use crate::controller::state::{Done, State};
use crate::cronjob::{JobRef, Key};
use crate::policy::{Pods, Unrecorded};
use crate::schedule::Timestamp;
use crate::submit::{Carried, JobView, Retry};

impl State {
    /// A task of a CronJob has ended, at the time `now`.
    pub(in crate::controller) fn ended(&mut self, key: &Key, done: Done, now: Timestamp) {
        self.take_in(key, done, now);
        self.seat(key);
    }

    fn take_in(&mut self, key: &Key, done: Done, now: Timestamp) {
        for job in done.jobs() {
            self.answered_job(key, job);
        }
        if let Done::Pruned { uid, pruned } = done {
            // Whatever else is under way goes on.
            return self.end_round(key, &uid, *pruned, now);
        }
        let (prune, overtaken) = self.end_task(key);
        let failed = match done {
            Done::Submitted { uid, carried } => {
                if self.is_anothers(key, &uid) {
                    // About the CronJob that has the name by now, this says nothing.
                    return self.mark(key.clone());
                }
                let recorded = carried.recorded;
                let failed = self.carried(key, *carried);
                if recorded {
                    self.begin_round(key, prune, overtaken);
                }
                self.settle_claim(key, failed.is_some(), now);
                failed
            }
            Done::Unknown => {
                self.settle_claim(key, true, now);
                Some(Retry::Backoff)
            }
            Done::LookedUp { asked, found } => {
                self.looked_up(key, &asked, &found);
                None
            }
            Done::LookedAt { pods } => {
                self.looked_at(key, pods);
                None
            }
            Done::NotAsked(retry) => Some(retry),
            Done::Pruned { .. } => None,
        };
        self.settle_failure(key, failed, now);
    }

    /// Takes in a Job that the answer to a task shows, unless it may be gone since: then it is looked up first.
    fn answered_job(&mut self, key: &Key, job: &JobView) {
        let relisted = self.busy.get(key).is_some_and(|busy| busy.relisted);
        let is_gone = |standing: &Standing| standing.gone.contains(job.uid());
        let doubtful = relisted && !self.cache.knows_job(job.uid());
        if !doubtful && !self.standing.get(key).is_some_and(is_gone) {
            let concerned = self.saw_job(job);
            for key in self.keys_of(&concerned) {
                self.seat(&key);
            }
        }
    }

    /// What was started, if anything, was started or has failed. Its slot may be free for others by now.
    fn settle_claim(&mut self, key: &Key, failed: bool, now: Timestamp) {
        if let Some(standing) = self.standing.get_mut(key) {
            standing.settle_claim(failed, now);
        }
    }

    /// Whether another CronJob than that with the UID `uid` has the name.
    pub(super) fn is_anothers(&self, key: &Key, uid: &str) -> bool {
        let entry = self.cache.entry(key);
        entry.is_some_and(|entry| entry.cronjob.uid != uid)
    }

    /// What came of a decision. Returns how what failed of it is to be tried again.
    fn carried(&mut self, key: &Key, carried: Carried) -> Option<Retry> {
        if let (Some(job), Some(standing)) = (&carried.job, self.standing.get_mut(key)) {
            standing.attempt = None;
            let was_refused = standing.refused_since.take().is_some();
            if carried.cronjob.is_none()
                && let Some(scheduled) = job.scheduled(&key.name)
            {
                // The run was started or found, and the write that would say so failed.
                let job = job.uid().to_owned();
                standing.memory.remember_start(Unrecorded { job, scheduled });
            }
            if was_refused {
                // That it is so no more is told with the next decision, which may be a day away.
                self.mark(key.clone());
            }
        }
        self.cache.deleted_jobs(carried.deleted);
        if let Some(object) = carried.cronjob.or(carried.outrun_by) {
            self.cache.wrote_cronjob(key, object, &self.zones);
        }
        if carried.gone {
            // Its Jobs are collected as soon as they are created, and their instants would be due again and again.
            self.forget(key);
        }
        carried.trouble.map(|trouble| trouble.retry)
    }

    /// Which of the Jobs that were looked up exist. One that belongs to nobody or to somebody else by now is as good as
    /// gone.
    fn looked_up(&mut self, key: &Key, asked: &[JobRef], found: &[JobView]) {
        let owner = self.cache.entry(key).map(|entry| entry.cronjob.as_owner());
        let is_ours = |job: &JobRef| {
            let mut ours = found
                .iter()
                .filter(|view| owner.as_ref().is_some_and(|owner| view.is_of(owner)));
            ours.any(|view| view.uid() == job.uid)
        };
        let missing = asked.iter().filter(|job| !is_ours(job));
        if let Some(standing) = self.standing.get_mut(key) {
            standing.gone.extend(missing.map(|job| job.uid.clone()));
            // What failed may have failed for want of knowing this.
            standing.forgive();
        }
        self.mark(key.clone());
    }

    /// What was seen of the pods of runs.
    fn looked_at(&mut self, key: &Key, pods: Vec<Pods>) {
        if let Some(standing) = self.standing.get_mut(key) {
            standing.memory.pods.extend(pods);
            self.mark(key.clone());
        }
    }

    /// Puts the next decision off after a failure; after a success what failed before need not fail again.
    fn settle_failure(&mut self, key: &Key, failed: Option<Retry>, now: Timestamp) {
        let Some(standing) = self.standing.get_mut(key) else {
            return;
        };
        let Some(retry) = failed else {
            standing.succeeded();
            if std::mem::take(&mut standing.looks_next) {
                self.mark(key.clone());
            }
            return;
        };
        standing.failures += 1;
        standing.refused(retry, now);
        let again = now + retry::pause(retry, standing.failures, key);
        let deadline = standing.attempt.and_then(|attempt| attempt.deadline);
        let again = retry::not_too_late(again, deadline, now);
        standing.failed(again, retry != Retry::Backoff);
        self.wakes.set_at_latest(key, again);
    }
}
