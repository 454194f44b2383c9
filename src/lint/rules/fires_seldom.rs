//! Schedules with years between two runs.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P031",
    name: "fires-seldom",
    severity: Severity::Note,
    summary: "More than a year lies between two runs",
    page: r"
Such a schedule is right for 29 February, and for little else. Whatever it starts has not been tried for years
when it is needed.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::Seldom { .. }))
}
