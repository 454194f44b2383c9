//! One range of a field: `*`, `5`, `1-5`, `*/15`, `5/15`, `1-5/2`.

use super::wrong_value;
use super::{Fault, Field, Mask, Mistake, Piece};

/// Parses one range.
pub(super) fn parse(item: Piece, field: Field) -> Result<Mask, Fault> {
    let mut parts = item.split('/');
    let range = parts.next().unwrap_or(item);
    let (low, high, star) = ends(item, range, field)?;
    let Some(step) = parts.next() else {
        return Ok(Mask {
            bits: bits(low, high.unwrap_or(low), 1),
            star,
        });
    };
    if let Some(second) = parts.next() {
        return Err(Fault::at(second.at - 1..second.at, Mistake::StepTwice { field }));
    }
    // A single value with a step is the beginning of a range to the end: `5/15` is `5-59/15`.
    let high = high.unwrap_or(field.max());
    let step = self::step(item, step, field)?;
    Ok(Mask {
        bits: bits(low, high, step),
        star: star && step == 1,
    })
}

/// The first and the last value of a range (no last one if it is a single value), and whether it is a star.
fn ends(item: Piece, range: Piece, field: Field) -> Result<(u32, Option<u32>, bool), Fault> {
    let mut ends = range.split('-');
    let low = ends.next().unwrap_or(range);
    if matches!(low.text, "*" | "?") {
        // robfig/cron never looks at what follows `*-`.
        return Ok((field.min(), Some(field.max()), true));
    }
    let Some(high) = ends.next() else {
        return Ok((value(item, low, field)?, None, false));
    };
    if low.text.is_empty() {
        return Err(wrong_value::range_without_start(range, high, field));
    }
    let first = value(item, low, field)?;
    if high.text.is_empty() {
        return Err(wrong_value::range_without_end(range, high, field));
    }
    let last = value(item, high, field)?;
    if let Some(third) = ends.next() {
        return Err(Fault::at(third.at - 1..third.at, Mistake::RangeTwice { field }));
    }
    if first > last {
        return Err(wrong_value::backwards(item, range, field));
    }
    Ok((first, Some(last), false))
}

/// A number or a name, within the bounds of its field.
fn value(item: Piece, value: Piece, field: Field) -> Result<u32, Fault> {
    let number = field
        .value_of(value.text)
        .map(i64::from)
        .or_else(|| number(value.text));
    let fits = |number: &u32| (field.min()..=field.max()).contains(number);
    number
        .and_then(|number| u32::try_from(number).ok())
        .filter(fits)
        .ok_or_else(|| wrong_value::fault(item, value, field))
}

/// A step: any positive number, however much larger than the field.
fn step(item: Piece, step: Piece, field: Field) -> Result<u64, Fault> {
    number(step.text)
        .and_then(|number| u64::try_from(number).ok())
        .filter(|number| *number > 0)
        .ok_or_else(|| wrong_value::step(item, step, field))
}

/// A number as Go's `strconv.Atoi` reads it, which is also how Rust does: an optional sign, then ASCII digits.
pub(super) fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// The values from `low` to `high`, every `step`th.
fn bits(low: u32, high: u32, step: u64) -> u64 {
    // No field has as many values as this, so a longer step ends where this one does.
    let step = usize::try_from(step).unwrap_or(usize::MAX).min(64);
    (low..=high)
        .step_by(step)
        .fold(0, |bits, value| bits | 1 << value)
}
