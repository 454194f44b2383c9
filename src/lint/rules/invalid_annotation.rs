//! Annotations under `punctual.dev/` with a value that can't be read.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::cronjob::extension::{DIALECT_ANNOTATION, Problem};
use crate::lint::silence;
use crate::manifest::annotation;
use crate::schedule::Dialect;

pub(super) const RULE: Rule = Rule {
    code: "P025",
    name: "invalid-annotation",
    severity: Severity::Error,
    summary: "An annotation under punctual.dev/ does not say what it has to",
    page: r#"
The value of an annotation is text, so numbers and booleans are quoted: `punctual.dev/managed: "true"`. Where
the default would start runs that the annotation was written to move or to prevent, Punctual starts nothing
until it is mended; elsewhere the annotation has no effect.
"#,
    finds: Finds::InObject(check),
};

fn check(subject: &Subject) -> Vec<Diagnostic> {
    let mistakes = subject.annotation_mistakes.iter();
    let malformed = mistakes.filter(|mistake| !matches!(mistake.problem, Problem::Unknown { .. }));
    malformed
        .map(|mistake| annotation::tell(&subject.reporter(), mistake))
        .chain(no_rules(subject))
        .chain(unsaid_dialect(subject))
        .collect()
}

/// Schedules that are meant in another dialect than the one they will be read in, because nothing says so.
fn unsaid_dialect(subject: &Subject) -> Option<Diagnostic> {
    let dialect = subject
        .options
        .dialect
        .filter(|dialect| *dialect == Dialect::Quartz)?;
    let annotations = FieldPath::of("metadata.annotations");
    let path = annotations.key("punctual.dev/schedules");
    subject.node.at(&path)?;
    if subject.node.at(&annotations.key(DIALECT_ANNOTATION)).is_some() {
        return None;
    }
    let message = format!("these schedules are meant as {dialect}, and nothing says so");
    let said = subject.say_of_key(&path, message).labelled("read as `extended`");
    Some(said.help(format!("write `{DIALECT_ANNOTATION}: {dialect}` beside it")))
}

/// Words of `punctual.dev/lint-ignore` that are no rules.
fn no_rules(subject: &Subject) -> Vec<Diagnostic> {
    let path = FieldPath::of("metadata.annotations").key(silence::LINT_IGNORE);
    let text = silence::text(&subject.node);
    let said = |word| {
        let message = format!(
            "there is no rule `{}`",
            text.get(std::ops::Range::clone(&word)).unwrap_or_default()
        );
        let said = subject.say_within(&path, &word, message);
        said.help("`punctual lint --explain all` lists the rules")
    };
    silence::unknown(text).map(said).collect()
}
