//! Open files: how many there may be, and that they stay with us.
//!
//! There may be as many as this machine lets us have, while the processes of pods get what they would have had without us.
//! A program that uses `select` breaks with a limit beyond 1,024, so nobody is to have a higher one who has not asked for
//! it; Go's runtime does the same.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The descriptor after those of standard input, output and errors.
const FIRST_BEYOND_STANDARD: i32 = 3;

/// The limit that we were started with; a process has one, so this is kept for the process.
static BEFORE: OnceLock<Option<u64>> = OnceLock::new();

/// Raises the limit of this process to the highest that it may have. It stays as it is where that is refused.
pub fn raise() {
    let _once = BEFORE.get_or_init(|| {
        let limit = getrlimit(Resource::Nofile);
        let highest = Rlimit {
            current: limit.maximum,
            ..limit
        };
        let is_raised = limit != highest && setrlimit(Resource::Nofile, highest).is_ok();
        limit.current.filter(|_| is_raised)
    });
}

/// Keeps what we were started with, beyond standard input and output, from all that we start: as in a container, nobody
/// there knows of it, and what outlives us would hold on to it, e.g. to the lock of `flock 9; punctual up`. What we open
/// ourselves is kept from the first moment.
pub fn keep() {
    close_fds::set_fds_cloexec(FIRST_BEYOND_STANDARD, &[]);
}

/// What the limit was before it was raised; nothing, when it was not.
pub(super) fn before() -> Option<u64> {
    BEFORE.get().copied().flatten()
}

/// Takes the limit of this process, and of what it starts, back.
pub(super) fn take_back(before: u64) {
    let limit = getrlimit(Resource::Nofile);
    let lower = Rlimit {
        current: Some(before),
        ..limit
    };
    // It is lower than what is had, so nothing forbids it.
    let _lowered = setrlimit(Resource::Nofile, lower);
}
