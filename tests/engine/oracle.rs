//! The engine against brute force: every minute of some days is asked whether its reading matches.
//!
//! The oracle does not parse: expressions are made together with the values they stand for. It takes its wall clock
//! from chrono-tz directly.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use chrono::{Datelike, TimeDelta, Timelike};
use chrono_tz::Tz;
use proptest::prelude::*;
use punctual::schedule::{ChronoTz, Expression, Field, Schedule, Timestamp, Zone, ZoneSource};

use crate::at;

/// Clock changes of every kind: an hour forward and back, at and around midnight, half an hour, two hours, a day.
const CHANGES: [(&str, &str); 22] = [
    ("UTC", "2026-02-28T23:00:00Z"),
    ("UTC", "2028-02-28T23:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Europe/London", "2026-10-25T01:00:00Z"),
    ("Europe/Dublin", "2026-03-29T01:00:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z"),
    ("America/Havana", "2025-11-02T05:00:00Z"),
    ("America/Santiago", "2026-09-06T04:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    ("Asia/Beirut", "2026-03-28T22:00:00Z"),
    ("Asia/Tehran", "2022-03-21T20:30:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
    ("Antarctica/Troll", "2026-10-25T01:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Pacific/Kwajalein", "1993-08-20T12:00:00Z"),
    ("Africa/Casablanca", "2025-02-23T02:00:00Z"),
    ("Pacific/Chatham", "2026-04-04T14:00:00Z"),
];

/// How many days after the first instant are looked at.
const DAYS: i64 = 4;

/// A field: its text, the values it stands for, and whether it holds a star.
#[derive(Clone, Debug)]
struct Made {
    text: String,
    values: BTreeSet<u32>,
    star: bool,
}

fn item(field: Field) -> impl Strategy<Value = Made> {
    let (min, max) = (field.min(), field.max());
    let value = min..=max;
    let made = move |text: String, low: u32, high: u32, step: u32, star: bool| Made {
        text,
        values: (low..=high).step_by(step as usize).collect(),
        star,
    };
    prop_oneof![
        4 => Just(made("*".into(), min, max, 1, true)),
        3 => value.clone().prop_map(move |v| made(v.to_string(), v, v, 1, false)),
        2 => (1..=max + 3).prop_map(move |step| made(format!("*/{step}"), min, max, step, step == 1)),
        1 => (value.clone(), 1..=max).prop_map(move |(v, step)| made(format!("{v}/{step}"), v, max, step, false)),
        2 => (value.clone(), value, 1..=4_u32).prop_map(move |(a, b, step)| {
            let (low, high) = (a.min(b), a.max(b));
            made(format!("{low}-{high}/{step}"), low, high, step, false)
        }),
    ]
}

fn list(field: Field) -> impl Strategy<Value = Made> {
    let join = |items: Vec<Made>| Made {
        text: items
            .iter()
            .map(|item| item.text.as_str())
            .collect::<Vec<_>>()
            .join(","),
        values: items.iter().flat_map(|item| item.values.clone()).collect(),
        star: items.iter().any(|item| item.star),
    };
    prop::collection::vec(item(field), 1..=2).prop_map(join)
}

fn fields() -> impl Strategy<Value = [Made; 5]> {
    Field::ALL.map(list)
}

/// Whether the reading of the wall clock matches.
fn matches([minute, hour, day, month, weekday]: &[Made; 5], zone: Tz, at: Timestamp) -> bool {
    let wall = at.with_timezone(&zone);
    let by_day = day.values.contains(&wall.day());
    let by_weekday = weekday.values.contains(&wall.weekday().num_days_from_sunday());
    let both = day.star || weekday.star;
    wall.second() == 0
        && minute.values.contains(&wall.minute())
        && hour.values.contains(&wall.hour())
        && month.values.contains(&wall.month())
        && if both {
            by_day && by_weekday
        } else {
            by_day || by_weekday
        }
}

fn compile(fields: &[Made; 5], change: usize) -> Schedule {
    // Reading a zone takes longer than a case.
    static ZONES: LazyLock<[Arc<Zone>; CHANGES.len()]> = LazyLock::new(|| {
        CHANGES.map(|(zone, _)| ChronoTz.zone(zone).expect("readable").expect("known").into())
    });
    let text = fields.each_ref().map(|field| field.text.as_str()).join(" ");
    let expression = Expression::parse(&text).expect("made of what is allowed");
    Schedule::new(&expression, Arc::clone(&ZONES[change]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// `due`, `next`, `previous` and `count` agree with a look at every minute around a clock change.
    #[test]
    fn agrees_with_brute_force(fields in fields(), change in 0..CHANGES.len(), offset in -300_000..100_000_i64) {
        let schedule = compile(&fields, change);
        let (zone, change) = CHANGES[change];
        let after = at(change) + TimeDelta::seconds(offset);
        let until = after + TimeDelta::days(DAYS);
        let zone: Tz = zone.parse().expect("known");

        let minute = |n: i64| Timestamp::from_timestamp((after.timestamp().div_euclid(60) + n) * 60, 0).expect("in range");
        let minutes = (1..).map(minute).take_while(|minute| *minute <= until);
        let expected: Vec<Timestamp> = minutes.filter(|minute| matches(&fields, zone, *minute)).collect();
        let due: Vec<Timestamp> = schedule.due(after, until).collect();
        prop_assert_eq!(&due, &expected, "{:?}", fields);
        prop_assert_eq!(schedule.count(after, until, u64::MAX), expected.len() as u64);
        prop_assert_eq!(schedule.count(after, until, 3), expected.len().min(3) as u64);

        let mut backwards = Vec::new();
        let mut from = until;
        while let Some(due) = schedule.previous(from).filter(|due| *due > after) {
            backwards.push(due);
            from = due - TimeDelta::seconds(1);
        }
        backwards.reverse();
        prop_assert_eq!(backwards, expected);
    }

    /// `previous` undoes `next`, however far away: nothing is due between an instant and the next due one.
    #[test]
    fn previous_undoes_next(fields in fields(), zone in 0..CHANGES.len(), second in 0..4_102_444_800_i64) {
        let schedule = compile(&fields, zone);
        let now = Timestamp::from_timestamp(second, 0).expect("in range");
        if let Some(next) = schedule.next(now) {
            prop_assert!(next > now);
            prop_assert_eq!(schedule.previous(next), Some(next));
            prop_assert_eq!(schedule.count(now, next, u64::MAX), 1);
            let before = schedule.previous(next - TimeDelta::seconds(1));
            prop_assert!(before.is_none_or(|before| before <= now));
            if let Some(before) = before {
                prop_assert_eq!(schedule.next(before), Some(next));
            }
        } else {
            prop_assert!(schedule.never_fires(), "{:?}", fields);
        }
    }
}
