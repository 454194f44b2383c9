//! What was meant by a value, a range or a step that is rejected.

use super::range::number;
use super::wrapped::wrapped;
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
        return Fault::at(value.at..value.at + 1, Mistake::StepWithoutStart { field }).fix(value.span(), "*");
    }
    look_alike(value, field)
        .or_else(|| out_of_bounds(item, value, field))
        .or_else(|| star(value, field))
        .or_else(|| known_name(item, value, field))
        .or_else(|| dialect(item, value, field))
        .or_else(|| unknown_name(value, field))
        .or_else(|| punctuation(value, field))
        .unwrap_or_else(|| unexpected(value, field))
}

/// `1–5`, `５`.
fn look_alike(value: Piece, field: Field) -> Option<Fault> {
    let piece = value.find(|c| meant_by(c).is_some())?;
    let found = piece.text.chars().next()?;
    let mistake = Mistake::LookAlike {
        found,
        meant: meant_by(found)?,
        field,
    };
    let right: String = value.text.chars().map(|c| meant_by(c).unwrap_or(c)).collect();
    Some(Fault::at(piece.span(), mistake).fix(value.span(), right))
}

/// The character of the grammar that another looks like.
fn meant_by(c: char) -> Option<char> {
    let value = |zero: &char| {
        u32::from(c)
            .checked_sub(u32::from(*zero))
            .filter(|value| *value < 10)
    };
    let digit = FOREIGN_ZEROS
        .iter()
        .find_map(value)
        .and_then(|value| char::from_digit(value, 10));
    let sign = LOOK_ALIKES
        .iter()
        .find(|(group, _)| group.contains(c))
        .map(|(_, meant)| *meant);
    sign.or(digit)
}

