//! Names with dots.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P046",
    name: "dotted-name",
    severity: Severity::Warning,
    summary: "A name with dots makes for surprising host names",
    page: r"
Kubernetes allows dots in the names of CronJobs and Jobs, and warns of them: pods are named after them, and in
the host name of a pod a dot begins a domain. Write `-` instead.
",
    finds: Finds::Reading(&["dotted-name"]),
};
