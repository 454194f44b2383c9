//! What a line of a crontab is.

use super::Format;

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Blank,
    /// Without its `#`.
    Comment(&'a str),
    /// `NAME=value`, without quotes and the space around.
    Variable {
        name: &'a str,
        value: &'a str,
    },
    Entry(Entry<'a>),
    /// None of these, and why.
    Unknown(String),
}

/// When, by whom, what.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Five fields, or `@daily` and the like.
    pub(super) timing: &'a str,
    /// In the system format.
    pub(super) user: Option<&'a str>,
    pub(super) command: &'a str,
}

impl<'a> Line<'a> {
    /// Reads a line. As in cron, a comment stands on a line of its own: a `#` after a command belongs to the command.
    pub(super) fn read(text: &'a str, format: Format) -> Line<'a> {
        let text = text.trim();
        if text.is_empty() {
            return Line::Blank;
        }
        if let Some(comment) = text.strip_prefix('#') {
            return Line::Comment(comment.trim());
        }
        if let Some((name, value)) = variable(text) {
            return Line::Variable { name, value };
        }
        let fields = if text.starts_with('@') { 1 } else { 5 };
        let Some((timing, rest)) = split_fields(text, fields) else {
            return Line::Unknown(
                "it is neither a variable nor an entry, which has five fields and a command".into(),
            );
        };
        let (user, command) = match format {
            Format::User => (None, rest),
            Format::System => match split_fields(rest, 1) {
                Some((user, command)) => (Some(user), command),
                None => {
                    return Line::Unknown("a user or a command is missing; is it a user's crontab?".into());
                }
            },
        };
        Line::Entry(Entry {
            timing,
            user,
            command,
        })
    }
}

/// The first `count` words, and what follows them; nothing if nothing follows.
fn split_fields(text: &str, count: usize) -> Option<(&str, &str)> {
    let mut rest = text;
    for _ in 0..count {
        let end = rest.find(char::is_whitespace)?;
        rest = rest[end..].trim_start();
    }
    let head = text[..text.len() - rest.len()].trim_end();
    (!rest.is_empty()).then_some((head, rest))
}

/// `NAME = value`, if the line is one. A name is what a shell would take, quoted or not.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = unquoted(name.trim());
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_name = starts_well && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| (name, unquoted(value.trim())))
}

/// Without the quotes around it, if there are any.
fn unquoted(text: &str) -> &str {
    let strip = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    strip('"').or_else(|| strip('\'')).unwrap_or(text)
}
