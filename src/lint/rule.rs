//! What a rule is: a code that stays, how much it matters, a page about it, and how it is found.

use std::fmt;

use super::subject::Subject;
use crate::manifest::diagnostic::{Diagnostic, Severity};

/// A rule of `punctual lint`.
pub struct Rule {
    /// Its code, such as `P014`. It is never given to another rule.
    pub code: &'static str,
    /// Its name, such as `unsupported-value`, which says as much as a few words can.
    pub name: &'static str,
    /// How much what it finds matters.
    pub severity: Severity,
    /// What it finds, in a sentence.
    pub summary: &'static str,
    /// Why that matters and what to do: paragraphs with empty lines between them, examples indented by four spaces.
    pub page: &'static str,
    /// How it is found.
    pub(super) finds: Finds,
}

/// How what is wrong is found.
pub(super) enum Finds {
    /// While a text is read, before there is an object: the codes of its diagnostics.
    InText(&'static [&'static str]),
    /// While an object is read: the codes of its diagnostics.
    Reading(&'static [&'static str]),
    /// By looking at one object.
    InObject(fn(&Subject) -> Vec<Diagnostic>),
    /// By looking at all objects together.
    InAll(fn(&[&Subject]) -> Vec<Diagnostic>),
}

impl Rule {
    /// Whether `word` is its code or its name, in any case.
    pub fn is_called(&self, word: &str) -> bool {
        self.code.eq_ignore_ascii_case(word) || self.name.eq_ignore_ascii_case(word)
    }

    /// The page, as `--explain` shows it and `docs/lint.md` has it, without its title.
    pub fn explanation(&self) -> String {
        let code = self.code;
        let silence = match self.finds {
            Finds::InText(_) => format!("To silence it, write `--ignore {code}`."),
            Finds::Reading(_) | Finds::InObject(_) | Finds::InAll(_) => format!(
                "To silence it for one object, annotate the object with `punctual.dev/lint-ignore: {code}`; \
                 for a run, write `--ignore {code}`."
            ),
        };
        format!("{}.\n\n{}\n\n{silence}", self.summary, self.page.trim())
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.name)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.code == other.code
    }
}
