//! The same schedule as an expression of another dialect.

use super::pattern::Pattern;
use crate::schedule::Dialect;
use crate::schedule::fields::Fields;

/// Some fields written in a dialect; none if it cannot say them.
pub(super) fn in_dialect(fields: &Fields, dialect: Dialect) -> Option<String> {
    match dialect {
        Dialect::Kubernetes => five(fields),
        // It is the Kubernetes dialect and more: the same text would say nothing new.
        Dialect::Extended => None,
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

/// Six or seven fields, where one of the two day fields must be open.
fn quartz(fields: &Fields) -> Option<String> {
    let is_plain = fields.days.is_plain() && fields.weekdays.is_plain();
    let (days, weekdays) = (fields.days.is_all(), fields.weekdays.is_all());
    let combines = fields.either_day() || !(days || weekdays);
    let has_values = fields.minutes != 0 && fields.hours != 0 && fields.months != 0;
    if !is_plain || !has_values || combines {
        return None;
    }
    let day = if days && !weekdays {
        "?".to_owned()
    } else {
        field(fields.days.listed, 1, 31, 0)
    };
    let weekday = if weekdays {
        "?".to_owned()
    } else {
        field(fields.weekdays.listed, 0, 6, 1)
    };
    let texts = [
        field(fields.seconds, 0, 59, 0),
        field(fields.minutes, 0, 59, 0),
        field(fields.hours, 0, 23, 0),
        day,
        field(fields.months, 1, 12, 0),
        weekday,
    ];
    fields.years.is_none().then(|| texts.join(" "))
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
