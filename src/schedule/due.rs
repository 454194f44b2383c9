//! The due instants of a range, one after the other.

use std::iter::FusedIterator;

use super::{Schedule, Timestamp};

/// The due instants of a range, in order: see [`Schedule::due`].
#[derive(Clone, Debug)]
pub struct Due {
    schedule: Schedule,
    after: Timestamp,
    until: Timestamp,
}

impl Due {
    pub(super) fn new(schedule: &Schedule, after: Timestamp, until: Timestamp) -> Due {
        Due {
            schedule: schedule.clone(),
            after,
            until,
        }
    }
}

impl Iterator for Due {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        let due = self.schedule.next(self.after).filter(|due| *due <= self.until)?;
        self.after = due;
        Some(due)
    }
}

impl FusedIterator for Due {}
