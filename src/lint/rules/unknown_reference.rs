//! Names of what is not in the object.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P021",
    name: "unknown-reference",
    severity: Severity::Error,
    summary: "A name refers to something that is not there",
    page: r"
A `volumeMounts` entry names a volume that the pod does not have, or a failure policy a container. Names of
config maps, secrets and the like are not checked: they are in the cluster.
",
    finds: Finds::Reading(&["unknown-reference"]),
};
