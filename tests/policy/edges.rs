//! What Kubernetes' own cases leave out: clocks that were wrong, writes that were lost, numbers that are absurd.

use chrono::TimeDelta;
use punctual::cronjob::{Concurrency, CronJob, JobRef, Run, RunState};
use punctual::policy::{Decision, Memory, Situation, decide};

use crate::world::{cronjob, done, instant, run};

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
    cronjob.spec.schedule_text = "0 * * * *".into();
    for (now, start) in [("T+1d", None), ("T-1m", None), ("T", Some("T"))] {
        let decision = decide_at(&cronjob, &[], &memory, now);
        assert_eq!(scheduled(&decision), start.map(instant), "at {now}");
        memory = decision.memory;
    }
}

/// The status was not written after the run had started, and meanwhile the run has ended. Its Job is the only trace of
/// it: were it deleted before the instant is recorded, the instant would run again.
#[test]
fn the_job_of_a_run_is_kept_until_its_instant_is_recorded() {
    let mut cronjob = hourly();
    cronjob.spec.history.successful = Some(0);
    let runs = [run(instant("T"), done(instant("T+5s")))];

    let decision = decide_at(&cronjob, &runs, &Memory::default(), "D");
    assert_eq!(decision.prune, []);
    assert_eq!(decision.start, None);
    assert_eq!(decision.status.last_schedule_time, Some(instant("T")));

    cronjob.status = decision.status;
    let decision = decide_at(&cronjob, &runs, &decision.memory, "D");
    assert_eq!(decision.prune.len(), 1, "now it may go");
}

/// Due at every full hour, created at 08:59, last run at 09:01.
fn hourly() -> CronJob {
    let mut cronjob = cronjob("0 * * * ?", None);
    cronjob.status.last_schedule_time = Some(instant("B"));
    cronjob
}

fn decide_at(cronjob: &CronJob, runs: &[Run], memory: &Memory, now: &str) -> Decision {
    let situation = Situation {
        cronjob,
        runs,
        memory,
    };
    decide(situation, instant(now))
}

fn scheduled(decision: &Decision) -> Option<punctual::schedule::Timestamp> {
    decision.start.as_ref().map(|start| start.scheduled)
}
