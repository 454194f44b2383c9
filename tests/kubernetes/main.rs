//! `punctual controller` as people have it: the binary, a kubeconfig, TLS, a real kube-apiserver, and beside it
//! Kubernetes' own controllers.
//!
//! | file | what is tried |
//! |---|---|
//! | `specs` | what Kubernetes' own specification of CronJobs asks for, on the real server and on the embedded one |
//! | `beside` | the built-in CronJob controller at the same time |
//! | `leadership` | replicas that are killed or stopped |
//! | `backfill` | instants of the past, by somebody with few rights |
//! | `trouble` | a namespace that gets no Job |
//! | `install` | what the chart renders, as who it runs, and what its admission policy refuses |
//! | `lint` | what `punctual lint` calls an error is what the server refuses |
//! | `stress` | leaders killed at random under load, for `STRESS_SECONDS` |
//!
//! Where the binaries are missing the cases show as ignored; `KUBEBUILDER_ASSETS` says where they are.

mod backfill;
mod beside;
#[path = "../support/control_plane/mod.rs"]
#[allow(dead_code, reason = "each of those who include it uses a part")]
mod control_plane;
#[path = "../support/embedded.rs"]
mod embedded;
#[path = "../support/flips.rs"]
mod flips;
mod install;
mod leadership;
mod lint;
#[path = "../support/request.rs"]
mod request;
mod specs;
mod stress;
mod trouble;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Trial};

use control_plane::Binaries;
use world::World;

/// A case, and its name.
type Case = (&'static str, fn(World) -> BoxFuture<'static, ()>);

/// Names functions of a module as cases.
macro_rules! cases {
    ($($module:ident::$case:ident)*) => {
        [$((concat!(stringify!($module), "::", stringify!($case)), |world| Box::pin($module::$case(world)))),*]
    };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let binaries = Binaries::find();
    let no_server = binaries.is_none();
    let no_controllers = !binaries.is_some_and(|binaries| binaries.have_controllers());
    let specs: [Case; 11] = cases! {
        specs::jobs_run_concurrently_where_that_is_allowed
        specs::a_suspended_cronjob_starts_nothing
        specs::forbid_starts_no_second_job
        specs::replace_puts_a_new_job_in_place_of_the_old
        specs::one_job_is_started_after_more_than_a_hundred_missed
        specs::nothing_unexpected_is_warned_of
        specs::a_job_carries_its_scheduled_time
        specs::a_deleted_job_leaves_the_active_list
        specs::of_successful_jobs_one_is_kept
        specs::of_failed_jobs_one_is_kept
        specs::a_time_zone_that_does_not_exist_is_refused
    };
    let alone: [Case; 11] = cases! {
        backfill::its_rights_are_enough
        leadership::a_leader_that_is_killed_loses_no_run
        leadership::a_leader_that_is_stopped_hands_over_at_once
        trouble::a_webhook_that_hangs_holds_up_its_namespace_only
        trouble::a_webhook_that_hangs_and_is_ignored_stops_nothing
        trouble::a_full_quota_holds_up_its_namespace_only
        trouble::what_a_template_says_reaches_the_job
        trouble::a_second_signal_insists
        trouble::a_request_that_hangs_does_not_hold_up_the_end
        trouble::a_schedule_of_minutes_runs_at_the_minute
        lint::errors_are_what_the_server_refuses
    };
    let beside: [Case; 5] = cases! {
        beside::those_handed_over_are_ours_alone
        beside::a_shadow_writes_nothing_and_tells_the_difference
        beside::two_in_charge_are_told_of
        beside::two_in_charge_start_nothing_twice
        beside::moving_there_and_back_loses_and_doubles_nothing
    };
    let install: [Case; 5] = cases! {
        install::what_is_rendered_is_accepted
        install::every_value_is_accepted_when_it_is_another
        install::its_rights_are_enough_and_no_more
        install::the_admission_policy_refuses_what_is_malformed
        install::the_admission_policy_refuses_nothing_for_what_was_there_before
    };
    let switching: [Case; 1] = cases! { beside::replacing_it_and_going_back_loses_and_doubles_nothing };
    let stress: [Case; 1] = cases! { stress::leaders_die_under_load };
    let mut trials = Vec::new();
    trials.extend(specs.map(|case| trial("embedded", case, false, || Box::pin(World::embedded()))));
    let real = specs.into_iter().chain(alone);
    trials.extend(real.map(|case| trial("cluster", case, no_server, || Box::pin(World::real()))));
    trials.extend(beside.map(|case| {
        trial("cluster", case, no_controllers, || {
            Box::pin(World::beside_built_in())
        })
    }));
    trials.extend(switching.map(|case| {
        trial("cluster", case, no_controllers, || {
            Box::pin(World::with_controllers_of_its_own())
        })
    }));
    let no_chart = no_server || !install::helm_is_there();
    trials.extend(install.map(|case| trial("cluster", case, no_chart, || Box::pin(World::installed()))));
    let no_stress = no_server || stress::seconds().is_none();
    trials.extend(stress.map(|case| trial("cluster", case, no_stress, || Box::pin(World::real()))));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case on a server, on a runtime of its own, with an end for one that hangs.
fn trial(server: &str, (name, run): Case, ignored: bool, world: fn() -> BoxFuture<'static, World>) -> Trial {
    let trial = Trial::test(format!("{server}::{name}"), move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        let limit = Duration::from_secs(480 + stress::seconds().unwrap_or(0));
        let case = async move { tokio::time::timeout(limit, run(world().await)).await };
        let timed = runtime.expect("a runtime for the case").block_on(case);
        timed.map_err(|_| "it does not end".into())
    });
    trial.with_ignored_flag(ignored)
}
