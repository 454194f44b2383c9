//! Days on which nothing is due (`exclude`, `on-excluded`).
//!
//! A day is one of the zone's calendar. What would be due on an excluded day is not due at all, or at the same time of
//! the wall clock on the next day, or on the last one before, that is not excluded. Where a clock change skips that time
//! on that day, it is due when the gap ends; where it repeats it, the first time, or the second if that is asked for
//! (`clock-repeat`). What several days have in common then is due once. What a clock change on an excluded day has put off
//! (`clock-gap`) is moved by the time for which it was asked.

use std::ops::Range;
use std::sync::Arc;

use chrono::NaiveDateTime;

use super::super::date::{self, DAY};
use super::super::days::Stretch;
use super::super::zone::MAX_OFFSET;
use super::super::{ClockRepeat, Days, Schedule, Timestamp, Zone};

/// What becomes of that which would be due on an excluded day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExcluded {
    /// It is not due.
    #[default]
    Skip,
    /// It is due on the next day that is not excluded.
    After,
    /// It is due on the last day before that is not excluded.
    Before,
}

#[derive(Clone, Debug)]
pub(super) struct Excluded {
    pub(super) days: Days,
    pub(super) then: OnExcluded,
    /// Which of two times something is moved to.
    pub(super) repeat: ClockRepeat,
}

impl Excluded {
    pub(super) fn next(&self, base: &Schedule, after: Timestamp) -> Option<Timestamp> {
        let stays = self.next_that_stays(base, after);
        if self.then == OnExcluded::Skip {
            return stays;
        }
        let zone = base.zone();
        let until = stays.map(|at| zone.day_of(at));
        let first_day = zone.day_of(after);
        let mut moved = None;
        for stretch in self.days.from(first_day.saturating_sub(1)) {
            let Some(target) = self.target(stretch).filter(|target| *target >= first_day) else {
                continue;
            };
            if until.is_some_and(|until| target > until) {
                break;
            }
            moved = self.first_moved(base, stretch, target, after);
            if moved.is_some() {
                break;
            }
        }
        stays.into_iter().chain(moved).min()
    }

    pub(super) fn previous(&self, base: &Schedule, at: Timestamp) -> Option<Timestamp> {
        let stays = self.last_that_stays(base, at);
        if self.then == OnExcluded::Skip {
            return stays;
        }
        let zone = base.zone();
        let since = stays.map(|at| zone.day_of(at));
        let last_day = zone.day_of(at);
        let mut moved = None;
        for stretch in self.days.until(last_day.saturating_add(1)) {
            let Some(target) = self.target(stretch).filter(|target| *target <= last_day) else {
                continue;
            };
            if since.is_some_and(|since| target < since) {
                break;
            }
            moved = self.last_moved(base, stretch, target, at);
            if moved.is_some() {
                break;
            }
        }
        stays.into_iter().chain(moved).max()
    }

    /// The day to which what would be due within a stretch is moved.
    fn target(&self, stretch: Stretch) -> Option<u32> {
        match self.then {
            OnExcluded::Skip => None,
            OnExcluded::After => Some(stretch.last + 1),
            OnExcluded::Before => Some(stretch.first - 1),
        }
    }

    fn next_that_stays(&self, base: &Schedule, after: Timestamp) -> Option<Timestamp> {
        let zone = base.zone();
        let mut due = base.next(after)?;
        while let Some(stretch) = self.days.around(zone.day_of(due)) {
            due = base.next(second_before(zone.beginning(stretch.last + 1))?.max(due))?;
        }
        Some(due)
    }

    fn last_that_stays(&self, base: &Schedule, at: Timestamp) -> Option<Timestamp> {
        let zone = base.zone();
        let mut due = base.previous(at)?;
        while let Some(stretch) = self.days.around(zone.day_of(due)) {
            due = base.previous(second_before(zone.beginning(stretch.first))?)?;
        }
        Some(due)
    }

