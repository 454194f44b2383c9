//! What is asked of a schedule beyond its expressions: windows, excluded days and calendars, other rules for clock
//! changes. Each against a table, and against a slow way to find the same.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, TimeDelta};
use punctual::schedule::{
    ClockGap, ClockRepeat, Days, Expression, Fold, OnExcluded, Reading, Schedule, Terms, TimeZones, Timestamp,
};

use crate::at;
use crate::calendars::{date, days};

fn under(terms: &Terms, expressions: &[&str], zone: &str) -> Schedule {
    let parse = |text: &&str| Expression::parse(text).expect("a good expression");
    let expressions: Vec<Expression> = expressions.iter().map(parse).collect();
    terms.apply(
        &expressions,
        &TimeZones::built_in().zone(zone).expect("a zone that exists"),
    )
}

fn clock(gap: ClockGap, repeat: ClockRepeat) -> Terms {
    Terms {
        clock_gap: gap,
        clock_repeat: repeat,
        ..Terms::default()
    }
}

/// Forwards and backwards the same instants, and as many as are counted.
fn due(schedule: &Schedule, after: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let forwards: Vec<Timestamp> = schedule.due(after, until).collect();
    let before = |at: &Timestamp| schedule.previous(*at - TimeDelta::seconds(1));
    let backwards = std::iter::successors(schedule.previous(until), before);
    let mut backwards: Vec<Timestamp> = backwards.take_while(|at| *at > after).collect();
    backwards.reverse();
    assert_eq!(forwards, backwards, "{schedule:?}");
    assert_eq!(schedule.count(after, until, u64::MAX), forwards.len() as u64);
    forwards
}

use ClockGap::{RunAfter, Skip};
use ClockRepeat::{First, Second, Twice};

/// The clock changes of the coming years, as laws are today.
#[rustfmt::skip]
const CHANGES: &[(&str, &str, ClockGap, ClockRepeat, &str, &str)] = &[
    // Expression, zone, gap, repeat, the day (in UTC, from noon to noon), and what is due in it.
    ("30 2 * * *",    "Europe/Berlin",       Skip,     Twice,  "2027-03-27", ""),
    ("30 2 * * *",    "Europe/Berlin",       RunAfter, Twice,  "2027-03-27", "01:00"),
    ("0,30 2 * * *",  "Europe/Berlin",       RunAfter, Twice,  "2027-03-27", "01:00"),
    ("30 2,3 * * *",  "Europe/Berlin",       RunAfter, Twice,  "2027-03-27", "01:00 01:30"),
    ("0 2,3 * * *",   "Europe/Berlin",       RunAfter, Twice,  "2027-03-27", "01:00"),
    ("*/30 * * * *",  "Europe/Berlin",       RunAfter, First,  "2027-03-27", "hourly"),
    ("30 2 * * *",    "Europe/Berlin",       Skip,     Twice,  "2027-10-30", "00:30 01:30"),
    ("30 2 * * *",    "Europe/Berlin",       Skip,     First,  "2027-10-30", "00:30"),
    ("30 2 * * *",    "Europe/Berlin",       RunAfter, Second, "2027-10-30", "01:30"),
    ("0 * * * *",     "Europe/Berlin",       Skip,     First,  "2027-10-30", "hourly"),
    ("30 2 * * *",    "Europe/Berlin",       RunAfter, First,  "2028-03-25", "01:00"),
    ("30 2 * * *",    "Europe/Berlin",       RunAfter, First,  "2029-10-27", "00:30"),
    // Egypt changes at midnight, and its day of the change has no 00:00, or 23:00 to 24:00 twice.
    ("0 0 * * *",     "Africa/Cairo",        RunAfter, Twice,  "2027-04-29", "22:00"),
    ("30 0 * * *",    "Africa/Cairo",        RunAfter, Twice,  "2028-04-27", "22:00"),
    ("30 23 * * *",   "Africa/Cairo",        Skip,     First,  "2027-10-28", "20:30"),
    ("30 23 * * *",   "Africa/Cairo",        Skip,     Second, "2027-10-28", "21:30"),
    // Lord Howe Island changes by half an hour.
    ("15 2 * * *",    "Australia/Lord_Howe", RunAfter, Twice,  "2027-10-02", "15:30"),
    ("30 2 * * *",    "Australia/Lord_Howe", RunAfter, Twice,  "2027-10-02", "15:30"),
    ("45 1 * * *",    "Australia/Lord_Howe", Skip,     First,  "2027-04-03", "14:45"),
    ("45 1 * * *",    "Australia/Lord_Howe", Skip,     Second, "2027-04-03", "15:15"),
    ("15 1 * * *",    "Australia/Lord_Howe", Skip,     Second, "2027-04-03", "14:15"),
    ("0 0 * * *",     "America/Santiago",    RunAfter, Twice,  "2027-09-04", "04:00"),
    ("0 0 * * *",     "America/Santiago",    Skip,     Twice,  "2027-09-04", ""),
    ("30 23 * * *",   "America/Santiago",    Skip,     First,  "2027-04-03", "02:30"),
    ("30 23 * * *",   "America/Santiago",    Skip,     Second, "2027-04-03", "03:30"),
];

