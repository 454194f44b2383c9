//! The engine beside the crates `cron` and `croner`, where their semantics agree.
//!
//! That is in UTC, as both shift what a clock change skips. `cron` needs both day fields to match and `croner` has its
//! own star rule, so one of the day fields is a plain `*`. `cron` counts from Sunday = 1, so days of the week go by name;
//! it knows no years after 2100.

use std::str::FromStr;

use proptest::prelude::*;
use punctual::schedule::{Expression, Schedule, Timestamp, Zone};

use crate::at;

/// How many due instants are compared.
const TAKE: usize = 20;

/// A field of numbers, as all three libraries understand it.
fn field(min: u32, max: u32) -> impl Strategy<Value = String> {
    let value = min..=max;
    prop_oneof![
        Just("*".to_owned()),
        value.clone().prop_map(|value| value.to_string()),
        (2..=max / 2).prop_map(|step| format!("*/{step}")),
        (value.clone(), value.clone()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        (value.clone(), value).prop_map(|(a, b)| format!("{a},{b}")),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    let days = prop_oneof![
        field(1, 31).prop_map(|day| (day, "*".to_owned())),
        prop::sample::select(vec!["*", "MON", "SUN", "MON-FRI", "TUE,SAT"])
            .prop_map(|day| ("*".to_owned(), day.into())),
    ];
    (field(0, 59), field(0, 23), days, field(1, 12))
        .prop_map(|(minute, hour, (day, weekday), month)| format!("{minute} {hour} {day} {month} {weekday}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn agree(expression in expression(), second in 0..2_000_000_000_i64) {
        let after = Timestamp::from_timestamp(second, 0).expect("in range");
        let until = at("2099-12-31T00:00:00Z");
        let parsed = Expression::parse(&expression).expect("accepted");
        let schedule = Schedule::new(&parsed, Zone::utc());
        let ours: Vec<Timestamp> = schedule.due(after, until).take(TAKE).collect();

        let cron = cron::Schedule::from_str(&format!("0 {expression}")).expect("accepted by cron");
        let theirs: Vec<Timestamp> = cron.after(&after).take_while(|due| *due <= until).take(TAKE).collect();
        prop_assert_eq!(&ours, &theirs, "cron: {}", expression);

        if schedule.never_fires() {
            return Ok(());
        }
        let croner = croner::Cron::from_str(&expression).expect("accepted by croner");
        let theirs: Vec<Timestamp> = croner.iter_after(after).take_while(|due| *due <= until).take(TAKE).collect();
        prop_assert_eq!(&ours, &theirs, "croner: {}", expression);
    }
}
