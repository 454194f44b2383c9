//! What was meant by a macro, or by the duration of `@every`, that is rejected.

use super::duration;
use super::macros::{EVERY, MACROS};
use super::{Fault, Mistake, Piece};
use crate::schedule::edits;

/// Macros of other schedulers, and what people hope exists.
const WISHES: [(&str, &str); 8] = [
    ("@noon", "0 12 * * *"),
    ("@midday", "0 12 * * *"),
    ("@minutely", "* * * * *"),
    ("@every_minute", "* * * * *"),
    ("@weekdays", "0 0 * * 1-5"),
    ("@weekends", "0 0 * * 0,6"),
    ("@quarterly", "0 0 1 */3 *"),
    ("@annual", "@annually"),
];

/// How many letters of a macro may be mistyped.
const MAX_EDITS: usize = 2;

/// Words for units, and the unit.
const UNIT_WORDS: [(&str, &[&str]); 4] = [
    (
        "ms",
        &["msec", "msecs", "milli", "millis", "millisecond", "milliseconds"],
    ),
    ("s", &["sec", "secs", "second", "seconds"]),
    ("m", &["min", "mins", "minute", "minutes"]),
    ("h", &["hr", "hrs", "hour", "hours"]),
];

/// Words for units that Go does not have, and their hours; none where it depends on the month.
const LONG_UNITS: [(&[&str], Option<u64>); 4] = [
    (&["d", "day", "days"], Some(24)),
    (&["w", "week", "weeks"], Some(7 * 24)),
    (&["mo", "month", "months"], None),
    (&["y", "yr", "year", "years"], None),
];

/// What is wrong with a text that begins with `@` and is no macro.
pub(super) fn unknown_macro(body: Piece) -> Fault {
    let end = body.text.find(char::is_whitespace).unwrap_or(body.text.len());
    let (name, rest) = (body.take(end), body.skip(end));
    let every = EVERY.trim_end();
    let lower = name.text.to_lowercase();
    let found = name.text.to_owned();
    let known = |name: &str| name == every || MACROS.iter().any(|(known, _)| *known == name);

    if name.text == every && rest.trim().text.is_empty() {
        return Fault::at(rest.span().end..rest.span().end, Mistake::EveryAlone);
    }
    if name.text == every {
        return every_spacing(rest, rest.trim());
    }
    if known(name.text) {
        return Fault::at(rest.span(), Mistake::MacroFollowed { name: found }).fix(rest.span(), "");
    }
    if known(&lower) {
        return Fault::at(name.span(), Mistake::MacroCase { found }).fix(name.span(), lower);
    }
    if lower == "@reboot" {
        return Fault::at(name.span(), Mistake::Reboot);
    }
    if let Some(duration) = name
        .text
        .strip_prefix(every)
        .filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))
    {
        let duration = name.skip(name.text.len() - duration.len());
        return every_spacing(duration.take(0), duration);
    }
    let fault = Fault::at(name.span(), Mistake::UnknownMacro { found });
    let wish = WISHES
        .iter()
        .find(|(wish, _)| *wish == lower)
        .map(|(_, right)| *right);
    let distance = |known: &&str| edits::distance(&lower, known);
    if wish.is_none() && distance(&every) <= MAX_EDITS && is_duration(rest) {
        return fault.fix(name.span(), every);
    }
    let nearest = MACROS
        .iter()
        .map(|(known, _)| *known)
        .min_by_key(distance)
        .filter(|known| distance(known) <= MAX_EDITS);
    fault.fix_if(body.span(), wish.or(nearest))
}

/// Whether what follows a name is what follows `@every`.
fn is_duration(rest: Piece) -> bool {
    let after_a_space = rest.text.starts_with(' ').then(|| rest.skip(1));
    after_a_space.is_some_and(|duration| duration::parse(duration).is_ok())
}

/// Anything but one space between `@every` and its duration.
fn every_spacing(blank: Piece, duration: Piece) -> Fault {
    let under = if blank.text.is_empty() {
        duration.span()
    } else {
        blank.at..duration.at
    };
    Fault::at(under, Mistake::EverySpacing).fix(blank.at..duration.span().end, format!(" {}", duration.text))
}

/// What is wrong where a number should begin.
pub(super) fn number_missing(duration: Piece, rest: Piece) -> Fault {
    if duration.text.trim().is_empty() {
        return Fault::at(duration.span().end..duration.span().end, Mistake::EveryAlone);
    }
    if duration.text.starts_with(char::is_whitespace) {
        let trimmed = duration.trim();
        return Fault::at(duration.at..trimmed.at, Mistake::EverySpacing).fix(duration.span(), trimmed.text);
    }
    let end = rest
        .text
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(rest.text.len());
    let mistake = Mistake::DurationNumberMissing {
        duration: duration.text.to_owned(),
    };
    Fault::at(rest.take(end).span(), mistake)
}

/// What is wrong with a unit that does not exist.
pub(super) fn unit(duration: Piece, number: Piece, unit: Piece) -> Fault {
    let blank = unit.find(char::is_whitespace);
    let word = unit.text.trim().to_lowercase();
    if let Some(blank) = blank.filter(|_| UNIT_WORDS.iter().any(|(unit, _)| word == *unit)) {
        let closed: String = duration.text.split_whitespace().collect();
        return Fault::at(blank.span(), Mistake::DurationBlank).fix(duration.span(), closed);
    }
    if unit.text.is_empty() {
        let mistake = Mistake::DurationUnitMissing {
            number: number.text.to_owned(),
        };
        return Fault::at(number.span(), mistake).fix(unit.span(), "m");
    }
    let found = unit.trim().text.to_owned();
    let span = unit.trim().span();
    if let Some((_, hours)) = LONG_UNITS
        .iter()
        .find(|(words, _)| words.contains(&word.as_str()))
    {
        let total = hours.and_then(|hours| number.text.parse::<u64>().ok()?.checked_mul(hours));
        return Fault::at(span, Mistake::DurationUnitTooLarge { unit: found })
            .fix_if(number.at..unit.span().end, total.map(|total| format!("{total}h")));
    }
    let known = UNIT_WORDS
        .iter()
        .find(|(unit, words)| word == *unit || words.contains(&word.as_str()));
    let right = known
        .map(|(right, _)| *right)
        .or(Some(".").filter(|_| word == ","));
    Fault::at(span, Mistake::DurationUnitUnknown { unit: found }).fix_if(unit.span(), right)
}
