//! The parsed text of a schedule, before anybody knows in which time zone.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use super::calendar::Calendar;
use super::{ParseError, grammar};

/// A cron expression as Kubernetes understands it: five fields or a macro, perhaps with a `TZ=` prefix.
///
/// What is accepted is exactly what robfig/cron v3's standard parser accepts, except that the time zone of a prefix is
/// not looked up here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    text: Box<str>,
    /// Where the name of the time zone stands.
    zone: Option<Range<usize>>,
    rule: Rule,
}

/// What an expression says about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Five fields, or a macro that stands for five fields.
    Calendar(Calendar),
    /// `@every`, in whole seconds, one at least.
    Every { seconds: i64 },
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    ///
    /// If robfig/cron v3 would reject it. The error points at the first mistake and says what to write instead.
    pub fn parse(text: &str) -> Result<Expression, ParseError> {
        let (zone, rule) = grammar::parse(text).map_err(|fault| ParseError::new(text, fault))?;
        Ok(Expression {
            text: text.into(),
            zone,
            rule,
        })
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The time zone that a prefix `TZ=` or `CRON_TZ=` names; none if there is no prefix. An empty name is UTC, as in Go.
    pub fn zone_prefix(&self) -> Option<&str> {
        let name = &self.text[self.zone.clone()?];
        Some(if name.is_empty() { "UTC" } else { name })
    }

    /// Whether no instant can ever match, as for `0 0 31 2 *`.
    pub fn never_fires(&self) -> bool {
        matches!(&self.rule, Rule::Calendar(calendar) if calendar.is_empty())
    }

    /// The interval of `@every`, in whole seconds; none for any other expression.
    pub fn interval(&self) -> Option<Duration> {
        match self.rule {
            Rule::Every { seconds } => Some(Duration::from_secs(seconds.unsigned_abs())),
            Rule::Calendar(_) => None,
        }
    }

    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }
}

impl FromStr for Expression {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Expression, ParseError> {
        Expression::parse(text)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