/// `7` for Sunday, `24`, `60`, `0` as a day.
fn out_of_bounds(item: Piece, value: Piece, field: Field) -> Option<Fault> {
    let digits = value.text.strip_prefix('+').unwrap_or(value.text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let found = value.text.to_owned();
    let one_too_many = match (field, number(value.text)) {
        (Field::DayOfWeek, Some(7)) => Mistake::SundayAsSeven,
        (Field::Hour, Some(24)) => Mistake::HourTwentyFour,
        (Field::Minute, Some(60)) => Mistake::MinuteSixty,
        (_, Some(0)) => {
            let fault = Fault::at(value.span(), Mistake::BelowMinimum { field, found });
            return Some(fault.fix(value.span(), field.min().to_string()));
        }
        _ => return Some(Fault::at(value.span(), Mistake::AboveMaximum { field, found })),
    };
    Some(Fault::at(value.span(), one_too_many).fix_if(item.span(), wrapped(item, field)))
}

/// `*5`, `**`, `5-*`.
fn star(value: Piece, field: Field) -> Option<Fault> {
    let found = value.find(|c| matches!(c, '*' | '?'))?;
    let star = found.text.chars().next()?;
    if value.text == found.text {
        let fault = Fault::at(value.span(), Mistake::RangeToStar { star, field });
        return Some(fault.fix(value.span(), field.max().to_string()));
    }
    let step = value
        .text
        .strip_prefix('*')
        .and_then(number)
        .map(|step| format!("*/{step}"));
    Some(Fault::at(value.span(), Mistake::StarCrowded { star, field }).fix_if(value.span(), step))
}

/// `MONDAY` for `MON`, or a day where the month belongs.
fn known_name(item: Piece, value: Piece, field: Field) -> Option<Fault> {
    let found = value.text.to_owned();
    let belongs = [field, Field::Month, Field::DayOfWeek]
        .into_iter()
        .find(|field| short(value.text, *field).is_some())?;
    if belongs != field {
        return Some(Fault::at(
            value.span(),
            Mistake::NameElsewhere {
                found,
                belongs,
                field,
            },
        ));
    }
    // Whoever writes one name out writes the other end of the range out as well.
    let shorten = |word: &str| short(word, field).unwrap_or_else(|| word.to_owned());
    let ends = |range: &str| range.split('-').map(shorten).collect::<Vec<_>>().join("-");
    let right = match item.text.split_once('/') {
        Some((range, step)) => format!("{}/{step}", ends(range)),
        None => ends(item.text),
    };
    Some(Fault::at(value.span(), Mistake::NameLength { found }).fix(item.span(), right))
}

/// The three letters of a name that is written out, in part or in the plural.
fn short(word: &str, field: Field) -> Option<String> {
    let word = word.to_lowercase();
    let singular = word.strip_suffix('s').unwrap_or(&word);
    let is = |full: &&&str| {
        word.len() > 1 && (full.starts_with(&word) || **full == singular || full[..3] == *singular)
    };
    let full = field.full_names().iter().find(is)?;
    Some(full[..3].to_ascii_uppercase())
}

/// What Quartz, Jenkins and cronie can say.
fn dialect(item: Piece, value: Piece, field: Field) -> Option<Fault> {
    let upper = value.text.to_ascii_uppercase();
    let is_value = |text: &str| text.is_empty() || number(text).is_some() || field.value_of(text).is_some();
    let at = |letter: char, mistake: Mistake| {
        let found = value.find(|c| c.to_ascii_uppercase() == letter)?;
        Some(Fault::at(found.span(), mistake))
    };
    if upper.contains('#') {
        at('#', Mistake::NthWeekday)
    } else if let Some((low, _)) = upper.split_once('~') {
        Some(at('~', Mistake::Random)?.fix_if(value.span(), Some(low).filter(|low| number(low).is_some())))
    } else if upper == "H" || upper.starts_with("H(") {
        Some(at('H', Mistake::Hashed)?.fix(item.span(), unhashed(item, field)))
    } else if upper == "LW" || upper.strip_suffix('L').is_some_and(is_value) {
        at('L', Mistake::LastDay)
    } else if upper
        .strip_suffix('W')
        .or(upper.strip_prefix('W'))
        .is_some_and(is_value)
    {
        at('W', Mistake::NearestWeekday)
    } else {
        None
    }
}

/// What comes nearest to Jenkins's `H/15` or `H(0-29)/10`.
fn unhashed(item: Piece, field: Field) -> String {
    let within = item.text[1..]
        .strip_prefix('(')
        .map(|rest| rest.replacen(')', "", 1));
    match (within, item.text.split_once('/')) {
        (Some(range), Some(_)) => range,
        (Some(range), None) => range.split('-').next().unwrap_or_default().to_owned(),
        (None, Some((_, step))) => format!("*/{step}"),
        (None, None) => field.min().to_string(),
    }
}

/// Letters that are no name.
fn unknown_name(value: Piece, field: Field) -> Option<Fault> {
    if field.full_names().is_empty() || !value.text.chars().all(char::is_alphabetic) {
        return None;
    }
    let word = value.text.to_lowercase();
    let distance = |full: &&str| edits::distance(&word, full).min(1 + edits::distance(&word, &full[..3]));
    let mut nearest: Vec<&str> = field.full_names().to_vec();
    nearest.sort_by_key(distance);
    let is_only = distance(&nearest[0]) <= 2 && distance(&nearest[0]) < distance(&nearest[1]);
    let right = is_only.then(|| nearest[0][..3].to_ascii_uppercase());
    let mistake = Mistake::UnknownName {
        found: value.text.to_owned(),
        field,
    };
    Some(Fault::at(value.span(), mistake).fix_if(value.span(), right))
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
    Some(Fault::at(dots..dots + 2, Mistake::RangeDotted { field }).fix(value.span(), format!("{low}-{high}")))
}

/// The hour and the minute of `2:30`.
pub(super) fn time_of_day(text: &str) -> Option<(i64, i64)> {
    let (hour, minute) = text.split_once(':')?;
    Some((number(hour)?, number(minute)?))
}

/// Anything else: the first character, or the first letters, that do not belong.
fn unexpected(value: Piece, field: Field) -> Fault {
    let sign = usize::from(value.text.starts_with('+'));
    let first = value.skip(sign).find(|c| !c.is_ascii_digit()).unwrap_or(value);
    let rest = value.skip(first.at - value.at);
    let letters = rest
        .text
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(rest.text.len());
    let found = if letters > 0 { rest.take(letters) } else { first };
    Fault::at(
        found.span(),
        Mistake::Unexpected {
            found: found.text.to_owned(),
            field,
        },
    )
}

/// `-5`.
pub(super) fn range_without_start(range: Piece, high: Piece, field: Field) -> Fault {
    let is_negative = number(high.text).is_some() && high.span().end == range.span().end;
    Fault::at(range.at..range.at + 1, Mistake::RangeWithoutStart { field })
        .fix_if(range.span(), is_negative.then_some(high.text))
}

/// `5-`.
pub(super) fn range_without_end(range: Piece, high: Piece, field: Field) -> Fault {
    let is_last = high.at == range.span().end;
    Fault::at(high.span(), Mistake::RangeWithoutEnd { field })
        .fix_if(high.span(), is_last.then(|| field.max().to_string()))
}

/// `22-2`, `FRI-MON`.
pub(super) fn backwards(item: Piece, range: Piece, field: Field) -> Fault {
    let mistake = Mistake::RangeBackwards {
        range: range.text.to_owned(),
        field,
    };
    Fault::at(range.span(), mistake).fix_if(item.span(), wrapped(item, field))
}

/// What is wrong with a step that is no positive number.
pub(super) fn step(item: Piece, step: Piece, field: Field) -> Fault {
    let found = step.text.to_owned();
    let without = step.at - 1..item.span().end;
    match number(step.text) {
        Some(0) => Fault::at(step.span(), Mistake::StepZero { field }).fix(without, ""),
        Some(_) => Fault::at(step.span(), Mistake::StepNegative { field }).fix(step.span(), &step.text[1..]),
        None if found.is_empty() => Fault::at(step.span(), Mistake::StepMissing { field }).fix(without, ""),
        None => look_alike(step, field).unwrap_or_else(|| step_not_a_number(step, field)),
    }
}

/// `*/x`, `*/5m`.
fn step_not_a_number(step: Piece, field: Field) -> Fault {
    let found = step.text.to_owned();
    let digits = found.bytes().take_while(u8::is_ascii_digit).count();
    if digits == found.len() {
        return Fault::at(step.span(), Mistake::StepTooLarge { found, field });
    }
    let number = Some(&step.text[..digits]).filter(|digits| !digits.is_empty());
    Fault::at(step.span(), Mistake::StepNotANumber { found, field }).fix_if(step.span(), number)
}
