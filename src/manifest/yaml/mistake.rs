//! What is wrong with a text that is not YAML, in words for the person who wrote it.
//!
//! A parser says what it expected; people want to know what they did. `habits` recognises the mistakes that
//! people make in cron manifests; for the rest the parser's words are put better here, or shown as they are.

use std::sync::Arc;

use granit_parser::{ErrorKind, ScanError};

use self::line::Line;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::source::{Place, Source, Span};

mod habits;
mod json;
mod line;

pub(super) use json::in_json_file;

/// What to do when lines do not fit together.
const ALIGN: &str = "a key needs a `:` after it, and keys that belong together start in the same column";

/// A mistake in a YAML text.
pub(super) fn in_yaml(source: &Arc<Source>, error: &ScanError) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or(source.text.len());
    json::in_likely_json(source)
        .or_else(|| habits::recognise(source, error.kind(), at))
        .unwrap_or_else(|| {
            let (message, help) = words(error.kind());
            let diagnostic = Diagnostic::error("yaml-syntax", message).at(Place::new(source, at..at + 1));
            if help.is_empty() {
                diagnostic
            } else {
                diagnostic.help(help)
            }
        })
}

/// A list or mapping where a key should stand, which is also how an unrendered template reads.
pub(super) fn key_that_is_no_word(source: &Arc<Source>, span: Span) -> Diagnostic {
    let line = Line::around(&source.text, span.start);
    habits::template(source, line).unwrap_or_else(|| {
        Diagnostic::error("yaml-syntax", "a key must be a word, not a list or a mapping")
            .at(Place::new(source, span))
    })
}

/// A whole text that is no mapping but a crontab.
pub(in crate::manifest) fn in_crontab(source: &Arc<Source>, span: &Span) -> Option<Diagnostic> {
    habits::crontab(source, Line::around(&source.text, span.start))
}

/// What is wrong, and what to do about it; the latter may be empty.
fn words(kind: &ErrorKind) -> (String, &'static str) {
    let (message, help) = match kind {
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::BlockSequenceEntryNotAllowed => ("this does not fit with the lines before it", ALIGN),
        ErrorKind::UnclosedQuotedScalar => {
            ("this quote is never closed", "close it with the same quote mark")
        }
        ErrorKind::UnknownAnchor => (
            "this alias names nothing",
            "quote the value if it is not meant as a YAML alias",
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => (
            "something stands after the closing quote",
            "put the whole value inside the quotes",
        ),
        ErrorKind::UnknownQuotedScalarEscape | ErrorKind::InvalidQuotedScalarHexEscape => (
            "a `\\` in here does not begin an escape that YAML knows",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::UnclosedFlowCollection { open } => return (format!("this `{open}` is never closed"), ""),
        ErrorKind::RecursionLimitExceeded => {
            let message = format!(
                "more than {} lists and mappings stand within each other here",
                super::DEPTH_MAX
            );
            return (message, "");
        }
        other => return (format!("not YAML: {other}"), ""),
    };
    (message.to_owned(), help)
}
