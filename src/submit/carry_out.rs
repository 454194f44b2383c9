//! The requests of one decision, in their order.

use std::time::Duration;

use kube::api::PropagationPolicy;
use kube::core::DynamicObject;

use crate::cronjob::{JobRef, Status};
use crate::manifest::CronJob;
use crate::policy::{
    Decision, Deletion, DeletionOutcome, DeletionResult, Note, Start, StartResult, settle, settle_deletions,
};
use crate::submit::delete::Deleted;
use crate::submit::job::job_for;
use crate::submit::lanes::LONGEST_WAIT;
use crate::submit::requests::{CreateAnswer, FIELD_MANAGER, Requests, StatusAnswer};
use crate::submit::submitter::{Overtaken, Submitter};
use crate::submit::trouble::Trouble;
use crate::submit::view::JobView;

/// How often a status write is repeated on a CronJob that somebody else keeps changing, before the decision is taken
/// anew.
const STATUS_ATTEMPTS: usize = 3;

/// What came of a decision, for the caches and for telling.
#[derive(Debug, Default)]
pub struct Carried {
    /// The CronJob after the status write, if there was one.
    pub cronjob: Option<CronJob>,
    /// The CronJob as somebody else has changed it meanwhile, so that the status could not be written.
    pub outrun_by: Option<CronJob>,
    /// The CronJob is not there any more, whatever the watch shows.
    pub gone: bool,
    /// The Job that was created, or found under the run's name.
    pub job: Option<JobView>,
    /// The UIDs of the Jobs that were deleted.
    pub deleted: Vec<String>,
    /// What has become of the runs is recorded, so that Jobs of the history may go.
    pub recorded: bool,
    /// What was told at once, when the run had started, and is to be recorded.
    pub told: Vec<Note>,
    /// What else there is to say about it.
    pub notes: Vec<Note>,
    /// Why it has to be tried again, if something failed.
    pub trouble: Option<Trouble>,
}

impl Carried {
    /// The status could not be written, for this reason.
    fn not_recorded(&mut self, why: &Trouble) {
        let message = format!("the status could not be written: {}", why.message);
        let retry = why.retry;
        self.trouble.get_or_insert(Trouble { message, retry });
    }

    /// Deletes Jobs, one after the other.
    async fn delete(
        &mut self,
        requests: &Requests,
        deletions: &[Deletion],
        propagation: PropagationPolicy,
    ) -> Vec<DeletionResult> {
        let deleted = Deleted::all(requests, deletions, propagation).await;
        self.deleted.extend(deleted.uids);
        if let Some(trouble) = deleted.trouble {
            self.trouble.get_or_insert(trouble);
        }
        deleted.results
    }
}

impl Submitter {
    /// Carries out `decision`, which was made on `cronjob`.
    ///
    /// The run starts first, because it is due, and ahead of everything that is to be recorded of others. Then the status
    /// is written. What the history has no room for is deleted later ([`Submitter::prune`]): until it is recorded how a run
    /// ended, its Job is all that knows. A crash between any two of these is made good by the next decision: the run is
    /// found by its name. A start that waited until the decision was overtaken is not sent any more. What there is to say
    /// of one is told at once, for the run may say something itself soon.
    pub async fn carry_out(
        &self,
        cronjob: &CronJob,
        decision: &Decision,
        overtaken: &Overtaken,
        tell_at_once: &(dyn Fn(&[Note]) + Sync),
    ) -> Box<Carried> {
        let namespace = cronjob.metadata.namespace.as_deref().unwrap_or_default();
        let requests = Requests::new(&self.client, namespace);
        let mut carried = Box::<Carried>::default();
        let mut results = vec![];
        let mut started = None;
        if let Some(start) = &decision.start {
            let (requests, carried) = (&requests, &mut carried);
            let work = self.lanes.start(namespace, move || async move {
                if overtaken.is_set() {
                    // Whatever overtook it has it decided again.
                    return (vec![], None);
                }
                if start.deadline.is_some_and(|by| self.clock.now() >= by) {
                    // The next decision reports it as missed.
                    carried.trouble = Some(Trouble::passing("its turn came after its starting deadline"));
                    return (vec![], None);
                }
                let (results, result) = self
                    .replace_and_start(requests, cronjob, &decision.replace, start, carried)
                    .await;
                (results, Some(result))
            });
            (results, started) = work.await;
        }
        let has_started = matches!(started, Some(StartResult::Started { .. }));
        let (status, notes) = settle(decision, &results, started);
        if has_started {
            tell_at_once(&notes);
            carried.told = notes;
        } else {
            carried.notes = notes;
        }
        if decision.stop.is_empty() && status == cronjob.recorded_status() {
            carried.recorded = true;
            return carried;
        }
        let longest_wait = self.time_to_record(decision);
        let work = || stop_and_record(&requests, cronjob, decision, status, &mut carried);
        self.lanes.record(namespace, longest_wait, work).await;
        carried
    }

