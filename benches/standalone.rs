//! How late do processes start? `cargo bench --bench standalone`
//!
//! Two lateness figures from one run: of a bare loop that sleeps until a full second and starts a process, which is
//! what any scheduler on this machine could reach, and of `punctual up` with CronJobs of `@every 1s`, from the due
//! instant to the moment at which the process runs, through controller, API, Job controller and node.
//!
//! And how many objects are written in a second, each acknowledged when it is on disk: see `writes`.

#[path = "standalone/writes.rs"]
mod writes;

use std::process::{Command, Stdio};
use std::sync::Arc;

use chrono::TimeDelta;
use kube::Api;
use kube::api::PostParams;
use kube::core::{ApiResource, DynamicObject};
use punctual::clock::{Clock, SystemClock};
use punctual::manifest;
use punctual::schedule::{TimeZones, Timestamp};
use punctual::standalone::data_dir::DataDir;
use punctual::standalone::runtime::{Runtimes, What, supervise_if_asked};
use punctual::standalone::store::MemoryStore;
use punctual::standalone::{Hearing, Standalone};
use serde_json::json;
use tokio::sync::watch;

/// How many seconds are measured.
const SECONDS: usize = 20;

/// How many CronJobs are due at each of them, one after another of these.
const DUE_AT_ONCE: [usize; 2] = [1, 50];

fn main() {
    // The supervisors are this program as well.
    if supervise_if_asked().is_some() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(writes::measure());
    println!(
        "lateness of the process in ms, over {SECONDS} s{:>12}{:>10}{:>10}",
        "median", "p99", "max"
    );
    report("bare loop, 1 due at once", bare());
    for due in DUE_AT_ONCE {
        let lateness = runtime.block_on(punctual(due));
        report(&format!("punctual, {due} due at once"), lateness);
    }
}

/// Sleeps until each full second and starts `true`.
fn bare() -> Vec<TimeDelta> {
    let clock = SystemClock;
    let mut due = full_second_after(clock.now());
    let mut lateness = Vec::new();
    for _ in 0..SECONDS {
        std::thread::sleep((due - clock.now()).to_std().unwrap_or_default());
        let child = Command::new("true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        lateness.push(clock.now() - due);
        child.expect("true can be started").wait().expect("true ends");
        due += TimeDelta::seconds(1);
    }
    lateness
}

/// Runs `due` CronJobs of `@every 1s` and listens when their processes start.
async fn punctual(due: usize) -> Vec<TimeDelta> {
    let clock = SystemClock::shared();
    let zones = Arc::new(TimeZones::built_in());
    let store = Arc::new(MemoryStore::new());
    let data = DataDir::ephemeral().expect("a folder");
    let machine = Standalone::open(store, Arc::clone(&clock), zones)
        .await
        .expect("an API");
    let (machine, hearing) = machine.start(data, Runtimes::default(), Vec::new());
    let resource = ApiResource::erase::<manifest::CronJob>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(machine.client(), "default", &resource);
    // Just after a full second, so that all of them are created in the same one and due together.
    clock.sleep_until(full_second_after(clock.now())).await;
    for index in 0..due {
        api.create(&PostParams::default(), &cronjob(&format!("bench-{index}")))
            .await
            .expect("created");
    }
    let lateness = listen(hearing, SECONDS * due).await;
    let (_hurry, hurried) = watch::channel(true);
    machine.stop(hurried).await;
    lateness
}

async fn listen(hearing: Hearing, starts: usize) -> Vec<TimeDelta> {
    let Hearing {
        mut told,
        mut processes,
    } = hearing;
    let drained = tokio::spawn(async move { while told.recv().await.is_some() {} });
    let mut lateness = Vec::new();
    while lateness.len() < starts {
        let event = processes.recv().await.expect("an event");
        if let (What::Started { .. }, Some(job)) = (&event.what, &event.origin.job) {
            lateness.push(event.at - due_instant(job));
        }
    }
    drained.abort();
    lateness
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

fn cronjob(name: &str) -> DynamicObject {
    let container = json!({ "name": "main", "image": "none", "command": ["true"] });
    let object = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "name": name },
        "spec": {
            "schedule": "@every 1s",
            "successfulJobsHistoryLimit": 1,
            "jobTemplate": {
                "spec": { "template": { "spec": { "restartPolicy": "Never", "containers": [container] } } },
            },
        },
    });
    serde_json::from_value(object).expect("a CronJob")
}

fn full_second_after(instant: Timestamp) -> Timestamp {
    Timestamp::from_timestamp(instant.timestamp() + 1, 0).expect("a time")
}

fn report(what: &str, mut lateness: Vec<TimeDelta>) {
    lateness.sort();
    let at = |percent: usize| lateness[(lateness.len() - 1) * percent / 100].as_seconds_f64() * 1_000.0;
    println!("{what:<41}{:>12.2}{:>10.2}{:>10.2}", at(50), at(99), at(100));
}
