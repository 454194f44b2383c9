//! When is it due?
//!
//! A schedule goes through three forms. The text is parsed into an [`Expression`], or into a [`ParseError`] that
//! points at the character. A time zone is looked up by name in [`TimeZones`]. The two together are a
//! [`Schedule`], which answers every question about due times.
//!
//! ```
//! use punctual::schedule::{Expression, Schedule, TimeZones, Timestamp};
//!
//! let expression: Expression = "30 2 * * 1-5".parse()?;
//! let zone = TimeZones::built_in().zone("Europe/Rome")?;
//! let schedule = Schedule::new(&expression, zone);
//!
//! let friday: Timestamp = "2026-11-20T12:00:00Z".parse()?;
//! let monday: Timestamp = "2026-11-23T01:30:00Z".parse()?;
//! assert_eq!(schedule.next(friday), Some(monday));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | file | what it is for |
//! |---|---|
//! | `expression` | the parsed text |
//! | `dialect` | what a schedule can be written in |
//! | `grammar/` | text to fields: the prefix, macros, durations, fields; the extended and the Quartz dialect |
//! | `fields` | what was asked for, field by field, in whatever dialect |
//! | `mistake/` | every way to get it wrong, what is said about it and what to write instead |
//! | `date`, `wall_clock` | days and months; the search within one unbroken stretch of wall-clock time |
//! | `calendar`, `almanac` | the days and times of five fields, and of what they cannot say |
//! | `zone`, `tzif` | the clock changes of a zone, and how they are read |
//! | `zones`, `zone_name`, `data` | zones by name: which database is believed, and what was meant by a name that is none |
//! | `search` | the wall-clock rule: the search across clock changes |
//! | `terms/`, `days/` | a window, excluded days and calendars, other rules for clock changes |
//! | `describe/`, `advice` | the schedule as a person would say it, and what may surprise |
//! | `compiled`, `due`, `readings` | the answers: next, previous, ranges, counts, skipped and repeated readings |
//!
//! The wall-clock rule (decision D1): an instant is due when its reading on the zone's wall clock matches the
//! expression. A reading that a clock change skips never fires; one that it repeats fires twice.

mod advice;
mod almanac;
mod calendar;
mod compiled;
mod data;
mod date;
mod days;
mod describe;
mod dialect;
mod due;
mod edits;
mod expression;
mod fields;
mod grammar;
mod mistake;
mod readings;
mod search;
mod terms;
mod tzif;
mod wall_clock;
mod zone;
mod zone_name;
mod zones;

pub use advice::{Advice, advice};
pub use compiled::Schedule;
pub use data::{BuiltIn, ChronoTz};
pub use days::{CalendarError, Days};
pub use dialect::{Dialect, Spread, UnknownDialect};
pub use due::Due;
pub(crate) use edits::distance;
pub use expression::Expression;
pub use grammar::Field;
pub use mistake::{Mistake, ParseError};
pub use readings::{Fold, Reading, Readings, TakenAway};
pub use terms::{ClockGap, ClockRepeat, OnExcluded, Terms};
pub use tzif::TzifError;
pub use zone::{HORIZON, Zone};
pub use zone_name::UnknownZone;
pub use zones::{SourceError, TimeZones, ZoneSource};

/// A moment in time, to which all wall-clock readings are converted.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
