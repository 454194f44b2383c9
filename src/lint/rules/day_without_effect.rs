//! Day fields that are written out in full.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::schedule::Advice;

pub(super) const RULE: Rule = Rule {
    code: "P033",
    name: "day-without-effect",
    severity: Severity::Warning,
    summary: "A day field that is written out in full makes the other one useless",
    page: r#"
Of two restricted day fields either is enough, and a full range such as `1-31` or `0-6` counts as restricted,
but matches every day:

    schedule: "0 0 1 * 0-6"   # every day, not the 1st

Write `*` for "any day".
"#,
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    subject.advised(|advice| matches!(advice, Advice::OtherDayIgnored { .. }))
}
