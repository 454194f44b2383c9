//! Dates of the Gregorian calendar as plain numbers: a day is counted from one so long ago that none is negative.
//!
//! The two conversions are the Euclidean affine functions of Neri and Schneider ("Euclidean affine functions and
//! their application to calendar algorithms", 2022): a few multiplications, no tables, no branches. They are half
//! of what a search costs, which is why they are not chrono's.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::Timestamp;

/// The year whose 1 March is day 0: before all that chrono can express, and as far from the year 0 as a multiple of 400.
const FIRST_YEAR: u32 = 280_000;

/// The day 1970-01-01.
pub(super) const EPOCH_DAY: u32 = 719_468 + 146_097 * (FIRST_YEAR / 400);

/// Seconds in a day.
pub(super) const DAY: u32 = 86_400;

/// Seconds from the beginning of day 0 to 1970-01-01.
const EPOCH: i64 = EPOCH_DAY as i64 * DAY as i64;

/// The day and the second of the day of a reading, which counts seconds from 1970-01-01T00:00:00 of its wall clock.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "chrono's years are within u32 days"
)]
pub(super) fn split(reading: i64) -> (u32, u32) {
    let seconds = (reading + EPOCH) as u64;
    (
        (seconds / u64::from(DAY)) as u32,
        (seconds % u64::from(DAY)) as u32,
    )
}

/// The reading at a second of a day.
pub(super) fn join(day: u32, second: u32) -> i64 {
    i64::from(day) * i64::from(DAY) + i64::from(second) - EPOCH
}

/// A date: month 1 to 12, day 1 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i32,
    pub(super) month: u32,
    pub(super) day: u32,
}

impl Date {
    /// The date of a day.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the upper half of 64 bits fits into 32"
    )]
    #[expect(clippy::cast_possible_wrap, reason = "years stay far below 2^31")]
    pub(super) fn of(day: u32) -> Date {
        let quarters = 4 * day + 3;
        let century = quarters / 146_097;
        let product = 2_939_745 * u64::from((quarters % 146_097) | 3);
        let year = 100 * century + (product >> 32) as u32;
        let day_of_year = product as u32 / 2_939_745 / 4;
        let month = 2_141 * day_of_year + 197_913;
        // The arithmetic's year begins in March, so January and February are its months 13 and 14.
        let late = day_of_year >= 306;
        Date {
            year: (year + u32::from(late)) as i32 - FIRST_YEAR as i32,
            month: (month >> 16) - if late { 12 } else { 0 },
            day: (month & 0xffff) / 2_141 + 1,
        }
    }
}

impl Date {
    /// Another day of the same month, as a day and as a date; `own` is this date's day.
    pub(super) fn in_month(self, own: u32, day: u32) -> (u32, Date) {
        (own - self.day + day, Date { day, ..self })
    }

    /// The instant at a second of this day, or so many seconds before or after the day, in UTC; none beyond what chrono
    /// can express.
    pub(super) fn instant(self, second: i64) -> Option<Timestamp> {
        let date = NaiveDate::from_ymd_opt(self.year, self.month, self.day)?;
        let (days, second) = (second.div_euclid(DAY.into()), second.rem_euclid(DAY.into()));
        let date = if days == 0 {
            date
        } else {
            date.checked_add_signed(TimeDelta::try_days(days)?)?
        };
        let time = NaiveTime::from_num_seconds_from_midnight_opt(u32::try_from(second).ok()?, 0)?;
        Some(date.and_time(time).and_utc())
    }
}

/// The day on which a month begins.
#[expect(clippy::cast_sign_loss, reason = "no year is before the first")]
#[expect(clippy::cast_possible_wrap, reason = "years stay far below 2^31")]
pub(super) fn first_of_month(year: i32, month: u32) -> u32 {
    let early = month <= 2;
    let year = (year + FIRST_YEAR as i32) as u32 - u32::from(early);
    let month = if early { month + 12 } else { month };
    let century = year / 100;
    1_461 * year / 4 - century + century / 4 + (979 * month - 2_919) / 32
}

/// The day of the week, 0 (Sunday) to 6.
pub(super) fn weekday(day: u32) -> u32 {
    // 1970-01-01 was a Thursday.
    const SHIFT: u32 = (4 + 7 - EPOCH_DAY % 7) % 7;
    (day + SHIFT) % 7
}

/// The number of days in a month, 28 to 31, of a leap year or a common one.
pub(super) fn days_in_month(month: u32, leap: bool) -> u32 {
    if month == 2 {
        return 28 + u32::from(leap);
    }
    // Up to July the long months are the odd ones, and from August on the even ones.
    30 + ((month ^ (month >> 3)) & 1)
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
    // Of the years that are divisible by 4, only centuries are in question.
    if candidate % 25 == 0 && candidate % 16 != 0 {
        candidate + 4
    } else {
        candidate
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
    use chrono::Datelike;

    use super::*;

    /// Every day of eight centuries, and the ends of what chrono can express, agree with chrono.
    #[test]
    fn agrees_with_chrono() {
        let epoch = NaiveDate::default();
        let ends = [NaiveDate::MIN, NaiveDate::MAX].map(|end| (end - epoch).num_days());
        for days in (-150_000..150_000).chain(ends) {
            let date = epoch + chrono::TimeDelta::days(days);
            let (day, second) = split(days * i64::from(DAY) + 5);
            assert_eq!(
                (second, join(day, second)),
                (5, days * i64::from(DAY) + 5),
                "{date}"
            );
            let ours = Date::of(day);
            assert_eq!(
                (ours.year, ours.month, ours.day),
                (date.year(), date.month(), date.day()),
                "{date}"
            );
            assert_eq!(
                first_of_month(ours.year, ours.month),
                day - ours.day + 1,
                "{date}"
            );
            assert_eq!(
                days_in_month(ours.month, is_leap_year(ours.year)),
                u32::from(date.num_days_in_month()),
                "{date}"
            );
            assert_eq!(weekday(day), date.weekday().num_days_from_sunday(), "{date}");
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
