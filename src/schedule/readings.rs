//! What the wall clock shows: the due readings, those that it repeats and those that it skips.

use std::iter::FusedIterator;
use std::ops::Range;

use chrono::NaiveDateTime;

use super::{Due, Schedule, Timestamp};

/// A reading of the wall clock that matches an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It happens, and something is due.
    Due {
        /// When.
        at: Timestamp,
        /// Whether the wall clock shows this reading once or twice.
        fold: Fold,
    },
    /// It never happens: a clock change skips it.
    Skipped {
        /// What the wall clock would have shown.
        wall: NaiveDateTime,
        /// The instant at which the clock was put forward.
        change: Timestamp,
    },
}

/// Whether the wall clock shows a reading once or twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Once, as nearly always.
    Once,
    /// Twice, as the clock is put back soon after; this is the first time.
    First,
    /// Twice, as the clock was put back just before; this is the second time.
    Second,
}

/// The matching readings of a range, in order: see [`Schedule::readings`].
#[derive(Clone, Debug)]
pub struct Readings {
    due: std::iter::Peekable<Due>,
    schedule: Schedule,
    /// Which of the zone's periods begin within the range and have not been looked at.
    changes: Range<usize>,
    /// Skipped readings that are still to be told, and the change that skips them.
    gap: Option<(Range<i64>, Timestamp)>,
}

impl Readings {
    pub(super) fn new(schedule: &Schedule, after: Timestamp, until: Timestamp) -> Readings {
        let zone = &schedule.zone;
        let none = schedule.never_fires() || schedule.is_interval();
        let changes = if none {
            0..0
        } else {
            zone.at(after.timestamp()) + 1..zone.at(until.timestamp()) + 1
        };
        Readings {
            due: schedule.due(after, until).peekable(),
            schedule: schedule.clone(),
            changes,
            gap: None,
        }
    }

    /// The next change of the clock, if it comes before the next due instant.
    fn next_change(&mut self) -> Option<usize> {
        let change = Some(self.changes.start).filter(|change| *change < self.changes.end)?;
        let start = self.schedule.zone.periods()[change].start;
        if self.due.peek().is_some_and(|due| due.timestamp() < start) {
            return None;
        }
        self.changes.start += 1;
        Some(change)
    }

    /// The readings that a change skips, if it skips any.
    fn gap_at(&self, change: usize) -> Option<(Range<i64>, Timestamp)> {
        let zone = &self.schedule.zone;
        let at = Timestamp::from_timestamp(zone.periods()[change].start, 0)?;
        Some((zone.gap_before(change)?, at))
    }

    /// The next reading of the gap that is being told.
    fn next_skipped(&mut self) -> Option<Reading> {
        let (skipped, change) = self.gap.as_mut()?;
        let reading = self
            .schedule
            .reading_from(skipped.start)
            .filter(|reading| *reading < skipped.end)?;
        skipped.start = reading + 1;
        let wall = Timestamp::from_timestamp(reading, 0)?.naive_utc();
        Some(Reading::Skipped {
            wall,
            change: *change,
        })
    }

    fn fold_at(&self, at: Timestamp) -> Fold {
        if self.schedule.is_interval() {
            return Fold::Once;
        }
        self.schedule.zone.fold_at(at)
    }
}

impl Iterator for Readings {
    type Item = Reading;

    fn next(&mut self) -> Option<Reading> {
        loop {
            if let Some(skipped) = self.next_skipped() {
                return Some(skipped);
            }
            self.gap = None;
            match self.next_change() {
                Some(change) => self.gap = self.gap_at(change),
                None => {
                    return self.due.next().map(|at| Reading::Due {
                        at,
                        fold: self.fold_at(at),
                    });
                }
            }
        }
    }
}

impl FusedIterator for Readings {}
