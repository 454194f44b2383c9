//! What to do about each mistake. Where the right text is known, the caller puts it after this.

use super::Mistake;
use crate::schedule::Field;

/// What an expression looks like.
const SHAPE: &str = "write five fields (minute, hour, day of the month, month, day of the week) such as `0 2 * * *`, \
                     or a macro such as `@daily`";

impl Mistake {
    /// What to do about it, for people; none where the right text says it all.
    pub(super) fn advice(&self) -> Option<String> {
        let advice = match self {
            Mistake::TooFewFields { missing, .. } => {
                return missing.map(|field| format!("the {field} seems to be missing"));
            }
            Mistake::NameElsewhere {
                belongs: Field::Month,
                ..
            } => "the month is the fourth field",
            Mistake::NameElsewhere { .. } => "the day of the week is the fifth field",
            Mistake::SecondsField => "Kubernetes counts in minutes, so leave the seconds out",
            Mistake::SecondsAndYearFields => "Kubernetes has neither, so leave both out",
            Mistake::YearField | Mistake::Comment => "leave it out",
            Mistake::BlankInField => "close the gap",
            Mistake::Command { .. } => "what runs is said in spec.jobTemplate",
            Mistake::ZoneBehind { zone } => {
                return Some(format!("`timeZone: {zone}` beside the schedule says it"));
            }
            Mistake::Quoted => "take one pair away",
            Mistake::ZoneMisplaced | Mistake::ZoneInDialect => {
                "a CronJob names its time zone in spec.timeZone"
            }
            Mistake::Reboot => {
                "to run once, now, make a Job; to run again and again, use `@every 1h` or five fields"
            }
            Mistake::DurationUnitMissing { .. } => "units are s, m and h",
            Mistake::DurationNumberMissing { .. } => "a duration is numbers with units, such as `1h30m`",
            Mistake::HourTwentyFour => "midnight is hour 0, of the next day",
            Mistake::MinuteSixty => "the full hour is minute 0",
            Mistake::TimeOfDay { .. } => "the minute is the first field and the hour is the second",
            Mistake::RangeWithoutStart { .. } => "there are no negative numbers",
            Mistake::RangeBackwards { .. } => "split it at the end of the field",
            Mistake::LastDay => {
                "run on the first day of the next month instead, or on days 28-31 and let the run check"
            }
            Mistake::NearestWeekday => "run on Monday to Friday, and let the run check the date",
            Mistake::NthWeekday => "run on that day every week, and let the run check the date",
            Mistake::Hashed | Mistake::Random => "choose the values yourself",
            Mistake::Variable { .. } => "render the manifest first, for example with `envsubst`",
            Mistake::QuartzBeyond { found } if found.contains('-') && found.ends_with(['W', 'w']) => {
                "no dialect here has it; `LW` of the dialect `extended` is the last weekday of the month"
            }
            Mistake::QuartzBeyond { .. } => "the dialect `extended` has it",
            _ => return None,
        };
        Some(advice.to_owned())
    }

    /// What could be written, where it is not known what was meant.
    pub(super) fn choices(&self) -> Option<String> {
        let choices = match self {
            Mistake::Empty | Mistake::TooFewFields { .. } | Mistake::TooManyFields { .. } => SHAPE,
            Mistake::ZoneEndless | Mistake::ZoneAlone => {
                "write `TZ=Europe/Rome 0 2 * * *`, or better, name the time zone in spec.timeZone"
            }
            Mistake::UnknownMacro { .. } => {
                "there are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly and @every"
            }
            Mistake::EveryAlone => "write `@every 1h30m`",
            Mistake::DurationUnitTooLarge { .. } => {
                "say it in hours, or use a macro such as `@weekly` or `@monthly`"
            }
            Mistake::DurationUnitUnknown { .. } => "units are ns, us, ms, s, m and h",
            Mistake::DurationTooLong => "`@every 8760h` is a year",
            Mistake::UnknownName { field, .. } | Mistake::StarCrowded { field, .. } => {
                return Some(values(*field));
            }
            Mistake::Unexpected { field, .. } => {
                return Some(format!(
                    "{}; beside them there are `*`, `,`, `-` and `/`",
                    values(*field)
                ));
            }
            Mistake::RangeTwice { .. } => "write ranges with commas between them, such as `1-3,5-7`",
            Mistake::StepTwice { .. } => "write one step, such as `*/5` or `10-50/5`",
            Mistake::TooManyFieldsWithSeconds { .. } => {
                "write five fields, or six with the seconds in front, such as `30 0 2 * * *`"
            }
            Mistake::LastDayOffset => "write `L-3` for three days before the last; at most 30",
            Mistake::NearestWeekdayDay => {
                "write a day of the month from 1 to 31 and a `W`, such as `15W`, or `LW`"
            }
            Mistake::NthWeekdayForm => {
                "write a day and a number from 1 to 5, such as `FRI#2` for the second Friday"
            }
            Mistake::LastWeekdayForm => "write the day in front, such as `FRIL` for the last Friday",
            Mistake::HashForm { .. } => "write `H`, `H/15`, `H(0-29)` or `H(0-29)/10`",
            Mistake::HashWithoutName => "say which CronJob is meant, such as `--name shop/report`",
            Mistake::DayForm {
                field: Field::DayOfWeek,
                ..
            } => {
                "`FRIL` and `FRI#2` stand here, each alone; `L`, `L-3`, `15W` and `LW` stand in the third field of five"
            }
            Mistake::DayForm { .. } => {
                "`L`, `L-3`, `15W` and `LW` stand here, each alone; `FRIL` and `FRI#2` stand in the fifth field of five"
            }
            Mistake::DayElsewhere { .. } => {
                "the day of the month is the third field of five and the day of the week the fifth"
            }
            Mistake::QuartzFields { .. } => {
                "write second, minute, hour, day of the month, month and day of the week, perhaps also the year, such as \
                 `0 30 2 ? * MON-FRI`"
            }
            Mistake::QuartzValue { field } => return Some(quartz_values(*field)),
            Mistake::QuartzYear => "years go from 1970 to 2100",
            Mistake::StepNotANumber { .. } | Mistake::StepTooLarge { .. } => {
                "a step is a plain number, such as the 5 of `*/5`"
            }
            _ => return None,
        };
        Some(choices.to_owned())
    }
}

/// The values of a field, in words.
fn values(field: Field) -> String {
    let numbers = format!("{} go from {} to {}", field.plural(), field.min(), field.max());
    match field {
        Field::Month => format!("{numbers} or from JAN to DEC"),
        Field::DayOfWeek => format!("{numbers} (Sunday is 0) or from SUN to SAT"),
        Field::Second | Field::Minute | Field::Hour | Field::DayOfMonth => numbers,
    }
}

/// The values of a field of Quartz, in words.
fn quartz_values(field: Field) -> String {
    match field {
        Field::DayOfWeek => "days of the week go from 1 (Sunday) to 7 or from SUN to SAT".to_owned(),
        field => values(field),
    }
}
