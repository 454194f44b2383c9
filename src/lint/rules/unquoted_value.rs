//! Schedules and other values that need quotes.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P003",
    name: "unquoted-value",
    severity: Severity::Error,
    summary: "A value begins with a character that YAML keeps for itself",
    page: r#"
An unquoted `*` is a YAML alias, and `@`, `%` and a backtick are reserved, so these do not parse:

    schedule: * * * * *
    schedule: @daily

Quote every schedule, also those that would do without:

    schedule: "* * * * *"
"#,
    finds: Finds::InText(&["unquoted-schedule", "unquoted-value"]),
};
