//! `lint` over a thousand manifests, beside reading the same for `up`. The goal is less than a second.
//!
//! The manifests differ in schedule, zone and policy; one in ten is wrong somewhere. They are in memory: what a disk takes
//! is not measured.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use punctual::lint::{Options, lint_bytes};
use punctual::manifest::{Version, load_bytes};
use punctual::schedule::{TimeZones, Timestamp};

/// How many manifests are linted.
const MANIFESTS: usize = 1_000;

/// How often each is measured; the median counts.
const ROUNDS: usize = 9;

const SCHEDULES: [&str; 8] = [
    "0 * * * *",
    "*/5 * * * *",
    "30 2 * * *",
    "15 10 * * 1-5",
    "*/7 9-17 * * *",
    "0 0 13 * 5",
    "@daily",
    "@every 90m",
];

const ZONES: [&str; 4] = ["Etc/UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"];

fn manifest(number: usize) -> String {
    let mut text = String::new();
    let (schedule, zone) = (
        SCHEDULES[number % SCHEDULES.len()],
        ZONES[number % 3 % ZONES.len()],
    );
    let policy = ["Allow", "Forbid", "Replace"][number % 3];
    // One in ten has its restart policy a level too high.
    let (outside, inside) = if number.is_multiple_of(10) {
        ("        restartPolicy: Never\n", "")
    } else {
        ("", "          restartPolicy: Never\n")
    };
    let _ = write!(
        text,
        "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: report-{number}\n  namespace: shop\n  labels:\n    \
         app: report\n    team: data\nspec:\n  schedule: \"{schedule}\"\n  timeZone: {zone}\n  concurrencyPolicy: \
         {policy}\n  startingDeadlineSeconds: 600\n  jobTemplate:\n    spec:\n      backoffLimit: 2\n      template:\n\
         {outside}        spec:\n{inside}          containers:\n            - name: main\n              image: \
         example.com/report:1.4\n              command: [\"sh\", \"-c\", \"./report --all\"]\n              env:\n\
         \x20               - name: SHOP\n                  value: \"{number}\"\n                - name: PASSWORD\n\
         \x20                 valueFrom:\n                    secretKeyRef:\n                      name: database\n\
         \x20                     key: password\n              resources:\n                limits:\n                  \
         cpu: 500m\n                  memory: 128Mi\n"
    );
    text
}

/// The middle of several measurements.
fn median(mut measure: impl FnMut() -> usize) -> (Duration, usize) {
    let mut times: Vec<(Duration, usize)> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let count = measure();
            (start.elapsed(), count)
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

fn main() {
    let texts: Vec<(String, String)> = (0..MANIFESTS)
        .map(|number| (format!("report-{number}.yaml"), manifest(number)))
        .collect();
    let bytes = || texts.iter().map(|(name, text)| (name.as_str(), text.as_bytes()));
    let zones = TimeZones::built_in();
    let now: Timestamp = "2026-11-26T12:00:00Z".parse().expect("an instant");
    let options = Options {
        kubernetes: Version::KNOWN,
        ignore: vec![],
        dialect: None,
        now,
    };
    let (reading, loaded) = median(|| load_bytes(bytes(), &zones).objects.len());
    let (linting, found) = median(|| lint_bytes(bytes(), &zones, &options).findings.len());
    println!("{MANIFESTS} manifests, median of {ROUNDS} rounds");
    println!(
        "  load  {:>7.1} ms   {loaded} objects",
        reading.as_secs_f64() * 1e3
    );
    println!(
        "  lint  {:>7.1} ms   {found} findings",
        linting.as_secs_f64() * 1e3
    );
    println!(
        "  lint takes {:.1} times as long as load; the goal is 1000 ms",
        linting.as_secs_f64() / reading.as_secs_f64()
    );
}
