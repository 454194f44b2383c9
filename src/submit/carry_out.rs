//! The requests of one decision, in their order.

use std::sync::Arc;

use kube::Client;
use tokio::sync::Semaphore;

use crate::clock::SharedClock;
use crate::cronjob::{JobRef, Status};
use crate::manifest::CronJob;
use crate::policy::{Decision, DeletionResult, Note, StartResult, settle};
use crate::schedule::TimeZones;
use crate::submit::job::job_for;
use crate::submit::requests::{CreateAnswer, Requests, StatusAnswer};
use crate::submit::view::JobView;

/// Decisions that are carried out at the same time. More would only queue up inside the API server.
const CONCURRENT_SUBMISSIONS: usize = 64;

/// How often a status write is repeated on a CronJob that somebody else keeps changing, before the decision is taken
/// anew.
const STATUS_ATTEMPTS: usize = 3;

/// Carries decisions out through a `kube::Client`. It is the only writer.
#[derive(Clone)]
pub struct Submitter {
    client: Client,
    clock: SharedClock,
    zones: Arc<TimeZones>,
    slots: Arc<Semaphore>,
}

/// What came of a decision, for the caches and for telling.
#[derive(Debug, Default)]
pub struct Carried {
    /// The CronJob after the status write, if there was one.
    pub cronjob: Option<CronJob>,
    /// The CronJob is not there any more, whatever the watch shows.
    pub gone: bool,
    /// The Job that was created, or found under the run's name.
    pub job: Option<JobView>,
    /// The UIDs of the Jobs that were deleted.
    pub deleted: Vec<String>,
    /// What there is to say about it.
    pub notes: Vec<Note>,
    /// Why it has to be tried again, if something failed.
    pub failure: Option<String>,
}

impl Submitter {
    /// A submitter that speaks to `client` and renders instants in the zones of `zones`.
    pub fn new(client: Client, clock: SharedClock, zones: Arc<TimeZones>) -> Self {
        Submitter {
            client,
            clock,
            zones,
            slots: Arc::new(Semaphore::new(CONCURRENT_SUBMISSIONS)),
        }
    }

    /// Carries out `decision`, which was made on `cronjob`.
    ///
    /// The run starts first, because it is due; the history is cleaned up next, so that a start that a quota refused
    /// finds room when it is tried again; the status is written last, because only now is it known. A crash between
    /// any two of these is made good by the next decision: the run is found by its name.
    pub async fn carry_out(&self, cronjob: &CronJob, decision: &Decision) -> Carried {
        // The semaphore is never closed; without a permit the work is done all the same.
        let _slot = self.slots.acquire().await;
        let requests = Requests::new(
            &self.client,
            cronjob.metadata.namespace.as_deref().unwrap_or_default(),
        );
        let mut deletions = Vec::new();
        for deletion in &decision.replace {
            deletions.push(requests.delete(deletion).await);
        }
        let (start, job) = self.start(&requests, cronjob, decision, &deletions).await;
        for deletion in &decision.prune {
            deletions.push(requests.delete(deletion).await);
        }
        let failure = failure(&deletions, start.as_ref());
        let (status, notes) = settle(decision, &deletions, start);
        let deleted = deletions.into_iter().filter(|result| result.error.is_none());
        let carried = Carried {
            cronjob: None,
            gone: false,
            job,
            deleted: deleted.map(|result| result.deletion.uid).collect(),
            notes,
            failure,
        };
        record(&requests, cronjob, &status, carried).await
    }

    async fn start(
        &self,
        requests: &Requests,
        cronjob: &CronJob,
        decision: &Decision,
        deletions: &[DeletionResult],
    ) -> (Option<StartResult>, Option<JobView>) {
        let Some(start) = &decision.start else {
            return (None, None);
        };
        if let Some(DeletionResult {
            deletion,
            error: Some(error),
        }) = deletions.iter().find(|result| result.error.is_some())
        {
            let error = format!("the active job {} could not be replaced: {error}", deletion.name);
            return (Some(StartResult::Failed { error }), None);
        }
        let job = job_for(cronjob, start, &self.zones);
        let owner = cronjob.metadata.uid.as_deref().unwrap_or_default();
        match requests.create(&job, owner).await {
            CreateAnswer::Created(job) => {
                let at = self.clock.now();
                (
                    Some(StartResult::Started {
                        job: JobRef::from(&job.run()),
                        at,
                    }),
                    Some(job),
                )
            }
            CreateAnswer::Existed(job) => {
                let run = job.run();
                let active = run.is_active().then(|| JobRef::from(&run));
                (Some(StartResult::AlreadyStarted { active }), Some(job))
            }
            CreateAnswer::Taken => (Some(StartResult::NameTaken), None),
            CreateAnswer::Refused(error) => (Some(StartResult::Failed { error }), None),
        }
    }

    /// Looks up the active Jobs that no watch has shown.
    ///
    /// # Errors
    ///
    /// When the API server cannot be asked; then nothing is known about any of them.
    pub async fn look_up(&self, namespace: &str, jobs: &[JobRef]) -> Result<Vec<JobView>, kube::Error> {
        let requests = Requests::new(&self.client, namespace);
        let mut found = Vec::new();
        for job in jobs {
            found.extend(
                requests
                    .look_up(&job.name)
                    .await?
                    .filter(|view| view.uid() == job.uid),
            );
        }
        Ok(found)
    }
}

/// Writes the status if it changed. When somebody changed the CronJob meanwhile but left the status alone, ours still
/// holds; otherwise the decision has to be taken anew.
async fn record(requests: &Requests, cronjob: &CronJob, status: &Status, mut carried: Carried) -> Carried {
    let before = cronjob.recorded_status();
    if *status == before {
        return carried;
    }
    let mut current = cronjob.clone();
    for _ in 0..STATUS_ATTEMPTS {
        match requests.write_status(&current, status).await {
            Ok(StatusAnswer::Written(written)) => {
                carried.cronjob = Some(*written);
                return carried;
            }
            Ok(StatusAnswer::Gone) => {
                carried.gone = true;
                return carried;
            }
            Ok(StatusAnswer::Conflict) => {}
            Err(error) => {
                carried.failure = Some(format!("the status could not be written: {error}"));
                return carried;
            }
        }
        match requests
            .cronjob(cronjob.metadata.name.as_deref().unwrap_or_default())
            .await
        {
            Ok(Some(fresh))
                if fresh.metadata.uid == cronjob.metadata.uid && fresh.recorded_status() == before =>
            {
                current = fresh;
            }
            _ => break,
        }
    }
    carried.failure = Some("the status could not be written: the CronJob keeps changing".into());
    carried
}

fn failure(deletions: &[DeletionResult], start: Option<&StartResult>) -> Option<String> {
    match start {
        Some(StartResult::Failed { error }) => Some(error.clone()),
        _ => deletions.iter().find_map(|result| result.error.clone()),
    }
}
