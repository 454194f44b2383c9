//! Jobs that a watch shows before the CronJob that owns them.
//!
//! The two watches don't keep step. What is told of a Job's appearance would be lost when its CronJob is as new as it
//! is and comes a moment later.

use std::collections::VecDeque;

use crate::cronjob::Owner;
use crate::submit::JobView;

/// How many Jobs are kept. Most of them belong to CronJobs that are none of ours and never come, so the oldest gives
/// way; those that matter are a moment old.
const KEEP: usize = 256;

/// The latest Jobs whose owners were not known when they appeared.
#[derive(Default)]
pub(super) struct EarlyJobs {
    jobs: VecDeque<JobView>,
}

impl EarlyJobs {
    /// Keeps a Job until its owner is known.
    pub(super) fn keep(&mut self, job: &JobView) {
        if self.jobs.len() == KEEP {
            self.jobs.pop_front();
        }
        self.jobs.push_back(job.clone());
    }

    /// Those of this CronJob, in the order in which they appeared.
    pub(super) fn take(&mut self, owner: &Owner) -> Vec<JobView> {
        let (theirs, others) = self.jobs.drain(..).partition::<Vec<_>, _>(|job| job.is_of(owner));
        self.jobs = others.into();
        theirs
    }
}
