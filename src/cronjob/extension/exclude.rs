//! `exclude` and `on-excluded`: days on which nothing runs.
//!
//! ```yaml
//! punctual.dev/exclude: 2026-12-24..2027-01-06, 2027-05-01, holidays
//! punctual.dev/on-excluded: After
//! ```
//!
//! An entry is a date, a range of dates (both ends included), or the name of a calendar: a `ConfigMap` labelled
//! `punctual.dev/calendar=true` that holds dates or iCalendar, in the CronJob's namespace or, if there is none, in the
//! controller's. As long as a calendar that is named is not there, or can't be read, nothing is started: what would be
//! excluded is not known. A day is one of the calendar in `spec.timeZone`.

use super::mistake::{ExtensionError, Fault, Meanwhile, Problem};
use super::register::Extension;
use super::word;
use crate::schedule::{Days, OnExcluded};

/// The label of a `ConfigMap` that is a calendar; its value is `true`.
pub const CALENDAR_LABEL: &str = "punctual.dev/calendar";

/// Days on which nothing runs.
pub(super) const EXCLUDE: Extension = Extension {
    name: "punctual.dev/exclude",
    values: "dates, ranges of dates and names of calendars, with commas between them",
    default: "none",
    doc: "Days on which nothing is due: 2026-12-25, 2026-12-24..2027-01-06, or a calendar in a labelled ConfigMap",
    meanwhile: Meanwhile::Held,
    read: |value, _, into| {
        let (mut ranges, mut faults) = (vec![], vec![]);
        for span in word::entries(value) {
            let entry = &value[span.clone()];
            match Days::range(entry) {
                Some(range) => ranges.push(range),
                None if is_calendar(entry) => into.policies.calendars.push(entry.to_owned()),
                None => {
                    let what =
                        "a date (2026-12-25), a range (2026-12-24..2027-01-06) or the name of a calendar";
                    faults.push(Fault {
                        span,
                        problem: Problem::NotA { what: what.into() },
                    });
                }
            }
        }
        into.policies.terms.excluded = Days::of(ranges);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    },
};

/// What becomes of that which would run on them.
pub(super) const ON_EXCLUDED: Extension = Extension {
    name: "punctual.dev/on-excluded",
    values: "Skip, After or Before",
    default: "Skip",
    doc: "What becomes of a run on an excluded day: none, or at the same time on the next or last day that is not excluded",
    meanwhile: Meanwhile::Default("nothing runs in their place"),
    read: |value, _, into| {
        const ALL: [OnExcluded; 3] = [OnExcluded::Skip, OnExcluded::After, OnExcluded::Before];
        into.policies.terms.on_excluded = word::one_of(value, &["Skip", "After", "Before"], &ALL)?;
        Ok(())
    },
};

/// What is wrong with a calendar that `exclude` names.
pub fn no_calendar(name: &str, error: String) -> ExtensionError {
    let fault = Fault::whole(name, Problem::Calendar { error });
    EXCLUDE.mistake(name, fault)
}

/// Whether it can be the name of a `ConfigMap`. What begins with a digit is taken for a date that went wrong.
fn is_calendar(entry: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    entry.starts_with(|c: char| c.is_ascii_lowercase())
        && entry.chars().all(is_part)
        && !entry.ends_with(['-', '.'])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};

    #[test]
    fn dates_ranges_and_calendars() {
        let policies = read(&[(
            "punctual.dev/exclude",
            "2026-12-24..2026-12-26, 2027-01-01,\n holidays freeze-2027",
        )])
        .policies;
        assert_eq!(policies.calendars, ["holidays", "freeze-2027"]);
        for (day, excluded) in [
            ("2026-12-23", false),
            ("2026-12-25", true),
            ("2027-01-01", true),
            ("2027-01-02", false),
        ] {
            let day = day.parse().expect("a date");
            assert_eq!(policies.terms.excluded.contains(day), excluded, "{day}");
        }
    }

    #[test]
    fn mistakes() {
        insta::assert_snapshot!(said(&[("punctual.dev/exclude", "2026-12-25, 2026-13-01, 2027-01-06..2026-12-24, Holidays")]), @r#"annotation punctual.dev/exclude has "2026-13-01"; write a date (2026-12-25), a range (2026-12-24..2027-01-06) or the name of a calendar. Until then nothing is started
annotation punctual.dev/exclude has "2027-01-06..2026-12-24"; write a date (2026-12-25), a range (2026-12-24..2027-01-06) or the name of a calendar. Until then nothing is started
annotation punctual.dev/exclude has "Holidays"; write a date (2026-12-25), a range (2026-12-24..2027-01-06) or the name of a calendar. Until then nothing is started"#);
        insta::assert_snapshot!(said(&[("punctual.dev/on-excluded", "Next")]), @r#"annotation punctual.dev/on-excluded is "Next"; write "Skip", "After" or "Before". Until then nothing runs in their place"#);
    }
}
