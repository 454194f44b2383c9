//! Texts that should be JSON: the words of a JSON parser, since those for YAML would only confuse.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::source::{Place, Source};

/// A mistake in a file that says it is JSON. YAML allows more, but other tools will not.
pub(in crate::manifest::yaml) fn in_json_file(source: &Arc<Source>) -> Option<Diagnostic> {
    let is_json = Path::new(&source.name).extension() == Some(OsStr::new("json"));
    is_json.then(|| in_json(source)).flatten()
}

/// A mistake in a text that begins as JSON objects do, wherever it comes from.
pub(super) fn in_likely_json(source: &Arc<Source>) -> Option<Diagnostic> {
    looks_like_json(&source.text).then(|| in_json(source)).flatten()
}

fn in_json(source: &Arc<Source>) -> Option<Diagnostic> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(&source.text).err()?;
    let message = error.to_string();
    let words = message.split(" at line ").next().unwrap_or(&message).to_owned();
    let start = offset(&source.text, error.line(), error.column());
    if let Some(habit) = habit(source, start) {
        return Some(habit);
    }
    Some(
        Diagnostic::error("json-syntax", format!("not JSON: {words}"))
            .at(Place::new(source, start..start + 1)),
    )
}

/// What other notations allow, and JSON does not.
fn habit(source: &Arc<Source>, at: usize) -> Option<Diagnostic> {
    let (before, rest) = source.text.split_at_checked(at)?;
    let told = |message: &str, span, help: &str| {
        let diagnostic = Diagnostic::error("json-syntax", message).at(Place::new(source, span));
        Some(diagnostic.help(help))
    };
    let before = before.trim_end();
    match rest.chars().next()? {
        '/' | '#' => {
            let end = rest.find('\n').map_or(source.text.len(), |end| at + end);
            told("JSON has no comments", at..end, "take it out, or write YAML")
        }
        '\'' => told("JSON has no single quotes", at..at + 1, "write `\"`"),
        '}' | ']' if before.ends_with(',') => {
            let comma = before.len() - 1;
            told(
                "nothing follows this comma",
                comma..comma + 1,
                "take it out: in JSON the last item has none",
            )
        }
        _ => None,
    }
}

/// The byte at a line and column, both counted from 1 (`serde_json` counts columns in bytes).
fn offset(text: &str, line: usize, column: usize) -> usize {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (line_start + column.saturating_sub(1)).min(text.len())
}

fn looks_like_json(text: &str) -> bool {
    text.trim_start()
        .strip_prefix('{')
        .is_some_and(|rest| rest.trim_start().starts_with('"'))
}
