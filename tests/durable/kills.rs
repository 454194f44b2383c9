//! Killed at random moments, again and again, under work of every kind, and supervisors with it; a ledger that the work
//! itself keeps says what ran, and the schedule what should have run. Meanwhile clients write, and the manifest, which is
//! followed, changes. `STRESS_SECONDS` says for how long, `STRESS_SEED` which moments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::future::join3;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use punctual::clock::{Clock as _, SystemClock};
use punctual::schedule::Timestamp;

use crate::machine::{Place, Up, holds, until};
use crate::writes::Writes;

/// How long it is killed again and again in an ordinary run.
const SHORT: Duration = Duration::from_secs(20);

/// The longest that it is left alone, in milliseconds: every other time long enough for work, and else so short that most
/// of it is spent on opening what the one before has left.
const LIFE_MS: [u64; 2] = [5_000, 400];

/// How many runs of each CronJob the last one starts, so that in any case there are instants that it answers for.
const STARTS: usize = 3;

/// A CronJob is due so often.
const INTERVAL_SECONDS: i64 = 2;

/// CronJobs of which a run may go on beside the one before, and those of which it must not.
const ALLOW: usize = 4;
const FORBID: usize = 3;

/// The CronJob whose supervisors are killed; its runs may fail for that and for nothing else.
const FRAIL: &str = "frail";

/// The pods that the Job with completions needs; they take long enough to outlive a few kills.
const COMPLETIONS: usize = 40;

/// For how long.
pub(crate) fn duration() -> Duration {
    let seconds = std::env::var("STRESS_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    seconds.map_or(SHORT, Duration::from_secs)
}

pub(crate) fn seed() -> u64 {
    let seed = std::env::var("STRESS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    seed.unwrap_or_else(|| fastrand::u64(..))
}

pub(crate) async fn nothing_is_lost_or_doubled_whenever_it_is_killed() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Place::new();
    std::fs::create_dir(place.path("supervisors")).expect("a folder");
    let end = Instant::now() + duration();
    let mut writes = Writes::new(&mut random);
    let mut killed = BTreeSet::new();
    let mut lives = Vec::new();
    while Instant::now() < end {
        place.manifest(&manifest(&place, lives.len()));
        let up = place.up_with(&["--watch"]);
        let time = Duration::from_millis(random.u64(..LIFE_MS[lives.len() % 2]));
        let mut ready = None;
        let changing = change_manifest(&place, lives.len(), time.mul_f64(random.f64()));
        let living = join3(writes.go_on(&up), note_ready(&up, &mut ready), changing);
        let _killed = tokio::time::timeout(time, living).await;
        let shown = up.shown();
        lives.push(Life { ready, shown });
        if random.bool() {
            killed.extend(kill_a_supervisor(&place));
        }
        up.kill();
        if random.bool() {
            killed.extend(kill_a_supervisor(&place));
        }
    }
    let up = place.up_with(&["--watch"]);
    let mut ready = None;
    note_ready(&up, &mut ready).await;
    for cronjob in (0..ALLOW).map(|number| format!("allow{number}")) {
        until(&format!("{STARTS} starts of {cronjob}"), || async {
            let starts = up
                .shown()
                .iter()
                .filter_map(|line| started(line, &cronjob))
                .count();
            (starts >= STARTS).then_some(())
        })
        .await;
    }
    let cronjobs = suspended(&up).await;
    let shown = up.shown();
    lives.push(Life { ready, shown });
    let jobs = ended_jobs(&up).await;
    let ledger = Ledger::read(&place.lines("ledger"));
    println!(
        "seed {seed}: killed {} times, and {} supervisors; {} Jobs, {} processes, {} writes acknowledged",
        lives.len() - 1,
        killed.len(),
        jobs.len(),
        ledger.pods.len(),
        writes.acknowledged()
    );
    writes.check(up.client().await.expect("a client")).await;
    check_manifest(&place, &up, lives.len()).await;
    check_jobs(&jobs, &ledger, &killed);
    for cronjob in cronjobs
        .iter()
        .filter(|cronjob| cronjob.name_any().starts_with("allow"))
    {
        check_instants(cronjob, &jobs, &lives);
    }
    ledger.check_forbid();
    up.interrupt();
}

/// What of `/proc/PID/stat` tells a process from another one that has its number later: that, and when it was started.
const IDENTITY: &str = "cut -d ' ' -f 1,22";

/// Kills the supervisor of a run that may fail, if one lives, and returns the run's pod.
fn kill_a_supervisor(place: &Place) -> Option<String> {
    let entries = std::fs::read_dir(place.path("supervisors")).expect("a folder");
    let mut living = entries.flatten().filter_map(|entry| {
        let noted = std::fs::read_to_string(entry.path()).ok()?;
        let pid = noted.split(' ').next()?.to_owned();
        let now = std::process::Command::new("sh")
            .args(["-c", &format!("{IDENTITY} /proc/{pid}/stat")])
            .output();
        let pod = entry.file_name().into_string().ok()?;
        (now.ok()?.stdout == noted.as_bytes()).then_some((pod, pid))
    });
    let (pod, pid) = living.next()?;
    let killed = std::process::Command::new("kill").args(["-KILL", &pid]).output();
    killed
        .expect("kill can be started")
        .status
        .success()
        .then_some(pod)
}

/// What the manifest holds beside the work: something that changes, and something that comes and goes.
fn passing(version: usize) -> String {
    let map = |name: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{version: '{version}'}}}}\n"
        )
    };
    let comes_and_goes = if version.is_multiple_of(2) {
        map("passing")
    } else {
        String::new()
    };
    map("changing") + &comes_and_goes
}

