//! A window and excluded days that leave nothing.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    code: "P054",
    name: "no-instant-left",
    severity: Severity::Error,
    summary: "The schedule is never due between punctual.dev/start-at and punctual.dev/end-at",
    page: r"
The schedule is due now and then, but never within the window that `start-at` and `end-at` leave, without the days
that `exclude` names: nothing is ever started. `punctual next` lists when the schedule is due.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let terms = &subject.extensions.policies.terms;
    let (Some(timing), Some(end)) = (&subject.timing, terms.end_at) else {
        return Vec::new();
    };
    let left = timing.all.anchored(subject.options.now);
    // Without a beginning it may have been due before.
    let is_due = terms.start_at.is_none_or(|_| left.previous(end).is_some());
    if is_due || timing.all.never_fires() {
        return Vec::new();
    }
    let path = FieldPath::of("metadata.annotations").key("punctual.dev/end-at");
    let said = subject.say(
        &path,
        "the schedule is never due from `punctual.dev/start-at` until then",
    );
    vec![said.help("write a later instant")]
}
