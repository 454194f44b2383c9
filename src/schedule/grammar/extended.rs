//! The extended dialect: the Kubernetes grammar and numbering, and what people miss in it.
//!
//! ```text
//! expression := macro | [second] minute hour day-of-month month day-of-week
//! item       := a range of the Kubernetes dialect, which may also go round (22-2, FRI-MON), with 7 for Sunday and
//!               names in full
//!             | "H" ["(" low "-" high ")"] ["/" step]
//!             | "L" | "L-" number | number "W" | "LW"             in the day of the month
//!             | day "#" (1 to 5) | day "L"                        in the day of the week
//! ```

use super::range::{self, number};
use super::wrapped::wrapped;
use super::{Fault, Field, Mask, Mistake, Piece, wrong_count};
use crate::schedule::Spread;
use crate::schedule::fields::{DaysOfMonth, DaysOfWeek, Fields};

/// The last day that `H` may stand for, so that every month has it.
const LAST_SPREAD_DAY: u32 = 28;

/// Parses an expression that is no macro.
pub(super) fn parse(body: Piece, spread: Option<Spread>) -> Result<Fields, Fault> {
    let words: Vec<Piece> = body.words().collect();
    let (second, five) = match words.as_slice() {
        [second, five @ ..] if five.len() == Field::ALL.len() => (Some(*second), five),
        five if five.len() == Field::ALL.len() => (None, five),
        _ => return Err(wrong_fields(body, &words)),
    };
    let mask = |word: Piece, field| plain(word, field, spread);
    Ok(Fields {
        seconds: second.map_or(Ok(1), |word| Ok(mask(word, Field::Second)?.bits))?,
        minutes: mask(five[0], Field::Minute)?.bits,
        hours: mask(five[1], Field::Hour)?.bits,
        days: days_of_month(five[2], spread)?,
        months: mask(five[3], Field::Month)?.bits,
        weekdays: days_of_week(five[4], spread)?,
        years: None,
        both_days: false,
    })
}

/// Too few or too many fields. What Kubernetes' grammar knows to say about it holds here, too.
fn wrong_fields(body: Piece, words: &[Piece]) -> Fault {
    if words.len() > Field::ALL.len() + 1 {
        let surplus = words[Field::ALL.len() + 1];
        let end = words[words.len() - 1].span().end;
        return Fault::at(
            surplus.at..end,
            Mistake::TooManyFieldsWithSeconds { found: words.len() },
        );
    }
    wrong_count::fault(body, words)
}

/// Parses a field that holds nothing but values.
fn plain(word: Piece, field: Field, spread: Option<Spread>) -> Result<Mask, Fault> {
    let mut mask = Mask::EMPTY;
    for item in items(word) {
        let upper = item.text.to_ascii_uppercase();
        if field.value_of(&upper).is_none() && (matches!(&*upper, "L" | "LW") || upper.contains('#')) {
            return Err(Fault::at(
                item.span(),
                Mistake::DayElsewhere {
                    found: item.text.into(),
                    field,
                },
            ));
        }
        let more = values(item, field, spread)?;
        mask = Mask {
            bits: mask.bits | more.bits,
            star: mask.star || more.star,
        };
    }
    Ok(mask)
}

