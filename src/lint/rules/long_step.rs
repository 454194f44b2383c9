//! Steps that are longer than their field.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P035",
    name: "long-step",
    severity: Severity::Warning,
    summary: "A step is so long that only the first value is left",
    page: r"
`*/90` in the first field is not every 90 minutes but minute 0 of every hour: a step does not carry over to
the next field. Write `@every 90m`, which counts from one run to the next.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::LongStep { .. }))
}