#[test]
fn a_clock_change_does_what_is_asked() {
    for (expression, zone, gap, repeat, day, expected) in CHANGES {
        let schedule = under(&clock(*gap, *repeat), &[expression], zone);
        let noon = at(&format!("{day}T12:00:00Z"));
        let found = due(&schedule, noon, noon + TimeDelta::hours(24));
        if *expected == "hourly" {
            let plain = under(&Terms::default(), &[expression], zone);
            assert_eq!(found, due(&plain, noon, noon + TimeDelta::hours(24)));
            continue;
        }
        let found: Vec<String> = found.iter().map(|at| at.format("%H:%M").to_string()).collect();
        assert_eq!(
            found.join(" "),
            *expected,
            "{expression} in {zone}, {gap:?}, {repeat:?}, {day}"
        );
    }
}

/// Three years in four zones, against the readings of the plain schedule.
#[test]
fn clock_changes_agree_with_the_readings() {
    let (from, to) = (at("2026-11-01T00:00:00Z"), at("2029-12-31T00:00:00Z"));
    for zone in [
        "Europe/Berlin",
        "Africa/Cairo",
        "Australia/Lord_Howe",
        "America/Santiago",
    ] {
        for expression in [
            "30 2 * * *",
            "15,45 0-3 * * *",
            "0 23 * * *",
            "0 0 * * 0",
            "*/20 1 * 3,4,9,10 *",
        ] {
            for (gap, repeat) in [
                (Skip, First),
                (RunAfter, Twice),
                (RunAfter, Second),
                (RunAfter, First),
            ] {
                let plain = under(&Terms::default(), &[expression], zone);
                let due_then = |reading| match reading {
                    Reading::Skipped { change, .. } => (gap == RunAfter).then_some(change),
                    Reading::Due { at, fold } => match (repeat, fold) {
                        (First, Fold::Second) | (Second, Fold::First) => None,
                        _ => Some(at),
                    },
                    Reading::PutOff { .. } => unreachable!("it is not asked for"),
                };
                let expected: BTreeSet<Timestamp> = plain.readings(from, to).filter_map(due_then).collect();
                let found = due(&under(&clock(gap, repeat), &[expression], zone), from, to);
                let expected: Vec<Timestamp> = expected.into_iter().collect();
                assert_eq!(found, expected, "{expression} in {zone}, {gap:?}, {repeat:?}");
            }
        }
    }
}

#[test]
fn nothing_is_due_outside_its_window() {
    for (start, end, expected) in [
        (Some("2027-01-01T09:00:00Z"), None, "01T09 02T09 03T09"),
        (Some("2027-01-01T09:00:01Z"), None, "02T09 03T09"),
        (None, Some("2027-01-02T09:00:00Z"), "31T09 01T09 02T09"),
        (None, Some("2027-01-02T08:59:59.9Z"), "31T09 01T09"),
        (Some("2027-01-01T00:00:00Z"), Some("2027-01-01T08:00:00Z"), ""),
    ] {
        let terms = Terms {
            start_at: start.map(at),
            end_at: end.map(at),
            ..Terms::default()
        };
        let schedule = under(&terms, &["0 9 * * *"], "UTC");
        let found = due(&schedule, at("2026-12-31T00:00:00Z"), at("2027-01-03T12:00:00Z"));
        let found: Vec<String> = found.iter().map(|at| at.format("%dT%H").to_string()).collect();
        assert_eq!(found.join(" "), expected, "{start:?} to {end:?}");
    }
}

