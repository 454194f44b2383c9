//! Every mistake that can be made in an expression, one variant each, and the sentence that names it.

use super::render::shown;
use crate::schedule::Field;

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are what the sentences say they are")]
pub enum Mistake {
    // The expression as a whole.
    /// There is nothing but blanks.
    #[error("the schedule is empty")]
    Empty,
    /// Fewer than five fields.
    #[error("a schedule has 5 fields, and this one has {found}")]
    TooFewFields { found: usize, missing: Option<Field> },
    /// More than five fields, for no reason that we know.
    #[error("a schedule has 5 fields, and this one has {found}")]
    TooManyFields { found: usize },
    /// Six fields, as in dialects that begin with seconds.
    #[error("this has 6 fields, as if it began with seconds")]
    SecondsField,
    /// Six fields, of which the last is a year.
    #[error("a schedule has no field for the year")]
    YearField,
    /// Seven fields, as in Quartz: seconds first and a year last.
    #[error("this has 7 fields, as if it began with seconds and ended with the year")]
    SecondsAndYearFields,
    /// A blank within a field's list or range.
    #[error("a blank ends a field, so this one ends in the middle of a list or range")]
    BlankInField,
    /// A command or user name after the fields, as in a crontab.
    #[error("`{}` is not part of a schedule, which ends after 5 fields", shown(found))]
    Command { found: String },
    /// A time zone after the fields.
    #[error("a schedule does not end with its time zone")]
    ZoneBehind { zone: String },
    /// A comment after the fields, as in a crontab.
    #[error("a schedule has no comments")]
    Comment,
    /// Quotation marks that are part of the text.
    #[error("the quotation marks have become part of the schedule")]
    Quoted,
    /// `daily` for `@daily`.
    #[error("`{}` is not a field", shown(found))]
    MacroWithoutAt { found: String },

    // The time zone in front.
    /// `TZ=UTC` with nothing or another blank after it.
    #[error("the time zone must end in a space")]
    ZoneEndless,
    /// A time zone and nothing else.
    #[error("there is no schedule after the time zone")]
    ZoneAlone,
    /// `tz=`, `Tz=`.
    #[error("`{found}` must be written in capitals")]
    ZoneCase { found: String },
    /// A time zone that is not the very first thing.
    #[error("a time zone must be the very first thing in the schedule")]
    ZoneMisplaced,

    // Macros.
    /// Blanks before a macro.
    #[error("a macro must be the very first thing in the schedule")]
    MacroIndented,
    /// `@Daily`.
    #[error("`{found}` must be written in lower case")]
    MacroCase { found: String },
    /// Something after a macro.
    #[error("nothing may follow `{name}`, not even a blank")]
    MacroFollowed { name: String },
    /// `@reboot`.
    #[error("`@reboot` has no meaning in Kubernetes")]
    Reboot,
    /// No macro that exists.
    #[error("there is no macro `{}`", shown(found))]
    UnknownMacro { found: String },
    /// `@every` without a duration.
    #[error("`@every` needs a duration")]
    EveryAlone,
    /// Anything but one space between `@every` and the duration.
    #[error("exactly one space must stand between `@every` and its duration")]
    EverySpacing,
    /// A blank in a duration.
    #[error("a duration has no blanks")]
    DurationBlank,
    /// A unit without a number.
    #[error("a number is missing in the duration `{}`", shown(duration))]
    DurationNumberMissing { duration: String },
    /// A number without a unit.
    #[error("the number `{number}` needs a unit")]
    DurationUnitMissing { number: String },
    /// Days, weeks, months or years.
    #[error("`{}` is not a unit here: the largest is `h`, the hour", shown(unit))]
    DurationUnitTooLarge { unit: String },
    /// No unit that exists.
    #[error("`{}` is not a unit of time", shown(unit))]
    DurationUnitUnknown { unit: String },
    /// More than Go can count.
    #[error("the duration is longer than 292 years")]
    DurationTooLong,

    // Values.
    /// 7 as a day of the week.
    #[error("Sunday is 0, not 7: days of the week go from 0 to 6")]
    SundayAsSeven,
    /// 24 as an hour.
    #[error("there is no hour 24: hours go from 0 to 23")]
    HourTwentyFour,
    /// 60 as a minute.
    #[error("there is no minute 60: minutes go from 0 to 59")]
    MinuteSixty,
    /// Below the lowest value: 0 as a day of the month or a month.
    #[error("there is no {field} {found}: {} go from {} to {}", field.plural(), field.min(), field.max())]
    BelowMinimum { field: Field, found: String },
    /// Above the highest value.
    #[error("there is no {field} {found}: {} go from {} to {}", field.plural(), field.min(), field.max())]
    AboveMaximum { field: Field, found: String },
    /// `MONDAY` for `MON`.
    #[error("a name has three letters, unlike `{found}`")]
    NameLength { found: String },
    /// A day where a month belongs, or the like.
    #[error("`{found}` is a {belongs}, but it stands in the field of the {field}")]
    NameElsewhere {
        found: String,
        belongs: Field,
        field: Field,
    },
    /// Letters that are no name.
    #[error("`{found}` is not a {field}")]
    UnknownName { found: String, field: Field },
    /// A character that only looks like the right one.
    #[error("`{found}` in the {field} is not the character `{meant}`, though it looks like it")]
    LookAlike { found: char, meant: char, field: Field },
    /// `12:30`.
    #[error("`{found}` is a time of day, but it stands in the field of the {field}")]
    TimeOfDay { found: String, field: Field },
    /// Anything else that is not a number.
    #[error("`{}` does not belong in the {field}", shown(found))]
    Unexpected { found: String, field: Field },

