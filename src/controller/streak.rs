//! How many runs of a CronJob have failed since its last success. No I/O, no clock.
//!
//! Jobs go by the history limits, failed ones after the first by default, so the count is kept here; a controller that
//! starts anew counts what is still there. What a backfill runs is no part of it.

use std::collections::BTreeMap;

use crate::cronjob::{CronJob, Origin, Outcome, Run, RunState, scheduled_by_name};
use crate::policy::is_credible;
use crate::schedule::Timestamp;

/// A streak is counted up to here: nobody needs to know more.
const LONGEST: usize = 1_000;

/// The failed runs since the last success.
#[derive(Debug, Clone, Default)]
pub(super) struct Streak {
    /// By their UIDs, with the instants at which they began.
    failed: BTreeMap<String, Timestamp>,
    /// When the newest run that succeeded began, or when it ended if its Job is gone.
    succeeded: Option<Timestamp>,
}

impl Streak {
    /// Takes in the runs as they are, and tells how many have failed in a row.
    ///
    /// What a clock that was far ahead dated says nothing.
    pub(super) fn observe(&mut self, cronjob: &CronJob, runs: &[Run], now: Timestamp) -> u32 {
        let name = &cronjob.key.name;
        let runs = || runs.iter().filter(|run| run.origin != Origin::Backfill);
        let began = |run: &Run| run.started.or_else(|| scheduled_by_name(name, &run.name));
        let succeeded = runs().filter(|run| run.outcome() == Some(Outcome::Succeeded));
        let is_true = |at: &Timestamp| is_credible(*at, now);
        let newest = succeeded.filter_map(began).filter(is_true).max();
        let recorded = cronjob.status.last_successful_time.filter(|_| newest.is_none());
        let known = self.succeeded.map(|at| if is_true(&at) { at } else { now });
        self.succeeded = known.max(newest).max(recorded.filter(is_true));
        for run in runs().filter(|run| is_failed(run)) {
            if self.failed.len() < LONGEST
                && let Some(began) = began(run)
            {
                self.failed.insert(run.uid.clone(), began);
            }
        }
        let succeeded = self.succeeded;
        self.failed
            .retain(|_, began| is_true(began) && Some(*began) > succeeded);
        u32::try_from(self.failed.len()).unwrap_or(u32::MAX)
    }
}

fn is_failed(run: &Run) -> bool {
    matches!(
        run.state,
        RunState::Finished {
            outcome: Outcome::Failed,
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::schedule::TimeZones;

    /// One row a history: what is seen after each step, as outcome and minute (`F5`: the run of minute 5 failed; `a`:
    /// active), and the streak then.
    #[test]
    fn a_streak_grows_with_every_failure_and_ends_with_the_next_success() {
        for steps in [
            &[
                ("", 0),
                ("a1", 0),
                ("F1", 1),
                ("F1 a2", 1),
                ("F2", 2),
                ("F3", 3),
                ("F3 S4", 0),
                ("S4", 0),
                ("S4 F5", 1),
            ][..],
            // Seen again, it counts once; one that a person started counts as well.
            &[("F1", 1), ("F1", 1), ("F1 Fx", 2)],
            // A success of before does not end it, and neither does one that began before and ended after.
            &[("S1 F2", 1), ("S1 F2 F3", 2)],
            // After a restart, what is there.
            &[("S1 F7", 1)],
            // A backfill neither adds to it nor ends it.
            &[("F1", 1), ("F1 F2b", 1), ("F1 F2b S3b", 1)],
        ] {
            let (mut streak, cronjob) = (Streak::default(), cronjob(None));
            for (seen, expected) in steps {
                let runs: Vec<Run> = seen.split_whitespace().map(run).collect();
                assert_eq!(
                    streak.observe(&cronjob, &runs, later()),
                    *expected,
                    "{seen} of {steps:?}"
                );
            }
        }
    }

    #[test]
    fn a_success_whose_job_is_gone_counts_by_the_record() {
        let recorded = cronjob(Some("2026-01-01T00:05:30Z"));
        let streak = |seen: &str| {
            let runs: Vec<Run> = seen.split_whitespace().map(run).collect();
            Streak::default().observe(&recorded, &runs, later())
        };
        assert_eq!(streak("F5"), 0);
        assert_eq!(streak("F5 F6"), 1);
    }

    #[test]
    fn a_streak_has_an_end() {
        let (mut streak, cronjob) = (Streak::default(), cronjob(None));
        let failures: Vec<Run> = (1..2_000).map(|minute| run(&format!("F{minute}"))).collect();
        assert_eq!(streak.observe(&cronjob, &failures, later()), 1_000);
    }

    /// After all of it.
    fn later() -> Timestamp {
        "2026-01-03T00:00:00Z".parse().expect("an instant")
    }

    /// A success of a clock that was ahead neither ends a streak nor keeps the next one from growing.
    #[test]
    fn what_a_clock_that_was_ahead_dated_says_nothing() {
        let new_year = later() - chrono::TimeDelta::days(2);
        let minute = |minutes| new_year + chrono::TimeDelta::minutes(minutes);
        let (mut streak, cronjob) = (Streak::default(), cronjob(None));
        let mut observe = |seen: &str, now| {
            let runs: Vec<Run> = seen.split_whitespace().map(run).collect();
            streak.observe(&cronjob, &runs, minute(now))
        };
        assert_eq!(observe("S500", 500), 0);
        assert_eq!(observe("S500 F1", 1), 0);
        assert_eq!(observe("S500 F1 F2", 2), 1);
        assert_eq!(observe("S500 F1 F2 F501", 3), 1);
        assert_eq!(observe("S500 F501 S4", 4), 0);
    }

    fn run(text: &str) -> Run {
        let (state, minute) = text.split_at(1);
        let minutes: i64 = minute.trim_end_matches('b').parse().unwrap_or(59);
        let new_year: Timestamp = "2026-01-01T00:00:00Z".parse().expect("an instant");
        Run {
            name: format!("tick-{minute}"),
            uid: minute.into(),
            resource_version: "1".into(),
            origin: if minute.ends_with('b') {
                Origin::Backfill
            } else {
                Origin::Schedule
            },
            began: true,
            state: match state {
                "a" => RunState::Active,
                other => RunState::Finished {
                    outcome: if other == "F" {
                        Outcome::Failed
                    } else {
                        Outcome::Succeeded
                    },
                    completed: None,
                },
            },
            started: Some(new_year + chrono::TimeDelta::minutes(minutes)),
            deleting: false,
        }
    }

    fn cronjob(last_success: Option<&str>) -> CronJob {
        let object = serde_json::json!({
            "metadata": { "name": "tick", "namespace": "a" },
            "spec": { "schedule": "* * * * *", "jobTemplate": {} },
            "status": { "lastSuccessfulTime": last_success },
        });
        let object: manifest::CronJob = serde_json::from_str(&object.to_string()).expect("a CronJob");
        manifest::lower(&object, &TimeZones::built_in(), None)
    }
}
