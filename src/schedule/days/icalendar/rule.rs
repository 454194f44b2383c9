//! `RRULE`: the days on which an event comes again.

use chrono::{Datelike, NaiveDate, Weekday};

/// Everything that says which days those are.
#[derive(Debug)]
pub(super) struct Rule {
    every: Every,
    interval: i32,
    count: Option<usize>,
    until: Option<NaiveDate>,
    months: Vec<u32>,
    days_of_month: Vec<i32>,
    /// A day of the week; which of the month or year, counted from its end if negative, or all of them.
    weekdays: Vec<(Option<i32>, Weekday)>,
    week_begins: Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Day,
    Week,
    Month,
    Year,
}

impl Rule {
    /// Reads a rule, or says what of it is not understood.
    pub(super) fn parse(text: &str) -> Result<Rule, String> {
        let mut rule = Rule {
            every: Every::Year,
            interval: 1,
            count: None,
            until: None,
            months: vec![],
            days_of_month: vec![],
            weekdays: vec![],
            week_begins: Weekday::Mon,
        };
        let mut has_frequency = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?} is not name=value"))?;
            has_frequency |= name.eq_ignore_ascii_case("FREQ");
            rule.set(&name.to_ascii_uppercase(), &value.to_ascii_uppercase())
                .ok_or_else(|| format!("{part} is not understood"))?;
        }
        if has_frequency {
            Ok(rule)
        } else {
            Err("FREQ is missing".into())
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "FREQ" => {
                self.every = match value {
                    "DAILY" => Every::Day,
                    "WEEKLY" => Every::Week,
                    "MONTHLY" => Every::Month,
                    "YEARLY" => Every::Year,
                    _ => return None,
                }
            }
            "INTERVAL" => self.interval = value.parse().ok().filter(|interval| *interval > 0)?,
            "COUNT" => self.count = Some(value.parse().ok()?),
            "UNTIL" => {
                let day = value.split('T').next()?;
                self.until = Some(NaiveDate::parse_from_str(day, "%Y%m%d").ok()?);
            }
            "BYMONTH" => self.months = numbers(value)?,
            "BYMONTHDAY" => self.days_of_month = numbers(value)?,
            "BYDAY" => self.weekdays = value.split(',').map(weekday).collect::<Option<_>>()?,
            "WKST" => self.week_begins = weekday(value)?.1,
            _ => return None,
        }
        Some(())
    }

    /// The days of an event that first takes place on `start`, which is one of them.
    pub(super) fn days(&self, start: NaiveDate, last_year: i32) -> Vec<NaiveDate> {
        let most = self.count.unwrap_or(usize::MAX);
        let is_over =
            |day: &NaiveDate| day.year() > last_year || self.until.is_some_and(|until| *day > until);
        let days = start.iter_days().take_while(|day| !is_over(day));
        days.filter(|day| *day == start || self.matches(start, *day))
            .take(most)
            .collect()
    }

    fn matches(&self, start: NaiveDate, day: NaiveDate) -> bool {
        let months = |day: NaiveDate| day.year() * 12 + day.month0().cast_signed();
        let elapsed = match self.every {
            Every::Day => i32::try_from((day - start).num_days()).unwrap_or(i32::MAX),
            Every::Week => {
                let begin = |day: NaiveDate| day.week(self.week_begins).first_day();
                i32::try_from((begin(day) - begin(start)).num_weeks()).unwrap_or(i32::MAX)
            }
            Every::Month => months(day) - months(start),
            Every::Year => day.year() - start.year(),
        };
        elapsed % self.interval == 0 && self.month_matches(start, day) && self.day_matches(start, day)
    }

    fn month_matches(&self, start: NaiveDate, day: NaiveDate) -> bool {
        if !self.months.is_empty() {
            return self.months.contains(&day.month());
        }
        let is_open =
            self.every != Every::Year || !self.weekdays.is_empty() || !self.days_of_month.is_empty();
        is_open || day.month() == start.month()
    }

    fn day_matches(&self, start: NaiveDate, day: NaiveDate) -> bool {
        let by_number = self.days_of_month.is_empty() || {
            let from_last = day.day().cast_signed() - i32::from(day.num_days_in_month()) - 1;
            self.days_of_month.contains(&day.day().cast_signed()) || self.days_of_month.contains(&from_last)
        };
        let by_weekday =
            self.weekdays.is_empty() || self.weekdays.iter().any(|asked| self.is_weekday(*asked, day));
        if !self.days_of_month.is_empty() || !self.weekdays.is_empty() {
            return by_number && by_weekday;
        }
        match self.every {
            Every::Day => true,
            Every::Week => day.weekday() == start.weekday(),
            Every::Month | Every::Year => day.day() == start.day(),
        }
    }

    fn is_weekday(&self, (nth, weekday): (Option<i32>, Weekday), day: NaiveDate) -> bool {
        if day.weekday() != weekday {
            return false;
        }
        let Some(nth) = nth else { return true };
        let (day_before, days) = if self.every == Every::Year && self.months.is_empty() {
            let days = if day.leap_year() { 366 } else { 365 };
            (day.ordinal0().cast_signed(), days)
        } else {
            (day.day0().cast_signed(), i32::from(day.num_days_in_month()))
        };
        nth == day_before / 7 + 1 || nth == -((days - 1 - day_before) / 7 + 1)
    }
}

fn numbers<T: std::str::FromStr>(text: &str) -> Option<Vec<T>> {
    text.split(',').map(|number| number.parse().ok()).collect()
}

/// `MO`, `4TH`, `-1FR`.
fn weekday(text: &str) -> Option<(Option<i32>, Weekday)> {
    let (nth, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = match name {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    };
    let nth = if nth.is_empty() {
        None
    } else {
        Some(nth.parse().ok()?)
    };
    Some((nth, weekday))
}
