//! An error as a few lines of plain text.

use std::fmt::Write;

use super::ParseError;

/// The message, the expression with carets under the mistake, and the help.
pub(super) fn render(error: &ParseError) -> String {
    let mut lines = error.to_string();
    let (echo, carets) = (echo(error.text()), carets(error));
    // Writing to a string cannot fail.
    let _ = write!(lines, "\n  | {echo}\n  | {carets}");
    if let Some(help) = error.help() {
        let _ = write!(lines, "\nhelp: {help}");
    }
    lines
}

/// A text as it may stand within a sentence: without characters that would move a terminal's cursor or change its colours.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// The expression on one line, each character one column wide as far as that can be seen to.
fn echo(text: &str) -> String {
    let plain = |c: char| {
        if c.is_control() || c.is_whitespace() {
            ' '
        } else {
            c
        }
    };
    text.chars().map(plain).collect::<String>().trim_end().to_owned()
}

/// One caret for each character of the mistake; one, too, where something is missing.
fn carets(error: &ParseError) -> String {
    let span = error.span();
    let before = error.text()[..span.start].chars().count();
    let under = error.text()[span].chars().count().max(1);
    format!("{}{}", " ".repeat(before), "^".repeat(under))
}
