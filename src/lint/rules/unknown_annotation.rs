//! Annotations under `punctual.dev/` that do not exist.

use super::{Diagnostic, Finds, Rule, Severity, Subject};
use crate::cronjob::extension::Problem;
use crate::manifest::annotation;

pub(super) const RULE: Rule = Rule {
    code: "P024",
    name: "unknown-annotation",
    severity: Severity::Error,
    summary: "There is no annotation of this name under punctual.dev/",
    page: r"
Annotations that begin with `punctual.dev/` are Punctual's own. One that it does not know has no effect, so it
is most likely misspelt.
",
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let mistakes = subject.annotation_mistakes.iter();
    let unknown = mistakes.filter(|mistake| matches!(mistake.problem, Problem::Unknown { .. }));
    unknown
        .map(|mistake| annotation::tell(&subject.reporter(), mistake))
        .collect()
}
