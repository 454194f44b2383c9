//! Instants and durations as scripts write them.

use crate::schedule::Timestamp;
use chrono::{SecondsFormat, TimeDelta};

const UNITS: [(&str, i64); 4] = [("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1_000)];

/// No duration is longer: ten thousand years lead beyond all that can be written as an instant.
const LONGEST: TimeDelta = TimeDelta::days(3_652_425);

/// `1h30m`, `90s`, `500ms`, with an optional sign in front, and no more than ten thousand years.
pub fn parse_duration(text: &str) -> Option<TimeDelta> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut millis = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = UNITS.iter().find(|(unit, _)| rest[digits..].starts_with(unit))?;
        millis = millis.checked_add(number.checked_mul(unit.1)?)?;
        rest = &rest[digits + unit.0.len()..];
    }
    TimeDelta::try_milliseconds(sign * millis).filter(|duration| duration.abs() <= LONGEST)
}

/// The shortest way to write a duration.
pub fn print_duration(duration: TimeDelta) -> String {
    let mut millis = duration.num_milliseconds();
    let mut text = String::new();
    if millis < 0 {
        text.push('-');
        millis = -millis;
    }
    for (unit, size) in [UNITS[0], UNITS[2], UNITS[3], UNITS[1]] {
        if millis >= size {
            text.push_str(&(millis / size).to_string());
            text.push_str(unit);
            millis %= size;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

/// A moment, with milliseconds when it has any.
pub fn moment(instant: Timestamp) -> String {
    let format = if instant.timestamp_subsec_millis() == 0 {
        SecondsFormat::Secs
    } else {
        SecondsFormat::Millis
    };
    instant.to_rfc3339_opts(format, true)
}
