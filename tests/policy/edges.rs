//! What Kubernetes' own cases leave out: clocks that were wrong, writes that were lost, numbers that are absurd.

use chrono::TimeDelta;
use punctual::cronjob::extension::MissedRuns;
use punctual::cronjob::{Concurrency, CronJob, JobRef, Origin, RunState};
use punctual::policy::{Decision, Memory, Note, StartResult, TOO_MANY_MISSED, settle};

use crate::world::{cronjob, decide_at, done, duration, instant, notes, run, told};

/// A deadline beyond the end of time is as good as none.
#[test]
fn an_absurd_deadline_is_no_reason_to_panic() {
    for policy in [Concurrency::Allow, Concurrency::Forbid, Concurrency::Replace] {
        let mut cronjob = hourly();
        cronjob.spec.concurrency = policy;
        cronjob.spec.starting_deadline = TimeDelta::try_seconds(9_000_000_000_000);
        let earlier = run(instant("B"), RunState::Active);
        cronjob.status.active.push(JobRef::from(&earlier));
        let decision = decide_at(&cronjob, &[earlier], &Memory::default(), "D");
        assert_eq!(decision.wake, Some(instant("T+1h")), "{policy:?}");
    }
}

/// DIFFERENCE (D11): an edit that was seen by a clock that was ahead counts from now.
#[test]
fn an_edit_seen_by_a_clock_that_was_ahead_does_not_silence_the_cronjob() {
    let mut cronjob = hourly();
    let mut memory = decide_at(&cronjob, &[], &Memory::default(), "C").memory;
    cronjob.spec = crate::world::cronjob("5 * * * *", None).spec;
    for (now, start) in [("T+1d", None), ("T-1m", None), ("T+5m", Some("T+5m"))] {
        let decision = decide_at(&cronjob, &[], &memory, now);
        assert_eq!(scheduled(&decision), start.map(instant), "at {now}");
        memory = decision.memory;
    }
}

/// The status was not written after the run had started, and meanwhile the run has ended. Its Job is the only trace of
/// it: it may go once this decision's status is recorded, which says so. The Job of an instant to come, started by a clock
/// that was ahead, stays.
#[test]
fn the_job_of_a_run_is_kept_until_its_instant_is_recorded() {
    let mut cronjob = hourly();
    cronjob.spec.history.successful = Some(0);
    let runs = [run(instant("T"), done(instant("T+5s")))];

    let decision = decide_at(&cronjob, &runs, &Memory::default(), "D");
    assert_eq!(decision.start, None);
    assert_eq!(decision.status.last_schedule_time, Some(instant("T")));
    assert_eq!(decision.prune.jobs.len(), 1, "recorded with it");

    let decision = decide_at(&cronjob, &runs, &Memory::default(), "T-1m");
    assert_eq!(decision.prune.jobs, [], "it is not recorded yet");
}

/// Ordinary time synchronisation: the recorded run lies a little ahead, and nothing is wrong.
#[test]
fn a_clock_that_was_ahead_by_seconds_is_no_matter() {
    let mut cronjob = hourly();
    cronjob.status.last_schedule_time = Some(instant("T"));
    let decision = decide_at(&cronjob, &[], &Memory::default(), "T-5s");
    assert_eq!(decision.notes, []);
    assert_eq!(decision.status, cronjob.status);
    assert_eq!(decision.wake, Some(instant("T+1h")), "the instant had its run");
}

#[test]
fn a_deadline_told_by_a_clock_that_was_ahead_hushes_nothing() {
    let mut cronjob = hourly();
    cronjob.spec.starting_deadline = Some(duration("10s"));
    let memory = Memory {
        deadline_told: Some(instant("T+1d")),
        ..Memory::default()
    };
    let memory = decide_at(&cronjob, &[], &memory, "C").memory;
    assert_eq!(told(&decide_at(&cronjob, &[], &memory, "D")), "MissSchedule");
}

#[test]
fn a_cronjob_that_is_being_deleted_starts_nothing() {
    let mut cronjob = hourly();
    cronjob.deleting = true;
    let decision = decide_at(&cronjob, &[], &Memory::default(), "D");
    assert_eq!((scheduled(&decision), decision.wake), (None, None));
    assert_eq!(told(&decision), "BeingDeleted");
}

