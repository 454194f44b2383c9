//! The decision, step by step.

use crate::cronjob::{BadSchedule, CronJob, Run, Status};
use crate::policy::concurrency::{self, Admission};
use crate::policy::edit::notice_edit;
use crate::policy::group::Group;
use crate::policy::line::Line;
use crate::policy::missed::{self, Window};
use crate::policy::situation::{Decision, Deletion, Pruning, Situation, Start};
use crate::policy::{
    Note, Ruling, WaitReason, bookkeeping, expected, failures, heal, hindsight, history, pending,
};
use crate::schedule::{Schedule, Timestamp};

/// Decides what is to be done about one CronJob at the time `now`.
///
/// The order is that of Kubernetes: finished Jobs are cleaned up and the status is brought up to date whatever
/// follows, so that a CronJob that is suspended, unusable or over quota still gets rid of its old Jobs.
pub fn decide(situation: Situation<'_>, now: Timestamp) -> Decision {
    decide_in_group(situation, &Group::default(), now)
}

/// Decides about a CronJob that shares slots with others (`punctual.dev/group`).
pub fn decide_in_group(situation: Situation<'_>, group: &Group, now: Timestamp) -> Decision {
    let Situation { cronjob, runs, .. } = situation;
    let mut decision = take_stock(situation, now);
    match usable_schedule(cronjob, &decision.status, now) {
        Ok(schedule) => decide_start(&mut decision, situation, group, schedule, now),
        Err(why) => start_nothing(&mut decision, cronjob, why, now),
    }
    pending::end_those_that_wait(&mut decision, cronjob, runs, now);
    decision
}

/// What has happened since the last decision, whatever is decided next: which Jobs the history has no room for, what the
/// status is by now, and what an edit or a pause makes of the time before.
fn take_stock(situation: Situation<'_>, now: Timestamp) -> Decision {
    let Situation {
        cronjob,
        runs,
        memory: before,
    } = situation;
    let mut notes: Vec<Note> = cronjob.spec.mistakes.iter().map(Note::bad_annotation).collect();

    let mut status = bookkeeping::strike_ended(&cronjob.status, runs, now, &mut notes);
    bookkeeping::adopt_unrecorded(&mut status, runs, before, &mut notes);
    bookkeeping::record_newest(&mut status, cronjob, runs, before, now, &mut notes);
    failures::count(&mut status.record, cronjob, runs, now, &mut notes);
    let excess = history::excess(cronjob.spec.history, runs, now);
    let may_go = |run: &&Run| bookkeeping::is_recorded_in(&status, cronjob, run, now);
    let jobs: Vec<Deletion> = excess.filter(may_go).map(Deletion::from).collect();
    let unless_deleted = bookkeeping::withhold(&mut notes, &jobs);

    let mut memory = notice_edit(cronjob, before, now);
    hindsight::look_back(&mut status, cronjob, before, &mut memory, &mut notes, now);
    memory
        .unrecorded
        .retain(|run| !bookkeeping::is_told(cronjob, runs, run));
    Decision {
        prune: Pruning { jobs, unless_deleted },
        status,
        notes,
        memory,
        ..Decision::default()
    }
}

/// The schedule to follow, or why none is followed now. As in Kubernetes, an unknown zone is told even while the
/// CronJob is suspended, and a schedule that does not parse only when it would be followed.
fn usable_schedule<'a>(cronjob: &'a CronJob, status: &Status, now: Timestamp) -> Result<&'a Schedule, Note> {
    if cronjob.deleting {
        return Err(Note::BeingDeleted);
    }
    match &cronjob.spec.schedule {
        Err(problem @ BadSchedule::UnknownTimeZone { .. }) => Err(Note::unusable(problem)),
        _ if cronjob.spec.is_suspended(now) => Err(Note::Suspended),
        _ if status.record.suspended.is_some() => Err(Note::Ruled(Ruling::Suspended)),
        Err(problem) => Err(Note::unusable(problem)),
        Ok(schedule) if schedule.never_fires() => Err(Note::NeverFires {
            schedule: cronjob.spec.schedule_text.clone(),
        }),
        Ok(schedule) => Ok(schedule),
    }
}

/// Nothing is started until the CronJob changes.
///
/// Where its owner wants it so, no time is of interest but the end of the pause, and what passes meanwhile is not reported as
/// missed afterwards. What is broken, or has failed too often, nobody wanted: a success is expected all the same, and what
/// passes its starting deadline is told of as soon as it can be known.
fn start_nothing(decision: &mut Decision, cronjob: &CronJob, why: Note, now: Timestamp) {
    if matches!(why, Note::Suspended | Note::BeingDeleted) {
        decision.wake = cronjob.spec.suspend_until.filter(|_| why == Note::Suspended);
        decision.memory.deadline_told = Some(now);
        decision.memory.rests = true;
        decision.memory.expects = None;
        decision.memory.overdue = None;
    } else {
        expected::watch(decision, cronjob, cronjob.spec.schedule.as_ref().ok(), now);
    }
    decision.notes.push(why);
}

/// Finds the instant that is due and starts its run, unless a rule says no.
fn decide_start(
    decision: &mut Decision,
    Situation { cronjob, runs, .. }: Situation<'_>,
    group: &Group,
    schedule: &Schedule,
    now: Timestamp,
) {
    decision.notes.extend(Note::zone_in_schedule(&cronjob.spec));
    heal::heal_clock(decision, cronjob, schedule, now);
    let window = Window::new(cronjob, schedule, decision, now);
    decision.wake = window.next_due();
    missed::report_deadlines(decision, &window);
    missed::report_skips(decision, &window);
    missed::report_clock_changes(decision, &window);
    expected::watch(decision, cronjob, Some(schedule), now);

    let mut line = Line::form(decision, &cronjob.spec.policies, &window);
    line.close_up(decision, concurrency::succession(&cronjob.spec));
    let Some(first) = line.first() else {
        return line.record(decision, None);
    };
    let admission = concurrency::admit(&cronjob.spec, &decision.status, runs);
    let admission = admission.unless_full(group, cronjob, decision, first);
    let starting = admission.is_start().then_some(first);
    line.send_away(decision, &admission);
    line.record(decision, starting);
    decision.memory.waited = decision.memory.waited.max(line.newest_but(starting));
    decision.wake = decision.wake.into_iter().chain(line.wake(starting, now)).min();
    match admission {
        Admission::Start { replacing } => {
            decision.replace = replacing;
            decision.start = Some(Start {
                waited: decision.memory.waited >= Some(first),
                ..window.start_of(&cronjob.key.name, first)
            });
        }
        // The instant stays due: its run starts as soon as the active one has ended, unless a newer instant or the
        // starting deadline comes first.
        Admission::Wait { behind, why } => decision.notes.extend(line.waits(behind, why)),
        Admission::Stop { stopping, behind } => {
            decision.stop.extend(stopping);
            decision.notes.extend(line.waits(behind, WaitReason::Stopping));
        }
    }
}
