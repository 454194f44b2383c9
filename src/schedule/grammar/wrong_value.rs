//! What was meant by a value, a range or a step that is rejected.

use super::range::number;
use super::{Fault, Field, Mistake, Piece};
use crate::schedule::edits;

/// Characters that look like those of the grammar. Editors and chat programs put some of them in by themselves.
const LOOK_ALIKES: [(&str, char); 6] = [
    ("‐‑‒–—―−﹣－", '-'),
    ("∗＊⁎✱﹡×", '*'),
    ("，、；;‚", ','),
    ("／⁄∕÷\\", '/'),
    ("？", '?'),
    ("＃", '#'),
];

/// Where other scripts begin their ten digits: full-width, Arabic, Persian, Devanagari.
const FOREIGN_ZEROS: [char; 4] = ['０', '٠', '۰', '०'];

/// What is wrong with a value that is no number or name of its field. The item is all that stands between two commas.
pub(super) fn fault(item: Piece, value: Piece, field: Field) -> Fault {
    if value.text.is_empty() {
        // An empty item never comes here, so this one is a step.
        return Fault::at(value.at..value.at + 1, Mistake::StepWithoutStart).fix(value.span(), "*");
    }
    look_alike(value)
        .or_else(|| out_of_bounds(item, value, field))
        .or_else(|| star(value, field))
        .or_else(|| known_name(value, field))
        .or_else(|| dialect(item, value, field))
        .or_else(|| unknown_name(value, field))
        .or_else(|| punctuation(value, field))
        .unwrap_or_else(|| unexpected(value, field))
}

/// `1–5`, `５`.
fn look_alike(value: Piece) -> Option<Fault> {
    let found = value.find(|c| meant_by(c).is_some())?;
    let character = found.text.chars().next()?;
    let right: String = value.text.chars().map(|c| meant_by(c).unwrap_or(c)).collect();
    let mistake = Mistake::LookAlike {
        found: character,
        meant: meant_by(character)?,
    };
    Some(Fault::at(found.span(), mistake).fix(value.span(), right))
}

/// The character of the grammar that another looks like.
fn meant_by(c: char) -> Option<char> {
    let digit = || {
        let value = FOREIGN_ZEROS
            .iter()
            .find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|v| *v < 10));
        value.and_then(|value| char::from_digit(value, 10))
    };
    LOOK_ALIKES
        .iter()
        .find(|(group, _)| group.contains(c))
        .map(|(_, meant)| *meant)
        .or_else(digit)
}