    /// The first of what is moved from a stretch of days to another day that comes after an instant.
    fn first_moved(
        &self,
        base: &Schedule,
        stretch: Stretch,
        target: u32,
        after: Timestamp,
    ) -> Option<Timestamp> {
        let from = self.times_moved_by(base.zone(), target, after);
        self.moved_to(base.zone(), target, first_of(base, stretch, from)?)
    }

    /// The last of what is moved from a stretch of days to another day that has come by an instant.
    fn last_moved(&self, base: &Schedule, stretch: Stretch, target: u32, at: Timestamp) -> Option<Timestamp> {
        let until = self.times_moved_by(base.zone(), target, at);
        let times = stretch.days().filter_map(|day| last_time(base, day, until));
        self.moved_to(base.zone(), target, times.max()?)
    }

    /// How many times of a day, from its first second on, have come by an instant. They come in their order, if some of them
    /// together at the end of a gap.
    fn times_moved_by(&self, zone: &Zone, day: u32, at: Timestamp) -> u32 {
        let (mut come, mut end) = (0, DAY);
        while come < end {
            let time = u32::midpoint(come, end);
            if self.moved_to(zone, day, time).is_some_and(|moved| moved <= at) {
                come = time + 1;
            } else {
                end = time;
            }
        }
        come
    }

    /// When the wall clock shows a time of a day or, if that is skipped, a later one.
    fn moved_to(&self, zone: &Zone, day: u32, time: u32) -> Option<Timestamp> {
        let reading = date::join(day, time);
        let mut period = zone.first_showing(reading);
        if self.repeat == ClockRepeat::Second {
            let later = zone.periods()[period + 1..].iter();
            period += later.take_while(|next| next.first_reading() <= reading).count();
        }
        let period = zone.periods()[period];
        Timestamp::from_timestamp(period.start.max(reading - period.offset), 0)
    }

    /// See [`Schedule::put_off`]: what is moved to a time that a change of the clock skips on that day is put off as well.
    pub(super) fn put_off(&self, base: &Schedule, at: Timestamp) -> Option<i64> {
        let zone = base.zone();
        let period = zone.at(at.timestamp());
        if zone.periods()[period].start != at.timestamp() {
            return None;
        }
        let gap = zone.gap_before(period)?;
        let stays = self.days.around(zone.day_of(at)).is_none() && base.is_due(at);
        let stays = stays.then(|| base.put_off(at).unwrap_or(gap.end));
        let days = date::split(gap.start).0..=date::split(gap.end).0;
        let moved = days
            .clone()
            .filter_map(|day| self.moved_from(base, day, gap.start));
        let first = stays.into_iter().chain(moved).min()?;
        // What is due at that instant anyway is no matter of the change.
        let on_time = days.filter_map(|day| self.moved_from(base, day, gap.end));
        let on_time = stays.into_iter().chain(on_time).any(|reading| reading == gap.end);
        (!on_time && first < gap.end).then_some(first)
    }

    /// See [`Schedule::asks_for`]: what would have been moved is lost, unless something is due anyway at that time.
    pub(super) fn asks_for(&self, base: &Schedule, skipped: NaiveDateTime) -> bool {
        let (day, time) = date::split(skipped.and_utc().timestamp());
        let Some(stretch) = self.days.around(day) else {
            return true;
        };
        let target = self.target(stretch);
        let moved = target.and_then(|target| self.moved_to(base.zone(), target, time));
        moved.is_some_and(|at| self.previous(base, at) != Some(at))
    }

    /// The first reading of a day, from one on, to which something is moved.
    fn moved_from(&self, base: &Schedule, day: u32, from: i64) -> Option<i64> {
        let stretch = match self.then {
            OnExcluded::Skip => None,
            OnExcluded::After => self.days.around(day.checked_sub(1)?),
            OnExcluded::Before => self.days.around(day + 1),
        }?;
        let from = u32::try_from((from - date::join(day, 0)).max(0)).ok()?;
        let time = first_of(base, stretch, from).filter(|_| self.target(stretch) == Some(day))?;
        Some(date::join(day, time))
    }
}

/// The first time of the days of a stretch, from one on, that something is due for.
fn first_of(base: &Schedule, stretch: Stretch, from: u32) -> Option<u32> {
    let times = stretch.days().filter_map(|day| first_time(base, day, from));
    times.min()
}

