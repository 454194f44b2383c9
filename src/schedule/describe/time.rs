//! The time of day: seconds, minutes and hours.

use super::pattern::{Pattern, blocks};
use super::words::{amount, list};
use crate::schedule::fields::Fields;

/// Up to so many times of a day are listed one by one.
const MOST_TIMES: u32 = 6;

/// Up to so many stretches of hours are said with begin and end.
const MOST_BLOCKS: usize = 2;

/// The time of day in words.
pub(super) struct Time {
    pub(super) text: String,
    /// What is said after the day: the seconds, where they are a pattern of their own.
    pub(super) detail: String,
    /// Whether it comes again and again all day, so that `every day` need not be said.
    pub(super) is_frequent: bool,
}

/// The time of day of some fields.
pub(super) fn of(fields: &Fields) -> Time {
    let minutes = Pattern::of(fields.minutes, 0, 59);
    let hours = match Pattern::of(fields.hours, 0, 23) {
        // Twice a day is said as two times, not as every 12 hours.
        Pattern::Step { first, last, .. } if fields.hours.count_ones() == 2 => {
            Pattern::List(vec![first, last])
        }
        hours => hours,
    };
    let is_frequent = matches!(hours, Pattern::All | Pattern::Step { first: 0, .. });
    let single_second = fields
        .seconds
        .is_power_of_two()
        .then(|| fields.seconds.trailing_zeros());
    let mut detail = String::new();
    let text = match single_second {
        Some(0) => without_seconds(fields, &minutes, &hours),
        Some(second) if times(fields) <= MOST_TIMES => listed(fields, second),
        _ if minutes == Pattern::All && hours == Pattern::All => seconds_of_every_minute(fields),
        _ => {
            detail = format!(", {}", in_each_minute(fields));
            without_seconds(fields, &minutes, &hours)
        }
    };
    Time {
        text,
        detail,
        is_frequent,
    }
}

/// How many minutes of a day match.
fn times(fields: &Fields) -> u32 {
    fields.hours.count_ones() * fields.minutes.count_ones()
}

/// `every 10 seconds`, `at 15 seconds past every minute`.
fn seconds_of_every_minute(fields: &Fields) -> String {
    match Pattern::of(fields.seconds, 0, 59) {
        Pattern::All => "every second".into(),
        Pattern::Step {
            first: 0,
            step,
            even: true,
            ..
        } => format!("every {}", amount(step, "second")),
        _ => format!("at {} past every minute", numbers(fields.seconds, "second")),
    }
}

/// What of a minute is meant where not every minute is.
fn in_each_minute(fields: &Fields) -> String {
    match Pattern::of(fields.seconds, 0, 59) {
        Pattern::All => "in every second of the minute".into(),
        Pattern::Step {
            first: 0,
            step,
            even: true,
            ..
        } => {
            format!("every {} within the minute", amount(step, "second"))
        }
        _ => format!("at {} past the minute", numbers(fields.seconds, "second")),
    }
}

fn without_seconds(fields: &Fields, minutes: &Pattern, hours: &Pattern) -> String {
    let is_steady = matches!(hours, Pattern::Range(..) | Pattern::Step { .. } | Pattern::All);
    match (minutes, hours) {
        (Pattern::One(minute), Pattern::All) => past_every_hour(*minute),
        (Pattern::One(_), _) if is_one_block(fields) => {
            format!("every hour {}", span(fields, hours))
        }
        (
            Pattern::One(minute),
            Pattern::Step {
                first,
                last,
                step,
                even,
            },
        ) => hour_steps(*minute, (*first, *last), *step, *even),
        _ if times(fields) <= MOST_TIMES && !is_steady && is_loose(fields, minutes) => listed(fields, 0),
        (Pattern::One(minute), _) => format!(
            "at {} past {}",
            numbers(1 << minute, "minute"),
            in_hours(fields, hours)
        ),
        (Pattern::All, Pattern::All) => "every minute".into(),
        (Pattern::All, _) | (Pattern::Range(..), Pattern::One(_)) => {
            format!("every minute {}", span(fields, hours))
        }
        (
            Pattern::Step {
                first,
                last,
                step,
                even,
            },
            _,
        ) => minute_steps(fields, (*first, *last), *step, *even, hours),
        (Pattern::Range(first, last), _) => format!(
            "every minute from {first} to {last} minutes past {}",
            in_hours(fields, hours)
        ),
        (Pattern::List(_), _) => format!(
            "at {} past {}",
            numbers(fields.minutes, "minute"),
            in_hours(fields, hours)
        ),
    }
}

