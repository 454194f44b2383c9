//! Values that may be there only once.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P020",
    name: "duplicate-value",
    severity: Severity::Error,
    summary: "A value that must be the only one is there twice",
    page: r"
Two containers of a pod, or two volumes, have one name; or a value is listed twice where each may be listed
once. Kubernetes refuses the object.
",
    finds: Finds::Reading(&["duplicate-value"]),
};
