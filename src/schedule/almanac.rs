//! The search for readings that five fields cannot name: seconds, years, the last Friday, the weekday nearest the 15th.
//!
//! It answers the same questions as [`Calendar`](super::calendar::Calendar), one month after the other: what such
//! expressions ask for depends on how long a month is and on which day of the week it begins. Expressions that five
//! fields can say never come here (see [`Fields::calendar`]), so that they pay nothing for this.

use super::date::{self, Date};
use super::fields::Fields;
use super::wall_clock::{LAST_YEAR, WallClock};

/// The first year that is searched; backwards, a search ends here.
const FIRST_YEAR: i32 = 1900;

/// The readings that some fields match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Almanac {
    fields: Fields,
    is_empty: bool,
}

impl Almanac {
    pub(super) fn new(fields: Fields) -> Almanac {
        let mut almanac = Almanac {
            fields,
            is_empty: false,
        };
        let fields = &almanac.fields;
        let has_times = fields.seconds != 0 && fields.minutes != 0 && fields.hours != 0;
        // Dates come again every 400 years, and more than that is searched.
        almanac.is_empty = !has_times || almanac.day_in_or_after(FIRST_YEAR, 1).is_none();
        almanac
    }

    /// The days that match of a month that begins on `first`, as bits 1 to 31.
    fn days_of(&self, year: i32, month: u32, first: u32) -> u32 {
        let fields = &self.fields;
        let in_years = fields
            .years
            .as_ref()
            .is_none_or(|years| years.binary_search(&year).is_ok());
        if fields.months >> month & 1 == 0 || !in_years {
            return 0;
        }
        let shape = Month {
            length: date::days_in_month(month, date::is_leap_year(year)),
            first_weekday: date::weekday(first),
        };
        let (days, weekdays) = (self.by_number(shape), self.by_weekday(shape));
        if fields.either_day() {
            days | weekdays
        } else {
            days & weekdays
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "days have 32 bits")]
    fn by_number(&self, month: Month) -> u32 {
        let days = &self.fields.days;
        let from_last = bits(days.from_last)
            .filter(|back| *back < month.length)
            .map(|back| month.length - back);
        let nearest = bits(days.nearest)
            .filter(|day| *day <= month.length)
            .map(|day| month.nearest_weekday(day));
        let last = days.last_weekday.then(|| month.nearest_weekday(month.length));
        let special = from_last.chain(nearest).chain(last);
        special.fold(days.listed as u32 & month.all(), |days, day| days | 1 << day)
    }

    fn by_weekday(&self, month: Month) -> u32 {
        let weekdays = &self.fields.weekdays;
        let matches = |day: &u32| {
            let weekday = month.weekday(*day);
            let nth = usize::try_from((day - 1) / 7).unwrap_or(0);
            let is_last = day + 7 > month.length;
            weekdays.listed >> weekday & 1 == 1
                || weekdays.nth[nth] >> weekday & 1 == 1
                || is_last && weekdays.last >> weekday & 1 == 1
        };
        (1..=month.length)
            .filter(matches)
            .fold(0, |days, day| days | 1 << day)
    }

    /// The first matching day of a month or of those after it.
    fn day_in_or_after(&self, mut year: i32, mut month: u32) -> Option<(u32, Date)> {
        while year <= LAST_YEAR {
            let first = date::first_of_month(year, month);
            let days = self.days_of(year, month, first);
            if days != 0 {
                return Some(Date { year, month, day: 1 }.in_month(first, days.trailing_zeros()));
            }
            (year, month) = if month == 12 {
                (year + 1, 1)
            } else {
                (year, month + 1)
            };
        }
        None
    }
}

impl WallClock for Almanac {
    fn is_empty(&self) -> bool {
        self.is_empty
    }

    fn days_in(&self, date: Date, first: u32) -> u32 {
        self.days_of(date.year, date.month, first)
    }

    fn day_after(&self, year: i32, month: u32) -> Option<(u32, Date)> {
        match month {
            _ if year < FIRST_YEAR => self.day_in_or_after(FIRST_YEAR, 1),
            12 => self.day_in_or_after(year + 1, 1),
            month => self.day_in_or_after(year, month + 1),
        }
    }

