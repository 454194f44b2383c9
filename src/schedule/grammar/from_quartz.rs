//! An expression of Quartz in the words of the extended dialect, which has `L`, `W` and `#` but counts weekdays from zero.

use super::Piece;
use crate::schedule::{Dialect, Spread};

/// The days of the week by their numbers in Quartz, less one.
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The same in the extended dialect; none if that has no words for it: it has no years, and does not ask for a day that
/// matches both day fields.
pub(super) fn extended(words: &[Piece]) -> Option<String> {
    let texts: Vec<&str> = words.iter().map(|word| word.text).collect();
    let ([seconds, minutes, hours, day, month, weekday]
    | [seconds, minutes, hours, day, month, weekday, "*"]) = texts.as_slice()
    else {
        return None;
    };
    let is_open = |text: &str| matches!(text, "*" | "?");
    if !is_open(day) && !is_open(weekday) {
        return None;
    }
    let open = |text: &str| {
        if is_open(text) {
            "*".to_owned()
        } else {
            text.to_owned()
        }
    };
    let weekdays: Vec<String> = weekday.split(',').map(named).collect::<Option<_>>()?;
    let five = format!("{minutes} {hours} {} {month} {}", open(day), weekdays.join(","));
    let text = if *seconds == "0" {
        five
    } else {
        format!("{seconds} {five}")
    };
    let is_good = super::parse(&text, Dialect::Extended, None::<Spread>).is_ok();
    is_good.then_some(text)
}

/// A weekday, a range of them, the last or the n-th of a month, with names in place of numbers.
fn named(item: &str) -> Option<String> {
    if matches!(item, "*" | "?") {
        return Some("*".into());
    }
    // Alone, it is the last day of the week.
    if item.eq_ignore_ascii_case("L") {
        return Some("SAT".into());
    }
    let digits = |c: char| c.is_ascii_digit();
    let (days, nth) = item.split_at(item.find(['#', '/']).unwrap_or(item.len()));
    let named = days.split('-').map(|day| {
        let number = &day[..day.find(|c| !digits(c)).unwrap_or(day.len())];
        if number.is_empty() {
            return Some(day.to_owned());
        }
        let number_of_it: usize = number.parse().ok()?;
        let name = WEEKDAYS.get(number_of_it.checked_sub(1)?)?;
        Some(format!("{name}{}", &day[number.len()..]))
    });
    let named: Option<Vec<String>> = named.collect();
    Some(named?.join("-") + nth)
}
