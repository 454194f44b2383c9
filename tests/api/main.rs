//! The API contract: what a client may rely on, as cases that run against a Kubernetes API server.
//!
//! A case knows nothing but a `kube::Client` and a namespace of its own, so the same cases hold for the embedded API
//! (`embedded::…`) and for a real kube-apiserver (`cluster::…`, ignored where its binaries are missing; `KUBEBUILDER_ASSETS`
//! says where they are). Those that need something only the embedded one can give, such as a watch window of a few
//! events, are in `embedded.rs`.

mod cases;
mod cluster;
#[path = "../support/control_plane/mod.rs"]
#[allow(dead_code, reason = "each of those who include it uses a part")]
mod control_plane;
mod embedded;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use cluster::Cluster;
use control_plane::Binaries;

/// Cases that a kube-apiserver passes only over an etcd that tells how far a watch has come.
const NEEDS_PROGRESS: [&str; 4] = [
    "watches::a_watch_begins_with_what_is_there",
    "watches::a_list_can_be_streamed",
    "watches::a_long_list_can_be_streamed",
    "clients::a_streaming_watcher_sees_what_happens",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let contract = cases::all().into_iter().map(|case| {
        let run = case.run;
        Trial::test(format!("embedded::{}", case.name), move || {
            block_on(async move { run(Cluster::embedded().await).await });
            Ok(())
        })
    });
    let missing = !Binaries::find().is_some_and(|binaries| binaries.have_controllers());
    let progress = Binaries::find().is_some_and(|binaries| binaries.etcd_tells_progress());
    let real = cases::all().into_iter().map(|case| {
        let run = case.run;
        let trial = Trial::test(format!("cluster::{}", case.name), move || {
            Cluster::await_real();
            block_on(async move { run(Cluster::real().await).await });
            Ok(())
        });
        // What the embedded API does on purpose, and what an old etcd lacks.
        let own = case.name == "fields::those_that_nobody_knows_survive";
        let lacks = NEEDS_PROGRESS.contains(&case.name) && !progress;
        trial.with_ignored_flag(missing || own || lacks)
    });
    let own = embedded::all().into_iter().map(|case| {
        let run = case.run;
        Trial::test(format!("embedded::{}", case.name), move || {
            block_on(run());
            Ok(())
        })
    });
    let all = contract.chain(real).chain(own);
    libtest_mimic::run(&arguments, all.collect()).exit_code()
}

/// Runs a case on a runtime of its own, with time enough for a slow machine and an end for one that hangs.
fn block_on(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime for the case");
    let limit = std::time::Duration::from_mins(1);
    let timed = runtime.block_on(async { tokio::time::timeout(limit, case).await });
    timed.expect("the case ends within a minute");
}
