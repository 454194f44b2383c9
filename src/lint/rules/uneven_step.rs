//! Steps that do not divide their field.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P034",
    name: "uneven-step",
    severity: Severity::Warning,
    summary: "A step does not divide its field, so the gaps are uneven",
    page: r"
Steps start over with each hour, day, month or year. `*/7` in the first field is minute 0, 7, …, 49, 56 and
then 0 again, after 4 minutes. `*/2` in the third is the 31st and then the 1st, a day later.

A step that divides 60 (or 24, or 12) is even; `@every 7m` counts on across the hour.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::UnevenStep { .. }))
}
