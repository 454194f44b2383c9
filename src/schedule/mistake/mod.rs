//! What is wrong with an expression, where, and what to write instead.

mod advice;
mod kinds;
mod render;

use std::ops::Range;

pub use kinds::Mistake;

use super::{Dialect, Expression, Spread};

/// Why a text is not a cron expression.
///
/// Displayed, it is one line without the place. [`render`](ParseError::render) shows the place too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", fault.mistake)]
pub struct ParseError {
    text: Box<str>,
    fault: Fault,
}

/// A mistake, where it is, and the change that would put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) mistake: Mistake,
    span: Range<usize>,
    fix: Option<Fix>,
}

/// A text to put in place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fix {
    span: Range<usize>,
    text: String,
}

impl Fault {
    /// A mistake at some bytes of the expression.
    pub(super) fn at(span: Range<usize>, mistake: Mistake) -> Fault {
        Fault {
            mistake,
            span,
            fix: None,
        }
    }

    /// The same, put right by writing `text` over the bytes in `span`.
    pub(super) fn fix(mut self, span: Range<usize>, text: impl Into<String>) -> Fault {
        let text = text.into();
        self.fix = Some(Fix { span, text });
        self
    }

    /// The same where it is known what to write.
    pub(super) fn fix_if(self, span: Range<usize>, text: Option<impl Into<String>>) -> Fault {
        match text {
            Some(text) => self.fix(span, text),
            None => self,
        }
    }
}

impl ParseError {
    pub(super) fn new(text: &str, fault: Fault) -> ParseError {
        ParseError {
            text: text.into(),
            fault,
        }
    }

    /// What is wrong, for programs.
    pub fn mistake(&self) -> &Mistake {
        &self.fault.mistake
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the mistake is, in bytes of the expression. It is empty where something is missing.
    pub fn span(&self) -> Range<usize> {
        self.fault.span.clone()
    }

    /// What to write instead.
    pub fn help(&self) -> Option<String> {
        let mistake = &self.fault.mistake;
        let write = self
            .suggestion()
            .map(|suggestion| format!("write `{}`", render::shown(&suggestion)));
        match (mistake.advice(), write) {
            (Some(advice), Some(write)) => Some(format!("{advice}: {write}")),
            (advice, write) => advice.or(write).or_else(|| mistake.choices()),
        }
    }

    /// The whole expression put right, if that is known and nothing else is wrong; else the part that is put right.
    pub fn suggestion(&self) -> Option<String> {
        let fix = self.fault.fix.as_ref()?;
        let mut whole = self.text.to_string();
        whole.replace_range(fix.span.clone(), &fix.text);
        if Expression::parse(&whole).is_ok() {
            Some(whole)
        } else {
            Some(fix.text.clone()).filter(|text| !text.trim().is_empty())
        }
    }

    /// The dialects, other than `dialect`, in which the same text is a good expression.
    ///
    /// What Quartz has beyond what is read of it is left out: the extended dialect reads `6L`, but as another day. The help
    /// says how it has it.
    pub fn good_in(&self, dialect: Dialect) -> Vec<Dialect> {
        // Elsewhere the numbers that Quartz has for the days of the week mean other days.
        let weekdays = self.text.split_whitespace().nth(5).unwrap_or_default();
        let mut days = weekdays
            .split(',')
            .filter_map(|item| item.split(['/', '#']).next());
        let by_number =
            dialect == Dialect::Quartz && days.any(|day| day.contains(|c: char| c.is_ascii_digit()));
        if by_number || matches!(self.fault.mistake, Mistake::QuartzBeyond { .. }) {
            return vec![];
        }
        // Whether `H` may stand somewhere does not depend on whose it is.
        let spread = Some(Spread::of("", ""));
        let others = Dialect::ALL.into_iter().filter(|other| *other != dialect);
        others
            .filter(|other| Expression::parse_in(&self.text, *other, spread).is_ok())
            .collect()
    }

    /// Several lines of plain text: the message, the expression with carets under the mistake, and the help.
    pub fn render(&self) -> String {
        render::render(self)
    }
}
