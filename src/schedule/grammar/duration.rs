//! The duration of `@every`, exactly as Go's `time.ParseDuration` reads it.
//!
//! A sign, then numbers with units: `1h30m`, `1.5h`, `-5m`. What is shorter than a second becomes a second, negative
//! durations included, and fractions of a second are cut off: robfig/cron's `Every`.

use super::wrong_macro;
use super::{Fault, Mistake, Piece};

/// Nanoseconds in each unit. There are two letters that look like µ, and Go takes both.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
];

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// The most nanoseconds that Go counts before it gives the sign: 292 years.
const LIMIT: u64 = 1 << 63;

/// Parses a duration into whole seconds, one at least.
pub(super) fn parse(duration: Piece) -> Result<i64, Fault> {
    let too_long = || Fault::at(duration.span(), Mistake::DurationTooLong);
    let negative = duration.text.starts_with('-');
    let mut rest = if duration.text.starts_with(['-', '+']) {
        duration.skip(1)
    } else {
        duration
    };
    if rest.text == "0" {
        return Ok(1);
    }
    if rest.text.is_empty() {
        return Err(wrong_macro::number_missing(duration, rest));
    }
    let mut total: u64 = 0;
    while !rest.text.is_empty() {
        let (number, unit);
        (number, unit, rest) = term(duration, rest)?;
        let nanoseconds = nanoseconds(number.text, unit).ok_or_else(too_long)?;
        // Go's sum may wrap around to nothing here, and is then accepted.
        total = total.wrapping_add(nanoseconds);
        if total > LIMIT {
            return Err(too_long());
        }
    }
    if negative {
        return Ok(1);
    }
    if total == LIMIT {
        return Err(too_long());
    }
    Ok(i64::try_from(total / SECOND).unwrap_or(i64::MAX).max(1))
}

/// Takes one number and its unit off the front.
fn term<'a>(duration: Piece<'a>, rest: Piece<'a>) -> Result<(Piece<'a>, u64, Piece<'a>), Fault> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest.text);
    let point = usize::from(rest.text[whole..].starts_with('.'));
    let fraction = digits(&rest.text[whole + point..]);
    if whole + point * fraction == 0 {
        return Err(wrong_macro::number_missing(duration, rest));
    }
    let (number, rest) = (
        rest.take(whole + point * (1 + fraction)),
        rest.skip(whole + point * (1 + fraction)),
    );
    let end = rest
        .text
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.text.len());
    let name = rest.take(end);
    match UNITS.iter().find(|(unit, _)| *unit == name.text) {
        Some((_, nanoseconds)) => Ok((number, *nanoseconds, rest.skip(end))),
        None => Err(wrong_macro::unit(duration, number, name)),
    }
}

/// What a number of a unit comes to; none if it is too much for Go.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "Go rounds the fraction in the same way"
)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a fraction of a unit is less than the unit"
)]
fn nanoseconds(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.bytes().try_fold(0_u64, |sum, digit| {
        let sum = Some(sum).filter(|sum| *sum <= LIMIT / 10)? * 10 + u64::from(digit - b'0');
        (sum <= LIMIT).then_some(sum)
    })?;
    if whole > LIMIT / unit {
        return None;
    }
    let (digits, scale) = leading(fraction);
    let part = (digits as f64 * (unit as f64 / scale)) as u64;
    Some(whole * unit + part).filter(|sum| *sum <= LIMIT)
}

/// As many digits of a fraction as Go counts, and the power of ten below them.
fn leading(fraction: &str) -> (u64, f64) {
    let mut digits: u64 = 0;
    let mut scale = 1.0;
    for digit in fraction.bytes() {
        if digits > (LIMIT - 1) / 10 {
            break;
        }
        let more = digits * 10 + u64::from(digit - b'0');
        if more > LIMIT {
            break;
        }
        digits = more;
        scale *= 10.0;
    }
    (digits, scale)
}
