//! Five fields as bit masks: the days and the times that they match.
//!
//! Which day a day field means, the "star rule", is robfig/cron v3's `dayMatches`.
//!
//! The cost of a search does not depend on how far away the answer is. A month that can never hold a matching day is
//! taken out of the masks when they are made, so the first month looked at is the right one, and 29 February steps
//! from leap year to leap year.

use super::date::{self, Date};
use super::wall_clock::{LAST_YEAR, WallClock};

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
    days_match: DaysMatch,
    /// Bits 1 to 12: the months in which a day can match, in a common year and in a leap year.
    months: [u16; 2],
}

/// The star rule: with a star in either day field, a day must match both; with none, either is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DaysMatch {
    /// Both, but every day of the week matches, so that it need not be looked at.
    DayOfMonth,
    Both,
    Either,
}

impl DaysMatch {
    fn new(days: Mask, weekdays: Mask) -> DaysMatch {
        match (days.star, weekdays.star) {
            (_, true) => DaysMatch::DayOfMonth,
            (true, false) => DaysMatch::Both,
            (false, false) => DaysMatch::Either,
        }
    }
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
            days_match: DaysMatch::new(days, weekdays),
            months: [0; 2],
        };
        // Any common year and any leap year will do: what matters is only whether a month has a day that can match,
        // and every month has every weekday.
        calendar.months = [false, true].map(|leap| {
            let possible =
                |month: &u32| months.bits >> month & 1 == 1 && calendar.days_of(leap, *month, 0) != 0;
            (1..=12).filter(possible).fold(0, |mask, month| mask | 1 << month)
        });
        calendar
    }

    /// The days that match in a month that does.
    fn days_of(&self, leap: bool, month: u32, first: u32) -> u32 {
        let days = match self.days_match {
            DaysMatch::DayOfMonth => self.days,
            DaysMatch::Both => self.days & self.on_weekdays(first),
            DaysMatch::Either => self.days | self.on_weekdays(first),
        };
        days & !1 & !(!1 << date::days_in_month(month, leap))
    }

    /// The days of a month that fall on a matching day of the week.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "31 days are left of the six weeks"
    )]
    fn on_weekdays(&self, first: u32) -> u32 {
        (self.weekdays >> date::weekday(first) << 1) as u32
    }

    /// The first year after a year in which a month can match, and whether it is a leap year.
    fn year_after(&self, year: i32) -> (i32, bool) {
        if self.months[0] == 0 {
            (date::leap_year_after(year), true)
        } else {
            (year + 1, date::is_leap_year(year + 1))
        }
    }
}

impl WallClock for Calendar {
    fn is_empty(&self) -> bool {
        self.minutes == 0 || self.hours == 0 || self.months[1] == 0
    }

    fn days_in(&self, date: Date, first: u32) -> u32 {
        let leap = date::is_leap_year(date.year);
        if self.months[usize::from(leap)] >> date.month & 1 == 0 {
            0
        } else {
            self.days_of(leap, date.month, first)
        }
    }

    fn day_after(&self, mut year: i32, mut month: u32) -> Option<(u32, Date)> {
        let mut leap = date::is_leap_year(year);
        while year <= LAST_YEAR {
            let mut later = self.months[usize::from(leap)] & (!1 << month);
            if later == 0 {
                (year, leap) = self.year_after(year);
                later = self.months[usize::from(leap)];
            }
            month = later.trailing_zeros();
            let first = date::first_of_month(year, month);
            let days = self.days_of(leap, month, first);
            if days != 0 && year <= LAST_YEAR {
                return Some(Date { year, month, day: 1 }.in_month(first, days.trailing_zeros()));
            }
        }
        None
    }

    fn day_before(&self, mut year: i32, mut month: u32) -> Option<(u32, Date)> {
        while !self.is_empty() {
            let leap = date::is_leap_year(year);
            let earlier = self.months[usize::from(leap)] & !(!0 << month);
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
            let days = self.days_of(leap, month, first);
            if days != 0 {
                return Some(Date { year, month, day: 1 }.in_month(first, days.ilog2()));
            }
        }
        None
    }

    fn first_time(&self) -> u32 {
        self.hours.trailing_zeros() * 3_600 + self.minutes.trailing_zeros() * 60
    }

    fn last_time(&self) -> u32 {
        self.hours.ilog2() * 3_600 + self.minutes.ilog2() * 60
    }

    fn time_from(&self, second: u32) -> Option<u32> {
        let minute = second.div_ceil(60);
        let (hour, minute) = (minute / 60, minute % 60);
        let minutes = self.minutes >> minute << minute;
        if self.hours >> hour & 1 == 1 && minutes != 0 {
            return Some(hour * 3_600 + minutes.trailing_zeros() * 60);
        }
        let hours = self.hours & (!1 << hour);
        (hours != 0).then(|| hours.trailing_zeros() * 3_600 + self.minutes.trailing_zeros() * 60)
    }

    fn time_until(&self, second: u32) -> Option<u32> {
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        let minutes = self.minutes & !(!1 << minute);
        if self.hours >> hour & 1 == 1 && minutes != 0 {
            return Some(hour * 3_600 + minutes.ilog2() * 60);
        }
        let hours = self.hours & !(!0 << hour);
        (hours != 0).then(|| hours.ilog2() * 3_600 + self.minutes.ilog2() * 60)
    }

    fn times_before(&self, second: u32) -> u64 {
        let minute = second.div_ceil(60);
        let (hour, minute) = (minute / 60, minute % 60);
        let whole = (self.hours & !(!0 << hour)).count_ones() * self.minutes.count_ones();
        let begun = (self.hours >> hour & 1) * (self.minutes & !(!0 << minute)).count_ones();
        u64::from(whole + begun)
    }
}
