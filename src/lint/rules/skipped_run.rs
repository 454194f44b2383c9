//! Runs in the hour that a clock change leaves out.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P038",
    name: "skipped-run",
    severity: Severity::Warning,
    summary: "The next clock change skips a run",
    page: r"
When the clock is put forward, the time between does not happen, and neither does what is scheduled in it. In
Europe and North America that is an hour after 1, 2 or 3 o'clock at night; elsewhere it can be midnight, and
then `@daily` skips a day.

Choose a time that no clock change touches, or annotate the CronJob with `punctual.dev/clock-gap: RunAfter`: then
the run starts when the gap ends.

`punctual next` shows the runs around a clock change.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::Skipped { .. }))
}
