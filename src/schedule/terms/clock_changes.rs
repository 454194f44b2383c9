//! Another rule for clock changes than that of the wall clock (`clock-gap`, `clock-repeat`).

use std::ops::Range;

use super::super::{Fold, Schedule, Timestamp, Zone};

/// What becomes of a reading that a clock change skips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockGap {
    /// It is not due.
    #[default]
    Skip,
    /// It is due when the gap ends, once however many are skipped.
    RunAfter,
}

/// What becomes of a reading that a clock change repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockRepeat {
    /// It is due both times.
    #[default]
    Twice,
    /// It is due the first time.
    First,
    /// It is due the second time.
    Second,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ClockChanges {
    pub(super) gap: ClockGap,
    pub(super) repeat: ClockRepeat,
}

impl ClockChanges {
    pub(super) fn next(self, base: &Schedule, after: Timestamp) -> Option<Timestamp> {
        let mut due = base.next(after);
        while let Some(at) = due.filter(|at| self.drops(base, *at)) {
            due = base.next(at);
        }
        let zone = base.zone();
        let changes = zone.at(after.timestamp()) + 1..zone.periods().len();
        let until = due.map_or(super::super::HORIZON, |at| at.timestamp());
        let begins = |change: &usize| zone.periods()[*change].start;
        let mut ahead = changes.take_while(|change| begins(change) <= until);
        let caught_up = ahead.find(|change| self.catches_up(base, *change));
        let caught_up = caught_up.and_then(|change| Timestamp::from_timestamp(begins(&change), 0));
        due.into_iter().chain(caught_up).min()
    }

    pub(super) fn previous(self, base: &Schedule, at: Timestamp) -> Option<Timestamp> {
        let mut due = base.previous(at);
        while let Some(at) = due.filter(|at| self.drops(base, *at)) {
            due = base.previous(at - chrono::TimeDelta::seconds(1));
        }
        let zone = base.zone();
        let begins = |change: usize| zone.periods()[change].start;
        let changes = (1..=zone.at(at.timestamp())).rev();
        let mut back = changes.take_while(|change| due.is_none_or(|due| begins(*change) > due.timestamp()));
        let caught_up = back.find(|change| self.catches_up(base, *change));
        let caught_up = caught_up.and_then(|change| Timestamp::from_timestamp(begins(change), 0));
        due.into_iter().chain(caught_up).max()
    }

    /// Whether the one or the other time of a repeated reading is not due.
    fn drops(self, base: &Schedule, at: Timestamp) -> bool {
        match self.repeat {
            ClockRepeat::Twice => false,
            ClockRepeat::First => base.zone().fold_at(at) == Fold::Second,
            ClockRepeat::Second => base.zone().fold_at(at) == Fold::First,
        }
    }

    /// The reading for which something is due at an instant, as a change has just skipped it, and for no other reason.
    pub(super) fn put_off(self, base: &Schedule, at: Timestamp) -> Option<i64> {
        let change = base.zone().at(at.timestamp());
        let is_change = change > 0 && base.zone().periods()[change].start == at.timestamp();
        let skipped = if is_change {
            self.skipped(base, change)
        } else {
            None
        };
        skipped.filter(|_| !base.is_due(at))
    }

    /// Whether something is due as a change has skipped its reading.
    fn catches_up(self, base: &Schedule, change: usize) -> bool {
        self.skipped(base, change).is_some()
    }

    /// The first reading that a change skips and for which something is due then.
    fn skipped(self, base: &Schedule, change: usize) -> Option<i64> {
        let gap = base
            .zone()
            .gap_before(change)
            .filter(|_| self.gap == ClockGap::RunAfter)?;
        base.reading_from(gap.start).filter(|reading| *reading < gap.end)
    }
}

impl Zone {
    /// The readings that are skipped as a period begins, if there are any.
    pub(in super::super) fn gap_before(&self, period: usize) -> Option<Range<i64>> {
        let (before, after) = (self.periods()[period - 1], self.periods()[period]);
        let skipped = before.end_reading()..after.first_reading();
        (!skipped.is_empty()).then_some(skipped)
    }

    /// Whether the wall clock shows the reading of an instant once or twice.
    pub(in super::super) fn fold_at(&self, at: Timestamp) -> Fold {
        let periods = self.periods();
        let period = self.at(at.timestamp());
        let reading = at.timestamp() + periods[period].offset;
        let comes_again = |next: &super::super::zone::Period| next.first_reading() <= reading;
        if periods.get(period + 1).is_some_and(comes_again) {
            Fold::First
        } else if period > 0 && periods[period - 1].end_reading() > reading {
            Fold::Second
        } else {
            Fold::Once
        }
    }
}
