//! Schedules of days that do not exist.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P030",
    name: "never-fires",
    severity: Severity::Warning,
    summary: "The schedule never fires: no date matches it",
    page: r#"
Kubernetes accepts dates that do not exist, such as 31 February, and never starts a run:

    schedule: "0 0 31 2 *"

To keep a CronJob that is only started by hand, write `suspend: true`, which says so.
"#,
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::NeverFires))
}
