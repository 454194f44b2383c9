//! What is known of one CronJob beside the objects themselves.

use std::collections::HashSet;

use crate::controller::state::groups::Claim;
use crate::controller::streak::Streak;
use crate::policy::{Memory, Note};
use crate::schedule::Timestamp;

/// What decisions and their outcomes leave behind for the next one.
#[derive(Default)]
pub(super) struct Standing {
    pub(super) memory: Memory,
    /// The notes of the last decision: what is said again at once is not told again.
    pub(super) told: Vec<Note>,
    pub(super) failures: u32,
    /// The API server asked for patience until then.
    pub(super) patient_until: Option<Timestamp>,
    /// When it was last told that somebody else runs this CronJob too.
    pub(super) rival_told: Option<Timestamp>,
    /// Active Jobs that are gone for certain, whatever an answer still says: they were looked up, or the watch showed
    /// it while a task was under way.
    pub(super) gone: HashSet<String>,
    pub(super) streak: Streak,
    /// The slot of its group that it takes for a run that is being started.
    pub(super) claim: Claim,
    /// The instant for which it waits for a slot.
    pub(super) waits_for: Option<Timestamp>,
}
