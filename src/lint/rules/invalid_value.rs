//! Values that Kubernetes refuses.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P015",
    name: "invalid-value",
    severity: Severity::Error,
    summary: "A value breaks a rule of Kubernetes",
    page: r"
The value is of the right kind, but Kubernetes refuses it: a negative number, a label that is too long, a
volume with two sources, an exit code that is listed twice. The message has the rule.
",
    finds: Finds::Reading(&["invalid-value"]),
};
