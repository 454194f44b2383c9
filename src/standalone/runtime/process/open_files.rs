//! How many files may be open: as many as this machine lets us have, while the processes of pods get what they would have
//! had without us. A program that uses `select` breaks with a limit beyond 1,024, so nobody is to have a higher one who
//! has not asked for it; Go's runtime does the same.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
