//! Five fields as bit masks, and the search for a reading that they match.
//!
//! Here time is a wall clock that never changes: a number of seconds since 1970-01-01T00:00:00 *of that clock*. Clock
//! changes are the concern of `search`. Which day a day field means, the "star rule", is robfig/cron v3's
//! `dayMatches`.
//!
//! The cost of a search does not depend on how far away the answer is. A month that can never hold a matching day is
//! taken out of the masks when they are made, so the first month looked at is the right one, and 29 February steps
//! from leap year to leap year.

use super::date::{self, Date};

/// Seconds in a day.
pub(super) const DAY: i64 = 86_400;

/// The last year that is searched. One more than [`super::HORIZON`]'s, where the wall clock may be a day ahead of UTC.
const LAST_YEAR: i32 = 2400;

/// Where the days of the week repeat in [`Calendar::weekdays`]: six weeks cover any month from any weekday.
const SIX_WEEKS: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28 | 1 << 35;

/// One field's values as bits, and whether it holds a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mask {
    pub(super) bits: u64,
    /// Set by `*`, `?`, `*/1`, and by a list that holds one of them; not by `*/2`, nor by a full explicit range.
    pub(super) star: bool,
}

impl Mask {
    /// No value at all, as in the field `,`.
    pub(super) const EMPTY: Mask = Mask { bits: 0, star: false };
}

/// The readings of a wall clock that five fields match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    /// Bits 0 to 59.
    minutes: u64,
    /// Bits 0 to 23.
    hours: u32,
    /// Bits 1 to 31.
    days: u32,
    /// Bits 0 (Sunday) to 6, six times over.
    weekdays: u64,
    /// The star rule: with a star in either day field, a day must match both; with none, either is enough.
    either: bool,
    /// Bits 1 to 12: the months in which a day can match, in a common year and in a leap year.
    months: [u16; 2],
}

