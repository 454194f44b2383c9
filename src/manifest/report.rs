//! From what validation and decoding found to diagnostics: a path becomes a place, Kubernetes' words become
//! ours.

use std::sync::Arc;

use super::decode::{Misfit, MisfitKind};
use super::diagnostic::Diagnostic;
use super::path::FieldPath;
use super::source::{Place, Source, Span};
use super::tree::Node;
use super::validate::{FieldError, Hint, Reason};

/// An object in its text.
pub(super) struct Reporter<'a> {
    pub source: &'a Arc<Source>,
    pub node: &'a Node,
    /// The object's name, as in `CronJob shop/report`.
    pub subject: &'a str,
}

impl Reporter<'_> {
    /// What is wrong with the object. A field of the wrong kind was read as an empty one, so what validation
    /// says of it says nothing new; nor does one rule that a field breaks in two ways.
    pub(super) fn all(&self, misfits: Vec<Misfit>, errors: &[FieldError]) -> Vec<Diagnostic> {
        let wrong: Vec<FieldPath> = misfits
            .iter()
            .filter(|misfit| misfit.kind == MisfitKind::WrongType)
            .map(|misfit| misfit.path.clone())
            .collect();
        let mut diagnostics: Vec<Diagnostic> =
            misfits.into_iter().map(|misfit| self.misfit(misfit)).collect();
        for error in errors
            .iter()
            .filter(|error| !wrong.iter().any(|path| error.path.is_within(path)))
        {
            let diagnostic = match self.missing_ancestor(error) {
                Some(missing) => self.field_error(&missing),
                None => self.field_error(error),
            };
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
        diagnostics
    }

    /// Where something is required in an object that is itself not there: that object is required.
    fn missing_ancestor(&self, error: &FieldError) -> Option<FieldError> {
        let above = |path: &FieldPath| path.parent().filter(|parent| !parent.steps().is_empty());
        let ancestors = std::iter::successors(above(&error.path), above);
        let missing = ancestors.take_while(|path| self.node.at(path).is_none()).last()?;
        let is_required = error.reason == Reason::Required;
        is_required.then(|| FieldError {
            path: missing,
            detail: String::new(),
            hint: None,
            ..error.clone()
        })
    }

    /// What is wrong with a field's kind or name.
    fn misfit(&self, misfit: Misfit) -> Diagnostic {
        let diagnostic = match misfit.kind {
            MisfitKind::WrongType => Diagnostic::error("wrong-type", misfit.message),
            MisfitKind::UnknownField => Diagnostic::warning("unknown-field", misfit.message),
        };
        let mut diagnostic = self.place(diagnostic, &misfit.path, misfit.span);
        diagnostic.label = misfit.label;
        diagnostic.help = misfit.help;
        diagnostic
    }

    /// What is wrong with a field's value.
    fn field_error(&self, error: &FieldError) -> Diagnostic {
        let hint = error.hint.clone().unwrap_or_default();
        let mut span = self.node.span_of(&error.path);
        if let Some(within) = &hint.within {
            span = self.within_scalar(&error.path, span, within);
        }
        let diagnostic = Diagnostic::error(code(error), message(error, &hint));
        let mut diagnostic = self.place(diagnostic, &error.path, span);
        diagnostic.label = hint.label.or_else(|| self.label(error));
        diagnostic.help = hint.help;
        diagnostic
    }

    /// A diagnostic about a field of the object.
    pub(super) fn place(&self, diagnostic: Diagnostic, path: &FieldPath, span: Span) -> Diagnostic {
        diagnostic
            .at(Place::new(self.source, span))
            .about(self.subject)
            .field(path.clone())
    }

    fn label(&self, error: &FieldError) -> Option<String> {
        match (error.reason, error.detail.as_str()) {
            (Reason::Required, "") if self.node.at(&error.path).is_some() => Some("nothing here".to_owned()),
            (Reason::Required, "") => Some(format!("`{}` is missing here", error.path.tail())),
            (Reason::Required, detail) if detail.starts_with("when ") => Some(format!("required {detail}")),
            (Reason::Required | Reason::NotSupported, detail) => Some(detail.to_owned()),
            (Reason::Duplicate, _) => Some("already used above".to_owned()),
            _ => None,
        }
    }

    /// The bytes of the text that are bytes `within` the scalar at `path`; the whole scalar if it is not
    /// written letter for letter, as one with escapes or over several lines is not.
    fn within_scalar(&self, path: &FieldPath, scalar: Span, within: &Span) -> Span {
        let written = self.source.text.get(scalar.clone()).unwrap_or_default();
        let Some(value) = self.node.at(path).and_then(Node::as_str) else {
            return scalar;
        };
        let offset = match written.strip_prefix(['"', '\'']) {
            None if written == value => 0,
            Some(rest) if rest.get(..value.len()) == Some(value) && rest.len() == value.len() + 1 => 1,
            _ => return scalar,
        };
        let end = scalar.start + offset + value.len();
        (scalar.start + offset + within.start).min(end)..(scalar.start + offset + within.end).min(end)
    }
}

/// A stable name for the kind of problem.
fn code(error: &FieldError) -> &'static str {
    match (error.path.name().as_str(), error.reason) {
        (_, Reason::Required) => "required-field",
        ("schedule", _) => "invalid-schedule",
        ("timeZone", _) => "unknown-time-zone",
        ("name", Reason::Invalid) => "invalid-name",
        (_, Reason::Duplicate) => "duplicate-value",
        (_, Reason::NotFound) => "unknown-reference",
        _ => "invalid-value",
    }
}

fn message(error: &FieldError, hint: &Hint) -> String {
    let (path, detail) = (error.path.tail(), &error.detail);
    if !hint.message.is_empty() {
        return hint.message.clone();
    }
    let value = error.value.as_ref().map(ToString::to_string).unwrap_or_default();
    match error.reason {
        Reason::Required => format!("`{path}` is required"),
        Reason::NotSupported => format!("`{path}` cannot be {value}"),
        Reason::Duplicate => format!("`{path}` repeats {value}"),
        Reason::NotFound => format!("`{path}` names {value}, which is not there"),
        _ if detail.starts_with("must ") || detail.starts_with("may ") || detail.starts_with("requires ") => {
            format!("`{path}` {detail}")
        }
        _ => format!("`{path}`: {detail}"),
    }
}
