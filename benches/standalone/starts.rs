//! From the due instant to the start of the process.
//!
//! Beside it is what a bare loop reaches that starts as many processes, one after the other, by themselves or each under a
//! supervisor, which is there before or not (`bare`). With `punctual` the way leads through controller, database, Job controller and node to a
//! supervisor, which says when the process was started.

use chrono::TimeDelta;
use punctual::schedule::Timestamp;

use crate::bare::{
    self,
    Supervisors::{Ahead, WhenDue},
};
use crate::kernel::processor_seconds;
use crate::up::{Up, cronjob};

/// Of one CronJob alone: how many runs are measured.
const ALONE_RUNS: usize = 20;

/// How many are due at once, and at how many instants.
const DUE_AT_ONCE: usize = 200;
const INSTANTS: usize = 3;

/// Those that start first have a figure of their own.
const FIRST: usize = 50;

/// Lateness, in the order of the starts.
pub(crate) type Lateness = Vec<TimeDelta>;

/// Measures and prints.
pub(crate) fn measure() {
    println!(
        "lateness of the process, in ms{:>33}{:>10}{:>10}",
        "median", "p99", "max"
    );
    report("bare loop, 1 due", bare::processes(1, ALONE_RUNS, 1).concat());
    report(
        "bare loop with supervisors, 1 due",
        bare::supervised(WhenDue, 1, ALONE_RUNS, 1).concat(),
    );
    report(
        "bare loop with supervisors ahead, 1 due",
        bare::supervised(Ahead, 1, ALONE_RUNS, 1).concat(),
    );
    report("punctual, 1 due", punctual(1, "@every 1s", ALONE_RUNS).concat());
    let all = format!("{DUE_AT_ONCE} due at once");
    let first = format!("the first {FIRST} of them");
    let of = |rounds: &[Lateness]| rounds.iter().flat_map(|round| &round[..FIRST]).copied().collect();
    for (who, rounds) in [
        ("bare loop", bare::processes(DUE_AT_ONCE, INSTANTS, 2)),
        (
            "bare loop with supervisors",
            bare::supervised(WhenDue, DUE_AT_ONCE, INSTANTS, 4),
        ),
        (
            "bare loop with supervisors ahead",
            bare::supervised(Ahead, DUE_AT_ONCE, INSTANTS, 4),
        ),
        ("punctual", punctual(DUE_AT_ONCE, "* * * * *", INSTANTS)),
    ] {
        report(&format!("{who}, {first}"), of(&rounds));
        report(&format!("{who}, {all}"), rounds.concat());
    }
    println!();
}

fn report(what: &str, mut lateness: Lateness) {
    lateness.sort();
    let at = |percent: usize| lateness[(lateness.len() - 1) * percent / 100].as_seconds_f64() * 1_000.0;
    println!("{what:<51}{:>12.2}{:>10.2}{:>10.2}", at(50), at(99), at(100));
}

/// Runs so many CronJobs and listens when their processes start, at some instants.
fn punctual(count: usize, schedule: &str, instants: usize) -> Vec<Lateness> {
    let manifest: String = (0..count).map(|number| cronjob(number, schedule)).collect();
    let mut up = Up::start(&manifest);
    let mut rounds = Vec::new();
    let mut taken = Vec::new();
    for _ in 0..instants {
        let mut lateness: Lateness = (0..count)
            .map(|_| {
                let started = up.next("processStarted");
                let at: Timestamp = started["at"]
                    .as_str()
                    .and_then(|at| at.parse().ok())
                    .expect("a time");
                at - due_instant(started["job"].as_str().expect("a name"))
            })
            .collect();
        lateness.sort();
        rounds.push(lateness);
        taken.push(processor_seconds(up.pid()));
    }
    if let [first, .., last] = taken[..] {
        let runs = u32::try_from(count * (instants - 1)).expect("a small number");
        let each = (last - first) * 1_000.0 / f64::from(runs);
        println!("(a run of {count} due took punctual itself {each:.2} ms of a processor, records included)");
    }
    rounds
}

/// The due instant that a run's name carries: minutes, or seconds when it lies off the minute.
fn due_instant(job: &str) -> Timestamp {
    let number: i64 = job
        .rsplit('-')
        .next()
        .and_then(|digits| digits.parse().ok())
        .expect("a run's name");
    let seconds = if number < 1_000_000_000 {
        number * 60
    } else {
        number
    };
    Timestamp::from_timestamp(seconds, 0).expect("a time")
}
