//! What an expression asks for, field by field, whatever dialect it was written in: the common form between the
//! grammars, the engine and the description.

use super::calendar::{Calendar, Mask};

/// The values of every field. Bits stand for values: bit 5 of `minutes` is minute 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    /// 0 to 59; bit 0 alone where the expression has no seconds.
    pub(super) seconds: u64,
    /// 0 to 59.
    pub(super) minutes: u64,
    /// 0 to 23.
    pub(super) hours: u64,
    /// Days of the month.
    pub(super) days: DaysOfMonth,
    /// 1 to 12.
    pub(super) months: u64,
    /// Days of the week.
    pub(super) weekdays: DaysOfWeek,
    /// The years, in order; none for every year.
    pub(super) years: Option<Box<[i32]>>,
    /// Whether a day must match both day fields, whatever stars they hold (Quartz).
    pub(super) both_days: bool,
}

/// Days of the month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DaysOfMonth {
    /// Bits 1 to 31, counted from the beginning.
    pub(super) listed: u64,
    /// Bits 0 to 30, counted back from the last day: `L` is bit 0, `L-3` bit 3.
    pub(super) from_last: u32,
    /// `15W`: the weekday nearest to a day, bits 1 to 31.
    pub(super) nearest: u32,
    /// `LW`: the last weekday of the month.
    pub(super) last_weekday: bool,
    /// Whether the field holds a star.
    pub(super) star: bool,
}

/// Days of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DaysOfWeek {
    /// Bits 0 (Sunday) to 6: every week.
    pub(super) listed: u64,
    /// `FRI#2`: for the first to the fifth of the month, bits 0 to 6.
    pub(super) nth: [u8; 5],
    /// `FRIL`: the last of the month, bits 0 to 6.
    pub(super) last: u8,
    /// Whether the field holds a star.
    pub(super) star: bool,
}

/// Every day of the month.
pub(super) const ALL_DAYS: u64 = 0xffff_fffe;

/// Every day of the week.
pub(super) const ALL_WEEKDAYS: u64 = 0x7f;

impl Fields {
    /// Five fields of the Kubernetes dialect, in the order in which they are written.
    pub(super) fn of_five([minutes, hours, days, months, weekdays]: [Mask; 5]) -> Fields {
        Fields {
            seconds: 1,
            minutes: minutes.bits,
            hours: hours.bits,
            days: DaysOfMonth {
                listed: days.bits,
                star: days.star,
                ..DaysOfMonth::default()
            },
            months: months.bits,
            weekdays: DaysOfWeek {
                listed: weekdays.bits,
                star: weekdays.star,
                ..DaysOfWeek::default()
            },
            years: None,
            both_days: false,
        }
    }

    /// The five-field calendar that means the same, if there is one: nothing but minutes, hours and plain days.
    pub(super) fn calendar(&self) -> Option<Calendar> {
        let plain = self.seconds == 1
            && self.years.is_none()
            && self.days.is_plain()
            && self.weekdays.is_plain()
            && (!self.both_days || self.days.star || self.weekdays.star);
        let mask = |bits, star| Mask { bits, star };
        plain.then(|| {
            Calendar::new([
                mask(self.minutes, false),
                mask(self.hours, false),
                mask(self.days.listed, self.days.star),
                mask(self.months, false),
                mask(self.weekdays.listed, self.weekdays.star),
            ])
        })
    }

    /// Whether a day is due if either day field matches it (the star rule).
    pub(super) fn either_day(&self) -> bool {
        !(self.both_days || self.days.star || self.weekdays.star)
    }
}

impl DaysOfMonth {
    /// Whether it names days by their number alone.
    pub(super) fn is_plain(&self) -> bool {
        self.from_last == 0 && self.nearest == 0 && !self.last_weekday
    }

    /// Whether it leaves every day as it is.
    pub(super) fn is_all(&self) -> bool {
        self.listed == ALL_DAYS
    }
}

impl DaysOfWeek {
    /// Whether it means the same every week.
    pub(super) fn is_plain(&self) -> bool {
        self.last == 0 && self.nth == [0; 5]
    }

    /// Whether it leaves every day as it is.
    pub(super) fn is_all(&self) -> bool {
        self.listed == ALL_WEEKDAYS
    }
}
