//! The Quartz dialect: six or seven fields, with seconds in front and perhaps the year at the end.
//!
//! The `cron` crate parses them, so that what it takes is taken, with its meaning: Sunday is 1, and where both day
//! fields are given, a day must match both. Ranges that go round are written out for it; `L`, `W` and `#` are beyond it.

use cron::TimeUnitSpec;

use super::{Fault, Field, Mistake, Piece, from_quartz};
use crate::schedule::fields::{ALL_DAYS, ALL_WEEKDAYS, DaysOfMonth, DaysOfWeek, Fields};

/// The fields that every expression has, in the order in which they are written.
const SIX: [Field; 6] = [
    Field::Second,
    Field::Minute,
    Field::Hour,
    Field::DayOfMonth,
    Field::Month,
    Field::DayOfWeek,
];

/// Parses an expression that is no macro.
pub(super) fn parse(body: Piece) -> Result<Fields, Fault> {
    let words: Vec<Piece> = body.words().collect();
    if !matches!(words.len(), 6 | 7) {
        let mistake = Mistake::QuartzFields { found: words.len() };
        return Err(Fault::at(body.trim().span(), mistake));
    }
    if let Some(fault) = beyond(&words) {
        return Err(fault.fix_if(body.trim().span(), from_quartz::extended(&words)));
    }
    let mut texts = vec![];
    for (place, word) in words.iter().enumerate() {
        let field = SIX.get(place).copied();
        let text = field.map_or(word.text.to_owned(), |field| without_rounds(word.text, field));
        check_alone(*word, &text, field)?;
        texts.push(text);
    }
    let Ok(parsed) = texts.join(" ").parse::<cron::Schedule>() else {
        return Err(Fault::at(
            body.trim().span(),
            Mistake::QuartzFields { found: words.len() },
        ));
    };
    Ok(fields(&parsed))
}

/// The text with the values of ranges that go round, such as `FRI-MON`, in their place: the `cron` crate has no such ranges.
fn without_rounds(word: &str, field: Field) -> String {
    let items = word.split(',').map(|item| {
        let values = round(item, field)?;
        let values: Vec<String> = values.iter().map(u32::to_string).collect();
        Some(values.join(","))
    });
    let items: Vec<String> = items
        .zip(word.split(','))
        .map(|(values, item)| values.unwrap_or_else(|| item.to_owned()))
        .collect();
    items.join(",")
}

/// The values of a range that goes round, in the numbering of Quartz; none if an item is something else.
fn round(item: &str, field: Field) -> Option<Vec<u32>> {
    let shift = u32::from(field == Field::DayOfWeek);
    let (first, last) = (field.min() + shift, field.max() + shift);
    let value = |text: &str| {
        let named = field.value_of(text).map(|value| value + shift);
        named
            .or_else(|| text.parse().ok())
            .filter(|value| (first..=last).contains(value))
    };
    let (range, step) = item.split_once('/').unwrap_or((item, "1"));
    let (low, high) = range.split_once('-')?;
    let (low, high) = (value(low)?, value(high)?);
    let step = step.parse::<usize>().ok().filter(|step| *step > 0)?;
    let values = (low..=last).chain(first..=high).step_by(step);
    (low > high).then(|| values.collect())
}

/// What Quartz knows and the `cron` crate does not.
fn beyond(words: &[Piece]) -> Option<Fault> {
    [words[3], words[5]].into_iter().find_map(|word| {
        word.split(',').find_map(|item| {
            let upper = item.text.to_ascii_uppercase();
            let ends = |mark| upper.ends_with(mark) && !upper.ends_with("JUL");
            let is_beyond = upper.contains('#') || upper.starts_with("L-") || ends('L') || ends('W');
            let found = item.text.to_owned();
            is_beyond.then(|| Fault::at(item.span(), Mistake::QuartzBeyond { found }))
        })
    })
}

/// Whether one field is right, so that the one that is not can be pointed at.
fn check_alone(word: Piece, text: &str, field: Option<Field>) -> Result<(), Fault> {
    let mistake = field.map_or(Mistake::QuartzYear, |field| Mistake::QuartzValue { field });
    let place = field
        .and_then(|field| SIX.iter().position(|six| *six == field))
        .unwrap_or(6);
    let mut alone = ["0", "0", "0", "1", "1", "?", "*"];
    alone[place] = text;
    if alone.join(" ").parse::<cron::Schedule>().is_err() {
        return Err(Fault::at(word.span(), mistake));
    }
    Ok(())
}

fn fields(parsed: &cron::Schedule) -> Fields {
    let days = bits(parsed.days_of_month(), 0);
    let weekdays = bits(parsed.days_of_week(), 1);
    let years = parsed.years();
    Fields {
        seconds: bits(parsed.seconds(), 0),
        minutes: bits(parsed.minutes(), 0),
        hours: bits(parsed.hours(), 0),
        days: DaysOfMonth {
            listed: days,
            star: days == ALL_DAYS,
            ..DaysOfMonth::default()
        },
        months: bits(parsed.months(), 0),
        weekdays: DaysOfWeek {
            listed: weekdays,
            star: weekdays == ALL_WEEKDAYS,
            ..DaysOfWeek::default()
        },
        years: (!years.is_all()).then(|| years.iter().filter_map(|year| i32::try_from(year).ok()).collect()),
        both_days: true,
    }
}

/// The values of a field as bits, each moved down by `shift`.
fn bits(unit: &impl TimeUnitSpec, shift: u32) -> u64 {
    unit.iter().fold(0, |bits, value| bits | 1 << (value - shift))
}
