//! Whether this machine lets us have the threads that it takes to run: the asynchronous runtime panics without them, or waits
//! for ever.

use std::io;
use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

use crate::cli::exit::Failure;

/// How many there are beside the workers of the asynchronous runtime: what prints, the database, files, and one that has
/// not quite ended.
const BESIDE_WORKERS: usize = 4;

/// Tries whether there may be as many as it takes.
///
/// # Errors
///
/// When there may not.
pub(super) fn check() -> Result<(), Failure> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let count = workers + BESIDE_WORKERS;
    hold(count, thread::Builder::new).map_err(|error| Failure::from_error(&too_few(count), &error))
}

fn too_few(count: usize) -> String {
    format!(
        "the {count} threads that it takes to run can't be had; `ulimit -u`, or `LimitNPROC=` and `TasksMax=` of a service, \
         allow more"
    )
}

/// Has so many threads at one time.
fn hold(count: usize, builder: impl Fn() -> thread::Builder) -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // They end when all of them are there.
        let _closed = gate.lock();
        let wait = || drop(gate.lock());
        (0..count).try_for_each(|_| builder().spawn_scoped(scope, wait).map(drop))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than there is room for in the memory of any process.
    const STACK_BYTES: usize = 1 << 60;

    #[test]
    fn what_a_machine_does_not_let_us_have_is_an_error() {
        hold(8, thread::Builder::new).unwrap();
        hold(8, || thread::Builder::new().stack_size(STACK_BYTES)).unwrap_err();
        insta::assert_snapshot!(too_few(6), @"the 6 threads that it takes to run can't be had; `ulimit -u`, or `LimitNPROC=` and `TasksMax=` of a service, allow more");
    }
}
