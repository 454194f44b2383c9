//! Names that Kubernetes refuses.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P016",
    name: "invalid-name",
    severity: Severity::Error,
    summary: "A name is not one in Kubernetes, or too long",
    page: r"
Names are made of lower-case letters, digits and `-`, with a letter or digit at both ends. A CronJob's name
has at most 52 characters, because its Jobs are named after it, a `-` and ten digits, and theirs have at most
63.
",
    finds: Finds::Reading(&["invalid-name"]),
};
