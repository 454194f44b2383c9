//! Cron's five fields in Kubernetes' dialect.
//!
//! They look the same and differ in three places. Cron takes 7 for Sunday, and ranges up to it, such as `fri-sun`. Cron also calls
//! `*/2` a star when it decides whether *both* day fields must match or either (crontab(5): "if both fields are
//! restricted, i.e. do not contain the * character"); Kubernetes does not. And `@reboot` is not about time at all.

use crate::schedule::{Expression, Field};

/// When an entry is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Timing {
    /// As `spec.schedule` takes it.
    pub(super) schedule: String,
    /// Whether cron takes it for a job at fixed times, which it neither leaves out nor runs twice at clock changes: one
    /// without a star in the minute and the hour.
    pub(super) is_at_fixed_times: bool,
    /// Where a reader should look twice.
    pub(super) notes: Vec<String>,
}

impl Timing {
    /// Translates the fields.
    ///
    /// # Errors
    ///
    /// Why they can't be.
    pub(super) fn read(fields: &str) -> Result<Timing, String> {
        if fields == "@reboot" {
            return Err("it runs when the machine starts, which is not a time; apply a Job then".into());
        }
        if fields.contains('~') {
            return Err("a time at random (`~`); choose one".into());
        }
        // cronie: a minus before the minute keeps the entry out of the system's log.
        let fields = fields.strip_prefix('-').unwrap_or(fields);
        let mut words: Vec<String> = fields.split_whitespace().map(str::to_owned).collect();
        let mut notes = vec![];
        if words.len() == 5 {
            words[4] = weekdays(&words[4]);
            if let Some(note) = both_days(&words[2], &words[4]) {
                notes.push(note);
            }
        }
        let schedule = words.join(" ").to_lowercase();
        match Expression::parse(&schedule) {
            Ok(_) => Ok(Timing {
                is_at_fixed_times: is_at_fixed_times(&words),
                schedule,
                notes,
            }),
            Err(error) => Err(format!("the schedule can't be read: {}", error.mistake())),
        }
    }
}

fn is_at_fixed_times(words: &[String]) -> bool {
    match words {
        [minute, hour, ..] => !minute.starts_with('*') && !hour.starts_with('*'),
        [name] => !name.eq_ignore_ascii_case("@hourly") && !name.starts_with("@every"),
        [] => false,
    }
}

/// Days of the week with 0 for Sunday only: `7` becomes `0`, and `5-7`, which is `fri-sun`, becomes `5,6,0`.
fn weekdays(field: &str) -> String {
    let parts: Vec<String> = field.split(',').map(weekday_part).collect();
    parts.join(",")
}

fn weekday_part(part: &str) -> String {
    let (range, step) = part
        .split_once('/')
        .map_or((part, 1), |(range, step)| (range, step.parse().unwrap_or(0)));
    if part == "7" {
        return "0".into();
    }
    let days = range.split_once('-');
    let days = days.and_then(|(first, last)| weekday(first).zip(weekday(last)));
    let reaches_sunday = |(first, last): &(u32, u32)| *last == 7 || (*last == 0 && *first > 0);
    let Some((first, _)) = days.filter(reaches_sunday).filter(|_| step > 0) else {
        return part.to_owned();
    };
    let days: Vec<String> = (first..=7)
        .step_by(step)
        .map(|day| (day % 7).to_string())
        .collect();
    days.join(",")
}

/// The number of a day of the week, from 0 to 7.
fn weekday(name: &str) -> Option<u32> {
    let number = || name.parse().ok().filter(|day| *day <= 7);
    Field::DayOfWeek.value_of(name).or_else(number)
}

/// What differs when both day fields say something and one of them is a stepped star.
fn both_days(days: &str, weekdays: &str) -> Option<String> {
    let stepped = |field: &str| field.starts_with("*/") && field != "*/1";
    let restricted = |field: &str| !matches!(field, "*" | "?" | "*/1");
    let differs = (stepped(days) || stepped(weekdays)) && restricted(days) && restricted(weekdays);
    differs.then(|| {
        "cron runs it on days that match both day fields; Kubernetes on days that match either. Rewrite one of them".into()
    })
}
