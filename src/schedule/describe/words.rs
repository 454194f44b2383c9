//! Words: lists, ordinals, names, durations.

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// `1st`, `2nd`, `23rd`.
pub(in crate::schedule) fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// `one minute`, `15 minutes`.
pub(super) fn amount(number: u32, unit: &str) -> String {
    match number {
        1 => format!("1 {unit}"),
        _ => format!("{number} {unit}s"),
    }
}

/// `second`, `90 seconds`, `90 minutes`, `1 hour 30 seconds`.
pub(super) fn duration(seconds: i64) -> String {
    if (61..180).contains(&seconds) && seconds != 120 {
        return format!("{seconds} seconds");
    }
    // An hour and a half is said as 90 minutes, and so on up to three hours.
    let in_minutes = seconds < 3 * 3_600 && seconds % 3_600 != 0;
    let hours = if in_minutes { 0 } else { seconds / 3_600 };
    let parts = [
        (hours, "hour"),
        ((seconds - hours * 3_600) / 60, "minute"),
        (seconds % 60, "second"),
    ];
    let parts: Vec<(i64, &str)> = parts.into_iter().filter(|(number, _)| *number > 0).collect();
    if let [(1, unit)] = parts[..] {
        return unit.to_owned();
    }
    let texts = parts.iter().map(|(number, unit)| match number {
        1 => format!("1 {unit}"),
        _ => format!("{number} {unit}s"),
    });
    texts.collect::<Vec<_>>().join(" ")
}

pub(super) fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}

/// A month's name, 1 to 12.
pub(in crate::schedule) fn month(number: u32) -> String {
    name(crate::schedule::Field::Month, number)
}

/// A day's name, 0 (Sunday) to 6.
pub(in crate::schedule) fn weekday(number: u32) -> String {
    name(crate::schedule::Field::DayOfWeek, number)
}

fn name(field: crate::schedule::Field, number: u32) -> String {
    let place = usize::try_from(number - field.min()).unwrap_or(0);
    capitalised(field.full_names().get(place).copied().unwrap_or_default())
}
