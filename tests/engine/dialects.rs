//! The extended and the Quartz dialect: against a brute-force reading of the calendar, and against other crates.

use chrono::{Datelike, TimeDelta, Timelike};
use punctual::schedule::{Dialect, Expression, Schedule, Spread, Timestamp, Zone};

fn schedule(text: &str, dialect: Dialect) -> Schedule {
    let expression = Expression::parse_in(text, dialect, Some(Spread::of("shop", "report")));
    Schedule::new(
        &expression.unwrap_or_else(|error| panic!("{}", error.render())),
        Zone::utc(),
    )
}

/// Two expressions of a dialect are due at the same instants, for some years.
fn assert_same(text: &str, same: &str, dialect: Dialect) {
    let (after, until) = (instant("2026-11-24T12:00:00Z"), instant("2029-01-01T00:00:00Z"));
    let due = |text| {
        schedule(text, dialect)
            .due(after, until)
            .take(500)
            .collect::<Vec<_>>()
    };
    assert_eq!(due(text), due(same), "{text} and {same}");
}

fn refused(text: &str, dialect: Dialect, spread: Option<Spread>) -> String {
    Expression::parse_in(text, dialect, spread)
        .expect_err(text)
        .render()
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The days of three years on which `fits` says so, at midnight.
fn days(fits: impl Fn(Timestamp) -> bool) -> Vec<Timestamp> {
    let first = instant("2027-01-01T00:00:00Z");
    (0..=3 * 365)
        .map(|day| first + TimeDelta::days(day))
        .filter(|day| fits(*day))
        .collect()
}

fn days_left(day: Timestamp) -> u32 {
    let mut left = 0;
    while (day + TimeDelta::days(i64::from(left) + 1)).month() == day.month() {
        left += 1;
    }
    left
}

fn is_working_day(day: Timestamp) -> bool {
    day.weekday().num_days_from_monday() < 5
}

/// Whether a day is the working day of its month that is nearest to `target`.
fn is_nearest(day: Timestamp, target: u32) -> bool {
    let month_ends = day.day() + days_left(day);
    let distance = |other: u32| other.abs_diff(target);
    let working =
        |other: &u32| is_working_day(day + TimeDelta::days(i64::from(*other) - i64::from(day.day())));
    let nearest = (1..=month_ends)
        .filter(working)
        .min_by_key(|other| distance(*other));
    target <= month_ends && nearest == Some(day.day())
}

#[test]
fn special_days_agree_with_the_calendar_read_day_by_day() {
    let friday = |day: Timestamp| day.weekday().num_days_from_sunday() == 5;
    let cases: [(&str, Vec<Timestamp>); 9] = [
        ("0 0 L * *", days(|day| days_left(day) == 0)),
        ("0 0 L-3 * *", days(|day| days_left(day) == 3)),
        ("0 0 L-30 * *", days(|day| days_left(day) == 30)),
        ("0 0 15W * *", days(|day| is_nearest(day, 15))),
        ("0 0 1W * *", days(|day| is_nearest(day, 1))),
        ("0 0 31W * *", days(|day| is_nearest(day, 31))),
        (
            "0 0 * * FRI#2",
            days(|day| friday(day) && (8..=14).contains(&day.day())),
        ),
        ("0 0 * * FRI#5", days(|day| friday(day) && day.day() > 28)),
        ("0 0 * * FRIDAYL", days(|day| friday(day) && days_left(day) < 7)),
    ];
    for (text, expected) in cases {
        let schedule = schedule(text, Dialect::Extended);
        let (after, until) = (instant("2026-12-31T23:59:59Z"), instant("2029-12-31T12:00:00Z"));
        let due: Vec<Timestamp> = schedule.due(after, until).collect();
        assert_eq!(due, expected, "{text}");
        assert_eq!(
            schedule.count(after, until, u64::MAX),
            expected.len() as u64,
            "{text}"
        );
        let mut backwards: Vec<Timestamp> = std::iter::successors(schedule.previous(until), |at| {
            schedule.previous(*at - TimeDelta::seconds(1))
        })
        .take_while(|at| *at > after)
        .collect();
        backwards.reverse();
        assert_eq!(backwards, expected, "{text} backwards");
    }
}

#[test]
fn seconds_and_ranges_that_go_round() {
    let at = |text: &str, after: &str| {
        schedule(text, Dialect::Extended)
            .next(instant(after))
            .expect(text)
            .to_rfc3339()
    };
    assert_eq!(
        at("*/20 59 23 * * *", "2026-12-31T23:59:20Z"),
        "2026-12-31T23:59:40+00:00"
    );
    assert_eq!(
        at("*/20 59 23 * * *", "2026-12-31T23:59:40Z"),
        "2027-01-01T23:59:00+00:00"
    );
    assert_eq!(
        at("0 22-2 * * *", "2026-12-31T23:30:00Z"),
        "2027-01-01T00:00:00+00:00"
    );
    assert_eq!(
        at("0 22-2 * * *", "2026-12-31T02:30:00Z"),
        "2026-12-31T22:00:00+00:00"
    );
    assert_eq!(
        at("0 0 * * FRI-MON", "2026-11-23T00:00:00Z"),
        "2026-11-27T00:00:00+00:00"
    );
    assert_eq!(
        at("0 0 * * 7", "2026-11-23T00:00:00Z"),
        "2026-11-29T00:00:00+00:00"
    );
    assert_eq!(
        schedule("30 * * * * *", Dialect::Extended).count(
            instant("2026-11-24T00:00:00Z"),
            instant("2026-11-25T00:00:00Z"),
            9999
        ),
        1440
    );
}

#[test]
fn a_spread_value_stays_and_differs_by_name() {
    let minute = |name: &str| {
        let expression =
            Expression::parse_in("H H * * *", Dialect::Extended, Some(Spread::of("shop", name))).expect("H");
        let at = Schedule::new(&expression, Zone::utc())
            .next(instant("2026-11-24T00:00:00Z"))
            .expect("due");
        at.hour() * 60 + at.minute()
    };
    assert_eq!(minute("report"), minute("report"));
    let times: std::collections::BTreeSet<u32> = (0..1_000)
        .map(|number| minute(&format!("job-{number}")))
        .collect();
    assert!(
        times.len() > 600,
        "1000 names fall on {} minutes of 1440",
        times.len()
    );
}

/// Where the extended dialect and croner mean the same, they are due at the same instants.
#[test]
fn agrees_with_croner() {
    let parser = croner::parser::CronParser::builder()
        .seconds(croner::parser::Seconds::Optional)
        .build();
    for text in [
        "0 0 L * *",
        "0 9 * * FRI#2",
        "0 17 * * FRIL",
        "0 0 15W * *",
        "*/10 * 3 * * *",
        "0 12 * * 7",
        "5 4 1 2 * *",
    ] {
        let theirs = parser.parse(text).expect(text);
        let mut at = instant("2026-11-24T12:00:00Z");
        let ours = schedule(text, Dialect::Extended);
        for _ in 0..50 {
            let next = ours.next(at);
            assert_eq!(
                next,
                theirs.find_next_occurrence(&at, false).ok(),
                "{text} after {at}"
            );
            at = next.expect("due");
        }
    }
}

#[test]
fn quartz_agrees_with_the_cron_crate() {
    for text in [
        "0 30 2 ? * 2-6",
        "0 0 12 1 * MON",
        "*/15 * * * * ?",
        "0 0 0 29 2 ?",
        "10 0 0 1 1 ? 2030-2033",
        "0 5/10 8-18 * * SAT,SUN",
    ] {
        let theirs: cron::Schedule = text.parse().expect(text);
        let ours = schedule(text, Dialect::Quartz);
        let after = instant("2026-11-24T12:00:00Z");
        let expected: Vec<Timestamp> = theirs.after(&after).take(40).collect();
        let due: Vec<Timestamp> = ours
            .due(after, instant("2101-01-01T00:00:00Z"))
            .take(expected.len())
            .collect();
        assert_eq!(due, expected, "{text}");
    }
}

/// Ranges of Quartz that go round, as its own parser counts them, beside the same values one by one.
#[test]
fn ranges_of_quartz_go_round() {
    for (text, same) in [
        ("0 0 0 ? * FRI-MON", "0 0 0 ? * 1,2,6,7"),
        ("0 0 0 ? * 6-2", "0 0 0 ? * SUN,MON,FRI,SAT"),
        ("0 0 0 ? * thu-wed/2", "0 0 0 ? * 5,7,2,4"),
        ("0 0 22-2 * * ?", "0 0 22,23,0,1,2 * * ?"),
        ("0 50-10/5 9 * * ?", "0 50,55,0,5,10 9 * * ?"),
        ("0 0 0 28-2 * ?", "0 0 0 28,29,30,31,1,2 * ?"),
        ("0 0 0 1 NOV-FEB ?", "0 0 0 1 11,12,1,2 ?"),
        ("50-5 0 0 1,20-3/7 1 ?", "50-59,0-5 0 0 1,20,27,3 1 ?"),
    ] {
        assert_same(text, same, Dialect::Quartz);
    }
}

/// Dialects beside each other where implementations disagree: what is right is in `Dialect`'s documentation.
#[test]
fn what_other_implementations_see_otherwise() {
    for (text, same) in [
        // Sunday is 0 and 7, so a step from 7 is one from 0.
        ("0 0 * * 7/2", "0 0 * * 0,2,4,6"),
        ("0 0 * * 5-7", "0 0 * * FRI,SAT,SUN"),
        // As in Kubernetes, a step of one is a star, so that the other day field decides alone.
        ("0 0 L * */1", "0 0 L * *"),
        ("0 0 L * 4-6/1,*/1", "0 0 L * *"),
        ("0 0 */1 * FRI#2", "0 0 * * FRI#2"),
        // The working day nearest to the first or last of a month does not leave the month.
        ("0 0 1W,LW * *", "0 0 LW,W1 * *"),
    ] {
        assert_same(text, same, Dialect::Extended);
    }
}

#[test]
fn several_schedules_fire_once_where_they_agree() {
    let parse = |text| Expression::parse(text).expect(text);
    let both = Schedule::any(&[parse("0 * * * *"), parse("*/30 * * * *")], &Zone::utc());
    let (after, until) = (instant("2026-11-24T00:00:00Z"), instant("2026-11-24T03:00:00Z"));
    assert_eq!(both.due(after, until).count(), 6);
    assert_eq!(both.count(after, until, 100), 6);
    assert_eq!(both.previous(until), Some(until));
}

#[test]
fn what_is_refused_is_refused_with_a_place_and_a_remedy() {
    let spread = Some(Spread::of("shop", "report"));
    let extended = [
        "0 0 L-31 * *",
        "0 0 32W * *",
        "0 0 * * FRI#6",
        "0 0 * * L",
        "0 0 1 L *",
        "0 0 * * LW",
        "0 0 * * 15W",
        "0 0 * * 5L-1",
        "0 0 1-L * *",
        "0 0 LW-1 * *",
        "0 0 5#2 * *",
        "H(9) * * * *",
        "H(40-20) * * * *",
        "0 24 * * *",
        "0 0 * * 8",
        "1 2 3 4 5 6 7",
        "TZ=UTC 0 0 * * *",
        "0 0 * *",
        "61 * * * * *",
    ];
    let quartz = [
        "0 0 * * *",
        "0 0 0 L * ?",
        "0 0 0 ? * 6#3",
        "0 0 0 L-3W * ?",
        "0 0 25 * * ?",
        "0 0 0 ? * 0",
        "0 0 0 1 1 ? 1066",
    ];
    let mut said: Vec<String> = extended
        .iter()
        .map(|text| refused(text, Dialect::Extended, spread))
        .collect();
    said.push(refused("H * * * *", Dialect::Extended, None));
    said.extend(quartz.iter().map(|text| refused(text, Dialect::Quartz, None)));
    insta::assert_snapshot!(said.join("\n\n"));
}

#[test]
fn an_expression_of_another_dialect_is_known_as_such() {
    let good_in = |text| {
        Expression::parse(text)
            .expect_err(text)
            .good_in(Dialect::Kubernetes)
    };
    assert_eq!(good_in("0 0 L * *"), [Dialect::Extended]);
    assert_eq!(good_in("0 0 12 ? * 2-6 2027"), [Dialect::Quartz]);
    assert_eq!(good_in("0 0 12 * * MON"), [Dialect::Extended, Dialect::Quartz]);
    assert_eq!(good_in("a b"), []);
    // The 6 of Quartz is no 6 elsewhere.
    let of_quartz = |text| Expression::parse_in(text, Dialect::Quartz, None).expect_err(text);
    assert_eq!(of_quartz("0 0 0 ? * 6/15").good_in(Dialect::Quartz), []);
    assert_eq!(
        of_quartz("0 0 0 ? * FRI/15").good_in(Dialect::Quartz),
        [Dialect::Extended]
    );
}
