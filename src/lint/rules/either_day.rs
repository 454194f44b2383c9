//! The two day fields, which are OR-ed.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P032",
    name: "either-day",
    severity: Severity::Warning,
    summary: "Day of the month and day of the week are both restricted, and either is enough",
    page: r#"
When neither day field begins with `*`, a day has to match only one of them. This is the 13th of every month
and every Friday, not Friday the 13th:

    schedule: "0 0 13 * 5"

A step counts as a restriction in Kubernetes, unlike in cron: `0 0 */2 * 1` is every odd day and every Monday.
"#,
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::EitherDay))
}
