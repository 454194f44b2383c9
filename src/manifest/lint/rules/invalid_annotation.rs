//! Annotations under `punctual.dev/` with a value that can't be read.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::cronjob::extension::{ExtensionError, Meanwhile, Problem};
use crate::manifest::lint::silence;

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
        .map(|mistake| said(subject, mistake))
        .chain(no_rules(subject))
        .collect()
}

fn said(subject: &Subject, mistake: &ExtensionError) -> Diagnostic {
    let path = FieldPath::of("metadata.annotations").key(&mistake.name);
    let said = subject.say_within(
        &path,
        &mistake.span,
        format!("`{}`: {}", mistake.name, mistake.message()),
    );
    let said = match mistake.meanwhile {
        Meanwhile::Held => said.labelled("nothing is started until this is mended"),
        Meanwhile::Default(what) => said.labelled(format!("until then {what}")),
    };
    match mistake.help() {
        Some(help) => said.help(help),
        None => said,
    }
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