/// The first time of a day, from one on, that something is due for.
fn first_time(base: &Schedule, day: u32, from: u32) -> Option<u32> {
    let zone = base.zone();
    let on_time = zone.shown(day, from..DAY).filter_map(|shown| {
        let first = base.next(second_before(shown.start)?);
        let mut due = std::iter::successors(first, |at| base.next(*at));
        let due = due.find(|at| base.put_off(*at).is_none())?;
        zone.time_on(due, day)
            .filter(|_| shown.contains(&due.timestamp()))
    });
    let put_off = put_off_on(base, day).filter(|time| *time >= from);
    on_time.chain(put_off).min()
}

/// The last time of a day, before one, that something is due for.
fn last_time(base: &Schedule, day: u32, until: u32) -> Option<u32> {
    let zone = base.zone();
    let on_time = zone.shown(day, 0..until).filter_map(|shown| {
        let last = base.previous(second_before(shown.end)?);
        let mut due = std::iter::successors(last, |at| base.previous(second_before(at.timestamp())?));
        let due = due.find(|at| base.put_off(*at).is_none())?;
        zone.time_on(due, day)
            .filter(|_| shown.contains(&due.timestamp()))
    });
    let put_off = put_off_on(base, day).filter(|time| *time < until);
    on_time.chain(put_off).max()
}

/// The times of a day for which something is due later on it, as a change of the clock skips them.
fn put_off_on(base: &Schedule, day: u32) -> impl Iterator<Item = u32> {
    let zone = base.zone();
    let (begins, ends) = (zone.beginning(day), zone.beginning(day + 1));
    let changes = zone.periods()[zone.at(begins)..].iter();
    let changes = changes
        .map(|period| period.start)
        .take_while(move |start| *start < ends);
    changes
        .filter(move |start| *start >= begins)
        .filter_map(move |start| {
            let at = Timestamp::from_timestamp(start, 0)?;
            let (asked_on, time) = date::split(base.put_off(at)?);
            if asked_on == day {
                Some(time)
            } else {
                zone.time_on(at, day)
            }
        })
}

fn second_before(second: i64) -> Option<Timestamp> {
    Timestamp::from_timestamp(second - 1, 0)
}

impl Zone {
    /// The day of the zone's calendar on which an instant lies.
    fn day_of(self: &Arc<Zone>, at: Timestamp) -> u32 {
        date::split(at.timestamp() + i64::from(self.offset_seconds(at))).0
    }

    /// The time of day of an instant, if it lies on a day.
    fn time_on(self: &Arc<Zone>, at: Timestamp, day: u32) -> Option<u32> {
        let (found, second) = date::split(at.timestamp() + i64::from(self.offset_seconds(at)));
        (found == day).then_some(second)
    }

    /// The second, in UTC, at which a day begins.
    fn beginning(&self, day: u32) -> i64 {
        self.instant_of(date::join(day, 0))
    }

    /// The first second, in UTC, at which the wall clock shows a reading or, if that is skipped, a later one.
    fn instant_of(&self, reading: i64) -> i64 {
        let period = self.periods()[self.first_showing(reading)];
        period.start.max(reading - period.offset)
    }

    /// The first period in which the wall clock shows a reading or, if that is skipped, a later one.
    fn first_showing(&self, reading: i64) -> usize {
        let periods = self.periods();
        let mut at = self.at_or_before(reading - MAX_OFFSET);
        while periods[at].end_reading() <= reading {
            at += 1;
        }
        at
    }

    /// When the wall clock shows some times of a day, in seconds of UTC; more than once where it is put back.
    fn shown(&self, day: u32, times: Range<u32>) -> impl Iterator<Item = Range<i64>> {
        let (first, end) = (date::join(day, times.start), date::join(day, times.end));
        let periods = self.periods()[self.first_showing(first)..].iter();
        let periods = periods.take_while(move |period| period.first_reading() < end);
        periods
            .map(move |period| period.start.max(first - period.offset)..period.end.min(end - period.offset))
            .filter(|shown| !shown.is_empty())
    }
}
