//! Against real components that a user has: where one is missing, its cases show as ignored.

mod browser;
mod containers;
#[path = "../support/deadline.rs"]
mod deadline;
#[path = "../support/embedded.rs"]
mod embedded;
mod image;
mod kubectl;
// Shared with `tests/jobs`, which uses all of it.
#[allow(dead_code, reason = "each suite uses its part of the machine")]
#[path = "../jobs/machine.rs"]
mod machine;
#[path = "../support/podman.rs"]
mod podman;
#[allow(dead_code, reason = "each suite uses its part of it")]
#[path = "../support/process.rs"]
mod process;
mod prometheus;
mod redis;
#[path = "../support/request.rs"]
mod request;
mod systemd;
mod up;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};

/// Long enough that only a case that hangs takes it.
const LIMIT: Duration = Duration::from_mins(2);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let queue = Trial::test("redis::a_work_queue", || {
        block_on(redis::a_work_queue());
        Ok(())
    });
    let has_redis = ["redis-server", "redis-cli"].into_iter().all(is_there);
    let logs = Trial::test("kubectl::logs", || {
        block_on(kubectl::logs());
        Ok(())
    });
    let panels = Trial::test("prometheus::every_panel_has_data", || {
        block_on(prometheus::every_panel_has_data());
        Ok(())
    });
    let pods = Trial::test("containers::pods_run_as_containers", || {
        block_on(containers::pods_run_as_containers());
        Ok(())
    });
    let orphans = Trial::test("containers::of_pods_that_nobody_knows_are_removed", || {
        block_on(containers::of_pods_that_nobody_knows_are_removed());
        Ok(())
    });
    let ephemeral = Trial::test("containers::of_an_ephemeral_up_go_with_it", || {
        block_on(containers::of_an_ephemeral_up_go_with_it());
        Ok(())
    });
    let outages = Trial::test("containers::go_on_while_their_engine_is_gone", || {
        block_on(containers::go_on_while_their_engine_is_gone());
        Ok(())
    });
    let has_podman = ["podman", "runc"].into_iter().all(is_there)
        && ["/bin/busybox", "/usr/bin/busybox"]
            .into_iter()
            .any(|path| Path::new(path).exists());
    let image = Trial::test("image::it_runs_without_rights_and_stops_when_told", || {
        block_on(image::it_runs_without_rights_and_stops_when_told());
        Ok(())
    });
    let unit = Trial::test("systemd::the_unit_is_valid", || {
        systemd::the_unit_is_valid();
        Ok(())
    });
    let mut cases = vec![
        unit.with_ignored_flag(!is_there(systemd::PROGRAM)),
        image.with_ignored_flag(!["podman", "runc", "ldd"].into_iter().all(is_there)),
        pods.with_ignored_flag(!has_podman),
        orphans.with_ignored_flag(!has_podman),
        ephemeral.with_ignored_flag(!has_podman),
        outages.with_ignored_flag(!has_podman),
        panels.with_ignored_flag(!is_there("prometheus")),
        queue.with_ignored_flag(!has_redis),
        logs.with_ignored_flag(!kubectl::is_there()),
    ];
    cases.extend(browser::trials(is_there(browser::PROGRAM)));
    libtest_mimic::run(&arguments, cases).exit_code()
}

/// Whether a program can be started here.
fn is_there(program: &str) -> bool {
    let asked = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn block_on(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the case");
    let timed = runtime.block_on(async { tokio::time::timeout(LIMIT, case).await });
    timed.expect("the case ends in time");
}
