//! What about a schedule may surprise whoever wrote it. None of it is wrong; each is likely not what was meant.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::fields::Fields;
use super::{Dialect, Expression, Field, Fold, Reading, Schedule, Terms, Timestamp, Zone};

/// How far ahead clock changes are looked for: whatever the zone, two of a year lie within.
const AHEAD: TimeDelta = TimeDelta::days(400);

/// No clock change is longer.
const DAY: TimeDelta = TimeDelta::days(1);

/// A schedule is rare if more than this lies between two of its next instants.
const RARE: TimeDelta = TimeDelta::days(366);

/// Something about a schedule that may surprise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are what the sentences say they are")]
pub enum Advice {
    /// No date matches.
    NeverFires,
    /// Years lie between two instants.
    Seldom {
        next: Option<NaiveDate>,
        then: Option<NaiveDate>,
    },
    /// Both day fields are restricted, and either is enough.
    EitherDay,
    /// One day field is written out in full and so makes every day match, whatever the other says.
    OtherDayIgnored { full: Field, ignored: Field },
    /// A step that does not divide its field: it starts over, after a shorter gap.
    UnevenStep {
        field: Field,
        step: u32,
        last: u32,
        gap: u32,
    },
    /// A step so long that only the first value is left.
    LongStep { field: Field, step: u32, only: u32 },
    /// `* 2 * * *` or `* */2 * * *`: every minute of the hours in a mask, where one was probably meant.
    EveryMinute { hours: u64 },
    /// Some months have no such day.
    ShortMonths { day: u32 },
    /// The next clock change skips a run.
    Skipped { wall: NaiveDateTime },
    /// The next clock change repeats a run.
    Repeated { at: Timestamp, wall: NaiveDateTime },
}

impl Advice {
    /// What happens, in one sentence without a full stop.
    pub fn message(&self) -> String {
        match self {
            Advice::NeverFires => "this never fires: no date matches it".into(),
            Advice::Seldom { next, then } => {
                let day = |at: &Option<NaiveDate>| {
                    at.map_or("never again".to_owned(), |at| at.format("%Y-%m-%d").to_string())
                };
                format!("this fires seldom: next on {}, then {}", day(next), day(then))
            }
            Advice::EitherDay => {
                "the day of the month and the day of the week are OR-ed: either is enough".into()
            }
            Advice::OtherDayIgnored { full, ignored } => {
                format!(
                    "the {ignored} has no effect: the {full} is written out in full, and either is enough"
                )
            }
            Advice::UnevenStep {
                field,
                step,
                last,
                gap,
            } => starts_over(*field, *step, *last, *gap),
            Advice::LongStep { field, step, only } => {
                format!(
                    "a step of {step} is longer than the {} there are: only {field} {only} matches",
                    field.plural()
                )
            }
            Advice::EveryMinute { hours } if hours.is_power_of_two() => {
                let hour = hours.trailing_zeros();
                format!("this fires 60 times, every minute from {hour:02}:00 to {hour:02}:59")
            }
            Advice::EveryMinute { hours } => format!(
                "this fires in every minute of {} hours of the day, {} times",
                hours.count_ones(),
                60 * hours.count_ones()
            ),
            Advice::ShortMonths { day } => match day {
                29 => "in February this fires in leap years only".into(),
                30 => "February has no day 30, so it is left out".into(),
                _ => "five months have no day 31, so they are left out".into(),
            },
            Advice::Skipped { wall } => format!(
                "the run of {} is skipped: the clock is put forward, and this time does not happen",
                wall.format("%Y-%m-%d %H:%M")
            ),
            Advice::Repeated { wall, .. } => format!(
                "the run of {} happens twice: the clock is put back, and this time comes again",
                wall.format("%Y-%m-%d %H:%M")
            ),
        }
    }

