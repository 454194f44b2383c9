//! The decision, step by step.

use chrono::TimeDelta;

use crate::cronjob::{BadSchedule, CronJob, Run, run_name};
use crate::policy::concurrency::{self, Admission};
use crate::policy::missed::{self, Window};
use crate::policy::situation::{Decision, Situation, Start};
use crate::policy::{Note, bookkeeping, history};
use crate::schedule::{Schedule, Timestamp};

/// Decides what is to be done about one CronJob at the time `now`.
///
/// The order is that of Kubernetes: finished Jobs are cleaned up and the status is brought up to date whatever
/// follows, so that a CronJob that is suspended, unusable or over quota still gets rid of its old Jobs.
pub fn decide(situation: Situation<'_>, now: Timestamp) -> Decision {
    let Situation {
        cronjob,
        runs,
        memory,
    } = situation;
    let (mut notes, mut unless_deleted) = (Vec::new(), Vec::new());

    let mut prune = history::prune(cronjob.spec.history, runs);
    prune.retain(|job| bookkeeping::is_recorded(cronjob, &job.name));
    let mut status = bookkeeping::strike_ended(&cronjob.status, runs, &mut notes);
    bookkeeping::withhold(&mut notes, &prune, &mut unless_deleted);
    bookkeeping::adopt_unrecorded(&mut status, runs, memory, &mut notes);
    bookkeeping::record_newest(&mut status, cronjob, runs, memory, now, &mut notes);
    let mut memory = missed::notice_edit(&cronjob.spec, memory, now);
    memory
        .unrecorded
        .retain(|uid| !bookkeeping::is_told(cronjob, runs, uid));
    let mut decision = Decision {
        prune,
        replace: vec![],
        start: None,
        status,
        wake: None,
        notes,
        once_started: vec![],
        unless_deleted,
        memory,
    };

    match usable_schedule(cronjob, now) {
        Ok(schedule) => decide_start(&mut decision, cronjob, runs, schedule, now),
        Err(why) => rest(&mut decision, cronjob, why, now),
    }
    decision
}

/// The schedule to follow, or why none is followed now. As in Kubernetes, an unknown zone is told even while the
/// CronJob is suspended, and a schedule that does not parse only when it would be followed.
fn usable_schedule(cronjob: &CronJob, now: Timestamp) -> Result<&Schedule, Note> {
    if cronjob.deleting {
        return Err(Note::BeingDeleted);
    }
    match &cronjob.spec.schedule {
        Err(problem @ BadSchedule::UnknownTimeZone { .. }) => Err(Note::unusable(problem)),
        _ if cronjob.spec.is_suspended(now) => Err(Note::Suspended),
        Err(problem) => Err(Note::unusable(problem)),
        Ok(schedule) if schedule.never_fires() => Err(Note::NeverFires {
            schedule: cronjob.spec.schedule_text.clone(),
        }),
        Ok(schedule) => Ok(schedule),
    }
}

/// Nothing is started, and no time is of interest but the end of a pause, until the CronJob changes. What passes
/// meanwhile is not reported as missed afterwards: somebody wanted it so.
fn rest(decision: &mut Decision, cronjob: &CronJob, why: Note, now: Timestamp) {
    decision.wake = cronjob.spec.suspend_until.filter(|_| why == Note::Suspended);
    decision.notes.push(why);
    decision.memory.deadline_told = Some(now);
}

/// Finds the instant that is due and starts its run, unless a rule says no.
fn decide_start(
    decision: &mut Decision,
    cronjob: &CronJob,
    runs: &[Run],
    schedule: &Schedule,
    now: Timestamp,
) {
    decision.notes.extend(Note::zone_in_schedule(&cronjob.spec));
    missed::heal_clock(decision, cronjob, schedule, now);
    let window = Window::new(cronjob, schedule, decision, now);
    decision.wake = window.next_due();
    missed::report_deadlines(decision, &window);

    let Some(scheduled) = window.newest_due() else {
        return;
    };
    let name = run_name(&cronjob.key.name, scheduled);
    match concurrency::admit(cronjob.spec.concurrency, &decision.status, runs) {
        Admission::Start { replacing } => {
            decision.once_started = window.passed_over_before(scheduled);
            decision.replace = replacing;
            decision.start = Some(Start {
                name,
                scheduled,
                deadline: window.deadline_of(scheduled),
                held_back: TimeDelta::zero(),
            });
        }
        Admission::Wait { behind } => {
            // The instant stays due: its run starts as soon as the active one has ended, unless a newer instant
            // or the starting deadline comes first.
            decision.notes.push(Note::Blocked { scheduled, behind });
            decision.wake = decision
                .wake
                .into_iter()
                .chain(window.deadline_of(scheduled))
                .min();
        }
    }
}
