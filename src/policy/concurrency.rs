//! What a due run does while others are active: `spec.concurrencyPolicy`, `overlap` and `max-active`.

use crate::cronjob::extension::Overlap;
use crate::cronjob::{Concurrency, CronJob, Run, Spec, Status};
use crate::policy::group::Group;
use crate::policy::note::WaitReason;
use crate::policy::situation::{Decision, Deletion};
use crate::schedule::Timestamp;

/// Whether a due run may start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes, once these active runs have been deleted.
    Start { replacing: Vec<Deletion> },
    /// Not while these are active.
    Wait { behind: Vec<String>, why: WaitReason },
    /// Not before these are gone, with their pods; those that are not on their way yet are to be stopped.
    Stop {
        stopping: Vec<Deletion>,
        behind: Vec<String>,
    },
}

impl Admission {
    pub(super) fn is_start(&self) -> bool {
        matches!(self, Admission::Start { .. })
    }
}

impl Admission {
    /// The same, unless the group of the CronJob has no slot left for an instant. Runs that it replaces give theirs back.
    pub(super) fn unless_full(
        self,
        group: &Group,
        cronjob: &CronJob,
        decision: &mut Decision,
        instant: Timestamp,
    ) -> Admission {
        let (Some(membership), Admission::Start { replacing }) = (&cronjob.spec.policies.group, &self) else {
            return self;
        };
        group.report(decision, membership);
        let own = decision.status.active.len().saturating_sub(replacing.len());
        match group.admit(&cronjob.key.name, membership, own, instant) {
            Ok(()) => self,
            Err(why) => {
                let takers = group.takers_beside(&cronjob.key.name);
                let own = decision.status.active.iter().map(|job| job.name.clone());
                Admission::Wait {
                    behind: takers.into_iter().chain(own).collect(),
                    why,
                }
            }
        }
    }
}

/// Judges by the runs that the status records as active: runs that a person started are not among them.
///
/// As in Kubernetes, `Forbid` delays rather than skips: the instant stays due, and the newest one starts as soon
/// as the active run has ended. `Replace` does not wait for the old pods to be gone.
pub(super) fn admit(spec: &Spec, status: &Status, runs: &[Run]) -> Admission {
    match (spec.policies.overlap, spec.concurrency) {
        (Some(Overlap::ReplaceWhenStopped), _) => stop_first(status, runs),
        (None, Concurrency::Replace) => {
            let active = status.active_uids();
            let replaced = runs.iter().filter(|run| active.contains(run.uid.as_str()));
            Admission::Start {
                replacing: replaced.map(Deletion::from).collect(),
            }
        }
        (overlap, concurrency) => {
            if places(spec).is_none_or(|places| status.active.len() < places) {
                return Admission::Start { replacing: vec![] };
            }
            Admission::Wait {
                behind: status.active.iter().map(|job| job.name.clone()).collect(),
                why: match (overlap, concurrency) {
                    (None, Concurrency::Forbid) => WaitReason::Forbid,
                    _ => WaitReason::MaxActive(status.active.len()),
                },
            }
        }
    }
}

/// Which of the instants that wait are started at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Succession {
    /// Each in its turn.
    Everyone,
    /// Of those that were not missed, the newest, as in Kubernetes.
    NewestOfPrompt,
    /// The newest, for it replaces the others.
    Newest,
}

/// Which of the instants that wait are started at all.
pub(super) fn succession(spec: &Spec) -> Succession {
    match (spec.policies.overlap, spec.concurrency) {
        (Some(Overlap::ReplaceWhenStopped), _) | (None, Concurrency::Replace) => Succession::Newest,
        (Some(Overlap::Queue | Overlap::Skip), _) => Succession::Everyone,
        (None, Concurrency::Allow | Concurrency::Forbid) => Succession::NewestOfPrompt,
    }
}

/// How many runs may be active at once; none for any number.
pub(super) fn places(spec: &Spec) -> Option<usize> {
    let asked = spec.policies.max_active;
    match (spec.policies.overlap, spec.concurrency) {
        (None, Concurrency::Allow) => asked,
        (Some(Overlap::Queue), _) => asked.or(Some(1)),
        _ => Some(1),
    }
}

/// A Job that is being deleted in the foreground stays until its pods are gone, so until then it is there to be seen.
fn stop_first(status: &Status, runs: &[Run]) -> Admission {
    let active = status.active_uids();
    let in_the_way = runs.iter().filter(|run| run.is_in_the_way());
    let there: Vec<&Run> = in_the_way
        .filter(|run| run.deleting || active.contains(run.uid.as_str()))
        .collect();
    if there.is_empty() {
        return Admission::Start { replacing: vec![] };
    }
    let running = there.iter().filter(|run| !run.deleting);
    Admission::Stop {
        stopping: running.map(|run| Deletion::from(*run)).collect(),
        behind: there.iter().map(|run| run.name.clone()).collect(),
    }
}