    /// How long the record of a decision may wait for starts: while it does, nothing else is decided about its CronJob, so
    /// it ends well before that is due again.
    fn time_to_record(&self, decision: &Decision) -> Duration {
        let until_due = decision.wake.map(|wake| wake - self.clock.now());
        let until_due = until_due.map(|left| left.to_std().unwrap_or_default());
        until_due.map_or(LONGEST_WAIT, |left| left / 2)
    }

    /// The start, after the deletions that it waits for.
    async fn replace_and_start(
        &self,
        requests: &Requests,
        cronjob: &CronJob,
        replace: &[Deletion],
        start: &Start,
        carried: &mut Carried,
    ) -> (Vec<DeletionResult>, StartResult) {
        let results = carried
            .delete(requests, replace, PropagationPolicy::Background)
            .await;
        if carried.trouble.is_some() {
            let result = not_replaced(&results);
            return (results, result);
        }
        let job = job_for(cronjob, start, &self.zones);
        let owner = cronjob.metadata.uid.as_deref().unwrap_or_default();
        let result = self.start(requests, &job, owner, carried).await;
        (results, result)
    }

    async fn start(
        &self,
        requests: &Requests,
        job: &DynamicObject,
        owner: &str,
        carried: &mut Carried,
    ) -> StartResult {
        match requests.create(job, owner, FIELD_MANAGER).await {
            CreateAnswer::Created(job) => {
                let at = self.clock.now();
                let reference = JobRef::from(&job.run());
                carried.job = Some(job);
                StartResult::Started { job: reference, at }
            }
            CreateAnswer::Existed(job) => {
                let run = job.run();
                carried.job = Some(job);
                let active = run.is_active().then(|| JobRef::from(&run));
                StartResult::AlreadyStarted { active }
            }
            CreateAnswer::Taken => StartResult::NameTaken,
            CreateAnswer::Refused(trouble) => {
                let error = trouble.message.clone();
                let terminating = trouble.is_namespace_terminating();
                carried.trouble = Some(trouble);
                if terminating {
                    StartResult::NamespaceTerminating
                } else {
                    StartResult::Failed { error }
                }
            }
        }
    }
}

/// Ends what is to be replaced later, and writes the status.
async fn stop_and_record(
    requests: &Requests,
    cronjob: &CronJob,
    decision: &Decision,
    mut status: Status,
    carried: &mut Carried,
) {
    let stopped = carried.delete(requests, &decision.stop, PropagationPolicy::Foreground);
    let stopped = settle_deletions(&mut status, &stopped.await);
    carried.notes.extend(stopped);
    carried.recorded = record(requests, cronjob, &status, carried).await;
}

/// Writes the status if it changed, and returns whether it is recorded. When somebody changed the CronJob meanwhile but
/// left the status alone, ours still holds; otherwise the decision has to be taken anew.
async fn record(requests: &Requests, cronjob: &CronJob, status: &Status, carried: &mut Carried) -> bool {
    let before = cronjob.recorded_status();
    if *status == before {
        return true;
    }
    let mut current = cronjob.clone();
    for _ in 0..STATUS_ATTEMPTS {
        match requests.write_status(&current, status).await {
            Ok(StatusAnswer::Written(written)) => {
                carried.cronjob = Some(*written);
                return true;
            }
            Ok(StatusAnswer::Gone) => {
                carried.gone = true;
                return false;
            }
            Ok(StatusAnswer::Conflict) => {}
            Err(trouble) => {
                carried.not_recorded(&trouble);
                return false;
            }
        }
        let name = cronjob.metadata.name.as_deref().unwrap_or_default();
        match requests.cronjob(name).await {
            Ok(Some(fresh)) if fresh.metadata.uid == cronjob.metadata.uid => {
                let status_changed = fresh.recorded_status() != before;
                current = fresh;
                if status_changed {
                    break;
                }
            }
            Ok(_) => {
                carried.gone = true;
                return false;
            }
            Err(trouble) => {
                carried.not_recorded(&trouble);
                return false;
            }
        }
    }
    carried.outrun_by = Some(current);
    carried.not_recorded(&Trouble::passing("the CronJob keeps changing"));
    false
}

/// The result of a start that waits for the deletion of an active Job, which failed.
fn not_replaced(deletions: &[DeletionResult]) -> StartResult {
    let failed = deletions.iter().find_map(|result| match &result.outcome {
        DeletionOutcome::Refused(error) => Some((result.deletion.name.as_str(), error.as_str())),
        _ => None,
    });
    let (job, error) = failed.unwrap_or_default();
    StartResult::Failed {
        error: format!("the active job {job} could not be replaced: {error}"),
    }
}
