//! Runs in the hour that a clock change repeats.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P039",
    name: "repeated-run",
    severity: Severity::Warning,
    summary: "The next clock change repeats a run",
    page: r"
When the clock is put back, an hour comes twice, and what is scheduled in it starts twice, an hour apart.
Choose a time that no clock change touches, or annotate the CronJob with `punctual.dev/clock-repeat: First` or
`Second`: then one of the two runs. Without it, see to it that a second run does no harm.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::Repeated { .. }))
}
