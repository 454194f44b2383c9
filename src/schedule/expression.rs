//! The parsed text of a schedule, before anybody knows in which time zone.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::almanac::Almanac;
use super::calendar::Calendar;
use super::fields::Fields;
use super::wall_clock::WallClock as _;
use super::{Dialect, ParseError, Spread, grammar};

/// A cron expression: as Kubernetes understands it, five fields or a macro, perhaps with a `TZ=` prefix; or in another
/// [`Dialect`].
///
/// Of the Kubernetes dialect, what is accepted is exactly what robfig/cron v3's standard parser accepts, except that the time zone of a prefix is
/// not looked up here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    text: Box<str>,
    /// Where the name of the time zone stands.
    zone: Option<Range<usize>>,
    dialect: Dialect,
    rule: Rule,
    /// What `rule` was made of, for those who describe it; none for `@every`.
    fields: Option<Arc<Fields>>,
}

/// What an expression says about time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Five fields, or a macro that stands for five fields.
    Calendar(Calendar),
    /// What five fields cannot say.
    Almanac(Arc<Almanac>),
    /// `@every`, in whole seconds, one at least.
    Every { seconds: i64 },
}

impl Rule {
    pub(super) fn of(fields: &Fields) -> Rule {
        match fields.calendar() {
            Some(calendar) => Rule::Calendar(calendar),
            None => Rule::Almanac(Arc::new(Almanac::new(fields.clone()))),
        }
    }
}

impl Expression {
    /// Parses an expression of the Kubernetes dialect.
    ///
    /// # Errors
    ///
    /// If robfig/cron v3 would reject it. The error points at the first mistake and says what to write instead.
    pub fn parse(text: &str) -> Result<Expression, ParseError> {
        Expression::parse_in(text, Dialect::Kubernetes, None)
    }

    /// Parses an expression of a dialect. `spread` is what `H` stands for in the extended one.
    ///
    /// # Errors
    ///
    /// If the dialect does not know it. The error points at the first mistake and says what to write instead.
    pub fn parse_in(text: &str, dialect: Dialect, spread: Option<Spread>) -> Result<Expression, ParseError> {
        let parsed = grammar::parse(text, dialect, spread).map_err(|fault| ParseError::new(text, fault))?;
        Ok(Expression {
            text: text.into(),
            zone: parsed.zone,
            dialect,
            rule: parsed.rule,
            fields: parsed.fields.map(Arc::new),
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
        match &self.rule {
            Rule::Calendar(calendar) => calendar.is_empty(),
            Rule::Almanac(almanac) => almanac.is_empty(),
            Rule::Every { .. } => false,
        }
    }

    /// Whether it fires every hour of the day, if not more often, on the days on which it fires.
    pub(super) fn fires_hourly(&self) -> bool {
        let hours = self.fields.as_ref().map(|fields| fields.hours.count_ones());
        hours.is_none_or(|hours| hours == 24)
    }

    /// The interval of `@every`, in whole seconds; none for any other expression.
    pub fn interval(&self) -> Option<Duration> {
        match self.rule {
            Rule::Every { seconds } => Some(Duration::from_secs(seconds.unsigned_abs())),
            Rule::Calendar(_) | Rule::Almanac(_) => None,
        }
    }

    /// The dialect it is written in.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn fields(&self) -> Option<&Fields> {
        self.fields.as_deref()
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
