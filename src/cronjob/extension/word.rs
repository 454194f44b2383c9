//! How the values of annotations are written: words, numbers, instants, durations, lists.

use std::ops::Range;

use chrono::TimeDelta;

use super::mistake::{Fault, Problem};
use crate::schedule::Timestamp;

/// The value of a choice that is written as one of some words.
pub(super) fn one_of<T: Copy>(
    text: &str,
    choices: &'static [&'static str],
    values: &[T],
) -> Result<T, Fault> {
    let found = choices.iter().zip(values).find(|(choice, _)| **choice == text);
    let not_one = || Fault::whole(text, Problem::NotOneOf { choices });
    found.map(|(_, value)| *value).ok_or_else(not_one)
}

/// `"true"` or `"false"`.
pub(super) fn flag(text: &str) -> Result<bool, Fault> {
    one_of(text, &["true", "false"], &[true, false])
}

/// A whole number from 1 to `most`.
pub(super) fn count(text: &str, most: usize) -> Result<usize, Fault> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .parse()
        .ok()
        .filter(|number| digits && (1..=most).contains(number));
    number.ok_or_else(|| {
        let what = format!("a whole number from 1 to {most}").into();
        Fault::whole(text, Problem::NotA { what })
    })
}

/// An instant of RFC 3339.
pub(super) fn instant(text: &str) -> Result<Timestamp, Fault> {
    let what = "an instant of RFC 3339, such as 2027-01-01T00:00:00+01:00";
    let parsed = chrono::DateTime::parse_from_rfc3339(text);
    parsed
        .map(|instant| instant.to_utc())
        .map_err(|_| Fault::whole(text, Problem::NotA { what: what.into() }))
}

/// A duration such as `1h30m`, up to `most`; `what` says so.
pub(super) fn duration(text: &str, most: TimeDelta, what: &'static str) -> Result<TimeDelta, Fault> {
    let fault = || Fault::whole(text, Problem::NotA { what: what.into() });
    seconds(text)
        .and_then(TimeDelta::try_seconds)
        .filter(|length| *length <= most)
        .ok_or_else(fault)
}

fn seconds(text: &str) -> Option<i64> {
    let (mut total, mut rest) = (0_i64, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let unit = match rest.as_bytes()[end] {
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        total = rest[..end]
            .parse::<i64>()
            .ok()?
            .checked_mul(unit)?
            .checked_add(total)?;
        rest = &rest[end + 1..];
    }
    Some(total).filter(|_| !text.is_empty())
}

/// Where the entries of a list stand: between commas and blanks.
pub(super) fn entries(text: &str) -> Vec<Range<usize>> {
    let is_between = |c: char| c == ',' || c.is_whitespace();
    let mut entries = Vec::new();
    let mut start = 0;
    for part in text.split_inclusive(is_between) {
        let entry = part.trim_end_matches(is_between);
        if !entry.is_empty() {
            entries.push(start..start + entry.len());
        }
        start += part.len();
    }
    entries
}