/// Somebody wanted these instants to pass; only what passes afterwards is missed.
#[test]
fn what_passed_while_suspended_is_not_told_as_missed() {
    let mut cronjob = hourly();
    cronjob.spec.starting_deadline = Some(duration("10s"));
    cronjob.spec.suspend = true;
    let memory = decide_at(&cronjob, &[], &Memory::default(), "T+3h1m").memory;
    cronjob.spec.suspend = false;
    let decision = decide_at(&cronjob, &[], &memory, "T+3h2m");
    assert_eq!(told(&decision), "");
    let decision = decide_at(&cronjob, &[], &decision.memory, "T+5h1m");
    let missed = Note::DeadlinePassed {
        count: 2,
        newest: instant("T+5h"),
    };
    assert_eq!(decision.notes, [missed]);
}

/// A run has started since an instant was told as missed: it does not count as missed itself.
#[test]
fn an_instant_that_ran_is_not_told_as_missed() {
    let mut cronjob = hourly();
    cronjob.spec.starting_deadline = Some(duration("10s"));
    let memory = decide_at(&cronjob, &[], &Memory::default(), "D").memory;
    cronjob.status.last_schedule_time = Some(instant("T+1h"));
    let decision = decide_at(&cronjob, &[], &memory, "T+2h1m");
    let missed = Note::DeadlinePassed {
        count: 1,
        newest: instant("T+2h"),
    };
    assert_eq!(decision.notes, [missed]);
}

#[test]
fn more_than_a_hundred_missed_runs_are_too_many() {
    for (now, notes) in [
        ("T+99h", "PassedOver"),
        ("T+100h", "PassedOver TooManyMissedTimes"),
    ] {
        let decision = decide_at(&hourly(), &[], &Memory::default(), now);
        assert_eq!(told(&decision), notes, "at {now}");
    }
}

#[test]
fn what_is_passed_over_is_told_from_the_first_to_the_last() {
    let decision = decide_at(&hourly(), &[], &Memory::default(), "T+3h");
    let passed_over = Note::PassedOver {
        count: 3,
        oldest: instant("T"),
        newest_runs: instant("T+3h"),
    };
    assert_eq!(notes(&decision), [passed_over]);
}

/// DIFFERENCE (D9): another zone is an edit as much as another expression.
#[test]
fn an_edit_of_the_zone_starts_no_instant_of_the_past() {
    let in_zone = |zone| {
        let mut cronjob = cronjob("0 12 * * *", zone);
        cronjob.created = instant("A-2d");
        cronjob.status.last_schedule_time = Some(instant("T-22h"));
        cronjob
    };
    let memory = decide_at(&in_zone(None), &[], &Memory::default(), "T").memory;
    // Noon in Rome was just now, at 10:00 UTC.
    let decision = decide_at(&in_zone(Some("Europe/Rome")), &[], &memory, "D");
    assert_eq!(scheduled(&decision), None);
    assert_eq!(decision.wake, Some(instant("T+1d")));
}

/// As in Kubernetes, `@every` goes on from the last run, whatever the moment of creation.
#[test]
fn every_counts_from_the_last_run() {
    let mut cronjob = cronjob("@every 1h", None);
    cronjob.status.last_schedule_time = Some(instant("T+7s"));
    let decision = decide_at(&cronjob, &[], &Memory::default(), "T+1h7s");
    assert_eq!(scheduled(&decision), Some(instant("T+1h7s")));
    assert_eq!(decision.wake, Some(instant("T+2h7s")));
}

/// DIFFERENCE (D4): what a person started is not ended either.
#[test]
fn a_manual_run_is_not_replaced() {
    let mut cronjob = hourly();
    cronjob.spec.concurrency = Concurrency::Replace;
    let mut manual = run(instant("B"), RunState::Active);
    manual.origin = Origin::Manual;
    let decision = decide_at(&cronjob, &[manual], &Memory::default(), "D");
    assert_eq!(scheduled(&decision), Some(instant("T")));
    assert_eq!(decision.replace, []);
}

/// A replaced run is struck at once; while its Job is still there, on its way out, it is not taken in again.
#[test]
fn a_run_that_is_being_deleted_is_not_adopted() {
    let mut leaving = run(instant("B"), RunState::Active);
    leaving.deleting = true;
    let decision = decide_at(&hourly(), &[leaving], &Memory::default(), "C");
    assert_eq!(decision.status.active, []);
    assert_eq!(decision.notes, []);
}

