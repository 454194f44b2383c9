//! A text and the places in it.
//!
//! Every diagnostic points into a [`Source`] by byte offsets; line and column are worked out only when
//! someone looks.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A range of bytes in a source.
pub type Span = Range<usize>;

/// A manifest's text, with the name that people know it by.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as it was given, or `<stdin>`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A place in a source, cheap to clone and complete in itself: it can be shown without anything else at hand.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The text that the place is in.
    pub source: Arc<Source>,
    /// The bytes of that text that are meant.
    pub span: Span,
}

impl Place {
    /// The place of `span` in `source`.
    pub fn new(source: &Arc<Source>, span: Span) -> Place {
        Place {
            source: Arc::clone(source),
            span,
        }
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.before().bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    /// The column, counted in characters from 1.
    pub fn column(&self) -> usize {
        let line_start = self.before().rfind('\n').map_or(0, |newline| newline + 1);
        self.before()[line_start..].chars().count() + 1
    }

    /// The place right behind this one; it is empty.
    #[must_use]
    pub fn end(&self) -> Place {
        Place::new(&self.source, self.span.end..self.span.end)
    }

    fn before(&self) -> &str {
        self.source
            .text
            .get(..self.span.start)
            .unwrap_or(&self.source.text)
    }
}

/// `file:line:column`, as compilers write it and editors follow it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.line(), self.column())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
