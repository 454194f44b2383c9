//! What it costs to stand by: many CronJobs that are not due.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::kernel::{memory_mb, processor_seconds};
use crate::up::{Up, cronjob};

/// How many stand.
const CRONJOBS: usize = 10_000;

/// How long it is looked at.
const TIME: Duration = Duration::from_secs(30);

/// Less than this share of a core is taken for having settled.
const QUIET: f64 = 0.02;

/// Measures and prints; beside it the same with nothing to do.
pub(crate) fn measure() {
    println!(
        "standing by{:>52}{:>10}{:>10}",
        "memory/MB", "most/MB", "% of core"
    );
    report("punctual, no CronJob", Up::start(""), 0);
    let manifest: String = (0..CRONJOBS).map(|number| cronjob(number, "0 0 1 1 *")).collect();
    let started = Instant::now();
    let up = Up::start(&manifest);
    report(&format!("punctual, {CRONJOBS} CronJobs"), up, CRONJOBS);
    println!(
        "(after {:.1} s in all, {} s of them looked at)\n",
        started.elapsed().as_secs_f64(),
        TIME.as_secs()
    );
}

fn report(what: &str, mut up: Up, cronjobs: usize) {
    up.next("serving");
    for _ in 0..cronjobs {
        up.next("loaded");
    }
    let pid = up.pid();
    while share(pid, Duration::from_secs(2)) > QUIET {}
    let share = share(pid, TIME) * 100.0;
    let (memory, most) = (memory_mb(pid, "VmRSS:"), memory_mb(pid, "VmHWM:"));
    println!("{what:<51}{memory:>12.1}{most:>10.1}{share:>10.2}");
}

/// The share of one core that a process takes over a time.
fn share(pid: u32, time: Duration) -> f64 {
    let (start, before) = (Instant::now(), processor_seconds(pid));
    sleep(time);
    (processor_seconds(pid) - before) / start.elapsed().as_secs_f64()
}
