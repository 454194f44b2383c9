//! Fields that do not exist, most of them misspelt.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P009",
    name: "unknown-field",
    severity: Severity::Error,
    summary: "There is no field of this name",
    page: r"
Kubernetes drops a field that it does not know without a word, or refuses the object if the client asks for
that, as `kubectl` does by default. A CronJob with `timezone` for `timeZone` runs at the wrong
hour.

What is below a misspelt field is checked as if it were spelt right.
",
    finds: Finds::Reading(&["unknown-field"]),
};