#[test]
fn what_is_due_on_an_excluded_day_is_not_or_moves() {
    let holidays = days("2026-12-24..2026-12-26\n2027-01-01");
    for (expression, then, expected) in [
        (
            "0 9 * * *",
            OnExcluded::Skip,
            "23T09 27T09 28T09 29T09 30T09 31T09 02T09",
        ),
        // What several days have in common is due once.
        (
            "0 9 * * *",
            OnExcluded::After,
            "23T09 27T09 28T09 29T09 30T09 31T09 02T09",
        ),
        ("0 9 * * 4", OnExcluded::Skip, "31T09"),
        ("0 9 * * 4", OnExcluded::After, "27T09 31T09"),
        ("0 9 * * 4", OnExcluded::Before, "23T09 31T09"),
        ("0 6,18 * * 5", OnExcluded::After, "27T06 27T18 02T06 02T18"),
        ("0 6,18 * * 5", OnExcluded::Before, "23T06 23T18 31T06 31T18"),
    ] {
        let schedule = under(&excluding(holidays.clone(), then), &[expression], "Europe/Berlin");
        let found = due(&schedule, at("2026-12-22T23:00:00Z"), at("2027-01-02T22:59:59Z"));
        let berlin = |at: &Timestamp| (*at + TimeDelta::hours(1)).format("%dT%H").to_string();
        let found: Vec<String> = found.iter().map(berlin).collect();
        assert_eq!(found.join(" "), expected, "{expression} {then:?}");
    }
}

/// Days about which runs are moved: of a clock change, but for the first.
const MOVING_DAYS: [(&str, &str); 9] = [
    ("Europe/Berlin", "2026-12-24"),
    ("Europe/Berlin", "2027-03-28"),
    ("Europe/Berlin", "2027-10-31"),
    ("Africa/Cairo", "2027-04-30"),
    ("Africa/Cairo", "2027-10-28"),
    ("Australia/Lord_Howe", "2027-04-04"),
    ("Australia/Lord_Howe", "2027-10-03"),
    ("America/Havana", "2027-03-14"),
    ("America/Havana", "2027-11-07"),
];

/// Against a walk over every instant, with days drawn at random.
#[test]
fn moved_runs_agree_with_a_walk() {
    let mut rng = fastrand::Rng::with_seed(7);
    // Each of nine days with each of seven expressions, and with both ways to go by a gap.
    for round in 0..9 * 7 * 2 {
        let (zone, change) = MOVING_DAYS[round % 9];
        let midnight = at(&format!("{change}T00:00:00Z"));
        let (from, to) = (midnight - TimeDelta::days(20), midnight + TimeDelta::days(17));
        let near = date(change) + TimeDelta::days(rng.i64(-1..=1));
        let ranges = (0..rng.usize(1..15)).map(|_| {
            let begin = from.date_naive() + TimeDelta::days(rng.i64(-20..50));
            (begin, begin + TimeDelta::days(rng.i64(0..4)))
        });
        let excluded = Days::of(ranges.chain([(near, near)]).collect::<Vec<_>>());
        let expression = [
            "30 0 * * *",
            "0 9,17 * * 1-5",
            "45 23 * * 6",
            "0 12 1,15 * *",
            "0 */6 * * *",
            "30 2 * * *",
            "15,45 2,3 * * 0,6",
        ][round % 7];
        let gap = [ClockGap::Skip, ClockGap::RunAfter][round % 2];
        for then in [OnExcluded::Skip, OnExcluded::After, OnExcluded::Before] {
            for repeat in [Twice, First, Second] {
                let terms = clock(gap, repeat);
                let plain = under(&terms, &[expression], zone);
                let expected: Vec<Timestamp> = walk(&plain, &excluded, (then, repeat), from, to)
                    .into_iter()
                    .collect();
                let terms = Terms {
                    excluded: excluded.clone(),
                    on_excluded: then,
                    ..terms
                };
                assert_eq!(
                    due(&under(&terms, &[expression], zone), from, to),
                    expected,
                    "round {round}: {expression} in {zone} {terms:?}"
                );
            }
        }
    }
}

