//! What to do about each mistake. Where the right text is known, the caller puts it after this.

use super::Mistake;
use crate::schedule::Field;

/// What an expression looks like.
const SHAPE: &str = "write five fields (minute, hour, day of the month, month, day of the week) such as `0 2 * * *`, \
                     or a macro such as `@daily`";

/// Where a time zone belongs.
const ZONE: &str = "a CronJob names its time zone in spec.timeZone";

impl Mistake {
    /// What to do about it, for people; none where the right text says it all.
    pub(super) fn advice(&self) -> Option<String> {
        self.fixed_advice().map(str::to_owned).or_else(|| match self {
            Mistake::TooFewFields {
                missing: Some(field), ..
            } => Some(format!("if it is the {field} that is missing")),
            Mistake::NameElsewhere { belongs, .. } => Some(format!(
                "the {belongs} is the {} field",
                if *belongs == Field::Month {
                    "fourth"
                } else {
                    "fifth"
                }
            )),
            Mistake::UnknownName { field, .. } => Some(values(*field)),
            Mistake::Unexpected { field, .. } => Some(format!(
                "{}; beside them there are `*`, `,`, `-` and `/`",
                values(*field)
            )),
            Mistake::AboveMaximum {
                field: Field::DayOfMonth,
                ..
            } => None,
            _ => None,
        })
    }

    /// The advice that is the same whatever was written.
    fn fixed_advice(&self) -> Option<&'static str> {
        Some(match self {
            Mistake::Empty | Mistake::TooFewFields { missing: None, .. } | Mistake::TooManyFields { .. } => {
                SHAPE
            }
            Mistake::SecondsField => "Kubernetes counts in minutes, so leave the seconds out",
            Mistake::YearField => "leave it out",
            Mistake::SecondsAndYearFields => "leave both out",
            Mistake::BlankInField => "close the gap",
            Mistake::Command { .. } => "the command belongs in spec.jobTemplate",
            Mistake::Comment => "leave it out",
            Mistake::Quoted => "take one pair away",
            Mistake::ZoneEndless | Mistake::ZoneAlone => {
                "write `TZ=Europe/Rome 0 2 * * *`, or better, name the time zone in spec.timeZone"
            }
            Mistake::ZoneMisplaced => ZONE,
            Mistake::Reboot => {
                "to run once, now, make a Job; to run again and again, use `@every 1h` or five fields"
            }
            Mistake::UnknownMacro { .. } => {
                "there are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly and @every"
            }
            Mistake::EveryAlone => "write `@every 1h30m`",
            Mistake::DurationUnitMissing { .. } => "units are s, m and h",
            Mistake::DurationUnitUnknown { .. } => "units are ns, us, ms, s, m and h",
            Mistake::DurationNumberMissing { .. } => "a duration is numbers with units, such as `1h30m`",
            Mistake::HourTwentyFour => "midnight is hour 0, of the next day",
            Mistake::MinuteSixty => "the full hour is minute 0",
            Mistake::TimeOfDay { .. } => "the minute is the first field and the hour is the second",
            Mistake::RangeWithoutStart => "there are no negative numbers",
            Mistake::RangeBackwards { .. } => "split it at the end of the field",
            Mistake::LastDay => {
                "run on the first day of the next month instead, or on days 28-31 and let the run check"
            }
            Mistake::NearestWeekday => "run on Monday to Friday, and let the run check the date",
            Mistake::NthWeekday => "run on that day every week, and let the run check the date",
            Mistake::Hashed | Mistake::Random => "choose a value",
            _ => return None,
        })
    }
}

/// The values of a field, in words.
fn values(field: Field) -> String {
    let numbers = format!("{} go from {} to {}", field.plural(), field.min(), field.max());
    match field {
        Field::Month => format!("{numbers} or from JAN to DEC"),
        Field::DayOfWeek => format!("{numbers} (Sunday is 0) or from SUN to SAT"),
        Field::Minute | Field::Hour | Field::DayOfMonth => numbers,
    }
}
