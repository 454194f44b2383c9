//! `next()` beside the crates `cron` and `croner`: ten expressions in two zones.
//!
//! Every case starts from a different instant each time, along a year, so that no branch is learnt by heart. The goal
//! is 40 ns a call, in any zone, and a fifth of what the `cron` crate takes.

use std::hint::black_box;
use std::str::FromStr;

use chrono::{DateTime, TimeZone, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use punctual::schedule::{Expression, Schedule, TimeZones, Timestamp};

/// The expressions of the goal.
const EXPRESSIONS: [&str; 10] = [
    "* * * * *",
    "*/5 * * * *",
    "0 * * * *",
    "0 */5 * * *",
    "30 2 * * *",
    "15 10 * * 1-5",
    "0 0 1 * *",
    "0 0 13 * 5",
    "0 0 29 2 *",
    "17 3 1,15 1-6 *",
];

/// How many instants a case goes through.
const INSTANTS: usize = 1_024;

/// Instants all over the year 2026, in an order that looks random and is always the same.
fn instants() -> Vec<Timestamp> {
    let new_year: Timestamp = "2026-01-01T00:00:00Z".parse().expect("an instant");
    let seconds = (0_i64..).map(|n| (n * 7_919 * 30_803) % (365 * 86_400));
    seconds
        .map(|seconds| new_year + chrono::TimeDelta::seconds(seconds))
        .take(INSTANTS)
        .collect()
}

/// The same expression for the `cron` crate, which begins with seconds and counts from Sunday = 1. (To it, `13 * 5` is
/// the 13th if it is a Friday, so it has further to search there.)
fn for_cron(expression: &str) -> cron::Schedule {
    let mut fields: Vec<String> = expression.split(' ').map(str::to_owned).collect();
    fields[4] = match fields[4].as_str() {
        "1-5" => "2-6".into(),
        "5" => "6".into(),
        other => other.into(),
    };
    cron::Schedule::from_str(&format!("0 {}", fields.join(" "))).expect("an expression that cron accepts")
}

/// One expression in one zone, by the three libraries.
fn compare<Z: TimeZone>(criterion: &mut Criterion, expression: &str, zone: &Z, name: &str) {
    let zones = TimeZones::built_in();
    let ours = Schedule::new(
        &Expression::parse(expression).expect("an expression"),
        zones.zone(name).expect("a zone"),
    );
    let cron = for_cron(expression);
    let croner = croner::Cron::from_str(expression).expect("an expression that croner accepts");

    let instants = instants();
    let local: Vec<DateTime<Z>> = instants.iter().map(|at| at.with_timezone(zone)).collect();
    let mut group = criterion.benchmark_group(format!("{expression} {name}"));
    let mut turn = 0;
    let mut next = move || {
        turn = (turn + 1) % INSTANTS;
        turn
    };
    group.bench_function("punctual", |bench| {
        bench.iter(|| ours.next(black_box(instants[next()])));
    });
    group.bench_function("cron", |bench| {
        bench.iter(|| cron.after(black_box(&local[next()])).next());
    });
    group.bench_function("croner", |bench| {
        bench.iter(|| croner.find_next_occurrence(black_box(&local[next()]), false));
    });
    group.finish();
}

fn next(criterion: &mut Criterion) {
    for expression in EXPRESSIONS {
        compare(criterion, expression, &Utc, "UTC");
        compare(
            criterion,
            expression,
            &chrono_tz::America::New_York,
            "America/New_York",
        );
    }
}

criterion_group!(benches, next);
criterion_main!(benches);
