//! The requests of one decision, in their order.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::Client;
use kube::api::PropagationPolicy;
use kube::core::DynamicObject;
use tokio::time::Instant;

use crate::clock::SharedClock;
use crate::cronjob::{JobRef, Status};
use crate::manifest::CronJob;
use crate::policy::{
    Decision, Deletion, DeletionOutcome, DeletionResult, Note, Pods, PodsState, Start, StartResult, settle,
    settle_deletions, tell_pruned,
};
use crate::schedule::TimeZones;
use crate::submit::job::job_for;
use crate::submit::lanes::{LONGEST_WAIT, Lanes};
use crate::submit::pods;
use crate::submit::requests::{CreateAnswer, FIELD_MANAGER, PodsAnswer, Requests, StatusAnswer};
use crate::submit::trouble::Trouble;
use crate::submit::view::JobView;

/// How often a status write is repeated on a CronJob that somebody else keeps changing, before the decision is taken
/// anew.
const STATUS_ATTEMPTS: usize = 3;

/// For how long Jobs are deleted that the history has no room for, one after the other, before the CronJob is decided on again.
/// It is enough for a few hundred, and when each takes long something may become due meanwhile.
const PRUNING_TIME: Duration = Duration::from_secs(1);

/// Carries decisions out through a `kube::Client`. It is the only writer.
#[derive(Clone)]
pub struct Submitter {
    client: Client,
    clock: SharedClock,
    zones: Arc<TimeZones>,
    lanes: Lanes,
}

/// Whether a decision has been overtaken: what it was made on has changed since. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Overtaken(Arc<AtomicBool>);

impl Overtaken {
    /// From now on it is.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

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
    /// There was no time to delete all of them.
    pub leaves_some: bool,
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

    /// Deletes Jobs, one after the other. What fails is noted and does not keep the others.
    async fn delete(
        &mut self,
        requests: &Requests,
        deletions: &[Deletion],
        propagation: PropagationPolicy,
    ) -> Vec<DeletionResult> {
        let mut results = Vec::new();
        for deletion in deletions {
            results.push(self.delete_one(requests, deletion, propagation.clone()).await);
        }
        results
    }

    async fn delete_one(
        &mut self,
        requests: &Requests,
        deletion: &Deletion,
        propagation: PropagationPolicy,
    ) -> DeletionResult {
        let outcome = match requests.delete(deletion, propagation).await {
            Ok(outcome) => {
                self.deleted.push(deletion.uid.clone());
                outcome
            }
            Err(trouble) => {
                let message = trouble.message.clone();
                self.trouble.get_or_insert(trouble);
                DeletionOutcome::Refused(message)
            }
        };
        let deletion = deletion.clone();
        DeletionResult { deletion, outcome }
    }

    /// Deletes what the history has no room for, as long as there is time. One that is under way when the CronJob is to be
    /// decided on again (`is_due`) is given up: what is due does not wait for it, and the next decision finds what became of it.
    async fn prune(
        &mut self,
        requests: &Requests,
        deletions: &[Deletion],
        is_due: impl Future<Output = ()>,
    ) -> Vec<DeletionResult> {
        let (begun, mut is_due) = (Instant::now(), pin!(is_due));
        let mut results = Vec::new();
        for deletion in deletions {
            if begun.elapsed() >= PRUNING_TIME {
                self.leaves_some = true;
                break;
            }
            tokio::select! {
                biased;
                () = &mut is_due => {
                    self.leaves_some = true;
                    break;
                }
                result = self.delete_one(requests, deletion, PropagationPolicy::Background) => results.push(result),
            }
        }
        results
    }
}

impl Submitter {
    /// A submitter that speaks to `client` and renders instants in the zones of `zones`.
    pub fn new(client: Client, clock: SharedClock, zones: Arc<TimeZones>) -> Self {
        Submitter {
            client,
            clock,
            zones,
            lanes: Lanes::new(),
        }
    }

