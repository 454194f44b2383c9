//! The fields: their order, their bounds and their names, as in robfig/cron v3.

use std::fmt;

/// A field of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// 0 to 59; not in the Kubernetes dialect.
    Second,
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12, or `jan` to `dec`.
    Month,
    /// 0 (Sunday) to 6, or `sun` to `sat`.
    DayOfWeek,
}

/// The months in full; their first three letters are what an expression may hold.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The days of the week in full.
const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

impl Field {
    /// The five of the Kubernetes dialect, in the order in which they are written.
    pub const ALL: [Field; 5] = [
        Field::Minute,
        Field::Hour,
        Field::DayOfMonth,
        Field::Month,
        Field::DayOfWeek,
    ];

    /// The lowest value.
    pub fn min(self) -> u32 {
        match self {
            Field::Second | Field::Minute | Field::Hour | Field::DayOfWeek => 0,
            Field::DayOfMonth | Field::Month => 1,
        }
    }

    /// The highest value.
    pub fn max(self) -> u32 {
        match self {
            Field::Second | Field::Minute => 59,
            Field::Hour => 23,
            Field::DayOfMonth => 31,
            Field::Month => 12,
            Field::DayOfWeek => 6,
        }
    }

    /// The names of its values in full and in lower case, from the lowest on; empty where there are none.
    pub(in crate::schedule) fn full_names(self) -> &'static [&'static str] {
        match self {
            Field::Month => &MONTHS,
            Field::DayOfWeek => &WEEKDAYS,
            Field::Second | Field::Minute | Field::Hour | Field::DayOfMonth => &[],
        }
    }

    /// The value of a three-letter name, in any case.
    pub fn value_of(self, name: &str) -> Option<u32> {
        // Lower case as Go's `strings.ToLower` has it: one character for one, so that even `FRİ` is Friday.
        let lower: String = name.chars().filter_map(|c| c.to_lowercase().next()).collect();
        let place = self.full_names().iter().position(|full| full[..3] == lower)?;
        u32::try_from(place).ok().map(|place| self.min() + place)
    }

    /// The three-letter name of a value, in capitals.
    pub(super) fn name_of(self, value: u32) -> Option<String> {
        let place = usize::try_from(value.checked_sub(self.min())?).ok()?;
        self.full_names()
            .get(place)
            .map(|full| full[..3].to_ascii_uppercase())
    }

    /// What its values are called together.
    pub(in crate::schedule) fn plural(self) -> &'static str {
        match self {
            Field::Second => "seconds",
            Field::Minute => "minutes",
            Field::Hour => "hours",
            Field::DayOfMonth => "days of the month",
            Field::Month => "months",
            Field::DayOfWeek => "days of the week",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Second => "second",
            Field::Minute => "minute",
            Field::Hour => "hour",
            Field::DayOfMonth => "day of the month",
            Field::Month => "month",
            Field::DayOfWeek => "day of the week",
        })
    }
}
