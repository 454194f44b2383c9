//! Which finished Jobs are deleted (`successfulJobsHistoryLimit`, `failedJobsHistoryLimit`).

use crate::cronjob::{HistoryLimits, Origin, Outcome, Run};
use crate::policy::is_credible;
use crate::schedule::Timestamp;

/// The finished runs beyond the limits, of each outcome those that go first.
///
/// Runs that a person started count too; those of a backfill don't, which go by their own time. A run that is being
/// deleted already counts but is not deleted again. An unfinished run is never deleted here.
///
/// DIFFERENCE (D11): runs of a clock that was far ahead are the oldest. Kubernetes takes them for the newest, and until
/// time has caught up it deletes every other run as soon as that has ended.
///
/// While the clock of now is the wrong one, and far behind, e.g. on a machine that starts in 1970, the true runs look ahead and
/// go first once new ones have ended: the limits hold, and what is kept are the newest runs that were made. Nothing tells the
/// two clocks apart; what is lost this way is history, where with Kubernetes' order a CronJob could have none for years.
pub(super) fn excess(limits: HistoryLimits, runs: &[Run], now: Timestamp) -> impl Iterator<Item = &Run> {
    let successful = excess_of(runs, Outcome::Succeeded, limits.successful, now);
    let failed = excess_of(runs, Outcome::Failed, limits.failed, now);
    let both = successful.into_iter().chain(failed);
    both.filter(|run| !run.deleting)
}

fn excess_of(runs: &[Run], outcome: Outcome, limit: Option<usize>, now: Timestamp) -> Vec<&Run> {
    let Some(limit) = limit else { return vec![] };
    let counts = |run: &&Run| run.outcome() == Some(outcome) && run.origin != Origin::Backfill;
    let mut finished: Vec<&Run> = runs.iter().filter(counts).collect();
    let excess = finished.len().saturating_sub(limit);
    if excess == 0 {
        return vec![];
    }
    // Of a long history few go at a time, and only they have to be in order.
    let order = |a: &&Run, b: &&Run| age(a, now).cmp(&age(b, now));
    finished.select_nth_unstable_by(excess - 1, order);
    finished.truncate(excess);
    finished.sort_by(order);
    finished
}

/// What decides how soon a run goes. One without a start time never started; it sorts last and so is kept longest, as in
/// Kubernetes.
fn age(run: &Run, now: Timestamp) -> (bool, bool, Option<Timestamp>, &str) {
    let is_credible = run.started.is_none_or(|started| is_credible(started, now));
    (is_credible, run.started.is_none(), run.started, &run.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cronjob::RunState;

    /// Kubernetes' cases for the order (`TestByJobStartTime`): runs are named by what they are, `2` started at 2.
    #[test]
    fn the_oldest_go_first_and_those_that_never_started_last() {
        for (runs, keep, deleted) in [
            ("b:- a:-", 0, "a b"),
            ("a:- b:1", 0, "b a"),
            ("a:1 b:-", 0, "a b"),
            ("b:1 a:1", 0, "a b"),
            ("a:2 b:1", 0, "b a"),
            ("a:1 b:2 c:3", 2, "a"),
            ("a:1 b:2 c:3", 3, ""),
            ("a:1 b:2 c:3", 9, ""),
            // Two clocks that differ a little, and one that was wrong.
            ("a:1 b:2 c:7800", 2, "a"),
            ("a:1 b:2 c:7801", 2, "c"),
            ("a:1 b:- c:20000 d:7801", 1, "d c a"),
        ] {
            let runs = parse(runs);
            let limits = HistoryLimits {
                successful: Some(keep),
                failed: None,
            };
            let names: Vec<_> = excess(limits, &runs, two_hours())
                .map(|run| run.name.as_str())
                .collect();
            assert_eq!(names.join(" "), deleted, "{runs:?}, keep {keep}");
        }
    }

    #[test]
    fn each_outcome_has_its_own_limit() {
        let mut runs = parse("a:1 b:2 c:3 d:4");
        runs[1].state = finished(Outcome::Failed);
        runs[3].state = finished(Outcome::Failed);
        let limits = HistoryLimits {
            successful: Some(1),
            failed: Some(1),
        };
        let names: Vec<_> = excess(limits, &runs, two_hours())
            .map(|run| run.name.as_str())
            .collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn what_is_being_deleted_counts_but_is_not_deleted_again() {
        let mut runs = parse("a:1 b:2");
        runs[0].deleting = true;
        let limits = HistoryLimits {
            successful: Some(1),
            failed: None,
        };
        assert_eq!(excess(limits, &runs, two_hours()).count(), 0);
    }

    #[test]
    fn runs_of_a_backfill_neither_count_nor_are_deleted() {
        let mut runs = parse("a:1 b:2 c:3");
        runs[2].origin = Origin::Backfill;
        let limits = HistoryLimits {
            successful: Some(1),
            failed: None,
        };
        let names: Vec<_> = excess(limits, &runs, two_hours())
            .map(|run| run.name.as_str())
            .collect();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn an_active_run_is_never_deleted() {
        let mut runs = parse("a:1");
        runs[0].state = RunState::Active;
        let limits = HistoryLimits {
            successful: Some(0),
            failed: Some(0),
        };
        assert_eq!(excess(limits, &runs, two_hours()).count(), 0);
    }

    /// The time: two hours after 0.
    fn two_hours() -> Timestamp {
        chrono::DateTime::from_timestamp(7_200, 0).expect("a time")
    }

    fn parse(runs: &str) -> Vec<Run> {
        let run = |text: &str| {
            let (name, started) = text.split_once(':').expect("name:started");
            let started = started
                .parse()
                .ok()
                .and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
            Run {
                name: name.into(),
                uid: name.into(),
                resource_version: String::new(),
                origin: Origin::Schedule,
                state: finished(Outcome::Succeeded),
                started,
                began: true,
                deleting: false,
            }
        };
        runs.split_whitespace().map(run).collect()
    }

    fn finished(outcome: Outcome) -> RunState {
        RunState::Finished {
            outcome,
            completed: None,
        }
    }
}