#[test]
fn the_last_success_never_moves_backwards() {
    for (recorded, completed, last) in [("C", "B", "C"), ("B", "C", "C")] {
        let mut cronjob = hourly();
        cronjob.status.last_successful_time = Some(instant(recorded));
        let runs = [run(instant("B"), done(instant(completed)))];
        let decision = decide_at(&cronjob, &runs, &Memory::default(), "C");
        assert_eq!(decision.status.last_successful_time, Some(instant(last)));
    }
}

#[test]
fn lateness_is_counted_from_the_due_instant() {
    let decision = decide_at(&hourly(), &[], &Memory::default(), "T");
    let job = JobRef::from(&run(instant("T"), RunState::Active));
    let at = instant("T+1.5s");
    let (_, notes) = settle(&decision, &[], Some(StartResult::Started { job, at }));
    assert_eq!(notes[0].lateness(), Some(duration("1.5s")));
}

#[test]
fn a_job_that_exists_is_not_recorded_twice() {
    let mut decision = decide_at(&hourly(), &[], &Memory::default(), "T");
    let job = JobRef::from(&run(instant("T"), RunState::Active));
    decision.status.active.push(job.clone());
    let (status, _) = settle(
        &decision,
        &[],
        Some(StartResult::AlreadyStarted { active: Some(job) }),
    );
    assert_eq!(status.active.len(), 1);
}

/// Due at every full hour, created at 08:59, last run at 09:01.
fn hourly() -> CronJob {
    let mut cronjob = cronjob("0 * * * ?", None);
    cronjob.status.last_schedule_time = Some(instant("B"));
    cronjob
}

fn scheduled(decision: &Decision) -> Option<punctual::schedule::Timestamp> {
    decision.start.as_ref().map(|start| start.scheduled)
}

/// As in Kubernetes: the zone is judged before `suspend`, the schedule after it.
#[test]
fn a_suspended_cronjob_is_told_of_its_zone_but_not_of_its_schedule() {
    for (schedule, zone, suspend, note) in [
        ("0 24 * * *", None, true, "Suspended"),
        ("0 24 * * *", None, false, "UnparseableSchedule"),
        ("0 * * * *", Some("Mars/Olympus"), true, "UnknownTimeZone"),
        ("0 0 31 2 *", None, true, "Suspended"),
    ] {
        let mut cronjob = cronjob(schedule, zone);
        cronjob.spec.suspend = suspend;
        let decision = decide_at(&cronjob, &[], &Memory::default(), "T");
        assert_eq!(
            decision.notes.iter().map(Note::reason).collect::<Vec<_>>(),
            [note],
            "{schedule}"
        );
    }
}

/// Who waited for another run is late as a policy asks; who was free to start is late by a fault.
#[test]
fn a_run_that_waited_for_another_says_so() {
    let mut cronjob = cronjob("0 * * * *", None);
    cronjob.spec.concurrency = Concurrency::Forbid;
    cronjob.status.last_schedule_time = Some(instant("T-1h"));
    let earlier = run(instant("T-1h"), RunState::Active);
    cronjob.status.active.push(JobRef::from(&earlier));
    let blocked = decide_at(&cronjob, &[earlier], &Memory::default(), "T");
    assert_eq!(scheduled(&blocked), None);
    cronjob.status.active.clear();
    let freed = decide_at(&cronjob, &[], &blocked.memory, "T+20m");
    let waited = |decision: &Decision| decision.start.as_ref().map(|start| start.waited);
    assert_eq!(waited(&freed), Some(true));
    let next = decide_at(&cronjob, &[], &freed.memory, "T+1h");
    assert_eq!(waited(&next), Some(false), "the next one did not wait");
    let after_an_outage = decide_at(&cronjob, &[], &Memory::default(), "T+20m");
    assert_eq!(waited(&after_an_outage), Some(false));
}

/// DIFFERENCE (D11): a run that a wrong clock recorded for the future does not silence the CronJob.
#[test]
fn a_clock_that_was_ahead_is_healed() {
    let mut cronjob = hourly();
    cronjob.status.last_schedule_time = Some(instant("T+1d"));
    let decision = decide_at(&cronjob, &[], &Memory::default(), "D");
    assert_eq!(
        decision.start, None,
        "what passed before the healing is not started"
    );
    assert_eq!(decision.status.last_schedule_time, Some(instant("T")));
    assert_eq!(decision.wake, Some(instant("T+1h")));
    assert_eq!(told(&decision), "ClockWentBack");
}

