//! What is wrong with an annotation: where, what to write instead, and what is done meanwhile.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::schedule::{Dialect, ParseError};

/// An annotation that does not say what it has to.
///
/// Displayed, it is one line for an event: the place in words, the remedy, and what is done until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionError {
    /// The whole name of the annotation.
    pub name: String,
    /// Its value as written.
    pub value: String,
    /// Where in the value the mistake is, in bytes. It is empty where something is missing.
    pub span: Range<usize>,
    /// What is wrong.
    pub problem: Problem,
    /// What is done until it is mended.
    pub meanwhile: Meanwhile,
}

/// What is wrong with an annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// There is no annotation of this name.
    Unknown {
        /// The one that was probably meant.
        meant: Option<&'static str>,
    },
    /// The value is none of those that there are.
    NotOneOf {
        /// Those that there are.
        choices: &'static [&'static str],
    },
    /// A cron expression is not one.
    Schedule {
        /// What is wrong with it.
        error: Arc<ParseError>,
        /// The dialects in which it would be good.
        good_in: Vec<Dialect>,
    },
    /// There is nothing in the value.
    Empty {
        /// What to write.
        write: &'static str,
    },
    /// More than there may be.
    TooMany {
        /// Of what, in the plural.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// It is good, and not here.
    Elsewhere {
        /// The field under which it means something.
        place: &'static str,
    },
    /// It says nothing without another annotation.
    Needs {
        /// The other.
        other: &'static str,
    },
    /// A window that closes before it opens.
    EndsBeforeItBegins,
    /// A calendar that is not there, or can't be read.
    Calendar {
        /// What is wrong with it.
        error: String,
    },
    /// Punctual wrote something else there.
    Tampered,
    /// It is not a thing of its kind.
    NotA {
        /// What it should be, such as `a whole number from 1 to 100`.
        what: Cow<'static, str>,
    },
}

/// What is done while an annotation is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// The annotation counts as absent, which means this.
    Default(&'static str),
    /// Nothing is started: what it was written to move or to prevent would happen otherwise.
    Held,
}

/// A problem at some bytes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) problem: Problem,
}

impl Fault {
    /// A problem with the whole of a value.
    pub(super) fn whole(value: &str, problem: Problem) -> Fault {
        Fault {
            span: 0..value.len(),
            problem,
        }
    }
}

impl From<Fault> for Vec<Fault> {
    fn from(fault: Fault) -> Vec<Fault> {
        vec![fault]
    }
}

impl ExtensionError {
    /// The part of the value that is wrong.
    pub fn fragment(&self) -> &str {
        self.value.get(self.span.clone()).unwrap_or(&self.value)
    }

    /// What is wrong, without the place and without a full stop.
    pub fn message(&self) -> String {
        match &self.problem {
            Problem::Unknown { .. } => "Punctual knows no annotation of this name".into(),
            Problem::NotOneOf { .. } => format!("there is no value {:?}", self.fragment()),
            Problem::Schedule { error, .. } => error.to_string(),
            Problem::Empty { .. } => "there is nothing in it".into(),
            Problem::TooMany { what, most } => format!("there may be no more than {most} {what}"),
            Problem::Elsewhere { .. } => "it means nothing here".into(),
            Problem::Needs { other } => format!("it has no effect without {other}"),
            Problem::EndsBeforeItBegins => {
                "this is before punctual.dev/start-at, so nothing is ever due".into()
            }
            Problem::Calendar { error } => format!("the calendar {} {error}", self.fragment()),
            Problem::Tampered => "it is not what Punctual wrote there".into(),
            Problem::NotA { what } => format!("{:?} is not {what}", self.fragment()),
        }
    }

    /// What to write instead, where that is known.
    pub fn help(&self) -> Option<String> {
        match &self.problem {
            Problem::Unknown { meant } => meant.map(|name| format!("write {name}")),
            Problem::NotOneOf { choices } => Some(format!("write {}", either(choices))),
            Problem::Schedule { error, good_in } => {
                let other = good_in.first();
                let other = other.map(|dialect| format!("it is good with punctual.dev/dialect: {dialect}"));
                other.or_else(|| error.help())
            }
            Problem::Empty { write } => Some(format!("write {write}")),
            Problem::TooMany { .. } => Some("split it into several CronJobs".into()),
            Problem::Elsewhere { place } => Some(format!("write it under {place}")),
            Problem::Needs { other } => Some(format!("write {other} too, or remove it")),
            Problem::EndsBeforeItBegins => Some("write a later instant".into()),
            Problem::Calendar { .. } => None,
            Problem::Tampered => Some("remove it".into()),
            Problem::NotA { what } => Some(format!("write {what}")),
        }
    }
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let help = self.help().map(|help| format!("; {help}")).unwrap_or_default();
        let name = &self.name;
        match &self.problem {
            Problem::Unknown { meant: Some(meant) } => {
                write!(f, "annotation {name} is not known (was {meant} meant?)")?;
            }
            Problem::Unknown { meant: None } => write!(f, "annotation {name} is not known")?,
            Problem::NotOneOf { .. } | Problem::NotA { .. } => {
                let verb = if self.fragment() == self.value {
                    "is"
                } else {
                    "has"
                };
                write!(f, "annotation {name} {verb} {:?}{help}", self.fragment())?;
                if matches!(&self.problem, Problem::NotOneOf { choices } if choices.contains(&"true")) {
                    f.write_str(", in quotes")?;
                }
            }
            Problem::Schedule { .. } => {
                let fragment = self.value.lines().find(|line| line.contains(self.fragment()));
                let fragment = fragment.unwrap_or(&self.value).trim();
                write!(f, "annotation {name} has {fragment:?}: {}{help}", self.message())?;
            }
            Problem::Elsewhere { .. } => write!(f, "annotation {name} means nothing here{help}")?,
            Problem::Empty { .. }
            | Problem::TooMany { .. }
            | Problem::Needs { .. }
            | Problem::EndsBeforeItBegins
            | Problem::Calendar { .. }
            | Problem::Tampered => {
                write!(f, "annotation {name}: {}{help}", self.message())?;
            }
        }
        match self.meanwhile {
            Meanwhile::Default(what) => write!(f, ". Until then {what}"),
            Meanwhile::Held => f.write_str(". Until then nothing is started"),
        }
    }
}

impl std::error::Error for ExtensionError {}

/// `"true" or "false"`, `Latest, Skip or All`.
fn either(choices: &[&str]) -> String {
    let shown: Vec<String> = choices.iter().map(|choice| format!("{choice:?}")).collect();
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
