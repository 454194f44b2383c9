//! The wall-clock rule (decision D1) at clock changes that are known by name. A skipped reading never fires, a repeated
//! one fires twice.

use punctual::schedule::{Fold, Reading, Timestamp};

use crate::{at, schedule};

/// Expression, zone, the instant from which to look, and the due instants from there on.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // New York, spring: 02:00 to 03:00 on 8 March 2026 do not exist.
    ("30 2 * * *",   "America/New_York", "2026-03-07T12:00:00Z", &["2026-03-09T06:30:00Z"]),
    ("0 2 * * *",    "America/New_York", "2026-03-07T12:00:00Z", &["2026-03-09T06:00:00Z"]),
    ("*/30 * * * *", "America/New_York", "2026-03-08T06:00:00Z", &["2026-03-08T06:30:00Z", "2026-03-08T07:00:00Z"]),
    ("0 */2 * * *",  "America/New_York", "2026-03-08T04:00:00Z", &["2026-03-08T05:00:00Z", "2026-03-08T08:00:00Z"]),
    // New York, autumn: 01:00 to 02:00 on 1 November 2026 happen twice.
    ("30 1 * * *",   "America/New_York", "2026-10-31T12:00:00Z", &["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"]),
    ("0 */2 * * *",  "America/New_York", "2026-11-01T03:00:00Z", &["2026-11-01T04:00:00Z", "2026-11-01T07:00:00Z"]),
    // Midnight does not exist in Cairo on 24 April 2026, nor in Santiago on 6 September 2026.
    ("0 0 * * *",    "Africa/Cairo",     "2026-04-22T23:00:00Z", &["2026-04-24T21:00:00Z"]),
    ("0 5 * * 4",    "Africa/Cairo",     "2026-04-23T12:00:00Z", &["2026-04-30T02:00:00Z"]),
    ("0 5 24 4 *",   "Africa/Cairo",     "2026-04-23T12:00:00Z", &["2026-04-24T02:00:00Z"]),
    ("0 0 * * 0",    "America/Santiago", "2026-09-01T00:00:00Z", &["2026-09-13T03:00:00Z"]),
    ("0 5 * * 6",    "America/Santiago", "2026-09-05T12:00:00Z", &["2026-09-12T08:00:00Z"]),
    // Half an hour is skipped on Lord Howe Island on 4 October 2026, and repeated on 5 April 2026.
    ("0 3 * * *",    "Australia/Lord_Howe", "2026-10-03T12:00:00Z", &["2026-10-03T16:00:00Z"]),
    ("0 * * * *",    "Australia/Lord_Howe", "2026-10-03T14:40:00Z", &["2026-10-03T16:00:00Z"]),
    ("15 2 * * *",   "Australia/Lord_Howe", "2026-10-03T12:00:00Z", &["2026-10-04T15:15:00Z"]),
    ("45 1 * * *",   "Australia/Lord_Howe", "2026-04-04T12:00:00Z", &["2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"]),
    // Samoa went from 29 to 31 December 2011.
    ("0 12 30 12 *", "Pacific/Apia",     "2011-12-01T00:00:00Z", &["2012-12-29T22:00:00Z"]),
    ("0 12 * * 5",   "Pacific/Apia",     "2011-12-24T00:00:00Z", &["2012-01-05T22:00:00Z"]),
    ("0 12 * * *",   "Pacific/Apia",     "2011-12-29T00:00:00Z", &["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"]),
    // Laws of 2026: British Columbia and Morocco do not put their clocks back any more, or stay back.
    ("0 5 1 12 *",   "America/Vancouver", "2026-11-30T00:00:00Z", &["2026-12-01T12:00:00Z"]),
    ("0 12 1 12 *",  "Africa/Casablanca", "2026-11-30T00:00:00Z", &["2026-12-01T12:00:00Z"]),
    // Far away: 2100 is no leap year, and clocks change that year as they do now.
    ("0 0 29 2 *",   "UTC",              "2096-02-28T12:00:00Z", &["2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"]),
    ("30 2 14 3 *",  "America/New_York", "2099-03-14T12:00:00Z", &["2101-03-14T06:30:00Z"]),
    ("0 12 31 12 *", "Europe/Rome",      "2100-01-01T00:00:00Z", &["2100-12-31T11:00:00Z"]),
];

