//! Time zones that do not exist.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P019",
    name: "unknown-time-zone",
    severity: Severity::Error,
    summary: "There is no such time zone",
    page: r"
Time zones are named as in the IANA database: `Europe/Rome`, `America/New_York`, `Etc/UTC`. Abbreviations such
as `PST`, and `Local`, are refused. A fixed offset is written the other way round: `Etc/GMT-2` is two hours
ahead of UTC.
",
    finds: Finds::Reading(&["unknown-time-zone"]),
};