    /// What to do about it; none where nothing better is known.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Advice::NeverFires => {
                "check the day of the month against the month; to pause a CronJob, write `suspend: true`"
            }
            Advice::EitherDay => "leave one of the two `*`, and let the run check the other",
            Advice::OtherDayIgnored { .. } => "write `*` in place of the full range",
            Advice::UnevenStep {
                field: Field::Minute, ..
            } => "choose a step that divides 60, or use `@every`, which counts on across the hour",
            Advice::UnevenStep {
                field: Field::Hour, ..
            } => "choose a step that divides 24, or use `@every`, which counts on across midnight",
            Advice::UnevenStep { .. } => "list the values that are meant",
            Advice::LongStep { .. } => "write the value itself, or use `@every` for a longer interval",
            Advice::EveryMinute { .. } => {
                "to run once an hour, write a minute in the first field, such as `0`"
            }
            Advice::ShortMonths { .. } => {
                "for the end of every month, use `L` of the dialect `extended`, or the 1st"
            }
            Advice::Skipped { .. } => {
                "choose a time of day that no clock change touches, such as 04:30, or `timeZone: Etc/UTC`; or let it run when \
                 the gap ends, with the annotation `punctual.dev/clock-gap: RunAfter`"
            }
            Advice::Repeated { .. } => {
                "choose a time of day that no clock change touches, such as 04:30, or `timeZone: Etc/UTC`; or let one of the \
                 two run, with the annotation `punctual.dev/clock-repeat: First` or `Second`"
            }
            Advice::Seldom { .. } => return None,
        })
    }
}

/// What happens at the end of a field whose values a step does not divide: after the value `last` comes the first one
/// again, `gap` later.
fn starts_over(field: Field, step: u32, last: u32, gap: u32) -> String {
    match field {
        Field::DayOfMonth => format!(
            "`/{step}` starts over on the 1st: after the {} of a long month comes the 1st, {gap} {} later",
            super::describe::ordinal(last),
            if gap == 1 { "day" } else { "days" },
        ),
        Field::DayOfWeek => format!(
            "{step} does not divide the week: after {} it starts over on Sunday",
            super::describe::weekday(last)
        ),
        Field::Month => format!(
            "{step} does not divide the year: after {} it starts over in January",
            super::describe::month(last)
        ),
        _ => format!(
            "{step} does not divide the {}: after {field} {last} it starts over, {gap} later instead of {step}",
            field.plural()
        ),
    }
}

/// What may surprise about an expression in its zone and under its terms, from `now` on.
pub fn advice(expression: &Expression, zone: &Arc<Zone>, terms: &Terms, now: Timestamp) -> Vec<Advice> {
    let Some(fields) = expression.fields() else {
        return vec![];
    };
    if expression.never_fires() {
        return vec![Advice::NeverFires];
    }
    let mut found: Vec<Advice> = either_day(fields).into_iter().collect();
    if expression.dialect() != Dialect::Quartz {
        found.extend(steps(expression.as_str()));
    }
    found.extend(every_minute(fields, expression.as_str()));
    found.extend(short_months(fields));
    // Who closes a window or excludes a season knows that nothing is due then.
    found.extend(seldom(&Schedule::new(expression, Arc::clone(zone)), now));
    if fields.hours.count_ones() < 24 {
        let schedule = terms.apply(std::slice::from_ref(expression), zone);
        found.extend(clock_changes(&schedule, now));
    }
    found
}

fn either_day(fields: &Fields) -> Option<Advice> {
    let (full_days, full_weekdays) = (fields.days.is_all(), fields.weekdays.is_all());
    match (fields.either_day(), full_days, full_weekdays) {
        (false, ..) | (true, true, true) => None,
        (true, true, false) => Some(Advice::OtherDayIgnored {
            full: Field::DayOfMonth,
            ignored: Field::DayOfWeek,
        }),
        (true, false, true) => Some(Advice::OtherDayIgnored {
            full: Field::DayOfWeek,
            ignored: Field::DayOfMonth,
        }),
        (true, false, false) => Some(Advice::EitherDay),
    }
}

/// Steps over a whole field that do not divide it. They are looked for in the text: `0,7,14` is no mistake.
fn steps(text: &str) -> Vec<Advice> {
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !word.contains('='))
        .collect();
    let fields = words.iter().rev().zip(Field::ALL.into_iter().rev());
    let found = fields.flat_map(|(word, field)| word.split(',').filter_map(move |item| uneven(item, field)));
    let mut found: Vec<Advice> = found.collect();
    found.reverse();
    found
}

