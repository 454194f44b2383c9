//! What happens in a simulation.

use chrono::TimeDelta;

use crate::cronjob::{Key, Outcome};
use crate::policy::Note;
use crate::schedule::Timestamp;

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
pub struct Happening<'a> {
    /// When, by the clock of the simulation.
    pub at: Timestamp,
    /// The CronJob that it happens to.
    pub cronjob: &'a Key,
    /// The number of the CronJob, from zero, in the order in which they were added.
    pub number: usize,
    /// What it is.
    pub what: What<'a>,
}

/// What can happen.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// The policy decided or noticed something.
    Noted(&'a Note),
    /// A run ended.
    Ended {
        /// Its Job.
        job: &'a str,
        /// How long it ran.
        after: TimeDelta,
        /// How it ended.
        end: End,
    },
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// By itself.
    Finished(Outcome),
    /// It failed because it ran for longer than its `activeDeadlineSeconds`.
    OutOfTime,
    /// The next run took its place.
    Replaced,
    /// It was told to end for the next run, which waits for that.
    Stopped,
}

impl End {
    /// What the Job says, if it is still there to say it.
    pub(super) fn outcome(self) -> Outcome {
        match self {
            End::Finished(outcome) => outcome,
            End::OutOfTime | End::Replaced | End::Stopped => Outcome::Failed,
        }
    }
}
