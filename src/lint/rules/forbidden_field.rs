//! Fields that are right elsewhere, but not here.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P013",
    name: "forbidden-field",
    severity: Severity::Error,
    summary: "A field may not be written here",
    page: r"
The field exists, but Kubernetes refuses it in this place or beside these other fields. A CronJob's Jobs find
their pods by themselves, so `selector` and `manualSelector` are left out of a `jobTemplate`;
`backoffLimitPerIndex`, `maxFailedIndexes` and `successPolicy` are for Jobs with `completionMode: Indexed`.
",
    finds: Finds::Reading(&["forbidden-field"]),
};
