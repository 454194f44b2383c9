//! From what validation and decoding found to diagnostics: a path becomes a place, Kubernetes' words become
//! ours.

use std::sync::Arc;

use super::decode::Misfit;
use super::diagnostic::Diagnostic;
use super::path::FieldPath;
use super::source::{Place, Source, Span};
use super::tree::{Node, Value};
use super::validate::{FieldError, Hint, Reason};

/// An object in its text.
pub(crate) struct Reporter<'a> {
    pub source: &'a Arc<Source>,
    /// Its tree, or the part of it that is looked at.
    pub node: &'a Node,
    /// Where that part is in the object.
    pub within: &'a FieldPath,
    /// The object's name, as in `CronJob shop/report`.
    pub subject: &'a str,
}

impl Reporter<'_> {
    /// What is wrong with the object. A field of the wrong kind was read as an empty one, so what validation
    /// says of it says nothing new; nor does one rule that a field breaks in two ways.
    pub(crate) fn all(&self, misfits: Vec<Misfit>, errors: &[FieldError]) -> Vec<Diagnostic> {
        let wrong: Vec<FieldPath> = misfits.iter().map(|misfit| misfit.path.clone()).collect();
        let mut diagnostics: Vec<Diagnostic> =
            misfits.into_iter().map(|misfit| self.misfit(misfit)).collect();
        let is_news = |error: &&FieldError| !wrong.iter().any(|path| error.place().is_within(path));
        for error in errors
            .iter()
            .filter(is_news)
            .filter(|error| !says_less(error, errors))
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
        let ancestors = std::iter::successors(above(error.place()), above);
        let missing = ancestors.take_while(|path| self.node.at(path).is_none()).last()?;
        let is_required = error.reason == Reason::Required;
        is_required.then(|| FieldError {
            path: missing,
            place: None,
            detail: String::new(),
            hint: None,
            ..error.clone()
        })
    }

    /// What is wrong with a field's kind.
    fn misfit(&self, misfit: Misfit) -> Diagnostic {
        let diagnostic = Diagnostic::error("wrong-type", misfit.message);
        let mut diagnostic = self.place(diagnostic, &misfit.path, misfit.span);
        diagnostic.help = misfit.help;
        diagnostic
    }

    /// What is wrong with a field's value.
    fn field_error(&self, error: &FieldError) -> Diagnostic {
        let hint = error.hint.clone().unwrap_or_default();
        let mut span = self.node.span_of(error.place());
        if let Some(within) = &hint.within {
            span = within_scalar(self.source, self.node.at(error.place()), span, within);
        }
        let diagnostic = Diagnostic::error(code(error), message(error, &hint));
        let mut diagnostic = self.place(diagnostic, error.place(), span);
        diagnostic.label = hint.label.or_else(|| self.label(error));
        diagnostic.help = hint.help;
        match self.namesake(error) {
            Some((list, path)) => {
                let place = Place::new(self.source, self.node.key_span(&path));
                let name = path.name();
                diagnostic
                    .related(place, "another field of this name")
                    .help(format!(
                        "the `{name}` in an item of `{list}` is its own; write one beside `{list}`"
                    ))
            }
            None => diagnostic,
        }
    }

    /// A field of the same name as one that is missing, in an item of a list beside it: a container's `restartPolicy`
    /// is not that of its pod.
    fn namesake(&self, error: &FieldError) -> Option<(String, FieldPath)> {
        let name = error.place().name();
        let parent = error
            .place()
            .parent()
            .filter(|_| error.reason == Reason::Required)?;
        let Value::Mapping(entries) = &self.node.at(&parent)?.value else {
            return None;
        };
        entries.iter().filter(|_| name != "name").find_map(|entry| {
            let path = parent.child_named(&entry.key).index(0).child_named(&name);
            self.node.at(&path).map(|_| (entry.key.clone(), path))
        })
    }

    /// A diagnostic about a field of the object.
    pub(crate) fn place(&self, diagnostic: Diagnostic, path: &FieldPath, span: Span) -> Diagnostic {
        diagnostic
            .at(Place::new(self.source, span))
            .about(self.subject)
            .field(self.within.join(path))
    }

    fn label(&self, error: &FieldError) -> Option<String> {
        match (error.reason, error.detail.as_str()) {
            (Reason::Required, "") if self.node.at(error.place()).is_some() => {
                Some("nothing here".to_owned())
            }
            (Reason::Required, "") => Some(format!("`{}` is missing here", error.place().tail())),
            (Reason::Required, detail) if detail.starts_with("when ") => Some(format!("required {detail}")),
            (Reason::Required | Reason::NotSupported, detail) => Some(detail.to_owned()),
            (Reason::Duplicate, _) => Some("already used above".to_owned()),
            _ => None,
        }
    }
}

