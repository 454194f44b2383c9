//! What is wrong with an annotation under `punctual.dev/`, told at its place in a text.
//!
//! It is an error for `lint`. Where manifests are run it is a warning, as the event of the controller is: until it is
//! mended, what the message says is done.

use super::diagnostic::Diagnostic;
use super::path::FieldPath;
use super::report::{Reporter, within_scalar};
use super::suggest::listed;
use crate::cronjob::extension::{ExtensionError, Meanwhile, Problem, REGISTER};

/// Tells a mistake.
pub(crate) fn tell(reporter: &Reporter<'_>, mistake: &ExtensionError) -> Diagnostic {
    let path = FieldPath::of("metadata.annotations").key(&mistake.name);
    match mistake.problem {
        Problem::Unknown { meant } => unknown(reporter, &path, mistake, meant),
        _ => invalid(reporter, &path, mistake),
    }
}

fn unknown(
    reporter: &Reporter<'_>,
    path: &FieldPath,
    mistake: &ExtensionError,
    meant: Option<&str>,
) -> Diagnostic {
    let message = format!("there is no annotation `{}`", mistake.name);
    let said = Diagnostic::warning("unknown-annotation", message);
    let said = reporter.place(said, path, reporter.node.key_span(path));
    match meant {
        Some(meant) => said.help(format!("did you mean `{meant}`?")),
        None => said.help(format!(
            "there are {}",
            listed(REGISTER.iter().map(|known| format!("`{}`", known.name)))
        )),
    }
}

fn invalid(reporter: &Reporter<'_>, path: &FieldPath, mistake: &ExtensionError) -> Diagnostic {
    let whole = reporter.node.span_of(path);
    let span = within_scalar(reporter.source, reporter.node.at(path), whole, &mistake.span);
    let message = format!("`{}`: {}", mistake.name, mistake.message());
    let said = reporter.place(Diagnostic::warning("invalid-annotation", message), path, span);
    let said = match mistake.meanwhile {
        Meanwhile::Held => said.labelled("nothing is started until this is mended"),
        Meanwhile::Default(what) => said.labelled(format!("until then {what}")),
    };
    match mistake.help() {
        Some(help) => said.help(help),
        None => said,
    }
}
