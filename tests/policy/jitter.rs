//! A jitter delays a start and nothing else: names and scheduled times are nominal, and every time that counts from a due
//! instant counts from the start.

use chrono::TimeDelta;
use punctual::cronjob::extension::MissedRuns;
use punctual::cronjob::{CronJob, run_name};
use punctual::policy::{Decision, Memory, Note, Ruling, Situation, decide};
use punctual::schedule::Timestamp;

use crate::world::{cronjob, instant};

/// An hourly CronJob with a jitter of ten minutes, and its offset.
fn jittered() -> (CronJob, TimeDelta) {
    let mut cronjob = cronjob("0 * * * *", None);
    cronjob.spec.policies.jitter = TimeDelta::minutes(10);
    cronjob.status.last_schedule_time = Some(instant("T") - TimeDelta::hours(1));
    let offset = cronjob.spec.policies.jitter_of(&cronjob.uid);
    assert!(
        offset > TimeDelta::seconds(30),
        "the test needs an offset to speak of, not {offset}"
    );
    (cronjob, offset)
}

fn decided(cronjob: &CronJob, memory: &Memory, now: Timestamp) -> Decision {
    let situation = Situation {
        cronjob,
        runs: &[],
        memory,
    };
    decide(situation, now)
}

const MOMENT: TimeDelta = TimeDelta::milliseconds(1);

#[test]
fn a_run_starts_later_under_its_own_name_and_time() {
    let (cronjob, offset) = jittered();
    let due = instant("T");
    for (now, starts) in [
        (due, false),
        (due + offset - MOMENT, false),
        (due + offset, true),
        (due + offset + TimeDelta::minutes(30), true),
    ] {
        // Whether a controller was there before, or has just begun, makes no difference.
        let seen = decided(&cronjob, &Memory::default(), due - TimeDelta::minutes(5)).memory;
        for memory in [Memory::default(), seen] {
            let decision = decided(&cronjob, &memory, now);
            let start = decision.start.as_ref();
            assert_eq!(start.is_some(), starts, "{now}");
            let next = if starts { due + TimeDelta::hours(1) } else { due };
            assert_eq!(decision.wake, Some(next + offset), "{now}");
            if let Some(start) = start {
                assert_eq!(start.name, run_name(&cronjob.key.name, due));
                assert_eq!((start.scheduled, start.planned), (due, due + offset));
            }
        }
    }
}

#[test]
fn a_starting_deadline_counts_from_the_start_that_was_planned() {
    let (mut cronjob, offset) = jittered();
    cronjob.spec.starting_deadline = Some(TimeDelta::seconds(20));
    let due = instant("T");
    let in_time = decided(
        &cronjob,
        &Memory::default(),
        due + offset + TimeDelta::seconds(20) - MOMENT,
    );
    let start = in_time.start.expect("it is in time");
    assert_eq!(start.deadline, Some(due + offset + TimeDelta::seconds(20)));
    let too_late = decided(
        &cronjob,
        &Memory::default(),
        due + offset + TimeDelta::seconds(20),
    );
    assert_eq!(too_late.start, None);
    let passed = Note::DeadlinePassed {
        count: 1,
        newest: due,
    };
    assert!(too_late.notes.contains(&passed), "{:?}", too_late.notes);
}

#[test]
fn what_a_jitter_holds_back_is_neither_missed_nor_overdue() {
    let (mut cronjob, offset) = jittered();
    cronjob.spec.policies.missed_runs = MissedRuns::Skip;
    cronjob.spec.policies.expected_within = Some(TimeDelta::seconds(5));
    cronjob.status.last_successful_time = Some(instant("T") - TimeDelta::minutes(50));
    let due = instant("T");
    let decision = decided(&cronjob, &Memory::default(), due + offset);
    assert!(decision.start.is_some(), "{:?}", decision.notes);
    assert_eq!(
        decision.expected_success,
        Some(due + offset + TimeDelta::seconds(5))
    );
    let overdue = |note: &Note| matches!(note, Note::Ruled(Ruling::Overdue { .. }));
    assert!(!decision.notes.iter().any(overdue), "{:?}", decision.notes);
    let later = decided(&cronjob, &Memory::default(), due + offset + TimeDelta::minutes(1));
    assert_eq!(later.start, None, "by then it was missed");
    assert!(later.notes.iter().any(overdue), "{:?}", later.notes);
}

/// An edit between an instant and its start: the start comes if both schedules ask for it.
#[test]
fn an_edit_before_the_start_that_was_planned_loses_nothing() {
    let (before, offset) = jittered();
    let due = instant("T");
    for (edited, starts) in [("0 */2 * * *", true), ("30 * * * *", false)] {
        let memory = decided(&before, &Memory::default(), due - TimeDelta::minutes(5)).memory;
        let mut after = cronjob(edited, None);
        after.spec.policies.jitter = before.spec.policies.jitter;
        after.status = before.status.clone();
        let memory = decided(&after, &memory, due + TimeDelta::seconds(1)).memory;
        let start = decided(&after, &memory, due + offset).start;
        assert_eq!(
            start.map(|start| start.scheduled),
            starts.then_some(due),
            "{edited}"
        );
    }
}

/// A controller that begins between an instant that is to be skipped and its start has seen it pass.
#[test]
fn a_skip_is_told_when_the_start_would_have_come() {
    let (mut cronjob, offset) = jittered();
    let due = instant("T");
    cronjob.spec.schedule = cronjob.spec.schedule.map(|schedule| schedule.without(&[due]));
    let memory = decided(&cronjob, &Memory::default(), due + TimeDelta::seconds(1)).memory;
    let decision = decided(&cronjob, &memory, due + offset);
    let skipped = |note: &Note| matches!(note, Note::Ruled(Ruling::Skipped { newest, .. }) if *newest == due);
    assert!(decision.notes.iter().any(skipped), "{:?}", decision.notes);
    assert_eq!(decision.status.record.passed, Some(due));
}
