//! Dates of the Gregorian calendar as plain numbers: a day is counted from 1970-01-01.
//!
//! The two conversions are the Euclidean affine functions of Neri and Schneider ("Euclidean affine functions and
//! their application to calendar algorithms", 2022): a few multiplications, no tables, no branches. They are half
//! of what a search costs, which is why they are not chrono's.

/// Years added before the arithmetic, so that every year chrono can express is positive: a multiple of 400.
const YEAR_SHIFT: u32 = 280_000;

/// Days from 1 March of the (shifted) year 0, where the arithmetic begins, to 1970-01-01.
const DAY_SHIFT: i64 = 719_468 + 146_097 * (YEAR_SHIFT as i64 / 400);

/// A date: month 1 to 12, day 1 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i32,
    pub(super) month: u32,
    pub(super) day: u32,
}

impl Date {
    /// The date of a day, counted from 1970-01-01. The day must lie in a year that chrono can express.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in range, as the shift explains"
    )]
    #[expect(clippy::cast_possible_wrap, reason = "years stay far below 2^31")]
    pub(super) fn from_day(day: i64) -> Date {
        let quarters = 4 * (day + DAY_SHIFT) as u32 + 3;
        let century = quarters / 146_097;
        let quarters = (quarters % 146_097) | 3;
        let product = 2_939_745 * u64::from(quarters);
        let year = 100 * century + (product >> 32) as u32;
        let day_of_year = product as u32 / 2_939_745 / 4;
        let month = 2_141 * day_of_year + 197_913;
        // The arithmetic's year begins in March, so January and February are its months 13 and 14.
        let late = day_of_year >= 306;
        Date {
            year: (year + u32::from(late)) as i32 - YEAR_SHIFT as i32,
            month: (month >> 16) - if late { 12 } else { 0 },
            day: (month & 0xffff) / 2_141 + 1,
        }
    }

    /// The day, counted from 1970-01-01, on which the date's month begins.
    pub(super) fn first_of_month(self) -> i64 {
        first_of_month(self.year, self.month)
    }
}

/// The day, counted from 1970-01-01, on which a month begins.
#[expect(clippy::cast_sign_loss, reason = "the shift makes every year positive")]
#[expect(clippy::cast_possible_wrap, reason = "years stay far below 2^31")]
pub(super) fn first_of_month(year: i32, month: u32) -> i64 {
    let early = month <= 2;
    let year = (year + YEAR_SHIFT as i32) as u32 - u32::from(early);
    let month = if early { month + 12 } else { month };
    let century = year / 100;
    let days = 1_461 * year / 4 - century + century / 4 + (979 * month - 2_919) / 32;
    i64::from(days) - DAY_SHIFT
}

/// The number of days in a month, 28 to 31.
pub(super) fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(is_leap_year(year)),
        // Up to July the long months are the odd ones, and from August on the even ones.
        _ => 30 + ((month ^ (month >> 3)) & 1),
    }
}

/// Whether a year has a 29 February.
pub(super) fn is_leap_year(year: i32) -> bool {
    // A year divisible by 25 is divisible by 100 exactly if it is divisible by 4, and then needs to be by 16.
    if year % 25 == 0 {
        year % 16 == 0
    } else {
        year % 4 == 0
    }
}

/// The first leap year after a year.
pub(super) fn leap_year_after(year: i32) -> i32 {
    let candidate = (year | 3) + 1;
    if is_leap_year(candidate) {
        candidate
    } else {
        candidate + 4
    }
}

/// The last leap year before a year.
pub(super) fn leap_year_before(year: i32) -> i32 {
    let candidate = (year - 1) & !3;
    if is_leap_year(candidate) {
        candidate
    } else {
        candidate - 4
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};

    use super::*;

    /// Every day of eight centuries, and the ends of what chrono can express, agree with chrono.
    #[test]
    fn agrees_with_chrono() {
        let epoch = NaiveDate::default();
        let ordinary = (-150_000..150_000).step_by(1);
        let ends = [
            (NaiveDate::MIN - epoch).num_days(),
            (NaiveDate::MAX - epoch).num_days(),
        ];
        for day in ordinary.chain(ends) {
            let date = epoch + chrono::TimeDelta::days(day);
            let ours = Date::from_day(day);
            assert_eq!(
                (ours.year, ours.month, ours.day),
                (date.year(), date.month(), date.day()),
                "day {day}"
            );
            assert_eq!(ours.first_of_month(), day - i64::from(ours.day) + 1, "day {day}");
            assert_eq!(
                days_in_month(ours.year, ours.month),
                u32::from(date.num_days_in_month()),
                "day {day}"
            );
        }
    }

    #[test]
    fn leap_years_around_a_skipped_one() {
        assert_eq!(
            [
                leap_year_after(2095),
                leap_year_after(2096),
                leap_year_after(2100)
            ],
            [2096, 2104, 2104]
        );
        assert_eq!(
            [
                leap_year_before(2105),
                leap_year_before(2104),
                leap_year_before(2097)
            ],
            [2104, 2096, 2096]
        );
        assert_eq!([leap_year_before(1), leap_year_after(-1)], [0, 0]);
    }
}