    /// Carries out `decision`, which was made on `cronjob`.
    ///
    /// The run starts first, because it is due, and ahead of everything that is to be recorded of others. Then the status
    /// is written, and what the history has no room for is deleted last: until it is recorded how a run ended, its Job is
    /// all that knows. A crash between any two of these is made good by the next decision: the run is found by its name.
    /// A start that waited until the decision was overtaken is not sent any more. What there is to say of one is told at
    /// once, for the run may say something itself soon.
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
        let deletes = !decision.prune.is_empty() || !decision.stop.is_empty();
        let is_to_send = deletes || status != cronjob.recorded_status();
        let is_due = async {
            match decision.wake {
                Some(wake) => self.clock.sleep_until(wake).await,
                None => std::future::pending().await,
            }
        };
        let work = || record_and_prune(&requests, cronjob, decision, status, is_due, &mut carried);
        if is_to_send {
            let longest_wait = self.time_to_record(decision);
            self.lanes.record(namespace, longest_wait, work).await;
        } else {
            Box::pin(work()).await;
        }
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

    /// Looks at the pods of runs that wait for their first one to start.
    ///
    /// # Errors
    ///
    /// When the API server cannot be asked; then nothing is known about any of them.
    pub async fn look_at(&self, namespace: &str, jobs: &[JobRef]) -> Result<Vec<Pods>, Trouble> {
        let look = || async {
            let requests = Requests::new(&self.client, namespace);
            let mut found = Vec::new();
            for job in jobs {
                let state = match requests.pods(&job.name).await? {
                    PodsAnswer::Seen(pods) => pods::seen(&pods),
                    PodsAnswer::Forbidden(why) => PodsState::Hidden(why),
                };
                let job = job.uid.clone();
                found.push(Pods { job, state });
            }
            Ok(found)
        };
        self.lanes.look(namespace, look).await
    }

    /// Looks up the active Jobs that no watch has shown.
    ///
    /// # Errors
    ///
    /// When the API server cannot be asked; then nothing is known about any of them.
    pub async fn look_up(&self, namespace: &str, jobs: &[JobRef]) -> Result<Vec<JobView>, Trouble> {
        let look = || async {
            let requests = Requests::new(&self.client, namespace);
            let mut found = Vec::new();
            for job in jobs {
                let view = requests.look_up(&job.name).await?;
                found.extend(view.filter(|view| view.uid() == job.uid));
            }
            Ok(found)
        };
        self.lanes.look(namespace, look).await
    }
}

/// Ends what is to be replaced later, writes the status, then deletes what the history has no room for.
async fn record_and_prune(
    requests: &Requests,
    cronjob: &CronJob,
    decision: &Decision,
    mut status: Status,
    is_due: impl Future<Output = ()>,
    carried: &mut Carried,
) {
    let stopped = carried.delete(requests, &decision.stop, PropagationPolicy::Foreground);
    let stopped = settle_deletions(&mut status, &stopped.await);
    carried.notes.extend(stopped);
    if record(requests, cronjob, &status, carried).await {
        let pruned = carried.prune(requests, &decision.prune, is_due).await;
        carried.notes.extend(tell_pruned(decision, &pruned));
    }
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicUsize;

    use http::{Request, Response};
    use kube::client::Body;

    use super::*;
    use crate::clock::SystemClock;
    use crate::submit::lanes::{LOOKS, OVERDUE};

    /// After a take-over every CronJob may have a Job to look up, and every one of them may have gone.
    #[tokio::test(start_paused = true)]
    async fn looks_under_way_are_bounded_however_many_there_are() {
        let under_way = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&under_way);
        let hangs = tower::service_fn(move |_: Request<Body>| {
            counted.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<Result<Response<Body>, Infallible>>()
        });
        let zones = Arc::new(TimeZones::built_in());
        let submitter = Submitter::new(Client::new(hangs, "default"), SystemClock::shared(), zones);
        let job = JobRef {
            name: "tick-1".into(),
            uid: "of tick-1".into(),
            resource_version: String::new(),
        };
        for number in 0..2_000 {
            let (submitter, jobs) = (submitter.clone(), [job.clone()]);
            tokio::spawn(async move {
                let namespace = (number / 20).to_string();
                let up = submitter.look_up(&namespace, &jobs);
                let at = submitter.look_at(&namespace, &jobs);
                tokio::join!(up, at)
            });
        }
        // None has been given up by then.
        tokio::time::sleep(Duration::from_secs(9)).await;
        assert_eq!(under_way.load(Ordering::Relaxed), LOOKS + OVERDUE);
    }
}
