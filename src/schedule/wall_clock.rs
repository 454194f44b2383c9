//! A wall clock that never changes, and the search for a reading that matches.
//!
//! Here time is a number of seconds since 1970-01-01T00:00:00 *of that clock*; clock changes are the concern of
//! `search`. Every search is the same: the day it begins on, a later day of that month, the months after it. What
//! differs is how a kind of expression knows its days and its times, and only that is asked of it.

use super::Timestamp;
use super::date::{self, DAY, Date};

/// The last year that is searched. One more than [`super::HORIZON`]'s, where the wall clock may be a day ahead of UTC.
pub(super) const LAST_YEAR: i32 = 2400;

/// A reading that matches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    /// In seconds since 1970-01-01T00:00:00 of the wall clock.
    pub(super) reading: i64,
    /// The same as a date …
    date: Date,
    /// … and a second of its day.
    second: u32,
}

impl Match {
    fn new(day: u32, date: Date, second: u32) -> Match {
        let reading = date::join(day, second);
        Match {
            reading,
            date,
            second,
        }
    }

    /// The instant at which a clock shows it that is `offset` seconds ahead of UTC; none beyond what chrono can express.
    pub(super) fn instant(self, offset: i64) -> Option<Timestamp> {
        self.date.instant(i64::from(self.second) - offset)
    }
}

/// The readings that an expression matches.
///
/// The searches are compiled once for each kind, so that the one for five fields pays nothing for the other.
pub(super) trait WallClock {
    /// Whether no reading at all matches, as for 30 February. Nothing else may be asked then.
    fn is_empty(&self) -> bool;

    /// The days of a date's month that match, as bits 1 to 31; none if the month does not match. It begins on `first`.
    fn days_in(&self, date: Date, first: u32) -> u32;

    /// The first matching day after a month, up to [`LAST_YEAR`].
    fn day_after(&self, year: i32, month: u32) -> Option<(u32, Date)>;

    /// The last matching day before a month.
    fn day_before(&self, year: i32, month: u32) -> Option<(u32, Date)>;

    /// The first matching second of a day.
    fn first_time(&self) -> u32;

    /// The last matching second of a day.
    fn last_time(&self) -> u32;

    /// The first matching second of a day, at or after one.
    fn time_from(&self, second: u32) -> Option<u32>;

    /// The last matching second of a day, at or before one.
    fn time_until(&self, second: u32) -> Option<u32>;

    /// How many matching times a day holds before a second of it, or before its end.
    fn times_before(&self, second: u32) -> u64;

    /// The first match at or after a reading, up to [`LAST_YEAR`].
    #[expect(
        clippy::inline_always,
        reason = "its answer stays in registers, which saves a fifth of a search"
    )]
    #[inline(always)]
    fn first_from(&self, from: i64) -> Option<Match> {
        let (day, second) = date::split(from);
        let date = Date::of(day);
        let days = self.days_in(date, day - date.day + 1);
        if days >> date.day & 1 == 1
            && let Some(second) = self.time_from(second)
        {
            return Some(Match::new(day, date, second));
        }
        let later = days & (!1 << date.day);
        let (day, date) = if later == 0 {
            self.day_after(date.year, date.month)?
        } else {
            date.in_month(day, later.trailing_zeros())
        };
        Some(Match::new(day, date, self.first_time()))
    }

    /// The last match at or before a reading.
    #[expect(
        clippy::inline_always,
        reason = "its answer stays in registers, which saves a fifth of a search"
    )]
    #[inline(always)]
    fn last_until(&self, until: i64) -> Option<Match> {
        let (day, second) = date::split(until);
        let date = Date::of(day);
        let days = self.days_in(date, day - date.day + 1);
        if days >> date.day & 1 == 1
            && let Some(second) = self.time_until(second)
        {
            return Some(Match::new(day, date, second));
        }
        let earlier = days & !(!0 << date.day);
        let (day, date) = if earlier == 0 {
            self.day_before(date.year, date.month)?
        } else {
            date.in_month(day, earlier.ilog2())
        };
        Some(Match::new(day, date, self.last_time()))
    }

    /// How many matching readings lie in `from..until`.
    fn count(&self, from: i64, until: i64) -> u64 {
        if from >= until {
            return 0;
        }
        let ((first, early), (last, late)) = (date::split(from), date::split(until));
        let skipped = self.count_days(first, first + 1) * self.times_before(early);
        let begun = self.count_days(last, last + 1) * self.times_before(late);
        self.count_days(first, last) * self.times_before(DAY) + begun - skipped
    }

    /// How many days of `from..until` match.
    fn count_days(&self, from: u32, until: u32) -> u64 {
        let mut count = 0;
        let mut day = from;
        while day < until {
            let date = Date::of(day);
            let first = day - date.day + 1;
            let end = first + date::days_in_month(date.month, date::is_leap_year(date.year));
            let mut days = self.days_in(date, first) & (!0 << date.day);
            if until < end {
                days &= !(!1 << (until - first));
            }
            count += u64::from(days.count_ones());
            day = end;
        }
        count
    }
}
