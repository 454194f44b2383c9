//! What is recorded once a decision was carried out.

use crate::cronjob::{JobRef, Outcome, Status};
use crate::policy::Note;
use crate::policy::situation::{Decision, Deletion, Pruning, Start};
use crate::schedule::Timestamp;

/// What became of one deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionResult {
    /// The Job that was to be deleted.
    pub deletion: Deletion,
    /// What became of it.
    pub outcome: DeletionOutcome,
}

/// How a deletion ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletionOutcome {
    /// It was deleted.
    Deleted,
    /// It was gone already. Whoever deleted it has told so.
    WasGone,
    /// It is still there, for this reason.
    Refused(String),
}

/// What became of the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartResult {
    /// The Job was created.
    Started {
        /// The new Job.
        job: JobRef,
        /// When it was created.
        at: Timestamp,
    },
    /// A Job of this name exists and is ours: an earlier attempt went through, only its answer was lost.
    AlreadyStarted {
        /// The Job that exists; `None` when it has finished meanwhile.
        active: Option<JobRef>,
    },
    /// A Job of this name exists and is not ours.
    NameTaken,
    /// The namespace is being deleted and takes no new Jobs.
    NamespaceTerminating,
    /// The request failed, or was never sent because a run that was to be replaced could not be deleted.
    Failed {
        /// Why, in the words of whoever refused.
        error: String,
    },
}

impl StartResult {
    /// Whether the instant is dealt with: its run is not tried again.
    fn is_done(&self) -> bool {
        match self {
            StartResult::Started { .. } | StartResult::AlreadyStarted { .. } | StartResult::NameTaken => true,
            StartResult::NamespaceTerminating | StartResult::Failed { .. } => false,
        }
    }
}

/// The status to record after `decision` was carried out, and what there is to say about it.
///
/// `start` is `None` when the decision started nothing.
#[must_use = "the status has to be recorded"]
pub fn settle(
    decision: &Decision,
    deletions: &[DeletionResult],
    start: Option<StartResult>,
) -> (Status, Vec<Note>) {
    let mut status = decision.status.clone();
    let mut notes = settle_deletions(&mut status, deletions);
    if let (Some(planned), Some(result)) = (&decision.start, start) {
        if result.is_done() {
            notes.extend(decision.once_started.iter().cloned());
        }
        notes.push(settle_start(&mut status, planned, result));
    }
    (status, notes)
}

/// Takes deletions into the status; what there is to say about them.
#[must_use = "it has to be told"]
pub fn settle_deletions(status: &mut Status, deletions: &[DeletionResult]) -> Vec<Note> {
    let mut notes = Vec::new();
    for DeletionResult { deletion, outcome } in deletions {
        if !matches!(outcome, DeletionOutcome::Refused(_)) {
            status.forget(&deletion.uid);
        }
        notes.extend(tell(deletion, outcome, None));
    }
    notes
}

/// What there is to say about the Jobs that the history had no room for. They have ended, so the status says nothing of them.
#[must_use = "it has to be told"]
pub fn tell_pruned(pruning: &Pruning, deletions: &[DeletionResult]) -> Vec<Note> {
    let mut notes = Vec::new();
    for DeletionResult { deletion, outcome } in deletions {
        let mut withheld = pruning.unless_deleted.iter();
        let withheld = withheld
            .find(|(uid, _)| *uid == deletion.uid)
            .map(|(_, note)| note);
        let ended = withheld.and_then(|note| match note {
            Note::Completed { outcome, .. } => Some(*outcome),
            _ => None,
        });
        notes.extend(tell(deletion, outcome, ended));
        if matches!(outcome, DeletionOutcome::Refused(_)) {
            notes.extend(withheld.cloned());
        }
    }
    // What was not come to is recorded as ended all the same: it is told now or never.
    let is_settled = |uid: &String| deletions.iter().any(|result| result.deletion.uid == *uid);
    let untried = pruning.unless_deleted.iter().filter(|(uid, _)| !is_settled(uid));
    notes.extend(untried.map(|(_, note)| note.clone()));
    notes
}

fn tell(deletion: &Deletion, outcome: &DeletionOutcome, ended: Option<Outcome>) -> Option<Note> {
    let job = deletion.name.clone();
    match outcome {
        DeletionOutcome::WasGone => None,
        DeletionOutcome::Deleted => Some(Note::Deleted { job, ended }),
        DeletionOutcome::Refused(error) => Some(Note::DeleteFailed {
            job,
            error: error.clone(),
        }),
    }
}

fn settle_start(status: &mut Status, start: &Start, result: StartResult) -> Note {
    let (job, scheduled) = (start.name.clone(), start.scheduled);
    let (active, note) = match result {
        StartResult::Started { job: reference, at } => (
            Some(reference),
            Note::Started {
                job,
                scheduled,
                lateness: at - start.planned,
                held_back: start.held_back,
                waited: start.waited,
            },
        ),
        StartResult::AlreadyStarted { active } => (active, Note::AlreadyStarted { job, scheduled }),
        // DIFFERENCE (D5): the instant counts as done, so that the next run goes ahead. Kubernetes stalls.
        StartResult::NameTaken => (None, Note::NameTaken { job }),
        StartResult::NamespaceTerminating => return Note::NamespaceTerminating { job, scheduled },
        StartResult::Failed { error } => {
            return Note::StartFailed {
                job,
                scheduled,
                error,
            };
        }
    };
    status.last_schedule_time = Some(scheduled);
    status.record.started(scheduled);
    if let Some(job) = active.filter(|job| !status.is_active(&job.uid)) {
        status.active.push(job);
    }
    note
}