fn items(word: Piece<'_>) -> impl Iterator<Item = Piece<'_>> {
    word.split(',').filter(|item| !item.text.is_empty())
}

fn days_of_month(word: Piece, spread: Option<Spread>) -> Result<DaysOfMonth, Fault> {
    let mut days = DaysOfMonth::default();
    for item in items(word) {
        let upper = item.text.to_ascii_uppercase();
        if upper == "L" {
            days.from_last |= 1;
        } else if matches!(&*upper, "LW" | "WL") {
            days.last_weekday = true;
        } else if let Some(back) = upper.strip_prefix("L-") {
            let back = back.parse::<u32>().ok().filter(|back| *back <= 30);
            let back = back.ok_or_else(|| Fault::at(item.span(), Mistake::LastDayOffset))?;
            days.from_last |= 1 << back;
        } else if let Some(day) = upper.strip_suffix('W').or(upper.strip_prefix('W')) {
            let day = day.parse::<u32>().ok().filter(|day| (1..=31).contains(day));
            days.nearest |= 1 << day.ok_or_else(|| Fault::at(item.span(), Mistake::NearestWeekdayDay))?;
        } else {
            let mask = values(item, Field::DayOfMonth, spread)
                .map_err(|fault| misplaced(fault, item, Field::DayOfMonth))?;
            days.listed |= mask.bits;
            days.star |= mask.star;
        }
    }
    Ok(days)
}

fn days_of_week(word: Piece, spread: Option<Spread>) -> Result<DaysOfWeek, Fault> {
    let mut days = DaysOfWeek::default();
    for item in items(word) {
        let upper = item.text.to_ascii_uppercase();
        if let Some((day, nth)) = upper.split_once('#') {
            let weekday = weekday(day).ok_or_else(|| Fault::at(item.span(), Mistake::NthWeekdayForm))?;
            let nth = nth.parse::<usize>().ok().filter(|nth| (1..=5).contains(nth));
            days.nth[nth.ok_or_else(|| Fault::at(item.span(), Mistake::NthWeekdayForm))? - 1] |= 1 << weekday;
        } else if let Some(day) = upper.strip_suffix('L') {
            let weekday = weekday(day).ok_or_else(|| Fault::at(item.span(), Mistake::LastWeekdayForm))?;
            days.last |= 1 << weekday;
        } else {
            let mask = values(item, Field::DayOfWeek, spread)
                .map_err(|fault| misplaced(fault, item, Field::DayOfWeek))?;
            days.listed |= mask.bits;
            days.star |= mask.star;
        }
    }
    Ok(days)
}

/// What is not known to Kubernetes is known here, in another form or in the other day field.
fn misplaced(fault: Fault, item: Piece, field: Field) -> Fault {
    match fault.mistake {
        Mistake::LastDay | Mistake::NearestWeekday | Mistake::NthWeekday => {
            let found = item.text.into();
            Fault::at(item.span(), Mistake::DayForm { found, field })
        }
        _ => fault,
    }
}

/// A day of the week by number, 7 included, or by name.
fn weekday(text: &str) -> Option<u32> {
    let short = short_names(text, Field::DayOfWeek);
    Field::DayOfWeek
        .value_of(&short)
        .or_else(|| short.parse().ok().filter(|day| *day <= 7).map(|day: u32| day % 7))
}

/// Parses a range, a range that goes round, or `H`.
fn values(item: Piece, field: Field, spread: Option<Spread>) -> Result<Mask, Fault> {
    if item.text.starts_with(['H', 'h']) {
        return hashed(item, field, spread);
    }
    let short = short_names(item.text, field);
    let refused = match range::parse(
        Piece {
            text: &short,
            at: item.at,
        },
        field,
    ) {
        Ok(mask) => return Ok(mask),
        // What is said points into the text as it was written.
        Err(fault) if short == item.text => fault,
        Err(fault) => range::parse(item, field).err().unwrap_or(fault),
    };
    // `wrapped` takes the value after the last one for the first: that is right for Sunday alone.
    let after_last = i64::from(field.max() + 1);
    let mut ends = short.split(['-', '/']).take(2);
    let goes_round = field == Field::DayOfWeek || !ends.any(|end| number(end) == Some(after_last));
    let ranges = wrapped(Piece::whole(&short), field).filter(|_| goes_round);
    let ranges = ranges.ok_or(refused)?;
    let parts = ranges
        .split(',')
        .filter_map(|part| range::parse(Piece::whole(part), field).ok());
    Ok(Mask {
        bits: parts.fold(0, |bits, part| bits | part.bits),
        // A full range is written out, which is no star in the Kubernetes dialect either.
        star: false,
    })
}

/// The text with the names of months or days cut to three letters.
fn short_names(text: &str, field: Field) -> String {
    let lower = text.to_ascii_lowercase();
    let shortened = field
        .full_names()
        .iter()
        .fold(lower.clone(), |text, full| text.replace(full, &full[..3]));
    if shortened == lower {
        text.to_owned()
    } else {
        shortened
    }
}

/// `H`, `H/15`, `H(0-29)`, `H(0-29)/10`.
fn hashed(item: Piece, field: Field, spread: Option<Spread>) -> Result<Mask, Fault> {
    let wrong = || Fault::at(item.span(), Mistake::HashForm { field });
    let (range, step) = match item.text[1..].split_once('/') {
        Some((range, step)) => (
            range,
            Some(
                step.parse::<u32>()
                    .ok()
                    .filter(|step| *step > 0)
                    .ok_or_else(wrong)?,
            ),
        ),
        None => (&item.text[1..], None),
    };
    let last = if field == Field::DayOfMonth {
        LAST_SPREAD_DAY
    } else {
        field.max()
    };
    let (low, high) = if range.is_empty() {
        (field.min(), last)
    } else {
        let inner = range.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let (low, high) = inner.and_then(|inner| inner.split_once('-')).ok_or_else(wrong)?;
        let value = |text: &str| {
            text.parse::<u32>()
                .ok()
                .filter(|value| (field.min()..=field.max()).contains(value))
        };
        let ends = value(low).zip(value(high)).filter(|(low, high)| low <= high);
        ends.ok_or_else(wrong)?
    };
    let spread = spread.ok_or_else(|| Fault::at(item.span(), Mistake::HashWithoutName))?;
    let values = high - low + 1;
    let start = low + spread.below(step.unwrap_or(values).min(values), field as u8);
    let step = step.map_or(usize::MAX, |step| usize::try_from(step).unwrap_or(usize::MAX));
    Ok(Mask {
        bits: (start..=high)
            .step_by(step)
            .fold(0, |bits, value| bits | 1 << value),
        star: false,
    })
}
