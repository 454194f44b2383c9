//! What is wrong with a text that is not YAML, in words for the person who wrote it.
//!
//! A parser says what it expected; people want to know what they did. The mistakes that people make in cron
//! manifests are recognised by the line they stand on; for the rest the parser's own words are shown.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use granit_parser::{ErrorKind, ScanError};

use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::source::{Place, Source, Span};

/// A mistake in a file that says it is JSON. YAML allows more, but other tools will not.
pub(super) fn in_json_file(source: &Arc<Source>) -> Option<Diagnostic> {
    let is_json = Path::new(&source.name).extension() == Some(OsStr::new("json"));
    is_json.then(|| in_json(source)).flatten()
}

/// A mistake in a JSON text; YAML's words for it would only confuse.
fn in_json(source: &Arc<Source>) -> Option<Diagnostic> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(&source.text).err()?;
    let message = error.to_string();
    let words = message.split(" at line ").next().unwrap_or(&message).to_owned();
    let start = offset(&source.text, error.line(), error.column());
    Some(
        Diagnostic::error("json-syntax", format!("not JSON: {words}"))
            .at(Place::new(source, start..start + 1)),
    )
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

/// Whether a text begins as JSON objects do.
fn looks_like_json(text: &str) -> bool {
    text.trim_start()
        .strip_prefix('{')
        .is_some_and(|rest| rest.trim_start().starts_with('"'))
}

/// A mistake in a YAML text.
pub(super) fn in_yaml(source: &Arc<Source>, error: &ScanError) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or(source.text.len());
    let line = Line::around(&source.text, at);
    if looks_like_json(&source.text)
        && let Some(diagnostic) = in_json(source)
    {
        return diagnostic;
    }
    unquoted_value(source, &line)
        .or_else(|| template(source, &line))
        .or_else(|| tab(source, &line))
        .or_else(|| open_quote(source, at, &line))
        .or_else(|| missing_colon(source, error.kind(), &line))
        .unwrap_or_else(|| by_kind(source, error.kind(), at, &line))
}

/// A list or mapping where a key should stand, which is also how an unrendered template reads.
pub(super) fn key_that_is_no_word(source: &Arc<Source>, span: Span) -> Diagnostic {
    let line = Line::around(&source.text, span.start);
    template(source, &line).unwrap_or_else(|| {
        Diagnostic::error("yaml-syntax", "a key must be a word, not a list or a mapping")
            .at(Place::new(source, span))
    })
}

/// A line of a text.
struct Line<'s> {
    /// Where it starts, in bytes.
    start: usize,
    text: &'s str,
}

