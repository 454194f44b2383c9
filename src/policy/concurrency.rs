//! What a due run does while another is active (`spec.concurrencyPolicy`).

use crate::cronjob::{Concurrency, Run, Status};
use crate::policy::situation::Deletion;

/// Whether a due run may start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes, once these active runs have been deleted.
    Start { replacing: Vec<Deletion> },
    /// Not while these are active.
    Wait { behind: Vec<String> },
}

/// Judges by the runs that the status records as active: runs that a person started are not among them.
///
/// As in Kubernetes, `Forbid` delays rather than skips: the instant stays due, and the newest one starts as soon
/// as the active run has ended. `Replace` does not wait for the old pods to be gone.
pub(super) fn admit(concurrency: Concurrency, status: &Status, runs: &[Run]) -> Admission {
    match concurrency {
        Concurrency::Forbid if !status.active.is_empty() => Admission::Wait {
            behind: status.active.iter().map(|job| job.name.clone()).collect(),
        },
        Concurrency::Replace => {
            let active = runs.iter().filter(|run| status.is_active(&run.uid));
            Admission::Start {
                replacing: active.map(Deletion::from).collect(),
            }
        }
        Concurrency::Allow | Concurrency::Forbid => Admission::Start { replacing: vec![] },
    }
}
