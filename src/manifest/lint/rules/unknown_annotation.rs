//! Annotations under `punctual.dev/` that do not exist.

use super::{Diagnostic, FieldPath, Finds, Rule, Severity, Subject};
use crate::cronjob::extension::{Problem, REGISTER};
use crate::manifest::suggest::listed;

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
    let unknown = subject
        .annotation_mistakes
        .iter()
        .filter_map(|mistake| match mistake.problem {
            Problem::Unknown { meant } => Some((mistake, meant)),
            _ => None,
        });
    let said = unknown.map(|(mistake, meant)| {
        let path = FieldPath::of("metadata.annotations").key(&mistake.name);
        let said = subject.say_of_key(&path, format!("there is no annotation `{}`", mistake.name));
        match meant {
            Some(meant) => said.help(format!("did you mean `{meant}`?")),
            None => said.help(format!(
                "there are {}",
                listed(REGISTER.iter().map(|known| format!("`{}`", known.name)))
            )),
        }
    });
    said.collect()
}
