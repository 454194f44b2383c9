//! Schedules that do not parse.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P017",
    name: "invalid-schedule",
    severity: Severity::Error,
    summary: "The schedule is not a cron expression",
    page: r"
A schedule has five fields: minute, hour, day of the month, month, day of the week (0 to 6, or SUN to SAT).
There are no seconds, no years, no `L`, `W`, `#` or `H`, no day 7; ranges don't go round. Or it is `@hourly`,
`@daily`, `@weekly`, `@monthly`, `@yearly`, or `@every` with a duration such as `1h30m`.

`punctual explain EXPR` says what a schedule means. More can be written in the annotation
`punctual.dev/schedules`.
",
    finds: Finds::Reading(&["invalid-schedule"]),
};