/// Changes the manifest after a while.
async fn change_manifest(place: &Place, life: usize, after: Duration) {
    tokio::time::sleep(after).await;
    place.manifest(&manifest(place, life + 1));
}

/// What is there is what the manifest said last, and says now.
async fn check_manifest(place: &Place, up: &Up, version: usize) {
    let maps: Api<ConfigMap> = Api::default_namespaced(up.client().await.expect("a client"));
    for version in [version, version + 1] {
        place.manifest(&manifest(place, version));
        until(&format!("version {version} of the manifest"), || async {
            let changing = maps.get_opt("changing").await.ok()??.data?;
            let passing = maps.get_opt("passing").await.ok()?.is_some();
            (changing["version"] == version.to_string() && passing == version.is_multiple_of(2)).then_some(())
        })
        .await;
    }
}

/// CronJobs and a Job whose processes write a line when they begin and one when they end.
fn manifest(place: &Place, version: usize) -> String {
    let ledger = place.path("ledger");
    let script = |rest: &str| {
        format!(
            "echo $JOB $HOSTNAME begin >> {0}; {rest}; echo $JOB $HOSTNAME end >> {0}",
            ledger.display()
        )
    };
    let frail = format!(
        "{IDENTITY} /proc/$PPID/stat > {}/$HOSTNAME; sleep 0.7",
        place.path("supervisors").display()
    );
    let template = |script: &str| {
        format!(
            "{{spec: {{restartPolicy: Never, containers: [{{name: main, image: none, command: [sh, -c, {script:?}], \
             env: [{{name: JOB, valueFrom: {{fieldRef: {{fieldPath: \"metadata.labels['job-name']\"}}}}}}]}}]}}}}"
        )
    };
    let allow = (0..ALLOW).map(|number| (format!("allow{number}"), "Allow", "sleep 0.3"));
    let forbid = (ALLOW..ALLOW + FORBID).map(|number| (format!("forbid{number}"), "Forbid", "sleep 2.7"));
    let frail = [(FRAIL.to_owned(), "Allow", frail.as_str())];
    let mut text = passing(version);
    for (name, policy, rest) in allow.chain(forbid).chain(frail) {
        let template = template(&script(rest));
        let _infallible = writeln!(
            text,
            "---\n{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}}}, spec: {{\
             schedule: '@every {INTERVAL_SECONDS}s', concurrencyPolicy: {policy}, successfulJobsHistoryLimit: 100000, \
             failedJobsHistoryLimit: 100000, \
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

/// A time in which `punctual` was there.
struct Life {
    /// When it was able to start what is due.
    ready: Option<Timestamp>,
    /// What it showed.
    shown: Vec<String>,
}

impl Life {
    /// Whether a run of an instant must have been started in it: it was there, has told that it started a later one, and has
    /// not told that it passed this one over, as it does on a machine that is too busy.
    fn answers_for(&self, cronjob: &str, due: Timestamp) -> bool {
        let of_it = self.shown.iter().filter(|line| line.contains(cronjob));
        let lines: Vec<&String> = of_it.collect();
        let has_started_later = lines
            .iter()
            .filter_map(|line| started(line, cronjob))
            .any(|at| at > due);
        let is_passed_over = lines
            .iter()
            .filter_map(|line| passed_over(line))
            .any(|at| at.contains(&due));
        self.ready.is_some_and(|ready| ready <= due) && has_started_later && !is_passed_over
    }
}

/// The instant of a run that a line says was started.
fn started(line: &str, cronjob: &str) -> Option<Timestamp> {
    let (_, rest) = line.split_once(&format!(" started {cronjob}-"))?;
    Timestamp::from_timestamp(rest.split_once(',')?.0.parse().ok()?, 0)
}

/// The instants that a line says were passed over.
fn passed_over(line: &str) -> Option<std::ops::Range<Timestamp>> {
    let (_, rest) = line.split_once(" since ")?;
    let (oldest, rest) = rest.split_once(" could not be started in time; only the newest, of ")?;
    let (newest, _) = rest.split_once(", runs")?;
    Some(oldest.parse().ok()?..newest.parse().ok()?)
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

/// Every Job has succeeded, and its processes have run once each, from the beginning to the end; but for those whose
/// supervisor was killed.
fn check_jobs(jobs: &[Job], ledger: &Ledger, killed: &BTreeSet<String>) {
    for job in jobs {
        let (name, status) = (job.name_any(), job.status.clone().unwrap_or_default());
        let ran = ledger.pods.iter().filter(|((of, _), _)| *of == name);
        let ran: Vec<_> = ran.collect();
        let may_fail = name.starts_with(FRAIL) && ran.iter().any(|((_, pod), _)| killed.contains(pod));
        assert!(may_fail || holds(&status, "Complete"), "{name}: {status:#?}");
        let wanted = if name == "pool" { COMPLETIONS } else { 1 };
        assert_eq!(ran.len(), wanted, "{name}: {ran:?}");
        for ((_, pod), lines) in ran {
            let is_cut = may_fail && *lines == ["begin"];
            assert!(is_cut || *lines == ["begin", "end"], "{name} {pod}: {lines:?}");
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

/// What ran is what the schedule says: no instant has two Jobs, none ran that was not due, and one that `punctual` answers
/// for did run. Of those that passed while it was not there, the newest runs late and the others don't.
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
    let last = once.last().copied().unwrap_or(created);
    let count = (last - created).num_seconds() / INTERVAL_SECONDS;
    let due: BTreeSet<Timestamp> = (1..=count)
        .map(|number| created + TimeDelta::seconds(number * INTERVAL_SECONDS))
        .collect();
    let not_due: Vec<_> = once.difference(&due).collect();
    assert!(
        not_due.is_empty(),
        "{name}, made at {created}: ran and was not due: {not_due:?}"
    );
    let must: BTreeSet<Timestamp> = due
        .into_iter()
        .filter(|due| lives.iter().any(|life| life.answers_for(&name, *due)))
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
