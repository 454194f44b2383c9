//! Killed at random moments, again and again, under work of every kind; a ledger that the work itself keeps says what
//! ran, and the schedule what should have run. `STRESS_SECONDS` says for how long, `STRESS_SEED` which moments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::future::join;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use punctual::clock::{Clock as _, SystemClock};
use punctual::schedule::Timestamp;

use crate::machine::{Place, Up, holds, until};

/// How long it is killed again and again in an ordinary run.
const SHORT: Duration = Duration::from_secs(20);

/// The longest that it is left alone, in milliseconds. Some are so short that it has not even begun to serve.
const LIFE_MS: u64 = 5_000;

/// How long the last one is left alone, so that in any case there are instants at which it was there.
const LEFT_ALONE: Duration = Duration::from_secs(6);

/// A CronJob is due so often.
const INTERVAL_SECONDS: i64 = 2;
const INTERVAL: TimeDelta = TimeDelta::seconds(INTERVAL_SECONDS);

/// CronJobs of which a run may go on beside the one before, and those of which it must not.
const ALLOW: usize = 4;
const FORBID: usize = 3;

/// The pods that the Job with completions needs; they take long enough to outlive a few kills.
const COMPLETIONS: usize = 40;

/// For how long.
pub(crate) fn duration() -> Duration {
    let seconds = std::env::var("STRESS_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    seconds.map_or(SHORT, Duration::from_secs)
}

fn seed() -> u64 {
    let seed = std::env::var("STRESS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    seed.unwrap_or_else(|| fastrand::u64(..))
}

pub(crate) async fn nothing_is_lost_or_doubled_whenever_it_is_killed() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Place::new();
    place.manifest(&manifest(&place));
    let end = Instant::now() + duration();
    let mut acknowledged = BTreeSet::new();
    let mut lives = Vec::new();
    while Instant::now() < end {
        let up = place.up_soon();
        let time = Duration::from_millis(random.u64(..LIFE_MS));
        let mut ready = None;
        let writing = write_until_killed(&up, lives.len(), &mut acknowledged);
        let _killed = tokio::time::timeout(time, join(writing, note_ready(&up, &mut ready))).await;
        lives.push(Life::until_now(ready));
        up.kill();
    }
    let up = place.up_soon();
    let mut ready = None;
    note_ready(&up, &mut ready).await;
    tokio::time::sleep(LEFT_ALONE).await;
    let cronjobs = suspended(&up).await;
    lives.push(Life::until_now(ready));
    let jobs = ended_jobs(&up).await;
    let ledger = Ledger::read(&place.lines("ledger"));
    println!(
        "seed {seed}: killed {} times; {} Jobs, {} processes, {} writes acknowledged",
        lives.len() - 1,
        jobs.len(),
        ledger.pods.len(),
        acknowledged.len()
    );
    check_writes(&up, &acknowledged).await;
    check_jobs(&jobs, &ledger);
    for cronjob in cronjobs
        .iter()
        .filter(|cronjob| cronjob.name_any().starts_with("allow"))
    {
        check_instants(cronjob, &jobs, &lives);
    }
    ledger.check_forbid();
    up.interrupt();
}

/// CronJobs and a Job whose processes write a line when they begin and one when they end.
fn manifest(place: &Place) -> String {
    let ledger = place.path("ledger");
    let script = |rest: &str| {
        format!(
            "echo $JOB $HOSTNAME begin >> {0}; {rest}; echo $JOB $HOSTNAME end >> {0}",
            ledger.display()
        )
    };
    let template = |script: &str| {
        format!(
            "{{spec: {{restartPolicy: Never, containers: [{{name: main, image: none, command: [sh, -c, {script:?}], \
             env: [{{name: JOB, valueFrom: {{fieldRef: {{fieldPath: \"metadata.labels['job-name']\"}}}}}}]}}]}}}}"
        )
    };
    let mut text = String::new();
    for number in 0..ALLOW + FORBID {
        let (name, policy, rest) = if number < ALLOW {
            (format!("allow{number}"), "Allow", "sleep 0.3")
        } else {
            (format!("forbid{number}"), "Forbid", "sleep 2.7")
        };
        let template = template(&script(rest));
        let _infallible = writeln!(
            text,
            "---\n{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}}}, spec: {{\
             schedule: '@every {INTERVAL_SECONDS}s', concurrencyPolicy: {policy}, successfulJobsHistoryLimit: 100000, \
             jobTemplate: {{spec: {{backoffLimit: 0, template: {template}}}}}}}}}"
        );
    }
    let template = template(&script("sleep 1.5"));
    let _infallible = writeln!(
        text,
        "---\n{{apiVersion: batch/v1, kind: Job, metadata: {{name: pool}}, spec: {{completions: {COMPLETIONS}, \
         parallelism: 5, backoffLimit: 0, template: {template}}}}}"
    );
    text
}

/// Creates config maps one after the other, and takes note of those that were acknowledged.
async fn write_until_killed(up: &Up, life: usize, acknowledged: &mut BTreeSet<String>) {
    let client = until("a client", || up.client()).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    for number in 0.. {
        let name = format!("write-{life}-{number}");
        let map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                ..ObjectMeta::default()
            },
            ..ConfigMap::default()
        };
        if maps.create(&PostParams::default(), &map).await.is_ok() {
            acknowledged.insert(name);
        } else {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A time in which `punctual` was there and able to start what was due.
struct Life {
    ready: Option<Timestamp>,
    end: Timestamp,
}

impl Life {
    /// One that ends now at the earliest.
    fn until_now(ready: Option<Timestamp>) -> Life {
        let end = SystemClock.now();
        Life { ready, end }
    }

    /// Whether all of the time from an instant to the next one was in it.
    fn covers(&self, due: Timestamp) -> bool {
        self.ready.is_some_and(|ready| ready <= due) && due + INTERVAL <= self.end
    }
}

/// Notes when it has said what it runs, by when it does.
async fn note_ready(up: &Up, ready: &mut Option<Timestamp>) {
    up.shows("NEXT DUE").await;
    *ready = Some(SystemClock.now());
}

/// Suspends the CronJobs, and returns them.
async fn suspended(up: &Up) -> Vec<CronJob> {
    let cronjobs: Api<CronJob> = Api::default_namespaced(up.client().await.expect("a client"));
    let all = cronjobs.list(&ListParams::default()).await.expect("a list").items;
    let suspend = Patch::Merge(serde_json::json!({"spec": {"suspend": true}}));
    for cronjob in &all {
        let (name, usual) = (cronjob.name_any(), PatchParams::default());
        let patched = cronjobs.patch(&name, &usual, &suspend).await;
        patched.expect("written");
    }
    all
}

/// Waits until every Job has ended.
async fn ended_jobs(up: &Up) -> Vec<Job> {
    let jobs: Api<Job> = Api::default_namespaced(up.client().await.expect("a client"));
    until("every Job has ended", || async {
        let jobs = jobs.list(&ListParams::default()).await.ok()?.items;
        let has_ended = |job: &Job| {
            let status = job.status.clone().unwrap_or_default();
            holds(&status, "Complete") || holds(&status, "Failed")
        };
        jobs.iter().all(has_ended).then_some(jobs)
    })
    .await
}

async fn check_writes(up: &Up, acknowledged: &BTreeSet<String>) {
    let maps: Api<ConfigMap> = Api::default_namespaced(up.client().await.expect("a client"));
    let there = maps.list(&ListParams::default()).await.expect("a list");
    let there: BTreeSet<String> = there.iter().map(ResourceExt::name_any).collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
}

/// Every Job has succeeded, and its processes have run once each, from the beginning to the end.
fn check_jobs(jobs: &[Job], ledger: &Ledger) {
    for job in jobs {
        let (name, status) = (job.name_any(), job.status.clone().unwrap_or_default());
        assert!(holds(&status, "Complete"), "{name}: {status:#?}");
        let wanted = if name == "pool" { COMPLETIONS } else { 1 };
        let ran = ledger.pods.iter().filter(|((of, _), _)| *of == name);
        let ran: Vec<_> = ran.collect();
        assert_eq!(ran.len(), wanted, "{name}: {ran:?}");
        for ((_, pod), lines) in ran {
            assert_eq!(*lines, ["begin", "end"], "{name} {pod}");
        }
    }
    let known: BTreeSet<String> = jobs.iter().map(ResourceExt::name_any).collect();
    let unknown: Vec<_> = ledger
        .pods
        .keys()
        .filter(|(job, _)| !known.contains(job))
        .collect();
    assert!(unknown.is_empty(), "ran and not known: {unknown:?}");
}

/// What ran is what the schedule says: no instant has two Jobs, none ran that was not due, and one that was due while
/// `punctual` was there, until the next one, did run. Of those that passed while it was not, the newest runs late and
/// the others don't.
fn check_instants(cronjob: &CronJob, jobs: &[Job], lives: &[Life]) {
    let name = cronjob.name_any();
    let of_it = jobs
        .iter()
        .filter(|job| job.name_any().starts_with(&format!("{name}-")));
    let ran: Vec<Timestamp> = of_it.map(scheduled).collect();
    let once: BTreeSet<Timestamp> = ran.iter().copied().collect();
    assert_eq!(once.len(), ran.len(), "{name}: an instant has two Jobs: {ran:?}");

    let created = &cronjob.metadata.creation_timestamp.as_ref().expect("a time").0;
    let created = Timestamp::from_timestamp(created.as_second(), 0).expect("a time");
    let last = lives.last().expect("at least one").end;
    let count = (last - created).num_seconds() / INTERVAL_SECONDS;
    let due: BTreeSet<Timestamp> = (1..=count)
        .map(|number| created + TimeDelta::seconds(number * INTERVAL_SECONDS))
        .collect();
    let not_due: Vec<_> = once.difference(&due).filter(|ran| **ran <= last).collect();
    assert!(
        not_due.is_empty(),
        "{name}, made at {created}: ran and was not due: {not_due:?}"
    );
    let must: BTreeSet<Timestamp> = due
        .into_iter()
        .filter(|due| lives.iter().any(|life| life.covers(*due)))
        .collect();
    println!("{name}: {} ran, {} of them had to", once.len(), must.len());
    let lost: Vec<_> = must.difference(&once).collect();
    assert!(lost.is_empty(), "{name}: was due and did not run: {lost:?}");
}

/// The instant that a Job runs for.
fn scheduled(job: &Job) -> Timestamp {
    let at = &job.annotations()["batch.kubernetes.io/cronjob-scheduled-timestamp"];
    at.parse().expect("RFC 3339")
}

/// What ran, by its own word: of each pod the lines that it wrote.
struct Ledger {
    pods: BTreeMap<(String, String), Vec<String>>,
    lines: Vec<(String, String)>,
}

impl Ledger {
    fn read(lines: &[String]) -> Ledger {
        let mut ledger = Ledger {
            pods: BTreeMap::new(),
            lines: Vec::new(),
        };
        for line in lines {
            let [job, pod, what] = line
                .split(' ')
                .collect::<Vec<_>>()
                .try_into()
                .expect("three words");
            let of_pod = ledger.pods.entry((job.into(), pod.into())).or_default();
            of_pod.push(what.to_owned());
            ledger.lines.push((job.into(), what.to_owned()));
        }
        ledger
    }

    /// Of a CronJob with `Forbid` no run begins before the one before has ended.
    fn check_forbid(&self) {
        for number in ALLOW..ALLOW + FORBID {
            let prefix = format!("forbid{number}-");
            let of_it = self.lines.iter().filter(|(job, _)| job.starts_with(&prefix));
            let mut running: Option<&str> = None;
            for (job, what) in of_it {
                match what.as_str() {
                    "begin" => assert_eq!(running.replace(job), None, "{job} began beside another"),
                    _ => assert_eq!(running.take(), Some(job.as_str())),
                }
            }
        }
    }
}