fn walk(
    plain: &Schedule,
    excluded: &Days,
    (then, repeat): (OnExcluded, ClockRepeat),
    from: Timestamp,
    to: Timestamp,
) -> BTreeSet<Timestamp> {
    let margin = TimeDelta::days(40);
    let moved = plain.readings(from - margin, to + margin).filter_map(|reading| {
        let (due, mut wall) = match reading {
            Reading::Skipped { .. } => return None,
            Reading::PutOff { at, wall } => (at, wall),
            Reading::Due { at, .. } => (at, shown(plain, at)),
        };
        // By the day on which it runs, where it is not moved.
        if !excluded.contains(shown(plain, due).date()) {
            return Some(due);
        }
        let step = match then {
            OnExcluded::Skip => return None,
            OnExcluded::After => TimeDelta::days(1),
            OnExcluded::Before => TimeDelta::days(-1),
        };
        while excluded.contains(wall.date()) {
            wall += step;
        }
        // A clock change moves it by two hours at most.
        let about = wall.and_utc() - (shown(plain, from) - from.naive_utc());
        let minutes = (-120..=120).map(|minute| about + TimeDelta::minutes(minute));
        let mut shows = minutes.clone().filter(|at| shown(plain, *at) == wall);
        let shows = if repeat == Second {
            shows.next_back()
        } else {
            shows.next()
        };
        shows.or_else(|| minutes.clone().find(|at| shown(plain, *at) > wall))
    });
    moved.filter(|due| *due > from && *due <= to).collect()
}

/// What the wall clock shows.
fn shown(schedule: &Schedule, at: Timestamp) -> NaiveDateTime {
    at.naive_utc() + TimeDelta::seconds(schedule.zone().offset_seconds(at).into())
}

/// A moved run is never lost: where the clock change skips its time, it is due when the gap ends.
#[test]
fn a_moved_run_meets_a_clock_change() {
    let terms = excluding(days("2027-03-27\n2027-10-30"), OnExcluded::After);
    let schedule = under(&terms, &["30 2 27 3 *", "30 2 30 10 *"], "Europe/Berlin");
    let (from, to) = (at("2027-01-01T00:00:00Z"), at("2027-12-31T00:00:00Z"));
    let (spring, autumn) = (at("2027-03-28T01:00:00Z"), at("2027-10-31T00:30:00Z"));
    assert_eq!(due(&schedule, from, to), [spring, autumn]);
    let put_off: Vec<Reading> = schedule.readings(from, to).collect();
    let fold = Fold::First;
    let wall = at("2027-03-28T02:30:00Z").naive_utc();
    assert_eq!(
        put_off,
        [
            Reading::PutOff { at: spring, wall },
            Reading::Due { at: autumn, fold }
        ]
    );
    // Another is due at the end of the gap anyway, of its own or as it is moved as well.
    for other in ["0 3 * * 0", "0 3 27 3 *"] {
        let schedule = under(&terms, &["30 2 27 3 *", other], "Europe/Berlin");
        let due = schedule.readings(spring - TimeDelta::hours(1), spring);
        let fold = Fold::Once;
        assert_eq!(
            due.collect::<Vec<_>>(),
            [Reading::Due { at: spring, fold }],
            "{other}"
        );
    }
}

#[test]
fn what_is_excluded_anyway_is_not_told_as_skipped() {
    let terms = excluding(days("2027-03-28"), OnExcluded::Skip);
    let schedule = under(&terms, &["30 2 * * *"], "Europe/Berlin");
    let readings = schedule.readings(at("2027-03-27T12:00:00Z"), at("2027-03-29T12:00:00Z"));
    let (next, fold) = (at("2027-03-29T00:30:00Z"), Fold::Once);
    assert_eq!(readings.collect::<Vec<_>>(), [Reading::Due { at: next, fold }]);
}

/// Without the change it would run on the next day; it does so anyway where it runs daily.
#[test]
fn what_would_have_been_moved_is_told_as_skipped() {
    let terms = excluding(days("2027-03-28"), OnExcluded::After);
    let change = at("2027-03-28T01:00:00Z");
    let wall = at("2027-03-28T02:30:00Z").naive_utc();
    let (next, fold) = (at("2027-03-29T00:30:00Z"), Fold::Once);
    for (expression, expected) in [
        ("30 2 28 3 *", Reading::Skipped { wall, change }),
        ("30 2 * * *", Reading::Due { at: next, fold }),
    ] {
        let schedule = under(&terms, &[expression], "Europe/Berlin");
        let readings = schedule.readings(at("2027-03-27T12:00:00Z"), at("2027-03-29T12:00:00Z"));
        assert_eq!(readings.collect::<Vec<_>>(), [expected], "{expression}");
    }
}

