//! Calendars of days that are excluded: lists of dates, and iCalendar files with their recurrence rules.

use chrono::NaiveDate;
use punctual::schedule::Days;

/// The days of a calendar.
pub(crate) fn days(text: &str) -> Days {
    Days::read(text).expect("a calendar")
}

/// A day as ISO 8601 has it.
pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// Calendars as office suites write them (the files), and which days of some years are in them.
#[test]
fn calendars_of_office_suites() {
    for (file, from, to, expected) in [
        (
            "office.ics",
            "2026-12-01",
            "2027-12-31",
            "12-24 12-25 12-26 12-31 01-01 05-01 05-06 11-25 12-24 12-25 12-26 12-31",
        ),
        (
            "office.ics",
            "2031-01-01",
            "2031-12-31",
            "01-01 05-01 11-27 12-24 12-25 12-26 12-31",
        ),
        (
            "dates.txt",
            "2026-12-01",
            "2027-01-31",
            "12-24 12-25 12-26 01-01 01-02 01-03",
        ),
    ] {
        let path = format!("{}/fixtures/calendars/{file}", env!("CARGO_MANIFEST_DIR"));
        let calendar = days(&std::fs::read_to_string(&path).expect("a fixture"));
        let all = date(from).iter_days().take_while(|day| *day <= date(to));
        let found: Vec<String> = all
            .filter(|day| calendar.contains(*day))
            .map(|day| day.format("%m-%d").to_string())
            .collect();
        assert_eq!(found.join(" "), expected, "{file} {from}");
    }
}

/// Each rule on its own: an event that begins on a day, and the days on which it comes again.
#[test]
fn recurrence_rules() {
    for (begins, rule, expected) in [
        (
            "20260101",
            "FREQ=YEARLY;COUNT=3",
            "2026-01-01 2027-01-01 2028-01-01",
        ),
        ("20240229", "FREQ=YEARLY;COUNT=2", "2024-02-29 2028-02-29"),
        (
            "20261126",
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3",
            "2026-11-26 2027-11-25 2028-11-23",
        ),
        (
            "20260525",
            "FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5;UNTIL=20280101T000000Z",
            "2026-05-25 2027-05-31",
        ),
        (
            "20260101",
            "FREQ=MONTHLY;INTERVAL=2;COUNT=3",
            "2026-01-01 2026-03-01 2026-05-01",
        ),
        (
            "20260131",
            "FREQ=MONTHLY;COUNT=3",
            "2026-01-31 2026-03-31 2026-05-31",
        ),
        (
            "20260131",
            "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
            "2026-01-31 2026-02-28 2026-03-31",
        ),
        (
            "20261128",
            "FREQ=WEEKLY;BYDAY=SA,SU;COUNT=4",
            "2026-11-28 2026-11-29 2026-12-05 2026-12-06",
        ),
        (
            "20261126",
            "FREQ=WEEKLY;INTERVAL=2;UNTIL=20261225",
            "2026-11-26 2026-12-10 2026-12-24",
        ),
        (
            "20261126",
            "FREQ=DAILY;COUNT=3",
            "2026-11-26 2026-11-27 2026-11-28",
        ),
        (
            "20261126",
            "FREQ=DAILY;INTERVAL=10;COUNT=2",
            "2026-11-26 2026-12-06",
        ),
    ] {
        let text = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{begins}\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let calendar = days(&text);
        let all = date("2024-01-01").iter_days().take(365 * 8);
        let found: Vec<String> = all
            .filter(|day| calendar.contains(*day))
            .map(|day| day.to_string())
            .collect();
        assert_eq!(found.join(" "), expected, "{rule}");
    }
}

#[test]
fn a_calendar_that_is_not_understood_is_refused() {
    let event = |lines: &str| format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
    for (text, expected) in [
        (
            "Christmas".to_owned(),
            "line 1: \"Christmas\" is neither a date nor a range; write 2026-12-25 or 2026-12-24..2027-01-06",
        ),
        (
            "2026-12-25\n\n2026-02-30".to_owned(),
            "line 3: \"2026-02-30\" is neither a date nor a range; write 2026-12-25 or 2026-12-24..2027-01-06",
        ),
        (event("SUMMARY:Christmas"), "line 2: this event has no DTSTART"),
        (
            event("DTSTART:Christmas"),
            "line 3: DTSTART \"Christmas\": this is not a date",
        ),
        (
            event("DTSTART:20261225\nRRULE:FREQ=HOURLY"),
            "line 4: RRULE \"FREQ=HOURLY\": FREQ=HOURLY is not understood",
        ),
        (
            event("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYSETPOS=1"),
            "line 4: RRULE \"FREQ=YEARLY;BYSETPOS=1\": BYSETPOS=1 is not understood",
        ),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\n".to_owned(),
            "line 3: the calendar ends before END:VCALENDAR, END:VEVENT",
        ),
    ] {
        let error = Days::read(&text).expect_err("a mistake");
        assert_eq!(error.to_string(), expected);
    }
}
