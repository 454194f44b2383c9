//! `punctual up` as people have it, and what can happen to it: nothing that it has acknowledged or started is lost.
//!
//! | file | what is tried |
//! |---|---|
//! | `restarts` | what an `up` leaves behind is found by the next one |
//! | `damage` | a database that was damaged, and a folder that is taken |
//! | `ends` | a stop ends, whatever does not |
//! | `full_disk` | a disk without room; needs root, to make a small one |
//! | `others` | another user of this machine; needs root, to become one |
//! | `limits` | limits of a process; need control groups that can be written |
//! | `kills` | killed at random moments, with a ledger of what ran; for `STRESS_SECONDS` where that is set |
//! | `power` | the power fails at random moments; needs root, to mount a disk that can be copied |
//! | `writes` | clients that remember what was acknowledged |

mod damage;
#[path = "../support/deadline.rs"]
mod deadline;
mod ends;
mod full_disk;
mod kills;
mod limits;
mod machine;
mod others;
mod power;
#[allow(dead_code, reason = "each suite uses its part of it")]
#[path = "../support/process.rs"]
mod process;
mod restarts;
mod writes;

use std::process::ExitCode;
use std::time::Duration;

use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Trial};

/// A case, and its name.
type Case = (&'static str, fn() -> BoxFuture<'static, ()>);

/// Names functions of a module as cases.
macro_rules! cases {
    ($($module:ident::$case:ident)*) => {
        [$((concat!(stringify!($module), "::", stringify!($case)), || Box::pin($module::$case()))),*]
    };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let everywhere: [Case; 26] = cases! {
        restarts::running_work_goes_on_and_is_not_started_again
        restarts::running_work_goes_on_that_could_not_be_started_any_more
        restarts::a_lock_that_it_was_started_with_does_not_outlive_it
        restarts::work_that_ended_meanwhile_is_found_with_its_exit_code
        restarts::what_runs_goes_on_when_a_copy_of_its_data_folder_is_started
        restarts::a_finished_job_is_not_run_again_by_its_manifest
        restarts::a_missed_run_is_caught_up_once
        restarts::a_schedule_edited_meanwhile_is_not_due_in_the_past
        restarts::what_a_stop_interrupted_is_tried_again_at_the_next_start
        restarts::what_the_manifests_do_not_name_is_kept_and_shown
        restarts::a_cordoned_node_starts_nothing_before_and_after_a_restart
        damage::a_damaged_database_is_kept_and_nothing_starts
        damage::what_runs_of_a_lost_database_is_ended
        damage::an_ephemeral_one_leaves_nothing
        ends::a_pod_whose_engine_is_gone_is_left_and_found_again
        ends::an_engine_that_goes_away_is_named_with_the_way_to_have_it_back
        ends::an_engine_that_never_answers_does_not_hold_a_stop_up
        ends::a_process_that_ignores_sigterm_is_killed
        ends::a_client_that_watches_is_sent_away
        ends::it_can_be_interrupted_before_anything_runs
        ends::supervisors_that_wait_end_with_who_is_killed
        ends::a_reader_who_does_not_read_does_not_hold_a_stop_up
        kills::nothing_is_lost_or_doubled_whenever_it_is_killed
        limits::processes_have_the_limit_of_open_files_that_punctual_was_started_with
        limits::a_limit_of_file_sizes_is_told_and_nothing_acknowledged_is_lost
        limits::a_start_that_there_is_no_room_for_waits_and_is_told
    };
    let with_a_small_disk: [Case; 9] = cases! {
        full_disk::a_disk_that_takes_nothing_is_told_once
        full_disk::a_log_that_finds_no_room_says_so
        full_disk::a_process_waits_for_room_to_start
        full_disk::what_is_there_already_needs_no_room
        full_disk::what_could_not_be_started_is_told_counted_and_caught_up
        full_disk::what_could_not_be_started_starts_when_there_is_room
        full_disk::what_is_deleted_makes_room_on_a_full_disk
        full_disk::work_goes_on_when_logs_have_filled_the_disk
        full_disk::a_full_disk_is_reported_and_nothing_acknowledged_is_lost
    };
    let mut trials: Vec<Trial> = everywhere.map(|case| trial(case, false)).into();
    let with_a_disk_of_its_own: [Case; 1] = cases! {
        power::what_was_acknowledged_outlives_a_power_failure
    };
    let with_control_groups: [Case; 2] = cases! {
        limits::what_takes_too_much_memory_is_ended_and_says_so
        limits::what_stays_within_its_limits_is_left_alone
    };
    let with_others: [Case; 2] = cases! {
        others::another_user_reads_nothing_and_orders_nothing
        others::a_pod_runs_as_the_user_it_asks_for
    };
    let with_a_terminal: [Case; 1] = cases! {
        ends::a_terminal_that_is_closed_is_a_stop
    };
    let no_hangups = !ends::hangups_are_heard();
    trials.extend(with_a_terminal.map(|case| trial(case, no_hangups)));
    let no_others = !others::can_be_played();
    trials.extend(with_others.map(|case| trial(case, no_others)));
    let no_groups = !limits::hold();
    trials.extend(with_control_groups.map(|case| trial(case, no_groups)));
    let no_disk = !full_disk::can_be_made();
    trials.extend(with_a_small_disk.map(|case| trial(case, no_disk)));
    let no_image = !power::disk_can_be_made();
    trials.extend(with_a_disk_of_its_own.map(|case| trial(case, no_image)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case on a runtime of its own, with an end for one that hangs.
fn trial((name, run): Case, ignored: bool) -> Trial {
    let trial = Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        let limit = Duration::from_mins(3) + kills::duration();
        let case = async move { tokio::time::timeout(limit, run()).await };
        let timed = runtime.expect("a runtime for the case").block_on(case);
        timed.map_err(|_| "it does not end".into())
    });
    trial.with_ignored_flag(ignored)
}
