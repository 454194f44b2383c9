//! Values that are none of those that are known.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P014",
    name: "unsupported-value",
    severity: Severity::Error,
    summary: "A value is not one of those that the field can have",
    page: r"
Such values are written with exact capitals: `concurrencyPolicy: Forbid`, `restartPolicy: OnFailure`,
`imagePullPolicy: IfNotPresent`. Kubernetes refuses all others.
",
    finds: Finds::Reading(&["unsupported-value"]),
};