/// DIFFERENCE (D4): manual runs are known by their annotation and left alone.
#[test]
fn a_manual_run_neither_blocks_nor_is_adopted() {
    let mut cronjob = hourly();
    cronjob.spec.concurrency = Concurrency::Forbid;
    let mut manual = run(instant("B"), RunState::Active);
    manual.origin = Origin::Manual;
    manual.name = "by-hand".into();
    let runs = [manual];
    let decision = decide_at(&cronjob, &runs, &Memory::default(), "D");
    assert_eq!(decision.start.map(|start| start.scheduled), Some(instant("T")));
    assert_eq!(decision.notes, []);
}

/// A blocked run that passes its deadline is reported when it does, and only once.
#[test]
fn a_blocked_run_is_reported_as_missed_when_its_deadline_passes() {
    let mut cronjob = hourly();
    cronjob.spec.concurrency = Concurrency::Forbid;
    cronjob.spec.starting_deadline = Some(duration("30s"));
    let earlier = run(instant("B"), RunState::Active);
    cronjob.status.active.push(JobRef::from(&earlier));
    let runs = [earlier];

    let mut memory = Memory::default();
    for (now, notes, wake) in [
        ("T", "JobAlreadyActive", "T+30s"),
        ("T+10s", "JobAlreadyActive", "T+30s"),
        ("T+30s", "MissSchedule", "T+1h"),
        ("T+31s", "", "T+1h"),
    ] {
        let decision = decide_at(&cronjob, &runs, &memory, now);
        assert_eq!(told(&decision), notes, "at {now}");
        assert_eq!(decision.wake, Some(instant(wake)), "at {now}");
        memory = decision.memory;
    }
}

/// Somebody tidies up `status.active`, and the controller restarts, while a due instant waits behind the run: the run is
/// seen, so it is adopted before anything is started, and the instant has its one run after it.
#[test]
fn a_run_that_somebody_struck_from_the_status_is_waited_for_all_the_same() {
    // Was the last schedule time struck as well, the run's own name tells it.
    for last in [Some("C"), None] {
        let mut cronjob = hourly();
        cronjob.spec.concurrency = Concurrency::Forbid;
        cronjob.status.last_schedule_time = last.map(instant);
        let active = run(instant("C"), RunState::Active);
        let tidied = decide_at(&cronjob, &[active], &Memory::default(), "D");
        assert_eq!(scheduled(&tidied), None, "{last:?}");

        cronjob.status = tidied.status;
        cronjob.status.active.clear();
        let ended = run(instant("C"), done(instant("D")));
        let freed = decide_at(&cronjob, &[ended], &Memory::default(), "D");
        assert_eq!(scheduled(&freed), Some(instant("T")), "{last:?}");
    }
}

/// While it is suspended, `skip` is moved on every hour by whoever keeps it: what is written down of the hours before stays
/// bounded, what is given up is told where it would have run, and the newest still runs.
#[test]
fn a_record_does_not_grow_with_the_edits_of_a_pause() {
    let latest = usize::try_from(TOO_MANY_MISSED).expect("a small number") + 1;
    let all = MissedRuns::All;
    for (missed_runs, most, first) in [(MissedRuns::Latest, latest, "T+5h5m"), (all, 100, "T+3h24m")] {
        let mut cronjob = cronjob("* * * * *", None);
        cronjob.spec.suspend = true;
        cronjob.spec.policies.missed_runs = missed_runs;
        cronjob.spec.policies.missed_runs_limit = 100;
        let schedule = cronjob.spec.schedule.clone().expect("a schedule");
        let mut memory = Memory::default();
        let mut told_so = 0;
        for hour in 0..6 {
            let skipped = instant("T") + TimeDelta::hours(hour) + TimeDelta::minutes(30);
            cronjob.spec.schedule = Ok(schedule.without(&[skipped]));
            let decision = decide_at(&cronjob, &[], &memory, &format!("T+{hour}h5m"));
            told_so += told(&decision).matches("SkippedMissedRun").count();
            memory = decision.memory;
            cronjob.status = decision.status;
        }
        assert_eq!(cronjob.status.record.missed.len(), most, "{missed_runs:?}");
        assert_eq!(told_so, if missed_runs == all { 4 } else { 0 }, "{missed_runs:?}");
        cronjob.spec.suspend = false;
        let resumed = decide_at(&cronjob, &[], &memory, "T+5h5m");
        assert_eq!(scheduled(&resumed), Some(instant(first)), "{missed_runs:?}");
    }
}
