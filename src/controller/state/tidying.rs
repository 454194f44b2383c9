//! The history is tidied up in rounds, beside everything else: nothing waits for them.
//!
//! A round begins when it is recorded how its runs ended. Until it has come to its end no other begins for the same CronJob.
//! What fails of it puts off the next round, and nothing else.

use std::collections::HashSet;

use crate::controller::retry;
use crate::controller::state::{State, Task};
use crate::cronjob::Key;
use crate::policy::{Decision, Pruning};
use crate::schedule::Timestamp;
use crate::submit::{Overtaken, Pruned};

/// How far the history of one CronJob is tidied up.
#[derive(Debug, Default)]
pub(super) struct Tidying {
    round: Option<Round>,
    /// How many rounds in a row have failed.
    failures: u32,
    /// When the next one may begin after that.
    again_at: Option<Timestamp>,
}

/// A round that is under way.
#[derive(Debug)]
struct Round {
    /// The UIDs of the Jobs that it deletes.
    jobs: HashSet<String>,
    /// Whether there are others by now.
    again: bool,
    /// Whether the CronJob is still as it was when it began.
    overtaken: Overtaken,
}

impl Tidying {
    /// Takes out of a decision what is to be deleted once the rest is recorded: nothing while a round is under way, or after one
    /// that has failed a moment ago. Then what the deletions would have told is told by the decision.
    pub(super) fn next_round(&mut self, decision: &mut Decision, now: Timestamp) -> Pruning {
        let asked = std::mem::take(&mut decision.prune);
        if asked.jobs.is_empty() {
            self.forgive();
            return asked;
        }
        if let Some(round) = &mut self.round {
            round.again |= asked.jobs.iter().any(|job| !round.jobs.contains(&job.uid));
        } else if let Some(again) = self.again_at.filter(|again| now < *again) {
            decision.wake = decision.wake.into_iter().chain([again]).min();
        } else {
            return asked;
        }
        let untold = asked.unless_deleted.into_iter().map(|(_, note)| note);
        decision.notes.extend(untold);
        Pruning::default()
    }

    /// The CronJob has changed, and with it perhaps what its history has room for.
    pub(super) fn overtake(&self) {
        if let Some(round) = &self.round {
            round.overtaken.set();
        }
    }

    /// What failed before is tried again at once.
    pub(super) fn forgive(&mut self) {
        self.failures = 0;
        self.again_at = None;
    }
}

impl State {
    /// It is recorded how these Jobs ended: they may go, unless what that was decided on was overtaken. Whatever overtook it has
    /// it decided again.
    pub(super) fn begin_round(&mut self, key: &Key, pruning: Pruning, overtaken: Overtaken) {
        let (Some(entry), Some(standing)) = (self.cache.entry(key), self.standing.get_mut(key)) else {
            return;
        };
        if pruning.jobs.is_empty() || overtaken.is_set() {
            return;
        }
        let round = standing.tidying.round.insert(Round {
            jobs: pruning.jobs.iter().map(|job| job.uid.clone()).collect(),
            again: false,
            overtaken,
        });
        self.rounds.push(Task::Prune {
            key: key.clone(),
            uid: entry.cronjob.uid.clone(),
            pruning,
            overtaken: round.overtaken.clone(),
        });
    }

    /// A round has come to its end.
    pub(super) fn end_round(&mut self, key: &Key, uid: &str, pruned: Pruned, now: Timestamp) {
        self.cache.deleted_jobs(pruned.deleted);
        if self.is_anothers(key, uid) {
            return;
        }
        let Some(standing) = self.standing.get_mut(key) else {
            return;
        };
        let tidying = &mut standing.tidying;
        let again = tidying.round.take().is_some_and(|round| round.again);
        if let Some(trouble) = pruned.trouble {
            tidying.failures += 1;
            let again_at = now + retry::pause(trouble.retry, tidying.failures, key);
            tidying.again_at = Some(again_at);
            self.wakes.set_at_latest(key, again_at);
            return;
        }
        tidying.forgive();
        if again || pruned.leaves_some {
            self.mark(key.clone());
        }
    }
}