impl<'s> Line<'s> {
    fn around(text: &'s str, at: usize) -> Line<'s> {
        let at = (0..=at.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        Line {
            start,
            text: &text[start..end],
        }
    }

    /// The line before the first blank or the text's start, for mistakes that are noticed a line late.
    fn previous(&self, text: &'s str) -> Option<Line<'s>> {
        (self.start > 0).then(|| Line::around(text, self.start - 1))
    }

    /// The key, and the value with its place, of a line that says `key: value`.
    fn key_value(&self) -> Option<(&'s str, &'s str, Span)> {
        let (key, value) = self.text.split_once(": ")?;
        let indent = value.len() - value.trim_start().len();
        let start = self.start + key.len() + 2 + indent;
        let value = value.split(" #").next().unwrap_or(value).trim();
        let key = key.trim_start_matches([' ', '-']).trim();
        Some((key, value, start..start + value.len()))
    }
}

/// A value that begins with a character that YAML keeps for itself: `*`, `@`, `%` and the like.
fn unquoted_value(source: &Arc<Source>, line: &Line<'_>) -> Option<Diagnostic> {
    let lines = [
        line.previous(&source.text),
        Some(Line {
            start: line.start,
            text: line.text,
        }),
    ];
    let (key, value, span) = lines
        .into_iter()
        .flatten()
        .filter_map(|line| line.key_value())
        .find(|(key, value, _)| match value.chars().next() {
            Some('*') => *key == "schedule" || value.contains(' '),
            Some('@' | '`' | '%') => true,
            _ => false,
        })?;
    let first = value.chars().next()?;
    let what = if key == "schedule" {
        "the schedule"
    } else {
        "the value"
    };
    let why = match first {
        '*' => "a `*` here is a YAML alias".to_owned(),
        _ => format!("YAML keeps `{first}` for itself"),
    };
    let code = if key == "schedule" {
        "unquoted-schedule"
    } else {
        "unquoted-value"
    };
    Some(
        Diagnostic::error(code, format!("{what} must be quoted"))
            .at(Place::new(source, span))
            .labelled(why)
            .help(format!("write `{key}: \"{value}\"`")),
    )
}

/// A Helm or Jinja template that has not been rendered.
fn template(source: &Arc<Source>, line: &Line<'_>) -> Option<Diagnostic> {
    let at = line.text.find("{{").or_else(|| line.text.find("{%"))?;
    let end = line.text[at..]
        .find('}')
        .map_or(line.text.len(), |brace| at + brace);
    let span = line.start + at..line.start + (end + 2).min(line.text.len());
    Some(
        Diagnostic::error("unrendered-template", "this is a template, not a manifest")
            .at(Place::new(source, span))
            .help("render it first, for example with `helm template`, and give the result to punctual"),
    )
}

/// A tab where only spaces may stand.
fn tab(source: &Arc<Source>, line: &Line<'_>) -> Option<Diagnostic> {
    let indent = line.text.len() - line.text.trim_start().len();
    let at = line.text[..indent].find('\t')?;
    let span = line.start + at..line.start + at + 1;
    Some(
        Diagnostic::error("yaml-syntax", "a tab cannot indent YAML")
            .at(Place::new(source, span))
            .labelled("this is a tab")
            .help("indent with spaces; two for each level"),
    )
}

/// A quote that was opened on an earlier line and is "closed" by the first quote mark of this one.
fn open_quote(source: &Arc<Source>, at: usize, line: &Line<'_>) -> Option<Diagnostic> {
    let before = line.text.get(..at.checked_sub(line.start)?)?;
    let quote = ['"', '\'']
        .into_iter()
        .find(|quote| before.matches(*quote).count() % 2 == 1)?;
    let mut earlier = line.previous(&source.text);
    let opened = loop {
        let line = earlier?;
        if line.text.matches(quote).count() % 2 == 1 {
            break line.start + line.text.rfind(quote)?;
        }
        earlier = line.previous(&source.text);
    };
    Some(
        Diagnostic::error("yaml-syntax", "this quote is never closed")
            .at(Place::new(source, opened..opened + 1))
            .help(format!("close it with a `{quote}` on the same line")),
    )
}

/// A key alone on its line, without the colon that makes it one.
fn missing_colon(source: &Arc<Source>, kind: &ErrorKind, line: &Line<'_>) -> Option<Diagnostic> {
    let key = line.text.trim_start_matches([' ', '-']).trim_end();
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_key
        || !matches!(
            kind,
            ErrorKind::SimpleKeyExpected | ErrorKind::ExpectedBlockMappingKey
        )
    {
        return None;
    }
    let start = line.start + line.text.find(key)?;
    Some(
        Diagnostic::error("yaml-syntax", format!("a `:` is missing after `{key}`"))
            .at(Place::new(source, start..start + key.len()))
            .help(format!("write `{key}:`")),
    )
}

/// What to do when lines do not fit together.
const ALIGN: &str = "a key needs a `:` after it, and keys that belong together start in the same column";

/// Any other mistake, in the parser's words or better ones.
fn by_kind(source: &Arc<Source>, kind: &ErrorKind, at: usize, line: &Line<'_>) -> Diagnostic {
    let rest = line.text.len() - (at - line.start).min(line.text.len());
    let (message, help): (String, Option<&str>) = match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            if line.text.matches(": ").count() > 1 {
                ("a value that holds `: ` must be quoted".to_owned(), None)
            } else {
                (
                    "this key does not fit with the lines before it".to_owned(),
                    Some(ALIGN),
                )
            }
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::BlockSequenceEntryNotAllowed => (
            "this does not fit with the lines before it".to_owned(),
            Some(ALIGN),
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "this quote is never closed".to_owned(),
            Some("close it with the same quote mark"),
        ),
        ErrorKind::UnclosedFlowCollection { open } => (format!("this `{open}` is never closed"), None),
        ErrorKind::UnknownAnchor => (
            "this alias names nothing".to_owned(),
            Some("quote the value if it is not meant as a YAML alias"),
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => (
            "something stands after the closing quote".to_owned(),
            Some("put the whole value inside the quotes"),
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "this `\\` does not begin an escape that YAML knows".to_owned(),
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        ErrorKind::RecursionLimitExceeded => (
            format!(
                "more than {} lists and mappings stand within each other here",
                super::DEPTH_MAX
            ),
            None,
        ),
        other => (format!("not YAML: {other}"), None),
    };
    let diagnostic =
        Diagnostic::error("yaml-syntax", message).at(Place::new(source, at..at + usize::from(rest > 0)));
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}