/// Minutes that are a step apart, in some hours.
fn minute_steps(
    fields: &Fields,
    (first, last): (u32, u32),
    step: u32,
    even: bool,
    hours: &Pattern,
) -> String {
    let every = format!("every {}", amount(step, "minute"));
    match (first, even, hours) {
        (0, true, _) => format!("{every}{}", tail(fields, hours)),
        (_, true, _) => format!(
            "{every}, starting {} past the hour{}",
            amount(first, "minute"),
            comma(&tail(fields, hours)),
        ),
        (_, _, Pattern::One(_)) => format!("{every} {}", span(fields, hours)),
        (0, _, _) if last + step > 59 => format!(
            "{every}, starting over at each full hour{}",
            comma(&tail(fields, hours))
        ),
        _ => format!(
            "{every} from {first} to {last} minutes past {}",
            in_hours(fields, hours)
        ),
    }
}

/// Whether minutes are few and have no rhythm, so that listing them says it best.
fn is_loose(fields: &Fields, minutes: &Pattern) -> bool {
    let is_even = matches!(minutes, Pattern::Step { even: true, .. } | Pattern::Range(..));
    fields.minutes.count_ones() <= 2 || !is_even
}

fn past_every_hour(minute: u32) -> String {
    match minute {
        0 => "every hour, on the hour".into(),
        30 => "every hour, at half past".into(),
        _ => format!("every hour, at {} past", amount(minute, "minute")),
    }
}

/// Hours that are a step apart, with one minute of each.
fn hour_steps(minute: u32, (first, last): (u32, u32), step: u32, even: bool) -> String {
    let every = format!("every {}", amount(step, "hour"));
    match (even, first, last + step > 23) {
        (true, 0, _) if minute == 0 => format!("{every}, on the hour"),
        (true, 0, _) => format!("{every}, at {} past the hour", amount(minute, "minute")),
        (false, 0, true) => format!("{every} from {}, starting over at midnight", clock(0, minute)),
        _ => format!("{every} from {} to {}", clock(first, minute), clock(last, minute)),
    }
}

/// Every time of the day, one by one.
fn listed(fields: &Fields, second: u32) -> String {
    let times = Pattern::values(fields.hours).flat_map(|hour| {
        Pattern::values(fields.minutes).map(move |minute| match second {
            0 => clock(hour, minute),
            _ => format!("{}:{second:02}", clock(hour, minute)),
        })
    });
    format!("at {}", list(&times.collect::<Vec<_>>()))
}

/// In which hours something with a rhythm of its own happens, with a blank before it; nothing for all of them.
fn tail(fields: &Fields, hours: &Pattern) -> String {
    match hours {
        Pattern::All => String::new(),
        _ => format!(" {}", span(fields, hours)),
    }
}

fn comma(tail: &str) -> String {
    if tail.is_empty() {
        String::new()
    } else {
        format!(",{tail}")
    }
}

/// `from 09:00 to 17:45`, `from 22:00 to 02:45`, `from 08:00 to 08:45 and from 17:00 to 17:45`, `in every 2nd hour`.
fn span(fields: &Fields, hours: &Pattern) -> String {
    let (first, last) = (fields.minutes.trailing_zeros(), fields.minutes.ilog2());
    let blocks = hour_blocks(fields);
    if blocks.len() > MOST_BLOCKS {
        return format!("in {}", the_hours(fields, hours));
    }
    let spans = blocks
        .iter()
        .map(|(from, to)| format!("from {} to {}", clock(*from, first), clock(*to, last)));
    list(&spans.collect::<Vec<_>>())
}

/// The stretches of hours; over midnight only if every day is meant, because the day that follows may be none.
fn hour_blocks(fields: &Fields) -> Vec<(u32, u32)> {
    let every_day = fields.days.is_all() && fields.weekdays.is_all() && fields.months.count_ones() == 12;
    blocks(fields.hours, 24, every_day)
}

/// Whether the hours are three or more that follow upon each other, also over midnight.
fn is_one_block(fields: &Fields) -> bool {
    fields.hours.count_ones() > 2 && hour_blocks(fields).len() == 1
}

/// `every hour`, `9 and 12 o'clock`, for minutes that are said to be past it.
fn in_hours(fields: &Fields, hours: &Pattern) -> String {
    match hours {
        Pattern::All => "every hour".into(),
        Pattern::Range(from, to) => format!("every hour from {from:02} to {to:02}"),
        _ => the_hours(fields, hours),
    }
}

fn the_hours(fields: &Fields, hours: &Pattern) -> String {
    match hours {
        Pattern::Step {
            first: 0,
            step,
            even: true,
            ..
        } => format!("every {} hour, from 00 on", super::words::ordinal(*step)),
        Pattern::One(hour) => format!("hour {hour:02}"),
        _ => {
            let names: Vec<String> = Pattern::values(fields.hours)
                .map(|hour| format!("{hour:02}"))
                .collect();
            format!("the hours {}", list(&names))
        }
    }
}

/// `5 minutes`, `5, 10 and 40 minutes`.
fn numbers(mask: u64, unit: &str) -> String {
    let values: Vec<String> = Pattern::values(mask).map(|value| value.to_string()).collect();
    let plural = if mask == 2 { "" } else { "s" };
    format!("{} {unit}{plural}", list(&values))
}

fn clock(hour: u32, minute: u32) -> String {
    format!("{hour:02}:{minute:02}")
}