fn uneven(item: &str, field: Field) -> Option<Advice> {
    let (range, step) = item.split_once('/')?;
    let step: u32 = step.parse().ok()?;
    let is_open = !range.contains('-');
    let first = if matches!(range, "*" | "?") {
        field.min()
    } else {
        range.parse().ok()?
    };
    let size = field.max() - field.min() + 1;
    if !is_open || step < 2 {
        return None;
    }
    if first + step > field.max() {
        return (step >= size || first == field.min()).then_some(Advice::LongStep {
            field,
            step,
            only: first,
        });
    }
    let last = first + (field.max() - first) / step * step;
    let gap = size - last + first;
    (gap != step).then_some(Advice::UnevenStep {
        field,
        step,
        last,
        gap,
    })
}

/// Every minute of one hour, or of those that a step leaves: a range of hours is more likely meant so.
fn every_minute(fields: &Fields, text: &str) -> Option<Advice> {
    let hours = fields.hours;
    let hour_field = text.split_whitespace().rev().nth(3);
    let is_stepped = hours.count_ones() < 24 && hour_field.is_some_and(|field| field.contains('/'));
    let is_every_minute = fields.minutes.count_ones() == 60 && fields.seconds == 1;
    (is_every_minute && (hours.is_power_of_two() || is_stepped)).then_some(Advice::EveryMinute { hours })
}

/// One of the last days of the month, and nothing else.
fn short_months(fields: &Fields) -> Option<Advice> {
    let day = fields.days.listed.trailing_zeros();
    let is_alone = fields.days.is_plain() && fields.days.listed.is_power_of_two() && fields.weekdays.is_all();
    let every_month = fields.months.count_ones() == 12;
    (is_alone && every_month && (29..=31).contains(&day)).then_some(Advice::ShortMonths { day })
}

fn seldom(schedule: &Schedule, now: Timestamp) -> Option<Advice> {
    let next = schedule.next(now);
    let then = next.and_then(|next| schedule.next(next));
    let after = then.and_then(|then| schedule.next(then));
    let far = |from: Option<Timestamp>, to: Option<Timestamp>| {
        from.zip(to).is_none_or(|(from, to)| to - from > RARE)
    };
    let date = |at: Timestamp| wall(schedule, at).date();
    (far(Some(now), next) || far(next, then) || far(then, after)).then(|| Advice::Seldom {
        next: next.map(date),
        then: then.map(date),
    })
}

/// The first run that a clock change skips, and the first that it repeats: of a reading that comes twice, both are due.
fn clock_changes(schedule: &Schedule, now: Timestamp) -> Vec<Advice> {
    let (mut skipped, mut repeated) = (None, None);
    for change in changes(schedule, now) {
        let mut first_of_two = Vec::new();
        for reading in schedule.readings(now.max(change - DAY), change + DAY) {
            match reading {
                Reading::Skipped { wall, .. } if skipped.is_none() => {
                    skipped = Some(Advice::Skipped { wall });
                }
                Reading::Due {
                    at,
                    fold: Fold::First,
                } => first_of_two.push((at, wall(schedule, at))),
                Reading::Due {
                    at,
                    fold: Fold::Second,
                } if repeated.is_none() => {
                    let again = wall(schedule, at);
                    let first = first_of_two.iter().find(|(_, wall)| *wall == again);
                    repeated = first.map(|&(at, wall)| Advice::Repeated { at, wall });
                }
                Reading::Due { .. } | Reading::PutOff { .. } | Reading::Skipped { .. } => {}
            }
        }
    }
    skipped.into_iter().chain(repeated).collect()
}

/// When the zone's clock changes next. Readings that a change skips or repeats are within a day of it.
fn changes(schedule: &Schedule, now: Timestamp) -> Vec<Timestamp> {
    let zone = schedule.zone();
    let next = zone.at(now.timestamp()) + 1..=zone.at((now + AHEAD).timestamp());
    let starts = zone.periods().get(next).unwrap_or_default().iter();
    starts
        .filter_map(|period| Timestamp::from_timestamp(period.start, 0))
        .collect()
}

/// What the zone's clock shows at an instant.
fn wall(schedule: &Schedule, at: Timestamp) -> NaiveDateTime {
    let offset = TimeDelta::seconds(schedule.zone().offset_seconds(at).into());
    (at + offset).naive_utc()
}
