//! Which days: of the month, of the week, months and years.

use super::pattern::{Pattern, blocks};
use super::words::{amount, list, month, ordinal, weekday};
use crate::schedule::fields::{DaysOfMonth, DaysOfWeek, Fields};

/// Up to so many days of the month are listed one by one, even where they are the same distance apart.
const MOST_DAYS: u32 = 4;

/// The days of some fields. Nothing where it is every day and the time says so already.
pub(super) fn of(fields: &Fields, time_is_frequent: bool) -> String {
    let days = by_number(&fields.days);
    let weekdays = by_weekday(&fields.weekdays);
    let months = Pattern::of(fields.months, 1, 12);
    let of_months = match &months {
        Pattern::All
            if (29..=31).contains(&fields.days.listed.trailing_zeros()) && fields.days.is_plain() =>
        {
            " of every month that has one".to_owned()
        }
        Pattern::All => " of every month".to_owned(),
        Pattern::Range(..) => format!(" of every month from {}", the_months(fields, &months)),
        months => format!(" of {}", the_months(fields, months)),
    };
    let everything_matters = fields.days.is_all() || fields.weekdays.is_all();
    let in_months = match &months {
        Pattern::All => String::new(),
        Pattern::Range(..) => format!(" from {}", the_months(fields, &months)),
        months => format!(" in {}", the_months(fields, months)),
    };
    let text = match (days, weekdays) {
        // Either is enough, and one of them is every day.
        _ if fields.either_day() && everything_matters => every_day(time_is_frequent, &in_months),
        (None, None) => every_day(time_is_frequent, &in_months),
        (Some(days), None) => format!("{days}{of_months}"),
        (None, Some(weekdays)) if fields.weekdays.is_plain() => match weekdays.strip_prefix("every ") {
            Some(day) if time_is_frequent => format!("on {day}s{in_months}"),
            _ => format!("{weekdays}{in_months}"),
        },
        (None, Some(weekdays)) => format!("{weekdays}{of_months}"),
        (Some(days), Some(weekdays)) if fields.either_day() => {
            let weekdays = weekdays.trim_start_matches("on ");
            format!("{days}{of_months}, and also {weekdays}{in_months}")
        }
        (Some(days), Some(weekdays)) => {
            let condition = weekdays
                .strip_prefix("every ")
                .map_or(weekdays.clone(), |day| format!("if it is a {day}"));
            format!("{days}{of_months}, but only {condition}")
        }
    };
    format!("{text}{}", years(fields)).trim_start().to_owned()
}

fn every_day(time_is_frequent: bool, in_months: &str) -> String {
    if time_is_frequent {
        in_months.to_owned()
    } else {
        format!("every day{in_months}")
    }
}

/// The days of the month; none for every day.
fn by_number(days: &DaysOfMonth) -> Option<String> {
    if days.is_plain() && days.is_all() {
        return None;
    }
    let listed = match Pattern::of(days.listed, 1, 31) {
        _ if days.listed == 0 => vec![],
        Pattern::Range(first, last) => vec![format!(
            "every day from the {} to the {}",
            ordinal(first),
            ordinal(last)
        )],
        Pattern::Step {
            first, last, step, ..
        } if last + step > 31 && days.listed.count_ones() > MOST_DAYS => {
            vec![format!(
                "every {step} days, starting over on the {}",
                ordinal(first)
            )]
        }
        _ => Pattern::values(days.listed)
            .map(|day| format!("the {}", ordinal(day)))
            .collect(),
    };
    let mut all = listed;
    let bits = |mask: u32| Pattern::values(mask.into());
    all.extend(bits(days.from_last).map(|back| match back {
        0 => "the last day".to_owned(),
        _ => format!("{} before the last day", amount(back, "day")),
    }));
    all.extend(bits(days.nearest).map(|day| format!("the weekday nearest the {}", ordinal(day))));
    all.extend(days.last_weekday.then(|| "the last weekday".to_owned()));
    Some(on(&without_repeated_article(&all)))
}

/// `the 1st, the 15th` as `the 1st and 15th`.
fn without_repeated_article(items: &[String]) -> String {
    let is_number = |item: &str| {
        item.strip_prefix("the ")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let short = items.iter().enumerate().map(|(place, item)| {
        let follows = place > 0 && is_number(&items[place - 1]) && is_number(item);
        if follows {
            item.replacen("the ", "", 1)
        } else {
            item.clone()
        }
    });
    list(&short.collect::<Vec<_>>())
}

/// `every …` needs no preposition.
fn on(text: &str) -> String {
    if text.starts_with("every ") || text.ends_with(" before the last day") {
        text.to_owned()
    } else {
        format!("on {text}")
    }
}

/// The days of the week; none for every day.
fn by_weekday(days: &DaysOfWeek) -> Option<String> {
    if days.is_plain() && days.is_all() {
        return None;
    }
    let mut all: Vec<String> = match Pattern::of(days.listed, 0, 6) {
        _ if days.listed == 0 => vec![],
        Pattern::Range(first, last) => vec![format!("from {} to {}", weekday(first), weekday(last))],
        Pattern::One(day) => vec![format!("every {}", weekday(day))],
        _ if let [(first, last)] = blocks(days.listed, 7, true)[..]
            && days.listed.count_ones() > 2 =>
        {
            vec![format!("from {} to {}", weekday(first), weekday(last))]
        }
        // The week ends with Sunday when people speak of it.
        _ => {
            let names = Pattern::values(days.listed)
                .filter(|day| *day != 0)
                .chain((days.listed & 1 == 1).then_some(0));
            vec![format!("on {}", list(&names.map(weekday).collect::<Vec<_>>()))]
        }
    };
    for (place, mask) in days.nth.iter().enumerate() {
        let nth = ["first", "second", "third", "fourth", "fifth"][place];
        all.extend(Pattern::values((*mask).into()).map(|day| format!("on the {nth} {}", weekday(day))));
    }
    all.extend(Pattern::values(days.last.into()).map(|day| format!("on the last {}", weekday(day))));
    Some(list(&all))
}

fn the_months(fields: &Fields, months: &Pattern) -> String {
    match months {
        Pattern::Range(first, last) => format!("{} to {}", month(*first), month(*last)),
        _ => list(&Pattern::values(fields.months).map(month).collect::<Vec<_>>()),
    }
}

fn years(fields: &Fields) -> String {
    let Some(years) = &fields.years else {
        return String::new();
    };
    match years[..] {
        [only] => format!(" {only}").replacen(' ', ", in ", 1),
        [first, .., last] if usize::try_from(last - first + 1) == Ok(years.len()) => {
            format!(", from {first} to {last}")
        }
        _ => {
            let few: Vec<String> = years.iter().take(6).map(ToString::to_string).collect();
            let more = if years.len() > few.len() { " and so on" } else { "" };
            format!(", in {}{more}", list(&few))
        }
    }
}