/// Whether another error at the same place says it better: that something is missing says more than what it would have
/// to look like, and of two lists of values that a field may have, the last is the shorter.
fn says_less(error: &FieldError, errors: &[FieldError]) -> bool {
    let mut others = errors.iter().filter(|other| other.place() == error.place());
    match error.reason {
        Reason::Invalid => others.any(|other| other.reason == Reason::Required),
        Reason::NotSupported => others
            .rfind(|other| other.reason == Reason::NotSupported)
            .is_some_and(|last| !std::ptr::eq(last, error)),
        _ => false,
    }
}

/// The bytes of the text that are bytes `within` the scalar `value`, which stands at `scalar`; the whole scalar if it is
/// not written letter for letter, as one with escapes is not. Of a block of lines, the line.
pub(crate) fn within_scalar(source: &Source, value: Option<&Node>, scalar: Span, within: &Span) -> Span {
    let written = source.text.get(scalar.clone()).unwrap_or_default();
    let Some(value) = value.and_then(Node::as_str) else {
        return scalar;
    };
    let offset = match written.strip_prefix(['"', '\'']) {
        None if written == value => 0,
        Some(rest) if rest.get(..value.len()) == Some(value) && rest.len() == value.len() + 1 => 1,
        _ => return within_block(written, value, &scalar, within).unwrap_or(scalar),
    };
    let end = scalar.start + offset + value.len();
    (scalar.start + offset + within.start).min(end)..(scalar.start + offset + within.end).min(end)
}

/// The same for a block of lines (`|`), whose lines are indented in the text.
fn within_block(written: &str, value: &str, scalar: &Span, within: &Span) -> Option<Span> {
    let line_start = value
        .get(..within.start)?
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let line = value.get(line_start..)?.lines().next()?;
    let number = value.get(..line_start)?.matches('\n').count();
    let mut at = 0;
    let mut lines = written.split_inclusive('\n').filter_map(|text| {
        let start = at;
        at += text.len();
        let indent = text.len() - text.trim_start().len();
        (text.trim() == line.trim() && !line.trim().is_empty()).then_some(start + indent)
    });
    // The same line can stand there more than once; of those the one that is as far down is meant, or the last.
    let repeats = value
        .lines()
        .take(number)
        .filter(|other| other.trim() == line.trim())
        .count();
    let start = scalar.start + lines.nth(repeats)?;
    let indent = line.len() - line.trim_start().len();
    let from = (within.start - line_start).saturating_sub(indent);
    let length = (within.end - within.start).min(line.trim().len().saturating_sub(from));
    Some(start + from..start + from + length)
}

/// A stable name for the kind of problem.
fn code(error: &FieldError) -> &'static str {
    match (error.place().name().as_str(), error.reason) {
        (_, Reason::Required) => "required-field",
        ("schedule", _) if error.detail.starts_with("cannot use") => "zone-in-schedule",
        ("schedule", _) => "invalid-schedule",
        ("timeZone", _) => "unknown-time-zone",
        ("name", Reason::Invalid) => "invalid-name",
        (_, Reason::Duplicate) => "duplicate-value",
        (_, Reason::NotFound) => "unknown-reference",
        ("selector" | "manualSelector", _) | (_, Reason::Forbidden) => "forbidden-field",
        (_, Reason::Invalid) if error.detail.starts_with("requires ") => "forbidden-field",
        (_, Reason::NotSupported) => "unsupported-value",
        _ => "invalid-value",
    }
}

fn message(error: &FieldError, hint: &Hint) -> String {
    let (path, detail) = (error.place().tail(), &error.detail);
    if !hint.message.is_empty() {
        return hint.message.clone();
    }
    let value = error.value.as_ref().map(ToString::to_string).unwrap_or_default();
    match error.reason {
        Reason::Required => format!("`{path}` is required"),
        Reason::NotSupported => format!("`{path}` cannot be {value}"),
        Reason::Duplicate => format!("`{path}` repeats {value}"),
        Reason::NotFound => format!("`{path}` names {value}, which is not there"),
        _ if detail.contains("RFC 1123") || detail == "must not contain dots" => format!(
            "{value} is not a name in Kubernetes: only lower-case letters, digits and `-`, with a letter or digit at \
             both ends"
        ),
        _ if detail.contains("regex used for validation") => {
            let what = if detail.starts_with("a valid label must") {
                "the value of a label"
            } else {
                "a key here"
            };
            format!(
                "{value} cannot be {what}: letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
            )
        }
        _ if detail.starts_with("must ") || detail.starts_with("may ") || detail.starts_with("requires ") => {
            format!("`{path}` {detail}")
        }
        _ => format!("`{path}`: {detail}"),
    }
}
