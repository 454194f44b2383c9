//! Days that not every month has.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P037",
    name: "short-months",
    severity: Severity::Warning,
    summary: "Some months do not have this day",
    page: r"
A month that has no such day has no run: the 31st is in seven months of twelve. For the end of every month,
write `0 0 L * *` in the annotation `punctual.dev/schedules`, or run on the 1st.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::ShortMonths { .. }))
}
