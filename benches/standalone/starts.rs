//! From the due instant to the start of the process.
//!
//! A bare loop sleeps until the same instants and starts as many processes, one after the other: what any scheduler on
//! this machine could reach. With `punctual` the way leads through controller, database, Job controller, node and
//! supervisor, and the supervisor says when the process was started.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;

use chrono::TimeDelta;
use punctual::clock::{Clock, SystemClock};
use punctual::schedule::Timestamp;

use crate::up::{Up, cronjob};

/// Of one CronJob alone: how many runs are measured.
const ALONE_RUNS: usize = 20;

/// How many are due at once, and at how many instants.
const DUE_AT_ONCE: usize = 200;
const INSTANTS: usize = 3;

/// Those that start first have a figure of their own.
const FIRST: usize = 50;

/// Lateness, in the order of the starts.
type Lateness = Vec<TimeDelta>;

/// Measures and prints.
pub(crate) fn measure() {
    println!(
        "lateness of the process, in ms{:>33}{:>10}{:>10}",
        "median", "p99", "max"
    );
    report("bare loop, 1 due", bare(1, ALONE_RUNS, 1).concat());
    report("punctual, 1 due", punctual(1, "@every 1s", ALONE_RUNS).concat());
    let all = format!("{DUE_AT_ONCE} due at once");
    let first = format!("the first {FIRST} of them");
    let of = |rounds: &[Lateness]| rounds.iter().flat_map(|round| &round[..FIRST]).copied().collect();
    for (who, rounds) in [
        ("bare loop", bare(DUE_AT_ONCE, INSTANTS, 2)),
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

/// Sleeps until each of some instants, so many seconds apart, and starts `true` so many times.
fn bare(count: usize, instants: usize, seconds: i64) -> Vec<Lateness> {
    let clock = SystemClock;
    let mut due = full_second_after(clock.now());
    let mut rounds = Vec::new();
    for _ in 0..instants {
        due += TimeDelta::seconds(seconds);
        sleep((due - clock.now()).to_std().unwrap_or_default());
        let (lateness, children): (Lateness, Vec<Child>) = (0..count)
            .map(|_| {
                let child = Command::new("true")
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .spawn();
                (clock.now() - due, child.expect("true can be started"))
            })
            .unzip();
        for mut child in children {
            child.wait().expect("true ends");
        }
        rounds.push(lateness);
    }
    rounds
}

/// Runs so many CronJobs and listens when their processes start, at some instants.
fn punctual(count: usize, schedule: &str, instants: usize) -> Vec<Lateness> {
    let manifest: String = (0..count).map(|number| cronjob(number, schedule)).collect();
    let mut up = Up::start(&manifest);
    let mut rounds = Vec::new();
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

fn full_second_after(instant: Timestamp) -> Timestamp {
    Timestamp::from_timestamp(instant.timestamp() + 1, 0).expect("a time")
}