/// `7` for Sunday, `24`, `60`, `0` as a day.
fn out_of_bounds(item: Piece, value: Piece, field: Field) -> Option<Fault> {
    let digits = value.text.strip_prefix('+').unwrap_or(value.text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let found = value.text.to_owned();
    let mistake = match (field, number(value.text)) {
        (Field::DayOfWeek, Some(7)) => Mistake::SundayAsSeven,
        (Field::Hour, Some(24)) => Mistake::HourTwentyFour,
        (Field::Minute, Some(60)) => Mistake::MinuteSixty,
        (_, Some(0)) => {
            let lowest = field.min().to_string();
            return Some(
                Fault::at(value.span(), Mistake::BelowMinimum { field, found }).fix(value.span(), lowest),
            );
        }
        _ => Mistake::AboveMaximum { field, found },
    };
    let fault = Fault::at(value.span(), mistake);
    Some(match wrapped(item, field) {
        Some(right) => fault.fix(item.span(), right),
        None => fault,
    })
}

/// `*5`, `**`, `5-*`.
fn star(value: Piece, field: Field) -> Option<Fault> {
    let found = value.find(|c| matches!(c, '*' | '?'))?;
    let star = found.text.chars().next()?;
    if value.text == found.text {
        return Some(
            Fault::at(value.span(), Mistake::RangeToStar { star }).fix(value.span(), field.max().to_string()),
        );
    }
    let fault = Fault::at(value.span(), Mistake::StarCrowded { star });
    Some(match value.text.strip_prefix('*').and_then(number) {
        Some(step) => fault.fix(value.span(), format!("*/{step}")),
        None => fault,
    })
}

/// `MONDAY` for `MON`, or a day where the month belongs.
fn known_name(value: Piece, field: Field) -> Option<Fault> {
    let word = value.text.to_lowercase();
    let named = |field: &Field| {
        let is =
            |full: &str| (word.len() > 1 && full.starts_with(&word)) || word.strip_suffix('s') == Some(full);
        let place = field
            .full_names()
            .iter()
            .position(|full| is(full) || word == full[..3].to_owned() + "s")?;
        field
            .full_names()
            .get(place)
            .map(|full| (*field, full[..3].to_ascii_uppercase()))
    };
    let found = value.text.to_owned();
    let (belongs, short) = [field, Field::Month, Field::DayOfWeek].iter().find_map(named)?;
    Some(if belongs == field {
        Fault::at(value.span(), Mistake::NameLength { found }).fix(value.span(), short)
    } else {
        Fault::at(
            value.span(),
            Mistake::NameElsewhere {
                found,
                belongs,
                field,
            },
        )
    })
}

/// What Quartz, Jenkins and cronie can say.
fn dialect(item: Piece, value: Piece, field: Field) -> Option<Fault> {
    let upper = value.text.to_ascii_uppercase();
    let letter = |letter: char| value.find(|c| c.to_ascii_uppercase() == letter).map(Piece::span);
    let is_value = |text: &str| text.is_empty() || number(text).is_some() || field.value_of(text).is_some();
    if upper.contains('#') {
        return Some(Fault::at(letter('#')?, Mistake::NthWeekday));
    }
    if upper.contains('~') {
        let fault = Fault::at(letter('~')?, Mistake::Random);
        let low = upper.split('~').next().filter(|low| number(low).is_some());
        return Some(low.map_or(fault.clone(), |low| fault.fix(value.span(), low)));
    }
    if upper == "H" || upper.starts_with("H(") {
        let right = if item.text.contains('/') {
            item.text.replacen(value.text, "*", 1)
        } else {
            field.min().to_string()
        };
        return Some(Fault::at(letter('H')?, Mistake::Hashed).fix(item.span(), right));
    }
    if upper == "LW" || upper.strip_suffix('L').is_some_and(is_value) {
        return Some(Fault::at(letter('L')?, Mistake::LastDay));
    }
    if upper
        .strip_suffix('W')
        .or_else(|| upper.strip_prefix('W'))
        .is_some_and(is_value)
    {
        return Some(Fault::at(letter('W')?, Mistake::NearestWeekday));
    }
    None
}

/// Letters that are no name.
fn unknown_name(value: Piece, field: Field) -> Option<Fault> {
    if field.full_names().is_empty() || !value.text.chars().all(char::is_alphabetic) {
        return None;
    }
    let word = value.text.to_lowercase();
    let fault = Fault::at(
        value.span(),
        Mistake::UnknownName {
            found: value.text.to_owned(),
            field,
        },
    );
    let near = |full: &&&str| edits::distance(&word, full) <= 2 || edits::distance(&word, &full[..3]) <= 1;
    let mut nearest = field.full_names().iter().filter(near);
    let only = nearest.next().filter(|_| nearest.next().is_none());
    Some(match only {
        Some(full) => fault.fix(value.span(), full[..3].to_ascii_uppercase()),
        None => fault,
    })
}

/// `12:30`, `1..5`.
fn punctuation(value: Piece, field: Field) -> Option<Fault> {
    if time_of_day(value.text).is_some() {
        return Some(Fault::at(
            value.span(),
            Mistake::TimeOfDay {
                found: value.text.to_owned(),
                field,
            },
        ));
    }
    let (low, high) = value.text.split_once("..")?;
    let dots = value.at + low.len();
    Some(Fault::at(dots..dots + 2, Mistake::RangeDotted).fix(value.span(), format!("{low}-{high}")))
}

/// The hour and the minute of `2:30`.
pub(super) fn time_of_day(text: &str) -> Option<(i64, i64)> {
    let (hour, minute) = text.split_once(':')?;
    Some((number(hour)?, number(minute)?))
}

/// Anything else: the first character, or the first letters, that do not belong.
fn unexpected(value: Piece, field: Field) -> Fault {
    let sign = usize::from(value.text.starts_with('+'));
    let found = value.skip(sign).find(|c| !c.is_ascii_digit()).unwrap_or(value);
    let rest = value.skip(found.at - value.at);
    let letters = rest
        .text
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(rest.text.len());
    let found = if letters > 0 { rest.take(letters) } else { found };
    Fault::at(
        found.span(),
        Mistake::Unexpected {
            found: found.text.to_owned(),
            field,
        },
    )
}

/// `-5`.
pub(super) fn range_without_start(range: Piece, high: Piece) -> Fault {
    let fault = Fault::at(range.at..range.at + 1, Mistake::RangeWithoutStart);
    if number(high.text).is_some() && high.span().end == range.span().end {
        fault.fix(range.span(), high.text)
    } else {
        fault
    }
}

/// `5-`.
pub(super) fn range_without_end(range: Piece, high: Piece, field: Field) -> Fault {
    let fault = Fault::at(high.at..high.at, Mistake::RangeWithoutEnd);
    if high.at == range.span().end {
        fault.fix(high.span(), field.max().to_string())
    } else {
        fault
    }
}

/// `22-2`, `FRI-MON`.
pub(super) fn backwards(item: Piece, range: Piece, field: Field) -> Fault {
    let fault = Fault::at(
        range.span(),
        Mistake::RangeBackwards {
            range: range.text.to_owned(),
        },
    );
    match wrapped(item, field) {
        Some(right) => fault.fix(item.span(), right),
        None => fault,
    }
}

/// What is wrong with a step that is no positive number.
pub(super) fn step(item: Piece, step: Piece) -> Fault {
    let found = step.text.to_owned();
    let digits = step.text.bytes().take_while(u8::is_ascii_digit).count();
    match number(step.text) {
        Some(0) => Fault::at(step.span(), Mistake::StepZero).fix(step.at - 1..item.span().end, ""),
        Some(_) => Fault::at(step.span(), Mistake::StepNegative).fix(step.span(), &step.text[1..]),
        None if step.text.is_empty() => {
            Fault::at(step.span(), Mistake::StepMissing).fix(step.at - 1..step.at, "")
        }
        None if digits == step.text.len() => Fault::at(step.span(), Mistake::StepTooLarge { found }),
        None => {
            let fault =
                look_alike(step).unwrap_or_else(|| Fault::at(step.span(), Mistake::StepNotANumber { found }));
            if digits > 0 {
                fault.fix(step.span(), &step.text[..digits])
            } else {
                fault
            }
        }
    }
}

/// A range that goes past the end of its field and on from the beginning, as the ranges that it is made of: `22-2` is
/// `22-23,0-2`. The value after the last one is the first one.
fn wrapped(item: Piece, field: Field) -> Option<String> {
    let (range, step) = item.text.split_once('/').unwrap_or((item.text, "1"));
    let (low, high) = range
        .split_once('-')
        .unwrap_or((range, if item.text.contains('/') { "" } else { range }));
    let value = |text: &str| field.value_of(text).or_else(|| u32::try_from(number(text)?).ok());
    let possible = |value: &u32| (field.min()..=field.max() + 1).contains(value);
    let (low, step) = (
        value(low).filter(possible)?,
        usize::try_from(number(step)?).ok().filter(|step| *step > 0)?,
    );
    let high = if high.is_empty() {
        field.max()
    } else {
        value(high).filter(possible)?
    };

    let size = field.max() - field.min() + 1;
    let distance = if high < low { high + size - low } else { high - low };
    let values = (0..=distance)
        .step_by(step)
        .map(|far| (low - field.min() + far) % size + field.min());
    let mut runs: Vec<Vec<u32>> = Vec::new();
    for value in values {
        if runs.iter().flatten().any(|seen| *seen == value) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.last() < Some(&value) => run.push(value),
            _ => runs.push(vec![value]),
        }
    }
    let with_names = range.contains(char::is_alphabetic);
    let text = |value: u32| {
        field
            .name_of(value)
            .filter(|_| with_names)
            .unwrap_or_else(|| value.to_string())
    };
    let runs: Vec<String> = runs.iter().map(|run| written(run, step, field, text)).collect();
    Some(runs.join(","))
}

/// Rising values, `step` apart, as one range.
fn written(run: &[u32], step: usize, field: Field, text: impl Fn(u32) -> String) -> String {
    let (Some(&first), Some(&last)) = (run.first(), run.last()) else {
        return String::new();
    };
    let range = if first == last {
        return text(first);
    } else if first == field.min() && usize::try_from(field.max() - last).is_ok_and(|left| left < step) {
        "*".to_owned()
    } else {
        format!("{}-{}", text(first), text(last))
    };
    if step == 1 {
        range
    } else {
        format!("{range}/{step}")
    }
}
