//! Starting deadlines that are likely to pass.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::schedule::Expression;

/// Kubernetes' documentation says that a shorter deadline may never be met.
const USEFUL_SECONDS: i64 = 10;

pub(super) const RULE: Rule = Rule {
    code: "P041",
    name: "deadline-short",
    severity: Severity::Warning,
    summary: "startingDeadlineSeconds is too short to be met",
    page: r"
Kubernetes' controller can be seconds late: under load, while a leader is elected, while the API server
restarts. A run that is later than `startingDeadlineSeconds` is lost, and only the lack of it tells.
Kubernetes itself advises against less than 10 seconds.

With `@every`, Kubernetes counts from its last run, and never starts one if the deadline is shorter than the
interval (Punctual does).
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let Some(deadline) = subject.cron_job().and_then(|spec| spec.starting_deadline_seconds) else {
        return Vec::new();
    };
    let path = FieldPath::of("spec.startingDeadlineSeconds");
    let expressions = subject.timing.iter().flat_map(|timing| &timing.expressions);
    let interval = expressions.filter_map(Expression::interval).min();
    let interval = interval.and_then(|interval| i64::try_from(interval.as_secs()).ok());
    let said = match interval {
        _ if deadline < 1 => return Vec::new(),
        Some(interval) if deadline < interval => subject
            .say(&path, "Kubernetes never starts this: with `@every`, the deadline must not be shorter than the interval")
            .help(format!("write at least {interval}, or leave it out")),
        _ if deadline < USEFUL_SECONDS => subject
            .say(&path, format!("a run that is {} late is lost, and a controller can be that late", seconds(deadline)))
            .help(format!("write at least {USEFUL_SECONDS}, or leave it out")),
        _ => return Vec::new(),
    };
    vec![said]
}

fn seconds(count: i64) -> String {
    if count == 1 {
        "a second".to_owned()
    } else {
        format!("{count} seconds")
    }
}
