//! A `*` in the minutes beside an hour.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P036",
    name: "every-minute",
    severity: Severity::Warning,
    summary: "A schedule for one hour fires in each of its minutes",
    page: r#"
A `*` in the first field is every minute, also when the hour is given. This fires 60 times, from 02:00 to
02:59:

    schedule: "* 2 * * *"

Once at two o'clock is `0 2 * * *`.
"#,
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::EveryMinute { .. }))
}
