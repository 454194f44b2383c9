//! The mistakes that people make in cron manifests, each recognised by the line it stands on.

use std::sync::Arc;

use granit_parser::ErrorKind;

use super::line::Line;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::source::{Place, Source, Span};
use crate::schedule::Expression;

/// What was probably done, if the line near the byte `at` shows it. The habits that leave no doubt come
/// first.
pub(super) fn recognise(source: &Arc<Source>, kind: &ErrorKind, at: usize) -> Option<Diagnostic> {
    let line = Line::around(&source.text, at);
    crontab(source, line)
        .or_else(|| unquoted_value(source, line))
        .or_else(|| template(source, line))
        .or_else(|| line.and_next(source).find_map(|line| tab(source, line)))
        .or_else(|| separator(source, line))
        .or_else(|| open_quote(source, at, line))
        .or_else(|| open_bracket(source, line))
        .or_else(|| list_on_the_line_of_its_key(source, line))
        .or_else(|| missing_space(source, line))
        .or_else(|| missing_colon(source, kind, line))
        .or_else(|| below_a_value(source, kind, line))
        .or_else(|| two_colons(source, kind, line))
}

fn syntax(source: &Arc<Source>, span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error("yaml-syntax", message).at(Place::new(source, span))
}

/// A line of a crontab: five fields and a command.
pub(in crate::manifest) fn crontab(source: &Arc<Source>, line: Line<'_>) -> Option<Diagnostic> {
    let fields: Vec<&str> = line.text.split_whitespace().collect();
    let (schedule, command) = fields
        .split_at_checked(5)
        .filter(|(_, command)| !command.is_empty())?;
    let (schedule, command) = (schedule.join(" "), command.join(" "));
    Expression::parse(&schedule).ok()?;
    let help = format!(
        "write a CronJob with `schedule: \"{schedule}\"` and a container that runs `{command}`, or have `punctual import \
         crontab` write one for each line"
    );
    let diagnostic = Diagnostic::error("crontab", "this is a crontab, not a manifest");
    Some(
        diagnostic
            .at(Place::new(source, line.span(0..line.text.len())))
            .help(help),
    )
}

/// A value that begins with a character that YAML keeps for itself: `*`, `@`, `%` and the like.
fn unquoted_value(source: &Arc<Source>, line: Line<'_>) -> Option<Diagnostic> {
    let reserved = |key: &str, value: &str| match value.chars().next()? {
        '*' if key == "schedule" || value.contains(' ') => Some("a `*` here is a YAML alias".to_owned()),
        first @ ('@' | '`' | '%') => Some(format!("YAML keeps `{first}` for itself")),
        _ => None,
    };
    let found = line
        .and_previous(source)
        .filter_map(|line| line.key_value())
        .find_map(|(key, value, span)| reserved(key, value).map(|why| (key, value, span, why)));
    let (key, value, span, why) = found?;
    let (code, what) = match key {
        "schedule" => ("unquoted-schedule", "the schedule"),
        _ => ("unquoted-value", "the value"),
    };
    Some(
        Diagnostic::error(code, format!("{what} must be quoted"))
            .at(Place::new(source, span))
            .labelled(why)
            .help(format!("write `{key}: \"{}\"`", value.trim_matches('`'))),
    )
}

