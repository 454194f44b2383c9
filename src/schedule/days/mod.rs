//! Sets of days: holidays, freezes, whatever a schedule stays away from.

mod icalendar;

use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;

use super::date::EPOCH_DAY;

pub use icalendar::CalendarError;

/// A set holds no more stretches of days than this: an appointment of every other day for two hundred years.
const STRETCHES_MAX: usize = 40_000;

/// Some days. Cheap to clone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Days(Arc<[Stretch]>);

/// Days on end, counted as [`date`](super::date) counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Stretch {
    pub(super) fn days(self) -> impl Iterator<Item = u32> {
        self.first..=self.last
    }
}

impl Days {
    /// The days of some ranges, first and last day included, in any order.
    pub fn of(ranges: impl IntoIterator<Item = (NaiveDate, NaiveDate)>) -> Days {
        let stretch = |(first, last): (NaiveDate, NaiveDate)| Stretch {
            first: number(first),
            last: number(last),
        };
        let ranges = ranges
            .into_iter()
            .map(stretch)
            .filter(|stretch| stretch.first <= stretch.last);
        Days::joined(ranges.collect())
    }

    /// Reads a date or a range of dates: `2026-12-25`, `2026-12-24..2027-01-06`. Both ends belong to it.
    pub fn range(text: &str) -> Option<(NaiveDate, NaiveDate)> {
        icalendar::range(text)
    }

    /// Reads a calendar: iCalendar (RFC 5545), or dates and ranges of dates, one a line.
    ///
    /// # Errors
    ///
    /// If it is neither, or holds what is not understood: a calendar that is understood in part is not believed.
    pub fn read(text: &str) -> Result<Days, CalendarError> {
        icalendar::read(text).map(Days::of)
    }

    /// All days of several sets.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a Days>) -> Days {
        Days::joined(sets.into_iter().flat_map(|days| days.0.iter().copied()).collect())
    }

    fn joined(mut stretches: Vec<Stretch>) -> Days {
        stretches.sort_by_key(|stretch| (stretch.first, stretch.last));
        let mut joined: Vec<Stretch> = Vec::with_capacity(stretches.len());
        for stretch in stretches {
            match joined.last_mut() {
                Some(before) if stretch.first <= before.last + 1 => {
                    before.last = before.last.max(stretch.last);
                }
                _ => joined.push(stretch),
            }
        }
        Days(joined.into())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a day is among them.
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.around(number(day)).is_some()
    }

    /// The stretch in which a day lies.
    pub(super) fn around(&self, day: u32) -> Option<Stretch> {
        let at = self.0.partition_point(|stretch| stretch.last < day);
        self.0.get(at).copied().filter(|stretch| stretch.first <= day)
    }

    /// The stretches that end at a day or later, in order.
    pub(super) fn from(&self, day: u32) -> impl Iterator<Item = Stretch> {
        let at = self.0.partition_point(|stretch| stretch.last < day);
        self.0[at..].iter().copied()
    }

    /// The stretches that begin at a day or earlier, the last one first.
    pub(super) fn until(&self, day: u32) -> impl Iterator<Item = Stretch> {
        let end = self.0.partition_point(|stretch| stretch.first <= day);
        self.0[..end].iter().rev().copied()
    }
}

impl fmt::Debug for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Days({} stretches)", self.0.len())
    }
}

fn number(date: NaiveDate) -> u32 {
    let since = (date - NaiveDate::default()).num_days() + i64::from(EPOCH_DAY);
    u32::try_from(since).unwrap_or(0)
}
