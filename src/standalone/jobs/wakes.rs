//! When to look at which Job again.

use std::collections::{BTreeSet, HashMap};

use super::key::JobKey;
use crate::schedule::Timestamp;

/// One wake-up a Job, and the earliest of all at hand.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    by_time: BTreeSet<(Timestamp, JobKey)>,
    by_job: HashMap<JobKey, Timestamp>,
}

impl Wakes {
    /// The earliest.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Sets when to look at a Job again; nothing, when there is no need to.
    pub(super) fn set(&mut self, job: &JobKey, at: Option<Timestamp>) {
        if let Some(before) = self.by_job.remove(job) {
            self.by_time.remove(&(before, job.clone()));
        }
        if let Some(at) = at {
            self.by_job.insert(job.clone(), at);
            self.by_time.insert((at, job.clone()));
        }
    }

    /// Sets when to look at a Job again, unless it is to be looked at before that anyway.
    pub(super) fn set_at_latest(&mut self, job: &JobKey, at: Timestamp) {
        let before = self.by_job.get(job).copied();
        self.set(job, Some(before.map_or(at, |before| before.min(at))));
    }

    /// Takes out the Jobs whose time has come.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<JobKey> {
        let mut due = Vec::new();
        while let Some((at, job)) = self.by_time.pop_first() {
            if at > now {
                self.by_time.insert((at, job));
                break;
            }
            self.by_job.remove(&job);
            due.push(job);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_job_has_one_wake_up_and_the_earliest_is_first() {
        let at = |seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let job = |uid: &str| JobKey {
            namespace: "shop".to_owned(),
            uid: Some(uid.to_owned()),
        };
        let (a, b) = (job("a"), job("b"));
        let mut wakes = Wakes::default();
        wakes.set(&a, Some(at(9)));
        wakes.set(&b, Some(at(5)));
        wakes.set(&a, Some(at(7)));
        wakes.set_at_latest(&b, at(6));
        wakes.set_at_latest(&a, at(6));
        assert_eq!(wakes.next(), Some(at(5)));
        assert_eq!(wakes.take_due(at(4)), Vec::<JobKey>::new());
        assert_eq!(wakes.take_due(at(6)), [b, a]);
        assert_eq!(wakes.next(), None);
    }
}
