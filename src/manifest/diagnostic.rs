//! What is wrong, where, and what to write instead.
//!
//! A diagnostic is complete in itself: it holds the text that it points into, so it can be sorted, counted,
//! shown or sent as JSON without anything else at hand. [`render`](Diagnostic::render) draws it the way rustc
//! does.

use std::fmt;

use super::path::FieldPath;
use super::source::Place;

mod render;

pub use render::{Paint, render_all};

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The object is refused.
    Error,
    /// The object is taken, but probably does not mean what its author meant.
    Warning,
    /// Nothing is wrong; this is worth knowing.
    Note,
}

/// One problem, or one thing worth knowing, about a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// A stable name for this kind of problem, such as `invalid-schedule`; the same for every occurrence.
    pub code: &'static str,
    /// The code of the lint rule that it breaks, such as `P014`; only `lint` knows it.
    pub rule: Option<&'static str>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The object it is about, as in `CronJob shop/report`.
    pub subject: Option<String>,
    /// The field it is about, from the object's root.
    pub path: Option<FieldPath>,
    /// Where to point; none when a file as a whole is meant and its name is in the message.
    pub place: Option<Place>,
    /// The file or folder that is meant as a whole, for programs.
    pub file: Option<String>,
    /// What to write beside the caret.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that explain this one, such as the first of two definitions.
    pub related: Vec<Related>,
}

/// A second place that belongs to a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What is there.
    pub label: String,
}

impl Diagnostic {
    /// A diagnostic that says no more than its message.
    pub fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity,
            code,
            rule: None,
            message: message.into(),
            subject: None,
            path: None,
            place: None,
            file: None,
            label: None,
            help: None,
            related: Vec::new(),
        }
    }

    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, message)
    }

    /// A note.
    pub fn note(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Note, code, message)
    }

    /// Points at a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Diagnostic {
        self.place = Some(place);
        self
    }

    /// Means a file or folder as a whole.
    #[must_use]
    pub fn of_file(mut self, name: impl Into<String>) -> Diagnostic {
        self.file = Some(name.into());
        self
    }

    /// Writes something beside the caret.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = Some(label.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Names the object.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Diagnostic {
        self.subject = Some(subject.into());
        self
    }

    /// Names the field.
    #[must_use]
    pub fn field(mut self, path: FieldPath) -> Diagnostic {
        self.path = Some(path);
        self
    }

    /// Shows another place.
    #[must_use]
    pub fn related(mut self, place: Place, label: impl Into<String>) -> Diagnostic {
        self.related.push(Related {
            place,
            label: label.into(),
        });
        self
    }

    /// Whether the object is refused.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// One line, for logs and for tools that read `file:line:column: severity: message`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        match self.rule {
            Some(rule) => write!(f, "{}[{rule}]: {}", self.severity, self.message),
            None => write!(f, "{}: {}", self.severity, self.message),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        })
    }
}
