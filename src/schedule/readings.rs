//! What the wall clock shows: the due readings, those that it repeats and those that it skips.

use std::iter::FusedIterator;
use std::ops::Range;

use chrono::{NaiveDateTime, TimeDelta};

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
    /// It happens later than it was asked for: a clock change skips it, and it is due when the gap ends.
    PutOff {
        /// When.
        at: Timestamp,
        /// What the wall clock would have shown.
        wall: NaiveDateTime,
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

    /// The next reading of the gap that is being told. What would not have been due anyway is not skipped.
    fn next_skipped(&mut self) -> Option<Reading> {
        let (skipped, change) = self.gap.as_mut()?;
        let change = *change;
        loop {
            let reading = self
                .schedule
                .reading_from(skipped.start)
                .filter(|reading| *reading < skipped.end)?;
            skipped.start = reading + 1;
            let wall = Timestamp::from_timestamp(reading, 0)?.naive_utc();
            if self.schedule.asks_for(wall, change) {
                return Some(Reading::Skipped { wall, change });
            }
        }
    }

    fn reading_at(&self, at: Timestamp) -> Reading {
        if self.schedule.is_interval() {
            let fold = Fold::Once;
            return Reading::Due { at, fold };
        }
        let wall = self.schedule.put_off(at);
        match wall.and_then(|wall| Timestamp::from_timestamp(wall, 0)) {
            Some(wall) => Reading::PutOff {
                at,
                wall: wall.naive_utc(),
            },
            None => Reading::Due {
                at,
                fold: self.schedule.zone.fold_at(at),
            },
        }
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
                None => return self.due.next().map(|at| self.reading_at(at)),
            }
        }
    }
}

impl FusedIterator for Readings {}

/// What is due again so soon keeps running through a clock change: every hourly schedule does, also where the clock is put
/// forward by half an hour.
const KEEPS_RUNNING: TimeDelta = TimeDelta::hours(2);

/// Runs that a clock change takes away: see [`Schedule::taken_away`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenAway {
    /// The instant at which the clock was put forward.
    pub change: Timestamp,
    /// What the wall clock would have shown at the first of them.
    pub first: NaiveDateTime,
    /// How many.
    pub count: u64,
}

impl Schedule {
    /// The runs that clock changes take away, of changes after one instant and up to and including another. What keeps
    /// running through a change loses nothing by it.
    pub fn taken_away(&self, after: Timestamp, until: Timestamp) -> impl Iterator<Item = TakenAway> {
        let changes = self.zone.at(after.timestamp()) + 1..self.zone.at(until.timestamp()) + 1;
        changes.filter_map(|change| self.taken_away_by(change))
    }

    fn taken_away_by(&self, change: usize) -> Option<TakenAway> {
        let gap = self.zone.gap_before(change)?;
        let at = Timestamp::from_timestamp(self.zone.periods()[change].start, 0)?;
        let next = |from: i64| self.reading_from(from).filter(|reading| *reading < gap.end);
        let readings = std::iter::successors(next(gap.start), |reading| next(reading + 1));
        let mut asked_for = readings
            .filter_map(|reading| Some(Timestamp::from_timestamp(reading, 0)?.naive_utc()))
            .filter(|wall| self.asks_for(*wall, at));
        let first = asked_for.next()?;
        let before = self.previous(at - TimeDelta::seconds(1));
        let around = before.and_then(|before| Some(self.next(before)? - before));
        if around.is_some_and(|time| time < KEEPS_RUNNING) {
            return None;
        }
        let others = u64::try_from(asked_for.count()).unwrap_or(u64::MAX);
        Some(TakenAway {
            change: at,
            first,
            count: others.saturating_add(1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{ClockGap, Days, Expression, Terms, TimeZones};

    /// 14 March 2027, New York: 02:00 to 03:00 does not exist.
    #[test]
    fn a_run_is_taken_away_where_nothing_runs_around_the_change() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let change = at("2027-03-14T07:00:00Z");
        let excluded = Days::range("2027-03-14")
            .map(|range| Days::of([range]))
            .expect("a date");
        let plain = Terms::default;
        let zone = TimeZones::built_in().zone("America/New_York").expect("known");
        for (text, terms, first, count) in [
            ("30 2 * * *", plain(), "02:30", 1),
            ("*/20 2 * * *", plain(), "02:00", 3),
            ("0 2 14 * *", plain(), "02:00", 1),
            ("30 3 * * *", plain(), "", 0),
            ("30 2 * * 1-5", plain(), "", 0),
            ("@every 1h", plain(), "", 0),
            // They keep running through.
            ("0 * * * *", plain(), "", 0),
            ("*/5 * * * *", plain(), "", 0),
            // Asked for otherwise.
            (
                "30 2 * * *",
                Terms {
                    clock_gap: ClockGap::RunAfter,
                    ..plain()
                },
                "",
                0,
            ),
            (
                "30 2 * * *",
                Terms {
                    start_at: Some(change + TimeDelta::days(1)),
                    ..plain()
                },
                "",
                0,
            ),
            (
                "30 2 * * *",
                Terms {
                    end_at: Some(change - TimeDelta::days(1)),
                    ..plain()
                },
                "",
                0,
            ),
            ("30 2 * * *", Terms { excluded, ..plain() }, "", 0),
        ] {
            let schedule = terms.apply(&[Expression::parse(text).expect("an expression")], &zone);
            let around =
                |from: TimeDelta, to: TimeDelta| schedule.taken_away(change + from, change + to).next();
            let found = around(-TimeDelta::days(1), TimeDelta::zero());
            let said = found.map(|runs| (runs.change, runs.first.format("%H:%M").to_string(), runs.count));
            let expected = (count > 0).then(|| (change, first.to_owned(), count));
            assert_eq!(said, expected, "{text} {terms:?}");
            assert_eq!(
                around(TimeDelta::zero(), TimeDelta::days(1)),
                None,
                "{text}: told once"
            );
        }
    }
}