    // Ranges and steps.
    /// `*5`, `**`.
    #[error("`{star}` stands for every {field}, and nothing may stand beside it")]
    StarCrowded { star: char, field: Field },
    /// `22-2`, `FRI-MON`.
    #[error("the range of {} `{range}` runs backwards", field.plural())]
    RangeBackwards { range: String, field: Field },
    /// `5-`.
    #[error("the range of {} has no end", field.plural())]
    RangeWithoutEnd { field: Field },
    /// `-5`.
    #[error("in the {field}, nothing stands before the `-`")]
    RangeWithoutStart { field: Field },
    /// `5-*`.
    #[error("a range of {} ends in a value, not in `{star}`", field.plural())]
    RangeToStar { star: char, field: Field },
    /// `1-3-5`.
    #[error("a range of {} has one `-`, and this one has more", field.plural())]
    RangeTwice { field: Field },
    /// `1..5`.
    #[error("a range of {} is written with `-`", field.plural())]
    RangeDotted { field: Field },
    /// `*/0`.
    #[error("a step of 0 leads to no other {field}")]
    StepZero { field: Field },
    /// `*/-5`.
    #[error("the step in the {field} is negative")]
    StepNegative { field: Field },
    /// `*/`.
    #[error("in the {field}, the step is missing after the `/`")]
    StepMissing { field: Field },
    /// `/5`.
    #[error("in the {field}, nothing stands before the `/`")]
    StepWithoutStart { field: Field },
    /// `*/5/2`.
    #[error("a range of {} has one `/`, and this one has more", field.plural())]
    StepTwice { field: Field },
    /// `*/x`.
    #[error("the step `{}` in the {field} is not a number", shown(found))]
    StepNotANumber { found: String, field: Field },
    /// A step beyond 64 bits.
    #[error("the step `{found}` in the {field} is too large")]
    StepTooLarge { found: String, field: Field },

    // What other dialects can say.
    /// `L`.
    #[error("`L`, the last day, is not known to Kubernetes")]
    LastDay,
    /// `W`.
    #[error("`W`, the nearest weekday, is not known to Kubernetes")]
    NearestWeekday,
    /// `#`.
    #[error("`#`, the nth weekday of the month, is not known to Kubernetes")]
    NthWeekday,
    /// Jenkins's `H`.
    #[error("`H`, a value that is spread out, is known to Jenkins and not to Kubernetes")]
    Hashed,
    /// cronie's `~`.
    #[error("`~`, a random value, is not known to Kubernetes")]
    Random,

    // The extended dialect.
    /// More than six fields.
    #[error("a schedule has 5 fields, or 6 with seconds, and this one has {found}")]
    TooManyFieldsWithSeconds { found: usize },
    /// `TZ=UTC` where the dialect has no prefix.
    #[error("only the dialect `kubernetes` has a time zone in front")]
    ZoneInDialect,
    /// `L-40`, `L-x`.
    #[error("what follows `L-` is not a number of days")]
    LastDayOffset,
    /// `W`, `40W`, `1-5W`.
    #[error("`W` needs one day of the month")]
    NearestWeekdayDay,
    /// `FRI#6`, `#2`.
    #[error("`#` stands between a day of the week and a number from 1 to 5")]
    NthWeekdayForm,
    /// `L` alone as a day of the week.
    #[error("`L` needs the day of the week whose last one is meant")]
    LastWeekdayForm,
    /// `H(5)`, `H-3`.
    #[error("this is not how `H` is written in the {field}")]
    HashForm { field: Field },
    /// `H` in a schedule that belongs to no CronJob.
    #[error("`H` is spread by the name of the CronJob, and there is none")]
    HashWithoutName,
    /// `1-L`, `15W` as a day of the week.
    #[error("`{}` is not how a {field} is written", shown(found))]
    DayForm { found: String, field: Field },
    /// `L` as a month.
    #[error(
        "`{}` belongs in a day field, but it stands in the field of the {field}",
        shown(found)
    )]
    DayElsewhere { found: String, field: Field },

    // Quartz.
    /// Neither six nor seven fields.
    #[error("a Quartz schedule has 6 or 7 fields, and this one has {found}")]
    QuartzFields { found: usize },
    /// `${SCHEDULE}`.
    #[error("`{}` is a variable that nobody has replaced", shown(found))]
    Variable { found: String },
    /// `cron(…)`, `rate(…)`.
    #[error("this is how Amazon EventBridge writes a schedule")]
    EventBridge,
    /// `L`, `W`, `#`.
    #[error("`{}` is more than is read of Quartz", shown(found))]
    QuartzBeyond { found: String },
    /// A field that is not Quartz.
    #[error("this is not what Quartz takes as the {field}")]
    QuartzValue { field: Field },
    /// A year that is not Quartz.
    #[error("this is not what Quartz takes as the year")]
    QuartzYear,
}