impl Calendar {
    /// Makes the masks of five fields, in the order in which they are written.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a field's values are far below its mask's width"
    )]
    pub(super) fn new([minutes, hours, days, months, weekdays]: [Mask; 5]) -> Calendar {
        let mut calendar = Calendar {
            minutes: minutes.bits,
            hours: hours.bits as u32,
            days: days.bits as u32,
            weekdays: weekdays.bits * SIX_WEEKS,
            either: !days.star && !weekdays.star,
            months: [0; 2],
        };
        // Any common year and any leap year will do: what matters is only whether a month has a day that can match,
        // and every month has every weekday.
        calendar.months = [2023, 2024].map(|year| {
            let possible =
                |month: &u32| months.bits >> month & 1 == 1 && calendar.days_of(year, *month, 0) != 0;
            (1..=12).filter(possible).fold(0, |mask, month| mask | 1 << month)
        });
        calendar
    }

    /// Whether no reading at all matches, as for 30 February.
    pub(super) fn is_empty(&self) -> bool {
        self.minutes == 0 || self.hours == 0 || self.months[1] == 0
    }

    /// The first matching reading at or after `from`, up to [`LAST_YEAR`]. The calendar must not be empty.
    pub(super) fn first_from(&self, from: i64) -> Option<i64> {
        let day = from.div_euclid(DAY);
        let date = Date::from_day(day);
        let first = day - i64::from(date.day) + 1;
        let days = self.days_in(date.year, date.month, first);
        if days >> date.day & 1 == 1
            && let Some(second) = self.time_from(from.rem_euclid(DAY))
        {
            return Some(day * DAY + second);
        }
        let later = days & (!1 << date.day);
        let day = if later == 0 {
            self.day_after(date.year, date.month)?
        } else {
            nth(first, later.trailing_zeros())
        };
        self.time_from(0).map(|second| day * DAY + second)
    }

    /// The last matching reading at or before `until`. The calendar must not be empty.
    pub(super) fn last_until(&self, until: i64) -> Option<i64> {
        let day = until.div_euclid(DAY);
        let date = Date::from_day(day);
        let first = day - i64::from(date.day) + 1;
        let days = self.days_in(date.year, date.month, first);
        if days >> date.day & 1 == 1
            && let Some(second) = self.time_until(until.rem_euclid(DAY))
        {
            return Some(day * DAY + second);
        }
        let earlier = days & !(!0 << date.day);
        let day = if earlier == 0 {
            self.day_before(date.year, date.month)?
        } else {
            nth(first, earlier.ilog2())
        };
        self.time_until(DAY - 1).map(|second| day * DAY + second)
    }

    /// How many matching readings lie in `from..until`.
    pub(super) fn count(&self, from: i64, until: i64) -> u64 {
        if from >= until {
            return 0;
        }
        let (first, last) = (from.div_euclid(DAY), until.div_euclid(DAY));
        let skipped = self.count_days(first, first + 1) * self.times_before(from.rem_euclid(DAY));
        let started = self.count_days(last, last + 1) * self.times_before(until.rem_euclid(DAY));
        self.count_days(first, last) * self.times_before(DAY) + started - skipped
    }

    /// The days of a month that match, as bits 1 to 31; none if the month does not match.
    fn days_in(&self, year: i32, month: u32, first: i64) -> u32 {
        if self.months_in(year) >> month & 1 == 0 {
            0
        } else {
            self.days_of(year, month, first)
        }
    }

    /// The days that match in a month that does; `first` is the day on which it begins.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "31 days are left of the six weeks"
    )]
    fn days_of(&self, year: i32, month: u32, first: i64) -> u32 {
        // 1970-01-01 was a Thursday.
        let weekday = (first + 4).rem_euclid(7);
        let by_weekday = ((self.weekdays >> weekday) << 1) as u32;
        let days = if self.either {
            self.days | by_weekday
        } else {
            self.days & by_weekday
        };
        days & (!1 & !(!1 << date::days_in_month(year, month)))
    }

    fn months_in(&self, year: i32) -> u16 {
        self.months[usize::from(date::is_leap_year(year))]
    }

    /// The first matching day after a month.
    fn day_after(&self, mut year: i32, mut month: u32) -> Option<i64> {
        while year <= LAST_YEAR {
            let later = self.months_in(year) & (!1 << month);
            if later == 0 {
                month = 0;
                year = if self.months[0] == 0 {
                    date::leap_year_after(year)
                } else {
                    year + 1
                };
                continue;
            }
            month = later.trailing_zeros();
            let first = date::first_of_month(year, month);
            let days = self.days_of(year, month, first);
            if days != 0 {
                return Some(nth(first, days.trailing_zeros()));
            }
        }
        None
    }

    /// The last matching day before a month.
    fn day_before(&self, mut year: i32, mut month: u32) -> Option<i64> {
        while !self.is_empty() {
            let earlier = self.months_in(year) & !(!0 << month);
            if earlier == 0 {
                month = 13;
                year = if self.months[0] == 0 {
                    date::leap_year_before(year)
                } else {
                    year - 1
                };
                continue;
            }
            month = earlier.ilog2();
            let first = date::first_of_month(year, month);
            let days = self.days_of(year, month, first);
            if days != 0 {
                return Some(nth(first, days.ilog2()));
            }
        }
        None
    }

    /// The first matching second of a day, at or after one.
    fn time_from(&self, second: i64) -> Option<i64> {
        let minute = (second + 59) / 60;
        let (hour, minute) = (minute / 60, minute % 60);
        let minutes = self.minutes >> minute << minute;
        if self.hours >> hour & 1 == 1 && minutes != 0 {
            return Some(time(hour, minutes.trailing_zeros()));
        }
        let hours = self.hours & (!1 << hour);
        (hours != 0).then(|| time(hours.trailing_zeros().into(), self.minutes.trailing_zeros()))
    }

    /// The last matching second of a day, at or before one.
    fn time_until(&self, second: i64) -> Option<i64> {
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        let minutes = self.minutes & !(!1 << minute);
        if self.hours >> hour & 1 == 1 && minutes != 0 {
            return Some(time(hour, minutes.ilog2()));
        }
        let hours = self.hours & !(!0 << hour);
        (hours != 0).then(|| time(hours.ilog2().into(), self.minutes.ilog2()))
    }

    /// How many matching times a day holds before a second of it.
    fn times_before(&self, second: i64) -> u64 {
        let minute = (second + 59) / 60;
        let (hour, minute) = (minute / 60, minute % 60);
        let whole = (self.hours & !(!0 << hour)).count_ones() * self.minutes.count_ones();
        let begun = (self.hours >> hour & 1) * (self.minutes & !(!0 << minute)).count_ones();
        u64::from(whole + begun)
    }

    /// How many days of `from..until` match.
    fn count_days(&self, from: i64, until: i64) -> u64 {
        let mut count = 0;
        let mut day = from;
        while day < until {
            let date = Date::from_day(day);
            let first = date.first_of_month();
            let end = first + i64::from(date::days_in_month(date.year, date.month));
            let mut days = self.days_in(date.year, date.month, first) & (!0 << date.day);
            if until < end {
                days &= (1 << (until - first + 1)) - 1;
            }
            count += u64::from(days.count_ones());
            day = end;
        }
        count
    }
}

/// The `day`th day of a month that begins on day `first`.
fn nth(first: i64, day: u32) -> i64 {
    first + i64::from(day) - 1
}

/// The second of the day at a time of day.
fn time(hour: i64, minute: u32) -> i64 {
    hour * 3_600 + i64::from(minute) * 60
}
