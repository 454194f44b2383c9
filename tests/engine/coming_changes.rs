//! The clock changes of the coming three years in four zones that have little in common, and what each rule for them makes
//! of a run in their midst: a table, for a person to check against a calendar. `INSTA_UPDATE=always cargo test --test engine
//! coming` writes it anew, from the time-zone data that is built in.

use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset, TimeDelta, Timelike};
use punctual::schedule::{ClockGap, ClockRepeat, Expression, Terms, TimeZones, Timestamp, Zone};

use crate::at;

const ZONES: [&str; 4] = [
    "Europe/Berlin",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "America/Santiago",
];

#[test]
fn what_each_clock_change_makes_of_a_run() {
    let mut table = String::new();
    for name in ZONES {
        let zone = TimeZones::built_in().zone(name).expect("a zone that exists");
        for change in changes(&zone) {
            let forward = zone.offset_seconds(change) - zone.offset_seconds(before(change));
            // The reading in the middle of what is skipped or repeated.
            let middle = local(before(change), &zone) + TimeDelta::seconds(1 + i64::from(forward) / 2);
            let expression = format!("{} {} * * *", middle.minute(), middle.hour());
            let kind = if forward > 0 { "gap" } else { "repeat" };
            let _ = writeln!(
                table,
                "{name}: {kind} of {} min, from {} to {}; `{expression}` runs",
                forward.abs() / 60,
                local(before(change), &zone).format("%a %Y-%m-%d %H:%M:%S %:z"),
                local(change, &zone).format("%H:%M:%S %:z"),
            );
            for (rule, terms) in rules(forward > 0) {
                let expression = Expression::parse(&expression).expect("a good expression");
                let schedule = terms.apply(&[expression], &zone);
                let (from, to) = (change - TimeDelta::hours(12), change + TimeDelta::hours(11));
                let due: Vec<String> = schedule
                    .due(from, to)
                    .map(|at| local(at, &zone).format("%H:%M %:z").to_string())
                    .collect();
                let due = if due.is_empty() {
                    "not at all".into()
                } else {
                    due.join(" and ")
                };
                let _ = writeln!(table, "  {rule:<9} {due}");
            }
        }
    }
    insta::assert_snapshot!(table);
}

fn rules(is_gap: bool) -> Vec<(&'static str, Terms)> {
    let terms = |clock_gap, clock_repeat| Terms {
        clock_gap,
        clock_repeat,
        ..Terms::default()
    };
    if is_gap {
        vec![
            ("Skip", terms(ClockGap::Skip, ClockRepeat::Twice)),
            ("RunAfter", terms(ClockGap::RunAfter, ClockRepeat::Twice)),
        ]
    } else {
        vec![
            ("Twice", terms(ClockGap::Skip, ClockRepeat::Twice)),
            ("First", terms(ClockGap::Skip, ClockRepeat::First)),
            ("Second", terms(ClockGap::Skip, ClockRepeat::Second)),
        ]
    }
}

/// The instants from which on the clock of a zone is another, to the second. Clocks change at a full quarter of an hour.
fn changes(zone: &Zone) -> Vec<Timestamp> {
    let (from, to) = (at("2026-11-26T00:00:00Z"), at("2029-11-26T00:00:00Z"));
    let quarters = std::iter::successors(Some(from), |at| Some(*at + TimeDelta::minutes(15)));
    let is_change = |at: &Timestamp| zone.offset_seconds(*at) != zone.offset_seconds(before(*at));
    quarters.take_while(|at| *at < to).filter(is_change).collect()
}

fn before(at: Timestamp) -> Timestamp {
    at - TimeDelta::seconds(1)
}

fn local(at: Timestamp, zone: &Zone) -> DateTime<FixedOffset> {
    let offset = FixedOffset::east_opt(zone.offset_seconds(at)).expect("an offset of a zone");
    at.with_timezone(&offset)
}