    fn day_before(&self, mut year: i32, mut month: u32) -> Option<(u32, Date)> {
        while year >= FIRST_YEAR {
            (year, month) = if month == 1 {
                (year - 1, 12)
            } else {
                (year, month - 1)
            };
            let first = date::first_of_month(year, month);
            let days = self.days_of(year, month, first);
            if days != 0 {
                return Some(Date { year, month, day: 1 }.in_month(first, days.ilog2()));
            }
        }
        None
    }

    fn first_time(&self) -> u32 {
        let fields = &self.fields;
        let (hour, minute) = (fields.hours.trailing_zeros(), fields.minutes.trailing_zeros());
        hour * 3_600 + minute * 60 + fields.seconds.trailing_zeros()
    }

    fn last_time(&self) -> u32 {
        let fields = &self.fields;
        fields.hours.ilog2() * 3_600 + fields.minutes.ilog2() * 60 + fields.seconds.ilog2()
    }

    fn time_from(&self, second: u32) -> Option<u32> {
        let fields = &self.fields;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let first_of = |hour: u32, minute: u32| hour * 3_600 + minute * 60 + fields.seconds.trailing_zeros();
        if fields.hours >> hour & 1 == 1 {
            let seconds = fields.seconds >> second << second;
            if fields.minutes >> minute & 1 == 1 && seconds != 0 {
                return Some(hour * 3_600 + minute * 60 + seconds.trailing_zeros());
            }
            let minutes = fields.minutes & (!1 << minute);
            if minutes != 0 {
                return Some(first_of(hour, minutes.trailing_zeros()));
            }
        }
        let hours = fields.hours & (!1 << hour);
        (hours != 0).then(|| first_of(hours.trailing_zeros(), fields.minutes.trailing_zeros()))
    }

    fn time_until(&self, second: u32) -> Option<u32> {
        let fields = &self.fields;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let last_of = |hour: u32, minute: u32| hour * 3_600 + minute * 60 + fields.seconds.ilog2();
        if fields.hours >> hour & 1 == 1 {
            let seconds = fields.seconds & !(!1 << second);
            if fields.minutes >> minute & 1 == 1 && seconds != 0 {
                return Some(hour * 3_600 + minute * 60 + seconds.ilog2());
            }
            let minutes = fields.minutes & !(!0 << minute);
            if minutes != 0 {
                return Some(last_of(hour, minutes.ilog2()));
            }
        }
        let hours = fields.hours & !(!0 << hour);
        (hours != 0).then(|| last_of(hours.ilog2(), fields.minutes.ilog2()))
    }

    fn times_before(&self, second: u32) -> u64 {
        let fields = &self.fields;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let below = |mask: u64, bit: u32| u64::from((mask & !(!0 << bit)).count_ones());
        let (minutes, seconds) = (
            u64::from(fields.minutes.count_ones()),
            u64::from(fields.seconds.count_ones()),
        );
        let this_minute = (fields.minutes >> minute & 1) * below(fields.seconds, second);
        let this_hour = (fields.hours >> hour & 1) * (below(fields.minutes, minute) * seconds + this_minute);
        below(fields.hours, hour) * minutes * seconds + this_hour
    }
}

/// What of a month decides which of its days are meant.
#[derive(Clone, Copy)]
struct Month {
    /// 28 to 31.
    length: u32,
    /// 0 (Sunday) to 6.
    first_weekday: u32,
}

impl Month {
    /// Every day, as bits.
    fn all(self) -> u32 {
        !1 & !(!1 << self.length)
    }

    /// 0 (Sunday) to 6.
    fn weekday(self, day: u32) -> u32 {
        (self.first_weekday + day - 1) % 7
    }

    /// The day from Monday to Friday that is nearest to a day without leaving the month, as Quartz has it.
    fn nearest_weekday(self, day: u32) -> u32 {
        match self.weekday(day) {
            6 if day == 1 => 3,
            6 => day - 1,
            0 if day == self.length => day - 2,
            0 => day + 1,
            _ => day,
        }
    }
}

/// The bits that are set, from the lowest on.
fn bits(mask: u32) -> impl Iterator<Item = u32> {
    (0..32).filter(move |bit| mask >> bit & 1 == 1)
}
