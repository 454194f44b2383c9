//! A month of a thousand CronJobs, simulated. The goal: a few seconds.
//!
//! A mix as clusters have it, with every concurrency policy, with runs that are longer than their interval and runs that
//! fail.

use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use criterion::{Criterion, criterion_group, criterion_main};
use punctual::cronjob::Key;
use punctual::foresight::script::Apply;
use punctual::foresight::{Failing, Happening, Life, Simulation, Tally, caught_up};
use punctual::manifest::lower;
use punctual::schedule::{TimeZones, Timestamp};

const CRONJOBS: usize = 1_000;

/// Of ten CronJobs, so many by each schedule.
const SCHEDULES: [&str; 10] = [
    "*/5 * * * *",
    "*/10 * * * *",
    "*/15 * * * *",
    "*/30 * * * *",
    "0 * * * *",
    "17 * * * *",
    "0 */6 * * *",
    "30 2 * * *",
    "0 9 * * 1-5",
    "0 0 1 * *",
];

const POLICIES: [&str; 3] = ["Allow", "Forbid", "Replace"];

fn month() -> (Simulation, Timestamp) {
    let zones = TimeZones::built_in();
    let from: Timestamp = "2026-11-01T00:00:00Z".parse().expect("an instant");
    let mut simulation = Simulation::starting_at(from);
    for number in 0..CRONJOBS {
        let mut apply = Apply::of(Key {
            namespace: format!("team-{}", number % 7),
            name: format!("job-{number}"),
        });
        apply.schedule = Some(SCHEDULES[number % SCHEDULES.len()].into());
        apply.policy = Some(POLICIES[number % POLICIES.len()].into());
        apply.zone = (number % 4 == 0).then(|| Some("America/New_York".into()));
        let object = apply.new_cronjob(&apply.name).to_string();
        let object = serde_json::from_str(&object).expect("a CronJob");
        let cronjob = caught_up(lower(&object, &zones, None), from);
        let minutes = i64::try_from(1 + number % 12).expect("a small number");
        let life = Life {
            run_time: Some(TimeDelta::minutes(minutes)),
            failing: Failing::Every(9),
            ..Life::default()
        };
        simulation.add(cronjob, life);
    }
    (simulation, from + TimeDelta::days(30))
}

fn bench(criterion: &mut Criterion) {
    let mut tally = Tally::default();
    let begun = Instant::now();
    let (mut simulation, until) = month();
    simulation.pass_until(until, &mut |happening: &Happening<'_>| tally.count(happening));
    let took = begun.elapsed();
    println!(
        "30 days of {CRONJOBS} CronJobs: {} runs started, {} succeeded, {} failed, {} replaced, {} late, {} skipped, in {:.2} s: {} ns a run",
        tally.started,
        tally.succeeded,
        tally.failed,
        tally.replaced,
        tally.late,
        tally.skipped,
        took.as_secs_f64(),
        took.as_nanos() / u128::from(tally.started.max(1)),
    );
    criterion
        .benchmark_group("simulate")
        .sample_size(10)
        .measurement_time(Duration::from_secs(20))
        .bench_function("30 days of 1000 CronJobs", |bencher| {
            bencher.iter_batched(
                month,
                |(mut simulation, until)| {
                    simulation.pass_until(until, &mut |happening: &Happening<'_>| {
                        black_box(happening.number);
                    });
                },
                criterion::BatchSize::PerIteration,
            );
        });
}

criterion_group!(benches, bench);
criterion_main!(benches);
