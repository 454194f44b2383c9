//! Objects that are there twice.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P022",
    name: "duplicate-object",
    severity: Severity::Warning,
    summary: "Two objects have the same kind, namespace and name",
    page: r"
The second takes the place of the first when both are applied. Where that is meant, as in overlays, lint what
comes out of them: `kustomize build | punctual lint -`.
",
    finds: Finds::Reading(&["duplicate-object"]),
};
