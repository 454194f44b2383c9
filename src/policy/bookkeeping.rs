//! Which runs are active, which succeeded, which went missing: the status brought up to date with what is seen.

use crate::cronjob::{CronJob, JobRef, Origin, Outcome, Run, RunState, Status, scheduled_by_name};
use crate::policy::Note;
use crate::policy::situation::Deletion;
use crate::schedule::Timestamp;

/// The status as the observed runs make it.
pub(super) fn reconcile(
    recorded: &Status,
    runs: &[Run],
    pruned: &[Deletion],
    notes: &mut Vec<Note>,
) -> Status {
    let mut status = recorded.clone();
    strike_ended(&mut status, runs, pruned, notes);
    adopt_unrecorded(&mut status, runs, notes);
    status.last_successful_time = last_success(recorded, runs);
    status
}

/// Removes the runs that have finished or are gone from the active ones.
fn strike_ended(status: &mut Status, runs: &[Run], pruned: &[Deletion], notes: &mut Vec<Note>) {
    status
        .active
        .retain(|job| match runs.iter().find(|run| run.uid == job.uid) {
            None => {
                notes.push(Note::Missing {
                    job: job.name.clone(),
                });
                false
            }
            Some(run) => match run.outcome() {
                None => true,
                Some(outcome) => {
                    // As in Kubernetes, a run that the history has no room for is only reported as deleted.
                    if !pruned.iter().any(|deletion| deletion.uid == run.uid) {
                        notes.push(Note::Completed {
                            job: run.name.clone(),
                            outcome,
                        });
                    }
                    false
                }
            },
        });
}

/// Adds the runs that are active without being recorded: the write after their creation was lost.
///
/// DIFFERENCE (D4): Kubernetes warns of them on every sync and never adopts them, so that they neither block
/// `Forbid` nor are ended by `Replace`. Runs that a person started are left alone, without a word.
fn adopt_unrecorded(status: &mut Status, runs: &[Run], notes: &mut Vec<Note>) {
    for run in runs {
        let ours = run.origin == Origin::Schedule && run.is_active() && !run.deleting;
        if ours && !status.is_active(&run.uid) {
            status.active.push(JobRef::from(run));
            notes.push(Note::Adopted {
                job: run.name.clone(),
            });
        }
    }
}

/// The newest successful completion, which never moves backwards.
fn last_success(recorded: &Status, runs: &[Run]) -> Option<Timestamp> {
    let completed = runs.iter().filter_map(|run| match run.state {
        RunState::Finished {
            outcome: Outcome::Succeeded,
            completed,
        } => completed,
        _ => None,
    });
    completed.chain(recorded.last_successful_time).max()
}

/// Records the newest instant that a run is there for, when the write after its creation was lost.
///
/// This comes before any rule about time: what was started is neither missed nor passed over, however late the record.
/// An instant of the future is left alone: a clock was ahead when its run was started.
pub(super) fn record_newest(
    status: &mut Status,
    cronjob: &CronJob,
    runs: &[Run],
    now: Timestamp,
    notes: &mut Vec<Note>,
) {
    let recorded = status.last_schedule_time.unwrap_or(cronjob.created);
    let started = runs.iter().filter_map(|run| {
        let scheduled = scheduled_by_name(&cronjob.key.name, &run.name)?;
        (recorded < scheduled && scheduled <= now).then_some((scheduled, &run.name))
    });
    if let Some((scheduled, job)) = started.max() {
        status.last_schedule_time = Some(scheduled);
        notes.push(Note::AlreadyStarted {
            job: job.clone(),
            scheduled,
        });
    }
}

/// Whether the record of a CronJob covers the instant of a Job, so that the Job may go. Until then it is all that
/// keeps the instant from being started again.
pub(super) fn is_recorded(cronjob: &CronJob, job: &str) -> bool {
    let recorded = cronjob.status.last_schedule_time.unwrap_or(cronjob.created);
    scheduled_by_name(&cronjob.key.name, job).is_none_or(|scheduled| scheduled <= recorded)
}
