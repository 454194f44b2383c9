//! Runs none of whose pods can start (`pending-deadline`).

use crate::cronjob::{CronJob, JobRef, Run};
use crate::policy::situation::{Decision, Deletion};
use crate::policy::{Note, Ruling};
use crate::schedule::Timestamp;

/// What was seen of a run's pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pods {
    /// The UID of the Job.
    pub job: String,
    /// How they are.
    pub state: PodsState,
}

/// How the pods of a run are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodsState {
    /// Some of them started, were it only to fail.
    Began,
    /// None has, for this reason.
    Kept(String),
    /// Nobody lets us look, for this reason.
    Hidden(String),
}

/// Ends the runs that have waited too long. Why they wait is looked up before, for an event that says only that nothing
/// happened helps nobody; and a pod that started and crashed shows there only. So where they can't be seen, nothing is ended.
pub(super) fn end_those_that_wait(decision: &mut Decision, cronjob: &CronJob, runs: &[Run], now: Timestamp) {
    let Some(deadline) = cronjob.spec.policies.pending_deadline else {
        return;
    };
    let active = decision.status.active_uids();
    decision
        .memory
        .pods
        .retain(|pods| active.contains(pods.job.as_str()));
    let waits =
        |run: &&Run| run.is_active() && !run.began && !run.deleting && active.contains(run.uid.as_str());
    let waiting: Vec<&Run> = runs.iter().filter(waits).collect();
    for run in waiting {
        let Some(over) = run
            .started
            .and_then(|started| started.checked_add_signed(deadline))
        else {
            continue;
        };
        if over > now {
            decision.wake = decision.wake.into_iter().chain([over]).min();
            continue;
        }
        let seen = decision.memory.pods.iter().find(|pods| pods.job == run.uid);
        let ruling = match seen.map(|pods| &pods.state) {
            None => {
                decision.look_at.push(JobRef::from(run));
                continue;
            }
            Some(PodsState::Began) => continue,
            Some(PodsState::Kept(why)) => {
                let why = why.clone();
                decision.stop.push(Deletion::from(run));
                // Should it not be ended, a pod may have started by the next time.
                decision.memory.pods.retain(|pods| pods.job != run.uid);
                Ruling::NeverStarted {
                    job: run.name.clone(),
                    within: deadline,
                    why,
                }
            }
            Some(PodsState::Hidden(why)) => Ruling::PodsHidden {
                job: run.name.clone(),
                within: deadline,
                why: why.clone(),
            },
        };
        decision.notes.push(Note::Ruled(ruling));
    }
}
