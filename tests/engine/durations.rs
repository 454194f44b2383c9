//! `@every`: its durations as Go's `time.ParseDuration` reads them, and when it is due.

use punctual::schedule::{Expression, Schedule, Timestamp, Zone};

use crate::at;

/// A duration, and the seconds between two due instants; none if it is rejected.
#[rustfmt::skip]
const ROWS: &[(&str, Option<u64>)] = &[
    ("5s",                     Some(5)),
    ("30s",                    Some(30)),
    ("1478s",                  Some(1_478)),
    ("+5s",                    Some(5)),
    ("5.0s",                   Some(5)),
    ("5.6s",                   Some(5)),
    ("5.s",                    Some(5)),
    (".5h",                    Some(1_800)),
    ("1.5h",                   Some(5_400)),
    ("1h30m",                  Some(5_400)),
    ("30m1h",                  Some(5_400)),
    ("10h10m10s10ms10us10ns",  Some(36_610)),
    ("3000ms",                 Some(3)),
    ("2000000us",              Some(2)),
    ("2000000µs",              Some(2)),
    ("2000000μs",              Some(2)),
    ("52763797000ns",          Some(52)),
    ("39h9m14.425s",           Some(140_954)),
    ("0.3333333333333333333h", Some(1_200)),
    ("0.100000000000000000000h", Some(360)),
    ("0.9223372036854775807h", Some(3_320)),
    ("9223372036854775807ns",  Some(9_223_372_036)),
    ("9223372036.854775807s",  Some(9_223_372_036)),
    // Less than a second, nothing, and the past: one second.
    ("0",                      Some(1)),
    ("0s",                     Some(1)),
    ("1ns",                    Some(1)),
    ("999ms",                  Some(1)),
    ("-5m",                    Some(1)),
    ("-0",                     Some(1)),
    ("-9223372036854775808ns", Some(1)),
    // Two overflows that cancel out in Go's sum.
    ("-9223372036854775808ns9223372036854775808ns", Some(1)),
    ("",                       None),
    ("3",                      None),
    ("-",                      None),
    ("s",                      None),
    (".",                      None),
    ("-.",                     None),
    (".s",                     None),
    ("+.s",                    None),
    ("1e3s",                   None),
    ("1d",                     None),
    ("1_000s",                 None),
    ("--5s",                   None),
    ("1h-5m",                  None),
    ("5M",                     None),
    ("5 m",                    None),
    ("５s",                    None),
    ("9223372036854775808ns",  None),
    ("9223372036854775.808us", None),
    ("3000000h",               None),
    ("-9223372036854775809ns", None),
    ("99999999999999999999s",  None),
];

#[test]
fn intervals() {
    for (duration, expected) in ROWS {
        let parsed = Expression::parse(&format!("@every {duration}"));
        let seconds = parsed
            .ok()
            .and_then(|parsed| parsed.interval())
            .map(|interval| interval.as_secs());
        assert_eq!(seconds, *expected, "{duration}");
    }
}

fn every(duration: &str) -> Schedule {
    let expression = Expression::parse(&format!("@every {duration}")).expect("a good duration");
    Schedule::new(&expression, Zone::utc())
}

#[test]
fn without_an_anchor_it_counts_from_where_one_asks() {
    let schedule = every("90s");
    assert_eq!(
        schedule.next(at("2026-11-23T12:00:00.750Z")),
        Some(at("2026-11-23T12:01:30Z"))
    );
    assert_eq!(schedule.previous(at("2026-11-23T12:00:00Z")), None);
    assert_eq!(
        schedule.count(at("2026-11-23T12:00:00Z"), at("2026-11-23T13:00:00Z"), 1_000),
        40
    );
    assert_eq!(
        schedule
            .due(at("2026-11-23T12:00:00Z"), at("2026-11-23T13:00:00Z"))
            .count(),
        40
    );
}

#[test]
fn with_an_anchor_it_keeps_its_phase() {
    let schedule = every("1h").anchored(at("2026-11-23T09:01:00.5Z"));
    // after, next, previous
    let rows = [
        ("2026-11-20T00:00:00Z", "2026-11-23T10:01:00Z", None),
        ("2026-11-23T09:01:00Z", "2026-11-23T10:01:00Z", None),
        ("2026-11-23T10:00:59Z", "2026-11-23T10:01:00Z", None),
        (
            "2026-11-23T10:01:00Z",
            "2026-11-23T11:01:00Z",
            Some("2026-11-23T10:01:00Z"),
        ),
        (
            "2026-11-30T00:00:00Z",
            "2026-11-30T00:01:00Z",
            Some("2026-11-29T23:01:00Z"),
        ),
    ];
    for (now, next, previous) in rows {
        assert_eq!(schedule.next(at(now)), Some(at(next)), "after {now}");
        assert_eq!(schedule.previous(at(now)), previous.map(at), "at {now}");
    }
    assert_eq!(
        schedule.count(at("2026-11-20T00:00:00Z"), at("2026-11-24T09:01:00Z"), 1_000),
        24
    );
    assert_eq!(
        schedule.count(at("2026-11-20T00:00:00Z"), at("2026-11-24T09:01:00Z"), 7),
        7
    );
}

#[test]
fn beyond_the_end_of_time_there_is_nothing() {
    let schedule = every("2562047h");
    assert_eq!(schedule.next(Timestamp::MAX_UTC), None);
    let anchored = schedule.anchored(Timestamp::MIN_UTC);
    assert!(anchored.next(Timestamp::MIN_UTC).is_some());
    assert_eq!(anchored.next(Timestamp::MAX_UTC), None);
    assert!(anchored.previous(Timestamp::MAX_UTC).is_some());
}