#[test]
fn next() {
    for (expression, zone, after, expected) in ROWS {
        let due: Vec<Timestamp> = schedule(expression, zone)
            .due(at(after), Timestamp::MAX_UTC)
            .take(expected.len())
            .collect();
        let expected: Vec<Timestamp> = expected.iter().map(|text| at(text)).collect();
        assert_eq!(due, expected, "{expression} in {zone} after {after}");
    }
}

/// Backwards, from the last due instant of each row on, the same instants come the other way round.
#[test]
fn previous() {
    for (expression, zone, after, expected) in ROWS {
        let schedule = schedule(expression, zone);
        let mut from = at(expected[expected.len() - 1]);
        for due in expected.iter().rev() {
            assert_eq!(
                schedule.previous(from),
                Some(at(due)),
                "{expression} in {zone} at {from}"
            );
            from = at(due) - chrono::TimeDelta::seconds(1);
        }
        let before = schedule
            .previous(from)
            .expect("every row's schedule fires in every year or so");
        assert!(
            before <= at(after),
            "{expression} in {zone}: {before} is between {after} and the first"
        );
    }
}

#[test]
fn the_day_that_samoa_skipped() {
    let noon = schedule("0 12 30 12 *", "Pacific/Apia");
    assert_eq!(
        noon.next(at("2011-12-30T00:00:00Z")),
        Some(at("2012-12-29T22:00:00Z"))
    );
    assert_eq!(
        noon.previous(at("2012-06-01T00:00:00Z")),
        Some(at("2010-12-30T22:00:00Z"))
    );
}

/// What `punctual next` marks.
#[test]
fn readings() {
    let told = |expression: &str, zone: &str, after: &str, until: &str| {
        let told = |reading| match reading {
            Reading::Due { at, fold: Fold::Once } => format!("{at:?}"),
            Reading::Due { at, fold } => format!("{at:?} {fold:?}"),
            Reading::PutOff { at, wall } => format!("{at:?} for {wall:?}"),
            Reading::Skipped { wall, change } => format!("{wall:?} skipped at {change:?}"),
        };
        let readings = schedule(expression, zone).readings(at(after), at(until));
        readings.map(told).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(told("30 2 * * *", "America/New_York", "2026-03-07T00:00:00Z", "2026-03-10T00:00:00Z"), @r"
    2026-03-07T07:30:00Z
    2026-03-08T02:30:00 skipped at 2026-03-08T07:00:00Z
    2026-03-09T06:30:00Z
    ");
    insta::assert_snapshot!(told("30 1 * * *", "America/New_York", "2026-10-31T00:00:00Z", "2026-11-03T00:00:00Z"), @r"
    2026-10-31T05:30:00Z
    2026-11-01T05:30:00Z First
    2026-11-01T06:30:00Z Second
    2026-11-02T06:30:00Z
    ");
    insta::assert_snapshot!(told("0 */12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z"), @r"
    2011-12-29T22:00:00Z
    2011-12-30T00:00:00 skipped at 2011-12-30T10:00:00Z
    2011-12-30T12:00:00 skipped at 2011-12-30T10:00:00Z
    2011-12-30T10:00:00Z
    2011-12-30T22:00:00Z
    2011-12-31T10:00:00Z
    ");
    insta::assert_snapshot!(told("@every 12h", "America/New_York", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"), @r"
    2026-11-01T12:00:00Z
    2026-11-02T00:00:00Z
    ");
    insta::assert_snapshot!(told("0 0 31 2 *", "America/New_York", "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z"), @"");
}
