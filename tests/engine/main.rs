//! The engine from outside: the vectors, clock changes by name, an oracle, other libraries, and every error message.

mod calendars;
mod clock_changes;
mod coming_changes;
mod descriptions;
mod dialects;
mod durations;
mod ends;
mod libraries;
mod mistakes;
mod oracle;
mod terms;
mod vectors;
mod zones;

use punctual::schedule::{Expression, Schedule, TimeZones, Timestamp};

/// An instant written in RFC 3339.
fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// An expression in a zone of the newest database that is built in.
fn schedule(expression: &str, zone: &str) -> Schedule {
    let expression = Expression::parse(expression).expect("a good expression");
    Schedule::new(
        &expression,
        TimeZones::built_in().zone(zone).expect("a zone that exists"),
    )
}
