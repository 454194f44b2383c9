//! How fast is the controller, on a real API server? `cargo bench --bench cluster`
//!
//! Starts etcd and kube-apiserver (see `tests/support/control_plane`) and the release binary of `punctual controller`,
//! and prints
//!
//! - the lateness of the Jobs of N CronJobs that are due at one instant, as a watch shows them, and beside it what a
//!   bare client needs that creates the same Jobs through as many connections, before and after;
//! - the lateness of one CronJob alone;
//! - the memory at 5,000 CronJobs with 12,000 Jobs, and the time on a processor at 10,000 CronJobs that are not due.
//!
//! `cargo bench --bench cluster -- 1000 5000` says which N; `-- alone`, `-- memory` select the rest; without arguments
//! everything is measured. `-- built-in 1000` runs the same load with Kubernetes' own controller, where its binary is.
//!
//! | file | what it does |
//! |---|---|
//! | `load` | the objects, and the bare client |
//! | `observe` | when Jobs appear |
//! | `process` | the controller's process, its memory and its time on a processor |

#[path = "../support/kernel.rs"]
mod kernel;
mod load;
mod observe;
mod process;
// The tests use more of it.
#[allow(dead_code)]
#[path = "../../tests/support/control_plane/mod.rs"]
mod control_plane;

use std::time::Duration;

use chrono::TimeDelta;
use punctual::clock::{Clock, SystemClock};
use punctual::schedule::Timestamp;

use control_plane::{Binaries, ControlPlane, Guarded};
use load::Load;
use observe::{Lateness, Observer};
use process::Punctual;

/// The numbers of CronJobs that are due at once.
const DUE_AT_ONCE: [usize; 2] = [1_000, 5_000];

/// How many runs of one CronJob alone are measured.
const ALONE_RUNS: usize = 12;

/// Of the memory figure.
const MEMORY_CRONJOBS: usize = 5_000;
const MEMORY_JOBS: usize = 12_000;

/// Of the idle figure.
const IDLE_CRONJOBS: usize = 10_000;
const IDLE_TIME: Duration = Duration::from_secs(30);

/// How long after its start a controller is taken to have settled.
const SETTLE_TIME: Duration = Duration::from_secs(5);

fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let Some(binaries) = Binaries::find() else {
        println!(
            "No figures: etcd and kube-apiserver are neither in $KUBEBUILDER_ASSETS nor in /usr/local/kubebuilder/bin."
        );
        return;
    };
    let wants = |word: &str| words.is_empty() || words.iter().any(|given| given == word);
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let numbers = if words.is_empty() {
        DUE_AT_ONCE.to_vec()
    } else {
        numbers
    };
    let subject = if words.iter().any(|word| word == "built-in") {
        Subject::BuiltIn
    } else {
        Subject::Punctual
    };

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("load average at the start: {}", load_average());
    if wants("alone") {
        runtime.block_on(alone(&ControlPlane::start(&binaries)));
    }
    for due in numbers {
        runtime.block_on(together(&ControlPlane::start(&binaries), due, subject));
    }
    if wants("memory") {
        runtime.block_on(at_rest(&ControlPlane::start(&binaries)));
    }
    println!("load average at the end: {}", load_average());
}

/// Who runs the CronJobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Punctual,
    BuiltIn,
}

/// A controller under way. Dropped, it ends.
#[expect(dead_code, reason = "held for its end")]
enum Running {
    Punctual(Punctual),
    BuiltIn(Guarded),
}

/// One CronJob, due again and again.
async fn alone(control_plane: &ControlPlane) {
    let load = Load::new(control_plane).await;
    let _controller = Punctual::start(control_plane).await;
    let mut observer = Observer::start(control_plane).await;
    load.create_cronjobs(1, "@every 3s").await;
    let appeared = observer.wait_for(ALONE_RUNS, Duration::from_mins(3)).await;
    let late = appeared.iter().map(|(name, at)| *at - observe::due_instant(name));
    println!("\none CronJob alone, {ALONE_RUNS} times: Job exists after, in ms");
    Lateness::print_head();
    Lateness::of(late).print("punctual");
}

/// `due` CronJobs at one instant, with a bare client before and after.
async fn together(control_plane: &ControlPlane, due: usize, subject: Subject) {
    let load = Load::new(control_plane).await;
    let mut observer = Observer::start(control_plane).await;
    let before = bare(&load, &mut observer, due, "before").await;

    let instant = load::minute_in_time_for(due, SystemClock.now());
    load.create_cronjobs(due, &load::schedule_of(instant)).await;
    let controller = match subject {
        Subject::Punctual => Running::Punctual(Punctual::start(control_plane).await),
        Subject::BuiltIn => Running::BuiltIn(control_plane.controller_manager("cronjob-controller")),
    };
    assert!(
        SystemClock.now() < instant - TimeDelta::seconds(3),
        "the machine is too slow: the CronJobs were due before the controller had settled"
    );
    let appeared = observer.wait_for(due, Duration::from_mins(5)).await;
    let late = Lateness::of(appeared.iter().map(|(_, at)| *at - instant));
    let rest = match &controller {
        Running::Punctual(punctual) => {
            punctual.until_quiet().await;
            format!(
                "resident after it: {:.1} MB, at most {:.1} MB",
                punctual.resident_mb(),
                punctual.most_resident_mb()
            )
        }
        Running::BuiltIn(_) => String::new(),
    };
    drop(controller);
    let after = bare(&load, &mut observer, due, "after").await;

    println!("\n{due} CronJobs due at once: Job exists after, in ms");
    Lateness::print_head();
    before.print("bare client, before");
    late.print(match subject {
        Subject::Punctual => "punctual",
        Subject::BuiltIn => "built-in controller",
    });
    after.print("bare client, after");
    let bare = before.last().midpoint(after.last());
    println!(
        "last Job: {:.2} × the bare client's mean; {rest}",
        late.last() / bare
    );
}

/// A bare client creates the Jobs that the CronJobs would make.
async fn bare(load: &Load, observer: &mut Observer, jobs: usize, which: &str) -> Lateness {
    let bodies = Load::job_bodies(jobs, which);
    let start = SystemClock.now();
    let (appeared, ()) = tokio::join!(
        observer.wait_for(jobs, Duration::from_mins(5)),
        load.create_bare(bodies)
    );
    Lateness::of(appeared.iter().map(|(_, at)| *at - start))
}

/// Memory, and the time on a processor when there is nothing to do.
async fn at_rest(control_plane: &ControlPlane) {
    let load = Load::new(control_plane).await;
    let yearly = "0 0 1 1 *";
    load.create_cronjobs(MEMORY_CRONJOBS, yearly).await;
    load.create_history(MEMORY_JOBS, MEMORY_CRONJOBS).await;
    let punctual = Punctual::start(control_plane).await;
    tokio::time::sleep(SETTLE_TIME).await;
    println!(
        "\n{MEMORY_CRONJOBS} CronJobs, {MEMORY_JOBS} Jobs: {:.1} MB resident, at most {:.1} MB",
        punctual.resident_mb(),
        punctual.most_resident_mb()
    );
    load.create_cronjobs(IDLE_CRONJOBS - MEMORY_CRONJOBS, yearly)
        .await;
    tokio::time::sleep(SETTLE_TIME).await;
    let share = punctual.processor_share(IDLE_TIME).await;
    println!(
        "{IDLE_CRONJOBS} CronJobs that are not due: {:.2} % of a core, {:.1} MB resident",
        share * 100.0,
        punctual.resident_mb()
    );
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// The instant of a whole number of minutes since 1970.
fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_timestamp(minutes * 60, 0).expect("a time")
}
