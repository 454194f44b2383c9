//! What waits of a CronJob: runs that are due and have not started.

use std::collections::BTreeMap;

use crate::policy::WaitReason;
use crate::schedule::Timestamp;

/// Why runs were due and will not start: where one of several that waited starts, it is the newest.
pub(super) const PASSED_OVER: &str = "a newer run took their place";

/// Why runs are due and have not started, when it was tried.
pub(super) const FAILED: &str = "could not be started";

/// What runs wait for that are due and will start.
pub(super) const BLOCKED: &str = "for an earlier run to end (concurrencyPolicy: Forbid)";
const TURN: &str = "for earlier runs to end (overlap: Queue, or max-active)";
const GROUP: &str = "for a slot of their group";
const STOPPING: &str = "for the run that they replace to be gone (overlap: ReplaceWhenStopped)";

/// Why a run is due and has not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// It is to start when something has happened.
    For(&'static str),
    /// It was tried.
    Failed,
}

/// The runs of a CronJob that are due and have not started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Waits {
    /// Those that were told, and why.
    pub(super) told: BTreeMap<Timestamp, Wait>,
    /// How many are in line behind the newest of them, each of which has its turn.
    pub(super) behind: u64,
}

impl Waits {
    /// A run is not due any more, as it has started or is to have no other turn; whoever is in line behind it is next.
    pub(super) fn pass_on(&mut self) {
        if self.told.is_empty() {
            self.behind = self.behind.saturating_sub(1);
        }
        self.told.clear();
    }

    /// Only these are due still. Where nobody is left, it is told anew who is first in line.
    pub(super) fn retain(&mut self, is_due: impl Fn(Timestamp) -> bool) {
        self.told.retain(|due, _| is_due(*due));
        if self.told.is_empty() {
            self.behind = 0;
        }
    }

    /// How many start when something has happened, and what.
    pub(super) fn waiting(&self) -> Option<(&'static str, u64)> {
        match self.told.last_key_value() {
            Some((_, Wait::For(what))) => Some((what, self.behind + 1)),
            _ => (self.behind > 0).then_some((TURN, self.behind)),
        }
    }

    /// The runs that were due and did not start, by reason.
    pub(super) fn skipped(&self) -> impl Iterator<Item = &'static str> {
        let newest = self.told.last_key_value().map(|(newest, _)| newest);
        self.told.iter().filter_map(move |(due, wait)| match wait {
            Wait::Failed => Some(FAILED),
            Wait::For(_) if newest == Some(due) => None,
            Wait::For(_) => Some(PASSED_OVER),
        })
    }
}

/// What a run waits for, for one of these reasons.
pub(super) fn what_for(why: WaitReason) -> &'static str {
    match why {
        WaitReason::Forbid => BLOCKED,
        WaitReason::MaxActive(_) => TURN,
        WaitReason::Group { .. } => GROUP,
        WaitReason::Stopping => STOPPING,
    }
}
