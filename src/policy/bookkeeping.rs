//! Which runs are active, which succeeded, which went missing: the status brought up to date with what is seen.

use std::collections::HashMap;

use chrono::SubsecRound;

use crate::cronjob::{CronJob, JobRef, Origin, Outcome, Run, RunState, Status, scheduled_by_name};
use crate::policy::situation::{Deletion, Memory, Unrecorded};
use crate::policy::{Note, is_credible};
use crate::schedule::Timestamp;

/// The status without the runs that have finished or are gone, and with the newest success among them.
pub(super) fn strike_ended(recorded: &Status, runs: &[Run], now: Timestamp, notes: &mut Vec<Note>) -> Status {
    let mut status = recorded.clone();
    let by_uid: HashMap<&str, &Run> = runs.iter().map(|run| (run.uid.as_str(), run)).collect();
    status.active.retain(|job| {
        let run = by_uid.get(job.uid.as_str()).copied();
        let job = job.name.clone();
        notes.extend(match run.map(Run::outcome) {
            None => Some(Note::Missing { job }),
            Some(Some(outcome)) => Some(Note::Completed { job, outcome }),
            Some(None) => None,
        });
        run.is_some_and(Run::is_active)
    });
    status.last_successful_time = last_success(recorded, runs, now);
    status
}

/// As in Kubernetes, a run that the history has no room for is only reported as deleted, if it can be: what there is to
/// tell about it otherwise is returned, by the UID of its Job.
pub(super) fn withhold(notes: &mut Vec<Note>, pruned: &[Deletion]) -> Vec<(String, Note)> {
    let mut unless_deleted = Vec::new();
    notes.retain(|note| {
        let Note::Completed { job, .. } = note else {
            return true;
        };
        let deletion = pruned.iter().find(|deletion| deletion.name == *job);
        unless_deleted.extend(deletion.map(|deletion| (deletion.uid.clone(), note.clone())));
        deletion.is_none()
    });
    unless_deleted
}

/// Adds the runs that are active without being recorded: the write after their creation was lost.
///
/// DIFFERENCE (D4): Kubernetes warns of them on every sync and never adopts them, so that they neither block
/// `Forbid` nor are ended by `Replace`. Runs that a person started are left alone, without a word. Those of a backfill,
/// and those that we started a moment ago and could not record, are added without a word.
pub(super) fn adopt_unrecorded(status: &mut Status, runs: &[Run], memory: &Memory, notes: &mut Vec<Note>) {
    let recorded = status.active_uids();
    let is_unrecorded = |run: &&Run| !recorded.contains(run.uid.as_str());
    let there = runs.iter().filter(|run| run.is_in_the_way() && !run.deleting);
    let unrecorded: Vec<&Run> = there.filter(is_unrecorded).collect();
    for run in unrecorded {
        status.active.push(JobRef::from(run));
        if run.origin == Origin::Schedule && !memory.started(&run.uid) {
            notes.push(Note::Adopted {
                job: run.name.clone(),
            });
        }
    }
}

/// What is to be remembered of a run whose Job is gone, if it was started by the schedule and the status does not say so.
pub fn unrecorded(cronjob: &CronJob, run: &Run) -> Option<Unrecorded> {
    let recorded = cronjob.status.last_schedule_time.unwrap_or(cronjob.created);
    let scheduled = scheduled_by_name(&cronjob.key.name, &run.name)?;
    let job = run.uid.clone();
    (run.origin == Origin::Schedule && recorded < scheduled).then_some(Unrecorded { job, scheduled })
}

/// Whether a run that could not be recorded is recorded by now.
pub(super) fn is_told(cronjob: &CronJob, runs: &[Run], unrecorded: &Unrecorded) -> bool {
    let mut active = runs.iter().filter(|run| run.is_active());
    let is_listed = !active.any(|run| run.uid == unrecorded.job) || cronjob.status.is_active(&unrecorded.job);
    is_listed && cronjob.status.last_schedule_time >= Some(unrecorded.scheduled)
}

/// The newest successful completion, which never moves backwards.
///
/// DIFFERENCE (D11): one of the future, of a clock that was ahead, says nothing; was it recorded, there was a success by now.
fn last_success(recorded: &Status, runs: &[Run], now: Timestamp) -> Option<Timestamp> {
    let counting = runs.iter().filter(|run| run.origin != Origin::Backfill);
    let completed = counting.filter_map(|run| match run.state {
        RunState::Finished {
            outcome: Outcome::Succeeded,
            completed,
        } => completed,
        _ => None,
    });
    let known = completed.chain(recorded.last_successful_time);
    let newest = known.filter(|at| is_credible(*at, now)).max();
    newest.or_else(|| recorded.last_successful_time.map(|_| now.trunc_subsecs(0)))
}

/// Records the newest instant that has had its run, when the write after its creation was lost: the run is there, or we
/// started it ourselves and it is gone since.
///
/// This comes before any rule about time: what was started is neither missed nor passed over, however late the record.
/// An instant of the future is left alone: a clock was ahead when its run was started. So are Jobs of a backfill, and those
/// of a person, whatever they are called (`kubectl create job --from=cronjob/a a-$(date +%s)`).
pub(super) fn record_newest(
    status: &mut Status,
    cronjob: &CronJob,
    runs: &[Run],
    memory: &Memory,
    now: Timestamp,
    notes: &mut Vec<Note>,
) {
    let recorded = status.last_schedule_time.unwrap_or(cronjob.created);
    let is_new = |scheduled: &Timestamp| recorded < *scheduled && *scheduled <= now;
    let of_the_schedule = runs.iter().filter(|run| run.origin == Origin::Schedule);
    let instants = of_the_schedule
        .filter_map(|run| Some((scheduled_by_name(&cronjob.key.name, &run.name)?, run)))
        .filter(|(scheduled, _)| is_new(scheduled));
    let seen = instants.max_by_key(|(scheduled, _)| *scheduled);
    let started = memory.unrecorded.iter().map(|run| run.scheduled);
    let started = started.filter(is_new).max();
    let Some(newest) = seen.map(|(scheduled, _)| scheduled).max(started) else {
        return;
    };
    status.last_schedule_time = Some(newest);
    if let Some((scheduled, run)) = seen
        && Some(scheduled) > started
        && !memory.started(&run.uid)
    {
        notes.push(Note::AlreadyStarted {
            job: run.name.clone(),
            scheduled,
        });
    }
}

/// Whether a status covers the instant of a run, so that its Job may go once that status is recorded. Until then the Job is
/// all that keeps the instant from being started again. One that a person started has no instant, whatever it is called. Of
/// an instant far ahead, by a clock that was, the status says nothing once that is healed.
pub(super) fn is_recorded_in(status: &Status, cronjob: &CronJob, run: &Run, now: Timestamp) -> bool {
    let recorded = status.last_schedule_time.unwrap_or(cronjob.created);
    run.origin != Origin::Schedule
        || scheduled_by_name(&cronjob.key.name, &run.name)
            .is_none_or(|scheduled| scheduled <= recorded || !is_credible(scheduled, now))
}