/// It runs once on the day to which it is moved, at the time of that which is due there anyway.
#[test]
fn a_moved_run_goes_by_what_is_asked_of_a_repeated_time() {
    for (repeat, expected) in [(Twice, "00:30 01:30"), (First, "00:30"), (Second, "01:30")] {
        for (excluded, then) in [
            ("2027-10-30", OnExcluded::After),
            ("2027-11-01", OnExcluded::Before),
        ] {
            let terms = Terms {
                clock_repeat: repeat,
                ..excluding(days(excluded), then)
            };
            let schedule = under(&terms, &["30 2 * * *"], "Europe/Berlin");
            let found = due(&schedule, at("2027-10-30T22:00:00Z"), at("2027-10-31T23:00:00Z"));
            let found: Vec<String> = found.iter().map(|at| at.format("%H:%M").to_string()).collect();
            assert_eq!(found.join(" "), expected, "{repeat:?} {excluded}");
        }
    }
}

/// The search went round and round where the day that repeats a time is the one that is excluded.
#[test]
fn the_search_goes_past_a_repeated_time_of_an_excluded_day() {
    for repeat in [Twice, First, Second] {
        for then in [OnExcluded::After, OnExcluded::Before] {
            let terms = Terms {
                clock_repeat: repeat,
                ..excluding(days("2027-10-31"), then)
            };
            let schedule = under(&terms, &["30 2 * * *"], "Europe/Berlin");
            let found = due(&schedule, at("2027-10-30T12:00:00Z"), at("2027-11-02T12:00:00Z"));
            let expected = [at("2027-11-01T01:30:00Z"), at("2027-11-02T01:30:00Z")];
            assert_eq!(found, expected, "{repeat:?} {then:?}");
        }
    }
}

/// Its day is excluded, and it is moved with what else there is: not to the time when the gap ends.
#[test]
fn a_run_that_a_clock_change_puts_off_is_moved_by_the_time_for_which_it_was_asked() {
    for (expressions, then, expected) in [
        (
            &["30 2 * * *"][..],
            OnExcluded::After,
            "27T02:30 29T02:30 30T02:30",
        ),
        (&["30 2 * * *"], OnExcluded::Before, "27T02:30 29T02:30 30T02:30"),
        (&["30 2 * * 0"], OnExcluded::After, "29T02:30"),
        (&["30 2 * * 0"], OnExcluded::Before, "27T02:30"),
        // However many are skipped, it is one.
        (&["*/20 2 * * 0"], OnExcluded::After, "29T02:00"),
        (&["*/20 2 * * 0"], OnExcluded::Before, "27T02:00"),
        (
            &["30 1,2,4 * * 0"],
            OnExcluded::After,
            "29T01:30 29T02:30 29T04:30",
        ),
        (
            &["30 1,2,4 * * 0"],
            OnExcluded::Before,
            "27T01:30 27T02:30 27T04:30",
        ),
        // It is due at the end of the gap anyway.
        (&["0 3 * * 0", "30 2 * * 0"], OnExcluded::After, "29T03:00"),
    ] {
        let terms = Terms {
            clock_gap: RunAfter,
            ..excluding(days("2027-03-28"), then)
        };
        let schedule = under(&terms, expressions, "Europe/Berlin");
        let found = due(&schedule, at("2027-03-26T23:00:00Z"), at("2027-03-30T12:00:00Z"));
        let berlin = |at: &Timestamp| {
            let summer = *at >= "2027-03-28T01:00:00Z".parse::<Timestamp>().expect("an instant");
            (*at + TimeDelta::hours(if summer { 2 } else { 1 }))
                .format("%dT%H:%M")
                .to_string()
        };
        let found: Vec<String> = found.iter().map(berlin).collect();
        assert_eq!(found.join(" "), expected, "{expressions:?} {then:?}");
    }
}

#[test]
fn excluded_days_that_never_end_do_not_search_for_ever() {
    let every_day = Days::of([(date("1970-01-01"), date("2399-12-31"))]);
    let schedule = under(&excluding(every_day, OnExcluded::Skip), &["* * * * *"], "UTC");
    assert_eq!(schedule.next(at("2026-12-01T00:00:00Z")), None);
}

fn excluding(excluded: Days, on_excluded: OnExcluded) -> Terms {
    Terms {
        excluded,
        on_excluded,
        ..Terms::default()
    }
}
