//! What a simulation came to, for each CronJob.

use chrono::TimeDelta;

use crate::cronjob::Outcome;
use crate::foresight::{End, Happening, What};
use crate::policy::{Note, Ruling};

/// The counts of one CronJob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Runs that were started.
    pub started: u64,
    /// Those of them that started after their instant.
    pub late: u64,
    /// How late the latest one was.
    pub latest: TimeDelta,
    /// Runs that succeeded.
    pub succeeded: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that were ended for the next one.
    pub replaced: u64,
    /// Runs that were due and were never started.
    pub skipped: u64,
    /// Runs that are active now.
    pub active: u64,
    /// How many were active at most.
    pub most_active: u64,
}

impl Tally {
    /// Counts what happened.
    pub fn count(&mut self, happening: &Happening<'_>) {
        match happening.what {
            What::Noted(Note::Started { lateness, .. }) => {
                self.started += 1;
                self.late += u64::from(!lateness.is_zero());
                self.latest = self.latest.max(*lateness);
                self.active += 1;
                self.most_active = self.most_active.max(self.active);
            }
            What::Noted(
                Note::PassedOver { count, .. }
                | Note::DeadlinePassed { count, .. }
                | Note::Ruled(Ruling::Skipped { count, .. }),
            ) => {
                self.skipped += count;
            }
            What::Noted(_) => {}
            What::Ended { end, .. } => {
                self.active = self.active.saturating_sub(1);
                match end {
                    End::Finished(Outcome::Succeeded) => self.succeeded += 1,
                    End::Finished(Outcome::Failed) | End::OutOfTime => self.failed += 1,
                    End::Replaced | End::Stopped => self.replaced += 1,
                }
            }
        }
    }
}
