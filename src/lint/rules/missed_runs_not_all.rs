//! `missed-runs: All` where not all of them can run.

use super::jitter_beyond_interval::shortest_interval;
use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::cronjob::extension::{MissedRuns, Overlap};

pub(super) const RULE: Rule = Rule {
    code: "P052",
    name: "missed-runs-not-all",
    severity: Severity::Error,
    summary: "Not all missed runs can start, although punctual.dev/missed-runs is All",
    page: r"
With `missed-runs: All` each instant that was missed gets a run of its own. Where a run replaces the one before it
(`concurrencyPolicy: Replace`, `overlap: ReplaceWhenStopped`), only the newest of them starts; and where
`startingDeadlineSeconds` is shorter than the time between two runs, all but the newest are too late when
somebody can start them. Both is what `missed-runs: Latest` says.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let policies = &subject.extensions.policies;
    let Some(spec) = subject
        .cron_job()
        .filter(|_| policies.missed_runs == MissedRuns::All)
    else {
        return Vec::new();
    };
    let replacing = match (policies.overlap, spec.concurrency_policy.as_deref()) {
        (Some(Overlap::ReplaceWhenStopped), _) => Some("`punctual.dev/overlap: ReplaceWhenStopped`"),
        (None, Some("Replace")) => Some("`concurrencyPolicy: Replace`"),
        _ => None,
    };
    let replaced = replacing.map(|policy| {
        (
            format!("of missed runs only the newest starts: with {policy} it replaces the others"),
            "write `Latest`, or let runs wait: `punctual.dev/overlap: Queue` or `concurrencyPolicy: Forbid`",
        )
    });
    let interval = shortest_interval(subject).map(|interval| interval.num_seconds());
    let short = spec.starting_deadline_seconds.zip(interval);
    let late = short.filter(|(deadline, interval)| (1..*interval).contains(deadline));
    let late = late.map(|(deadline, interval)| {
        (
            format!(
                "of missed runs only the newest can start: the others are {interval} s old and more, and \
                 `startingDeadlineSeconds` is {deadline}"
            ),
            "write `Latest`, or a longer deadline",
        )
    });
    let path = FieldPath::of("metadata.annotations").key("punctual.dev/missed-runs");
    let reasons = replaced.into_iter().chain(late);
    reasons
        .map(|(message, help)| subject.say(&path, message).help(help))
        .collect()
}
