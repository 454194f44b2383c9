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
