//! The supervisor of an attempt: a small process of its own, this same program, that outlives `punctual`.
//!
//! It is detached (a session of its own), starts the container's process, keeps what that writes in the log and its
//! end in a file, passes orders on, and goes. `punctual` may be killed meanwhile: whoever comes after finds the attempt
//! by its folder, `pods/<uid>/<container>.<number>.attempt/`:
//!
//! | file | what it is |
//! |---|---|
//! | `state` | what has happened, a JSON record a line ([`record`]); locked for as long as the supervisor lives |
//! | `socket` | where a later `punctual` connects |
//!
//! A connection (the first one is the supervisor's standard input) carries orders in, and out a byte whenever there is
//! something new to read in `state` or in the log. Another byte says that the end is recorded; the supervisor goes when the
//! connection is closed then, and soon in any case. One that can't begin says why, in words, and goes.
//!
//! What follows is in two programs. The first four files are of `punctual`, the next four of the supervisor, and both
//! know the rest:
//!
//! | file | one idea |
//! |---|---|
//! | `engine` | starts attempts, and finds those that were started before |
//! | `supervisors` | starts supervisors, many of them before they are needed |
//! | `passage` | the way of another user to what its pod has for it |
//! | `ending` | how an attempt has ended whose supervisor is gone |
//! | `run` | what a supervisor does, from its commission to its end |
//! | `workplace` | the files that a supervisor works with |
//! | `hub` | what its tasks share: orders come in, news goes out |
//! | `leftovers` | ends what a container's process leaves behind |
//! | `commission` | what a supervisor is asked to do |
//! | `connection` | orders to a supervisor, and news of it |
//! | `record` | what has happened to an attempt |
//!
//! An attempt is never started twice: a supervisor takes the lock of `state`, and goes on only when nothing is written
//! there and whoever asked lives: one who comes late could not know what the next one has made of it. The record that it
//! is about to start comes before the start. Neither is forced to the disk, so after a power loss in the milliseconds
//! before the API has recorded the start, an attempt may be taken for one that never was.

mod commission;
mod connection;
mod ending;
mod engine;
mod hub;
mod leftovers;
mod passage;
mod record;
mod run;
mod supervisors;
mod workplace;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::ExitCode;

pub(in crate::standalone::runtime) use connection::end_attempts;
pub(in crate::standalone::runtime) use engine::{ID_PREFIX, ProcessEngine};
pub(in crate::standalone::runtime) use leftovers::Session;
pub(in crate::standalone::runtime) use record::{boot, runs};

use super::super::start_error::StartError;
use crate::telemetry::chain;

/// The hidden command.
pub(super) const COMMAND: &str = "supervise";

/// The name of the process, as `ps` shows it.
const PROCESS_NAME: &str = "punctual-pod";

/// Becomes a supervisor, when that is what this process was started for. To be asked before the command line is read:
/// a supervisor has no time to lose.
pub fn supervise_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let asked = arguments.next().is_some_and(|argument| argument == COMMAND);
    asked.then(|| supervise(arguments.next().as_deref().map(Path::new)))
}

/// Supervises the attempt that is asked for on standard input. Who is started before it is needed is told in which folder it
/// may prepare for it.
pub(in crate::standalone::runtime) fn supervise(ahead: Option<&Path>) -> ExitCode {
    // It fails only for the leader of a process group, which nobody makes us.
    let _detached = rustix::process::setsid();
    // What descendants leave behind comes to us, and can be ended with the container.
    let _heir = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let _named = std::fs::write("/proc/self/comm", PROCESS_NAME);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(run::run(ahead))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Whoever started it may have gone.
            let _gone = rustix::io::write(std::io::stdin(), chain(&StartError::unready(why)).as_bytes());
            ExitCode::FAILURE
        }
    }
}
