//! The same schedule as an expression of another dialect.

use super::pattern::Pattern;
use crate::schedule::Dialect;
use crate::schedule::fields::{DaysOfMonth, DaysOfWeek, Fields};

/// Some fields written in a dialect; none if it cannot say them.
pub(super) fn in_dialect(fields: &Fields, dialect: Dialect) -> Option<String> {
    match dialect {
        Dialect::Kubernetes => five(fields),
        Dialect::Extended => six(fields),
        Dialect::Quartz => quartz(fields),
    }
}

/// Five fields.
fn five(fields: &Fields) -> Option<String> {
    // What Quartz combines, the star rule would add up.
    fields.calendar()?;
    Some(format!(
        "{} {} {} {} {}",
        field(fields.minutes, 0, 59, 0),
        field(fields.hours, 0, 23, 0),
        field(fields.days.listed, 1, 31, 0),
        field(fields.months, 1, 12, 0),
        field(fields.weekdays.listed, 0, 6, 0),
    ))
}

/// Five fields with seconds in front. Without seconds they are those of Kubernetes, and are not said twice.
fn six(fields: &Fields) -> Option<String> {
    if fields.seconds == 1 {
        return None;
    }
    let without = Fields {
        seconds: 1,
        ..fields.clone()
    };
    Some(format!("{} {}", field(fields.seconds, 0, 59, 0), five(&without)?))
}

/// Six or seven fields, where one of the two day fields must be open.
fn quartz(fields: &Fields) -> Option<String> {
    let (days, weekdays) = (fields.days.is_all(), fields.weekdays.is_all());
    let combines = fields.either_day() || !(days || weekdays);
    let has_values = fields.minutes != 0 && fields.hours != 0 && fields.months != 0;
    if !has_values || combines || fields.years.is_some() {
        return None;
    }
    let day = if days && !weekdays {
        "?".to_owned()
    } else {
        quartz_day(&fields.days)?
    };
    let weekday = if weekdays {
        "?".to_owned()
    } else {
        quartz_weekday(&fields.weekdays)?
    };
    let texts = [
        field(fields.seconds, 0, 59, 0),
        field(fields.minutes, 0, 59, 0),
        field(fields.hours, 0, 23, 0),
        day,
        field(fields.months, 1, 12, 0),
        weekday,
    ];
    Some(texts.join(" "))
}

/// Days of the month for Quartz, which takes what is counted from the end, and the weekday nearest to a day, only alone.
fn quartz_day(days: &DaysOfMonth) -> Option<String> {
    let from_last = (0..31)
        .filter(|back| days.from_last >> back & 1 == 1)
        .map(|back| match back {
            0 => "L".to_owned(),
            _ => format!("L-{back}"),
        });
    let nearest = (1..32)
        .filter(|day| days.nearest >> day & 1 == 1)
        .map(|day| format!("{day}W"));
    let last_weekday = days.last_weekday.then(|| "LW".to_owned());
    let special: Vec<String> = from_last.chain(nearest).chain(last_weekday).collect();
    match special.as_slice() {
        [] => Some(field(days.listed, 1, 31, 0)),
        [alone] if days.listed == 0 => Some(alone.clone()),
        _ => None,
    }
}

/// Days of the week for Quartz, which counts from Sunday as 1, and takes the n-th and the last of a month only alone.
fn quartz_weekday(weekdays: &DaysOfWeek) -> Option<String> {
    let of = |mask: u8| (0..7).filter(move |day| mask >> day & 1 == 1);
    let nth = weekdays.nth.iter().zip(1..);
    let nth = nth.flat_map(|(mask, nth)| of(*mask).map(move |day| format!("{}#{nth}", day + 1)));
    let last = of(weekdays.last).map(|day| format!("{}L", day + 1));
    let special: Vec<String> = nth.chain(last).collect();
    match special.as_slice() {
        [] => Some(field(weekdays.listed, 0, 6, 1)),
        [alone] if weekdays.listed == 0 => Some(alone.clone()),
        _ => None,
    }
}

/// One field, its values moved up by `shift`.
fn field(mask: u64, min: u32, max: u32, shift: u32) -> String {
    let text = |value: u32| (value + shift).to_string();
    match Pattern::of(mask, min, max) {
        Pattern::All => "*".into(),
        Pattern::One(value) => text(value),
        Pattern::Range(first, last) => format!("{}-{}", text(first), text(last)),
        Pattern::Step {
            first, last, step, ..
        } if first == min && last + step > max => format!("*/{step}"),
        Pattern::Step {
            first, last, step, ..
        } => format!("{}-{}/{step}", text(first), text(last)),
        Pattern::List(values) => values.into_iter().map(text).collect::<Vec<_>>().join(","),
    }
}
