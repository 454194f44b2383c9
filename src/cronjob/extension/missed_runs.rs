//! `missed-runs` and `missed-runs-limit`: what becomes of instants that passed while nobody could start them.
//!
//! Somebody is a controller that was down, a CronJob that was suspended, a quota that was full. Whatever is asked for
//! here, nothing is started after `startingDeadlineSeconds`.

use super::mistake::Meanwhile;
use super::register::Extension;
use super::word;

/// What becomes of missed instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissedRuns {
    /// The newest runs in place of all of them, as in Kubernetes.
    #[default]
    Latest,
    /// None of them runs.
    Skip,
    /// Each runs, oldest first, as a Job of its own; of more than the limit, the newest.
    All,
}

/// Without `missed-runs-limit`.
pub(super) const DEFAULT_LIMIT: usize = 10;

/// A CronJob catches up with no more than this. What is to be caught up with is recorded in an annotation, and has to
/// find room there.
const LIMIT_MAX: usize = 1_000;

/// What becomes of missed instants.
pub(super) const MISSED_RUNS: Extension = Extension {
    name: "punctual.dev/missed-runs",
    values: "Latest, Skip or All",
    default: "Latest",
    doc: "What becomes of instants that passed while nobody could start them: the newest runs, none does, or each does",
    meanwhile: Meanwhile::Default("the newest of them runs"),
    read: |value, _, into| {
        const ALL: [MissedRuns; 3] = [MissedRuns::Latest, MissedRuns::Skip, MissedRuns::All];
        into.policies.missed_runs = word::one_of(value, &["Latest", "Skip", "All"], &ALL)?;
        Ok(())
    },
};

/// How many are caught up with.
pub(super) const MISSED_RUNS_LIMIT: Extension = Extension {
    name: "punctual.dev/missed-runs-limit",
    values: "a whole number from 1 to 1000",
    default: "10",
    doc: "How many missed instants `missed-runs: All` starts; the newest count",
    meanwhile: Meanwhile::Default("10 are started"),
    read: |value, _, into| {
        into.policies.missed_runs_limit = word::count(value, LIMIT_MAX)?;
        Ok(())
    },
};

#[cfg(test)]
mod tests {
    use super::super::tests::{read, said};
    use super::*;

    #[test]
    fn words_and_numbers() {
        let policies = read(&[
            ("punctual.dev/missed-runs", "All"),
            ("punctual.dev/missed-runs-limit", "3"),
        ])
        .policies;
        assert_eq!(
            (policies.missed_runs, policies.missed_runs_limit),
            (MissedRuns::All, 3)
        );
        insta::assert_snapshot!(said(&[("punctual.dev/missed-runs", "all")]), @r#"annotation punctual.dev/missed-runs is "all"; write "Latest", "Skip" or "All". Until then the newest of them runs"#);
        insta::assert_snapshot!(said(&[("punctual.dev/missed-runs-limit", "0")]), @r#"annotation punctual.dev/missed-runs-limit is "0"; write a whole number from 1 to 1000. Until then 10 are started"#);
    }
}
