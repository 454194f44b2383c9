//! Kinds that are misspelt or in the wrong group.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P007",
    name: "unknown-kind",
    severity: Severity::Error,
    summary: "There is no such kind, or not in this version",
    page: r"
Kinds are written with exact capitals, and each belongs to a group and version: `CronJob` and `Job` to
`batch/v1`.

    apiVersion: v1            # batch/v1
    kind: Cronjob             # CronJob
",
    finds: Finds::InText(&["unknown-kind"]),
};