/// A Helm or Jinja template that has not been rendered.
pub(super) fn template(source: &Arc<Source>, line: Line<'_>) -> Option<Diagnostic> {
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
fn tab(source: &Arc<Source>, line: Line<'_>) -> Option<Diagnostic> {
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

/// A line of dashes, but not of three, between two documents.
fn separator(source: &Arc<Source>, line: Line<'_>) -> Option<Diagnostic> {
    let dashes = line.text.trim_end();
    let is_separator = dashes.len() > 1 && dashes.bytes().all(|byte| byte == b'-');
    let diagnostic = || syntax(source, line.span(0..dashes.len()), "this line separates nothing");
    is_separator.then(|| diagnostic().help("write `---` between two objects"))
}

/// A list or mapping in brackets that is still open on the lines before, where the next key begins.
fn open_bracket(source: &Arc<Source>, line: Line<'_>) -> Option<Diagnostic> {
    let (value, span) = std::iter::successors(line.previous(source), |line| line.previous(source))
        .take(BRACKET_LINES)
        .filter_map(|line| line.key_value())
        .find_map(|(_, value, span)| value.starts_with(['[', '{']).then_some((value, span)))?;
    let (open, close) = if value.starts_with('[') {
        ('[', ']')
    } else {
        ('{', '}')
    };
    let written = source.text.get(span.start..line.start)?;
    let is_open = written.matches(open).count() > written.matches(close).count();
    let diagnostic = || {
        let message = format!("this `{open}` is never closed");
        syntax(source, span.start..span.start + 1, message)
    };
    is_open.then(|| diagnostic().help(format!("write a `{close}` at its end")))
}

/// So many lines before a mistake are searched for a bracket that was left open.
const BRACKET_LINES: usize = 20;

/// A quote that was opened on an earlier line and is "closed" by the first quote mark of this one.
fn open_quote(source: &Arc<Source>, at: usize, line: Line<'_>) -> Option<Diagnostic> {
    let before = line.text.get(..at.checked_sub(line.start)?)?;
    let quote = ['"', '\'']
        .into_iter()
        .find(|quote| before.matches(*quote).count() % 2 == 1)?;
    let mut earlier = line.previous(source);
    let opened = loop {
        let line = earlier?;
        if line.text.matches(quote).count() % 2 == 1 {
            break line.start + line.text.rfind(quote)?;
        }
        earlier = line.previous(source);
    };
    Some(
        Diagnostic::error("yaml-syntax", "this quote is never closed")
            .at(Place::new(source, opened..opened + 1))
            .help(format!("close it with a `{quote}` on the same line")),
    )
}

/// A list that begins beside its key: `containers: - name: main`.
fn list_on_the_line_of_its_key(source: &Arc<Source>, line: Line<'_>) -> Option<Diagnostic> {
    let (key, value, span) = line.key_value()?;
    let item = value.strip_prefix("- ")?;
    let help = format!("write `{key}:`, and below it, indented, `- {item}`");
    Some(
        syntax(
            source,
            span.start..span.start + 1,
            "a list begins on a line of its own",
        )
        .help(help),
    )
}

/// A `:` or a `-` with nothing between it and what follows: `image:busybox`, `-name: main`.
fn missing_space(source: &Arc<Source>, line: Line<'_>) -> Option<Diagnostic> {
    for line in line.and_previous(source) {
        let indent = line.text.len() - line.text.trim_start().len();
        if let Some(item) = line.text[indent..].strip_prefix('-')
            && item.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            let span = line.span(indent..indent + 1);
            let help = format!("write `- {}`", item.trim_end());
            return Some(syntax(source, span, "a space is missing after this `-`").help(help));
        }
    }
    line.and_previous(source)
        .find_map(|line| space_after_colon(source, line))
}

/// `schedule:"0 3 * * *"`.
fn space_after_colon(source: &Arc<Source>, line: Line<'_>) -> Option<Diagnostic> {
    let (start, content) = line.content();
    let (key, value) = content.split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_key || value.is_empty() || value.starts_with([' ', '/']) {
        return None;
    }
    let colon = start + key.len();
    let diagnostic = syntax(
        source,
        line.span(colon..colon + 1),
        "a space is missing after this `:`",
    );
    Some(diagnostic.help(format!("write `{key}: {value}`")))
}

/// A key alone on its line, without the colon that makes it one.
fn missing_colon(source: &Arc<Source>, kind: &ErrorKind, line: Line<'_>) -> Option<Diagnostic> {
    let (start, key) = line.content();
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_expected = matches!(
        kind,
        ErrorKind::SimpleKeyExpected | ErrorKind::ExpectedBlockMappingKey
    );
    let diagnostic = syntax(
        source,
        line.span(start..start + key.len()),
        format!("a `:` is missing after `{key}`"),
    );
    (is_key && is_expected).then(|| diagnostic.help(format!("write `{key}:`")))
}

/// A key that is indented below one that has a value already: `apiVersion: batch/v1`, and below it `  kind: CronJob`.
fn below_a_value(source: &Arc<Source>, kind: &ErrorKind, line: Line<'_>) -> Option<Diagnostic> {
    let is_surprised = matches!(
        kind,
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement
    );
    let above = std::iter::successors(line.previous(source), |line| line.previous(source));
    let above = above.into_iter().find(|line| !line.text.trim().is_empty())?;
    let (owner, value, span) = above.key_value().filter(|(_, value, _)| !value.is_empty())?;
    let (start, content) = line.content();
    let (key, _) = content.split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (column, _) = above.content();
    if !is_surprised || !is_key || start <= column {
        return None;
    }
    let message = format!("`{key}` is indented below `{owner}`, which has a value already");
    let help = format!(
        "let `{key}` start in the same column as `{owner}`; or leave out the value `{value}`, if `{key}` is part of `{owner}`"
    );
    let diagnostic = syntax(source, line.span(start..start + key.len()), message);
    Some(
        diagnostic
            .related(Place::new(source, span), format!("the value of `{owner}`"))
            .help(help),
    )
}

/// Keys that hold mappings in every manifest.
const MAPPINGS: [&str; 9] = [
    "metadata",
    "labels",
    "annotations",
    "spec",
    "jobTemplate",
    "template",
    "matchLabels",
    "nodeSelector",
    "resources",
];

/// Keys that stand on the first lines of every manifest.
const FIRST_KEYS: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

/// A value with `: ` in it, a second key on the line of the first, or a mapping on the line of its key.
fn two_colons(source: &Arc<Source>, kind: &ErrorKind, line: Line<'_>) -> Option<Diagnostic> {
    let (key, value, span) = line.key_value()?;
    let is_surprised = matches!(
        kind,
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement
    );
    let (before, after) = value.split_once(": ").filter(|_| is_surprised)?;
    let second = before.split(' ').next_back().unwrap_or(before);
    let at = span.start + before.len() - second.len();
    if MAPPINGS.contains(&key) {
        let message = format!("what `{key}` holds begins on a line of its own");
        let help = format!("write `{key}:`, and below it, indented, `{second}: {after}`");
        return Some(syntax(source, at..at + second.len(), message).help(help));
    }
    if FIRST_KEYS.contains(&second) {
        let message = format!("`{second}` needs a line of its own");
        let help = format!("write `{second}: {after}` on the next line, in the same column as `{key}`");
        return Some(syntax(source, at..at + second.len(), message).help(help));
    }
    let help = "quote it if it is one value; give the second key a line of its own if there are two";
    Some(syntax(source, span, "a value that holds `: ` must be quoted").help(help))
}
